/*
 * A connection of OpenSSL's as a stream. A stream is an SSL without anything around it; its
 * application data is the text of what has failed. It does not own the socket.
 *
 * OpenSSL reads no further than the record that it needs (no "read ahead"), so that nothing is left
 * in it that epoll does not know of.
 */
#include "stream.h"

#include <sys/socket.h>

#include <openssl/err.h>

#include <herald/adapter/text.h>

static SSL *
ssl_of(struct herald_tls_stream *stream)
{
	return (SSL *)stream;
}

/* Results. */

static const char *
failure_text(const SSL *ssl, int kind)
{
	long verified = SSL_get_verify_result(ssl);
	const char *text = ERR_reason_error_string(ERR_peek_error());

	if (verified != X509_V_OK)
		return X509_verify_cert_error_string(verified);
	if (kind == SSL_ERROR_SYSCALL || !text)
		return "the client has closed the connection";
	return text;
}

/* The result of a call that has failed. */
static enum herald_tls_result
failure(SSL *ssl, int returned)
{
	int kind = SSL_get_error(ssl, returned);
	int reason = ERR_GET_REASON(ERR_peek_error());

	switch (kind) {
	case SSL_ERROR_WANT_READ:
		return HERALD_TLS_WANTS_READ;
	case SSL_ERROR_WANT_WRITE:
		return HERALD_TLS_WANTS_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return HERALD_TLS_END;
	default:
		SSL_set_app_data(ssl, (char *)(uintptr_t)failure_text(ssl, kind));
		if (kind == SSL_ERROR_SSL &&
		    (reason == SSL_R_HTTP_REQUEST || reason == SSL_R_HTTPS_PROXY_REQUEST))
			return HERALD_TLS_PLAIN_HTTP;
		return HERALD_TLS_BROKEN;
	}
}

const char *
herald__openssl_stream_problem(const struct herald_tls_stream *stream)
{
	return SSL_get_app_data((const SSL *)stream);
}

/* Reading and writing. */

/* Whether the client has sent a method and a space. OpenSSL recognises only some methods. The bytes
 * stay in the socket. */
static bool
is_plain_http(int fd)
{
	char text[32];
	ssize_t got = recv(fd, text, sizeof(text) - 1, MSG_PEEK | MSG_DONTWAIT);

	if (got <= 0)
		return false;
	text[got] = '\0';
	size_t method_bytes = herald_http_token_bytes(text);
	return method_bytes > 0 && text[method_bytes] == ' ';
}

enum herald_tls_result
herald__openssl_stream_read(struct herald_tls_stream *stream, void *data, size_t bytes, size_t *got)
{
	if (SSL_in_before(ssl_of(stream)) && is_plain_http(SSL_get_fd(ssl_of(stream)))) {
		SSL_set_app_data(ssl_of(stream), (char *)(uintptr_t) "http request");
		return HERALD_TLS_PLAIN_HTTP;
	}
	ERR_clear_error();
	int returned = SSL_read_ex(ssl_of(stream), data, bytes, got);
	return returned == 1 ? HERALD_TLS_DONE : failure(ssl_of(stream), returned);
}

enum herald_tls_result
herald__openssl_stream_write(struct herald_tls_stream *stream, const void *data, size_t bytes,
			     size_t *sent)
{
	ERR_clear_error();
	int returned = SSL_write_ex(ssl_of(stream), data, bytes, sent);
	return returned == 1 ? HERALD_TLS_DONE : failure(ssl_of(stream), returned);
}

enum herald_tls_result
herald__openssl_stream_shutdown(struct herald_tls_stream *stream)
{
	SSL *ssl = ssl_of(stream);

	if (SSL_in_init(ssl) || SSL_get_app_data(ssl))
		return HERALD_TLS_DONE;
	ERR_clear_error();
	int returned = SSL_shutdown(ssl);
	return returned >= 0 ? HERALD_TLS_DONE : failure(ssl, returned);
}

/* Lifetime. */

struct herald_tls_stream *
herald__openssl_stream_open(SSL_CTX *context, int fd)
{
	SSL *ssl = SSL_new(context);

	if (!ssl || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		ERR_clear_error();
		return NULL;
	}
	SSL_set_accept_state(ssl);
	return (struct herald_tls_stream *)ssl;
}

void
herald__openssl_stream_close(struct herald_tls_stream *stream)
{
	SSL *ssl = ssl_of(stream);

	if (!(SSL_get_shutdown(ssl) & SSL_SENT_SHUTDOWN))
		herald__openssl_stream_shutdown(stream);
	SSL_free(ssl);
	ERR_clear_error();
}
