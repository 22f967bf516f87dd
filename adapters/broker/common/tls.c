/*
 * A client of TLS. Owns OpenSSL's objects, but not the socket. It writes to the socket itself,
 * because OpenSSL's own way would end the process with SIGPIPE if the server is gone.
 */
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

/* As for Herald's server: with TLS 1.2, forward secrecy and no padding that can be attacked. */
#define TLS12_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

struct broker_tls {
	SSL_CTX *context;
	SSL *ssl;
	BIO_METHOD *method;
	int fd;
	bool is_broken; /* nothing may be said any more */
	char problem[160];
};

/* What OpenSSL says; the first error is the cause of the others. */
static const char *
reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_error());

	return text ? text : "unknown error";
}

/* Files. */

static enum herald_status
refuse_file(struct herald_error *error, const char *option, const char *path, const char *expected)
{
	if (ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE)
		return herald_out_of_memory(error);
	return herald_option_refuse(error, option, "%s: expected %s; OpenSSL says: %s", path,
				    expected, reason());
}

/* OpenSSL would ask for it at the terminal. */
static int
no_password(char *out, int out_bytes, int is_written, void *state)
{
	(void)out, (void)out_bytes, (void)is_written, (void)state;
	return -1;
}

static enum herald_status
use_ca(SSL_CTX *context, const char *file, struct herald_error *error)
{
	if (*file && SSL_CTX_load_verify_file(context, file) != 1)
		return refuse_file(error, "ca_file", file, "CA certificates in PEM format");
	if (!*file && SSL_CTX_set_default_verify_paths(context) != 1)
		return herald_option_refuse(error, "ca_file",
					    "must be set, because the system's CA certificates "
					    "cannot be read: %s",
					    reason());
	return HERALD_OK;
}

static enum herald_status
use_files(SSL_CTX *context, const struct broker_tls_settings *files, struct herald_error *error)
{
	const enum herald_status status = use_ca(context, files->ca_file, error);

	if (status != HERALD_OK || !*files->key_file)
		return status;
	if (SSL_CTX_use_certificate_chain_file(context, files->certificate_file) != 1)
		return refuse_file(error, "certificate_file", files->certificate_file,
				   "certificates in PEM format");
	if (SSL_CTX_use_PrivateKey_file(context, files->key_file, SSL_FILETYPE_PEM) != 1)
		return refuse_file(error, "key_file", files->key_file,
				   "the private key of the certificate, not encrypted, in PEM "
				   "format");
	return HERALD_OK;
}

