/* What the options say, as OpenSSL takes it. Private. */
#ifndef HERALD_ADAPTERS_TLS_OPENSSL_FILES_H
#define HERALD_ADAPTERS_TLS_OPENSSL_FILES_H

#include <openssl/ssl.h>

#include <herald/openssl.h>

/*
 * Read the files of the options into a context for new connections.
 *
 * out     set only on HERALD_OK; SSL_CTX_free() frees it.
 * Errors  HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 */
HERALD_MUST_CHECK enum herald_status
herald__openssl_read_files(const struct herald_openssl_options *options, SSL_CTX **out,
			   struct herald_error *error);

#endif
