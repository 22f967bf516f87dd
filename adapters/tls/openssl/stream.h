/* Connections of OpenSSL's as streams of herald/adapter/tls.h. Private. */
#ifndef HERALD_ADAPTERS_TLS_OPENSSL_STREAM_H
#define HERALD_ADAPTERS_TLS_OPENSSL_STREAM_H

#include <stddef.h>

#include <openssl/ssl.h>

#include <herald/adapter/tls.h>

/* Returns NULL when out of memory. The stream keeps the context alive. */
struct herald_tls_stream *herald__openssl_stream_open(SSL_CTX *context, int fd);

/* The functions of struct herald_tls_ops. */
enum herald_tls_result herald__openssl_stream_read(struct herald_tls_stream *stream, void *data,
						   size_t bytes, size_t *got);
enum herald_tls_result herald__openssl_stream_write(struct herald_tls_stream *stream,
						    const void *data, size_t bytes, size_t *sent);
enum herald_tls_result herald__openssl_stream_shutdown(struct herald_tls_stream *stream);
const char *herald__openssl_stream_problem(const struct herald_tls_stream *stream);
void herald__openssl_stream_close(struct herald_tls_stream *stream);

#endif