static enum herald_status
create_context(const struct broker_tls_settings *files, SSL_CTX **out, struct herald_error *error)
{
	ERR_clear_error();
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (!context)
		return herald_out_of_memory(error);
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(context, TLS12_CIPHERS);
	/* A write would have to wait for the server. */
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_default_passwd_cb(context, no_password);
	SSL_CTX_set_mode(context,
			 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* The file may have an intermediate CA without its root. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
	const enum herald_status status = use_files(context, files, error);
	if (status == HERALD_OK)
		*out = context;
	else
		SSL_CTX_free(context);
	ERR_clear_error();
	return status;
}

/* Copy one of the options. */
static enum herald_status
copy_path(const char *option, const char *path, bool is_secure, const char *scheme,
	  char out[BROKER_TLS_PATH_BYTES], struct herald_error *error)
{
	*out = '\0';
	if (!path)
		return HERALD_OK;
	if (!is_secure)
		return herald_option_refuse(error, option,
					    "is set, but the URL does not begin "
					    "with \"%s\"",
					    scheme);
	if (*path == '\0' || strlen(path) >= BROKER_TLS_PATH_BYTES)
		return herald_option_refuse(error, option, "must have 1 to %d bytes",
					    BROKER_TLS_PATH_BYTES - 1);
	memcpy(out, path, strlen(path) + 1);
	return HERALD_OK;
}

enum herald_status
herald__broker_tls_configure(const struct broker_tls_files *files, bool is_secure,
			     const char *scheme, struct broker_tls_settings *out,
			     struct herald_error *error)
{
	SSL_CTX *context = NULL;
	enum herald_status status =
		copy_path("ca_file", files->ca_file, is_secure, scheme, out->ca_file, error);

	if (status == HERALD_OK)
		status = copy_path("certificate_file", files->certificate_file, is_secure, scheme,
				   out->certificate_file, error);
	if (status == HERALD_OK)
		status = copy_path("key_file", files->key_file, is_secure, scheme, out->key_file,
				   error);
	if (status == HERALD_OK && !files->certificate_file != !files->key_file)
		return herald_option_refuse(error,
					    files->key_file ? "certificate_file" : "key_file",
					    files->key_file ? "is missing: there is a key"
							    : "is missing: there is a certificate");
	if (status == HERALD_OK && is_secure)
		status = create_context(out, &context, error);
	SSL_CTX_free(context);
	return status;
}

/* The socket, as OpenSSL sees it. */

static void
set_retry(BIO *bio, ssize_t done, int flag)
{
	BIO_clear_retry_flags(bio);
	if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		BIO_set_flags(bio, flag | BIO_FLAGS_SHOULD_RETRY);
}

static int
socket_write(BIO *bio, const char *data, int bytes)
{
	const struct broker_tls *tls = BIO_get_data(bio);
	const ssize_t done = send(tls->fd, data, (size_t)bytes, MSG_NOSIGNAL);

	set_retry(bio, done, BIO_FLAGS_WRITE);
	return (int)done;
}

static int
socket_read(BIO *bio, char *data, int bytes)
{
	const struct broker_tls *tls = BIO_get_data(bio);
	const ssize_t done = recv(tls->fd, data, (size_t)bytes, 0);

	set_retry(bio, done, BIO_FLAGS_READ);
	return (int)done;
}

/* Nothing is buffered, and nothing else is known. */
static long
socket_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio, (void)number, (void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO *
create_socket(struct broker_tls *tls)
{
	tls->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "herald");
	if (!tls->method)
		return NULL;
	BIO_meth_set_write(tls->method, socket_write);
	BIO_meth_set_read(tls->method, socket_read);
	BIO_meth_set_ctrl(tls->method, socket_control);

	BIO *bio = BIO_new(tls->method);
	if (!bio)
		return NULL;
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	return bio;
}

/* Results. */

/* Keep why a call has failed; errno is then not EAGAIN. */
static void
keep_problem(struct broker_tls *tls, int kind)
{
	const int number = errno;
	const char *text = "";

	tls->is_broken = true;
	if (kind == SSL_ERROR_SSL)
		text = reason();
	else if (kind == SSL_ERROR_SYSCALL && number == 0)
		text = "the server has closed the connection";
	herald_text_write(tls->problem, sizeof(tls->problem), "%s", text);
	errno = kind == SSL_ERROR_SSL || number == 0 || number == EAGAIN ? EPROTO : number;
}

/* The result of SSL_read() or SSL_write(). */
static ssize_t
result(struct broker_tls *tls, int returned)
{
	if (returned > 0)
		return returned;
	const int kind = SSL_get_error(tls->ssl, returned);
	if (kind == SSL_ERROR_ZERO_RETURN)
		return 0;
	if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
		errno = EAGAIN;
	else
		keep_problem(tls, kind);
	return -1;
}

static int
at_most(size_t bytes)
{
	return bytes < 1 << 30 ? (int)bytes : 1 << 30;
}

ssize_t
herald__broker_tls_read(struct broker_tls *tls, void *data, size_t bytes)
{
	ERR_clear_error();
	errno = 0;
	return result(tls, SSL_read(tls->ssl, data, at_most(bytes)));
}

/* A server that refuses a client's certificate says so and closes the connection at once: then the
 * next write fails, before that was read. */
static void
look_for_alert(struct broker_tls *tls)
{
	const int number = errno;
	char byte;

	ERR_clear_error();
	const int returned = SSL_read(tls->ssl, &byte, 1);
	if (returned <= 0 && SSL_get_error(tls->ssl, returned) == SSL_ERROR_SSL)
		keep_problem(tls, SSL_ERROR_SSL);
	else
		errno = number;
}

ssize_t
herald__broker_tls_write(struct broker_tls *tls, const void *data, size_t bytes)
{
	ERR_clear_error();
	errno = 0;
	const ssize_t written = result(tls, SSL_write(tls->ssl, data, at_most(bytes)));
	if (written == 0)
		errno = EPIPE;
	if (written < 0 && errno != EAGAIN)
		look_for_alert(tls);
	return written > 0 ? written : -1;
}

const char *
herald__broker_tls_problem(const struct broker_tls *tls)
{
	return tls->problem;
}

/* Opening and closing. */

/* The name is sent (SNI), unless it is an address, and is verified. */
static bool
expect_host(SSL *ssl, const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
	       SSL_set_tlsext_host_name(ssl, host) == 1;
}

/* The handshake has failed. */
static enum herald_status
refuse_server(struct broker_tls *tls, const char *host, int kind, struct herald_error *error)
{
	const long verified = SSL_get_verify_result(tls->ssl);

	keep_problem(tls, kind);
	if (kind == SSL_ERROR_SSL && verified != X509_V_OK)
		return herald_option_refuse(error, "url",
					    "the certificate of %s is not accepted: %s", host,
					    X509_verify_cert_error_string(verified));
	if (kind == SSL_ERROR_SSL)
		return herald_option_refuse(error, "url", "no TLS with %s: %s", host, tls->problem);
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "no TLS with %s: %s",
				host, *tls->problem ? tls->problem : herald_errno_text(errno));
}

