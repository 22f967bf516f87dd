/*
 * TLS for the tests' HTTP client: its connections over OpenSSL.
 */
#include "tls_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include <cmocka.h>
#include <openssl/err.h>

static SSL_CTX *context;
static SSL_SESSION *session;

/* The result of a call that has failed, as of recv(). */
static ssize_t
failure(SSL *ssl, int returned, short *events)
{
	int kind = SSL_get_error(ssl, returned);

	if (kind == SSL_ERROR_ZERO_RETURN)
		return 0;
	*events = kind == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
	errno = kind == SSL_ERROR_WANT_WRITE || kind == SSL_ERROR_WANT_READ ? EAGAIN : ECONNRESET;
	return -1;
}

static ssize_t
tls_send(void *stream, const void *data, size_t bytes, short *events)
{
	size_t sent;

	ERR_clear_error();
	int returned = SSL_write_ex(stream, data, bytes, &sent);
	return returned == 1 ? (ssize_t)sent : failure(stream, returned, events);
}

static ssize_t
tls_receive(void *stream, void *data, size_t bytes, short *events)
{
	size_t got;

	ERR_clear_error();
	int returned = SSL_read_ex(stream, data, bytes, &got);
	return returned == 1 ? (ssize_t)got : failure(stream, returned, events);
}

static ssize_t
tls_peek(void *stream, short *events)
{
	size_t got;
	char byte;

	ERR_clear_error();
	int returned = SSL_peek_ex(stream, &byte, 1, &got);
	return returned == 1 ? (ssize_t)got : failure(stream, returned, events);
}

static void
tls_finish(void *stream)
{
	ERR_clear_error();
	if (!(SSL_get_shutdown(stream) & SSL_SENT_SHUTDOWN))
		SSL_shutdown(stream);
}

static void
tls_close(void *stream)
{
	SSL_free(stream);
}

static void *
tls_open(int fd)
{
	SSL *ssl = SSL_new(context);
	int returned;
	struct pollfd poller = {.fd = fd};

	if (!ssl || SSL_set_fd(ssl, fd) != 1 || (session && SSL_set_session(ssl, session) != 1)) {
		SSL_free(ssl);
		errno = ENOMEM;
		return NULL;
	}
	do {
		ERR_clear_error();
		returned = SSL_connect(ssl);
	} while (returned != 1 && failure(ssl, returned, &poller.events) < 0 && errno == EAGAIN &&
		 poll(&poller, 1, HTTP_CLIENT_WAIT_MS) == 1);
	if (returned == 1)
		return ssl;
	SSL_free(ssl);
	errno = ECONNRESET;
	return NULL;
}

static const struct http_client_tls functions = {
	.open = tls_open,
	.send = tls_send,
	.receive = tls_receive,
	.peek = tls_peek,
	.finish = tls_finish,
	.close = tls_close,
};

void
tls_client_resume(SSL_SESSION *next)
{
	if (next)
		SSL_SESSION_up_ref(next);
	SSL_SESSION_free(session);
	session = next;
}

void
tls_client_end(void)
{
	tls_client_resume(NULL);
	SSL_CTX_free(context);
	context = NULL;
	http_client_tls = NULL;
}

void
tls_client_begin(const struct tls_client_settings *settings)
{
	tls_client_end();
	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL. */
	context = SSL_CTX_new(TLS_client_method());
	assert_non_null(context);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_NO_AUTO_CHAIN);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(context), settings->ca->certificate);
	if (settings->version) {
		SSL_CTX_set_min_proto_version(context, settings->version);
		SSL_CTX_set_max_proto_version(context, settings->version);
	}
	if (settings->own) {
		assert_int_equal(SSL_CTX_use_certificate(context, settings->own->certificate), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(context, settings->own->key), 1);
	}
	if (settings->issuer)
		assert_int_equal(SSL_CTX_add1_chain_cert(context, settings->issuer->certificate),
				 1);
	http_client_tls = &functions;
}

SSL *
tls_client_ssl(const struct http_client *client)
{
	return client->stream;
}
