/*
 * TLS for the tests' HTTP client, with OpenSSL.
 */
#ifndef HERALD_TESTS_SUPPORT_TLS_CLIENT_H
#define HERALD_TESTS_SUPPORT_TLS_CLIENT_H

#include <openssl/ssl.h>

#include "support/certificates.h"
#include "support/http_client.h"

struct tls_client_settings {
	const struct identity *ca;     /* of the server */
	const struct identity *own;    /* the client's certificate, or NULL */
	const struct identity *issuer; /* sent after it, or NULL */
	int version;                   /* TLS1_2_VERSION, or 0: any */
};

/*
 * From now on http_connect() speaks TLS, and fails if the server's certificate is not valid. A
 * connection without close_notify at its end is an error, not an end.
 */
void tls_client_begin(const struct tls_client_settings *settings);

/* The next connections are plain. Close the encrypted ones before. */
void tls_client_end(void);

/* The next connections resume this session. NULL: none. */
void tls_client_resume(SSL_SESSION *session);

/* A connection's. */
SSL *tls_client_ssl(const struct http_client *client);

#endif
