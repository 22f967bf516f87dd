/*
 * TLS 1.2 and 1.3 for Herald's server (herald/server.h), with OpenSSL 3.
 *
 *	struct herald_tls *tls;
 *
 *	herald_openssl_create(&HERALD_OPENSSL_OPTIONS(.certificate = "cert.pem", .key = "key.pem"),
 *			      &tls, &error);
 *	herald_serve(service, &HERALD_SERVER_OPTIONS(.address = "0.0.0.0", .tls = tls), &error);
 *	herald_openssl_destroy(tls);
 *
 * A handshake has the server's header_timeout_ms. With TLS 1.2, only cipher suites with ECDHE and
 * AEAD are used. OpenSSL's configuration file may raise the minimum version, and sets the security
 * level. A client that offers protocols by ALPN must offer "http/1.1" or "http/1.0". There is no
 * compression, no renegotiation and no early data.
 */
#ifndef HERALD_OPENSSL_H
#define HERALD_OPENSSL_H

#include <stddef.h>

#include <herald/adapter/tls.h>
#include <herald/allocator.h>
#include <herald/array.h>
#include <herald/export.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Options. Everything is copied; the files are read by herald_openssl_create() and _reload(). */
struct herald_openssl_options {
	size_t struct_size; /**< Set by HERALD_OPENSSL_OPTIONS. */

	/** A PEM file: the server's certificate, then the intermediate ones. Required. */
	const char *certificate;
	/** A PEM file: the certificate's private key, not encrypted. Required. */
	const char *key;

	/**
	 * A PEM file of CA certificates. If set, each client must have a certificate that one of
	 * them has issued, directly or through certificates that the client sends. Sessions are
	 * then not resumed, so that every connection's certificate is checked. Default: clients
	 * need none.
	 */
	const char *client_ca;
	/**
	 * The certificate of a client must be for one of these DNS names: a subjectAltName or, if
	 * it has no DNS name there, the subject's CN. A wildcard in the certificate matches
	 * nothing. Needs client_ca. Default: any name.
	 */
	const char *const *client_names;
	size_t client_names_count; /**< Set by HERALD_OPENSSL_CLIENT_NAMES. */

	struct herald_allocator allocator; /**< Zeroed: libc's. OpenSSL has its own. */
};

/** The option `client_names`, with its count: HERALD_OPENSSL_CLIENT_NAMES(names). */
#define HERALD_OPENSSL_CLIENT_NAMES(ARRAY)                                                         \
	.client_names = (ARRAY), .client_names_count = HERALD_COUNT(ARRAY)

/** Options as a compound literal. */
#define HERALD_OPENSSL_OPTIONS(...)                                                                \
	((struct herald_openssl_options){.struct_size = sizeof(struct herald_openssl_options),     \
					 __VA_ARGS__})

/**
 * Read the files, and create what the server's option `tls` takes. Several servers may share it.
 *
 * out      set only on HERALD_OK; the caller owns it. It must outlive the servers.
 * error    may be NULL; its path names the option, its message the file and OpenSSL's reason.
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY, HERALD_SYSTEM.
 * Threads  any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_openssl_create(const struct herald_openssl_options *options, struct herald_tls **out,
		      struct herald_error *error);

/**
 * Read the files again, for example when a certificate was renewed. Connections that are accepted
 * from now on use them; open ones stay as they are. On failure, the former ones stay in use.
 *
 * error    as for herald_openssl_create().
 * Errors   HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads  any, also while servers run.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_openssl_reload(struct herald_tls *tls, struct herald_error *error);

/** Free it. Destroy the servers that use it first. NULL is allowed. */
HERALD_API void herald_openssl_destroy(struct herald_tls *tls);

#ifdef __cplusplus
}
#endif
#endif