static enum herald_status
shake_hands(struct broker_tls *tls, const char *host, herald__broker_tls_wait *wait, void *state,
	    struct herald_error *error)
{
	for (;;) {
		ERR_clear_error();
		errno = 0;
		const int returned = SSL_connect(tls->ssl);
		if (returned == 1)
			return HERALD_OK;
		const int kind = SSL_get_error(tls->ssl, returned);
		if (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE)
			return refuse_server(tls, host, kind, error);
		const int failed =
			wait(tls->fd, kind == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, state);
		if (failed != 0)
			return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
						"no TLS with %s: %s", host,
						herald_errno_text(failed));
	}
}

static enum herald_status
prepare(struct broker_tls *tls, const char *host, struct herald_error *error)
{
	BIO *bio = create_socket(tls);

	if (!bio)
		return herald_out_of_memory(error);
	tls->ssl = SSL_new(tls->context);
	if (!tls->ssl) {
		BIO_free(bio);
		return herald_out_of_memory(error);
	}
	SSL_set_bio(tls->ssl, bio, bio);
	return expect_host(tls->ssl, host) ? HERALD_OK : herald_out_of_memory(error);
}

static void
release(struct broker_tls *tls)
{
	SSL_free(tls->ssl);
	BIO_meth_free(tls->method);
	SSL_CTX_free(tls->context);
	free(tls);
	ERR_clear_error();
}

enum herald_status
herald__broker_tls_open(const struct broker_tls_settings *settings, const char *host, int fd,
			herald__broker_tls_wait *wait, void *state, struct broker_tls **out,
			struct herald_error *error)
{
	struct broker_tls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		return herald_out_of_memory(error);
	tls->fd = fd;
	enum herald_status status = create_context(settings, &tls->context, error);
	if (status == HERALD_OK)
		status = prepare(tls, host, error);
	if (status == HERALD_OK)
		status = shake_hands(tls, host, wait, state, error);
	if (status == HERALD_OK)
		*out = tls;
	else
		release(tls);
	return status;
}

void
herald__broker_tls_close(struct broker_tls *tls)
{
	if (!tls)
		return;
	if (!tls->is_broken)
		(void)SSL_shutdown(tls->ssl);
	release(tls);
}
