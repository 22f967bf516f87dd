/*
 * A context of OpenSSL's from the options: the protocol's settings, the certificate, its key, and
 * who may connect. It owns nothing; contexts are their caller's.
 */
#include "files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

/* With TLS 1.2: forward secrecy, and no ciphers whose padding can be attacked. */
#define TLS12_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
/* Sessions are resumed by contexts with the same one only. */
#define SESSION_ID_CONTEXT "herald"

/* Errors. */

/* What OpenSSL says; the first error is the cause of the others. */
static const char *
reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_error());

	return text ? text : "unknown error";
}

static bool
is_out_of_memory(void)
{
	return ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE;
}

static enum herald_status
refuse_file(struct herald_error *error, const char *option, const char *path, const char *expected)
{
	if (is_out_of_memory())
		return herald_out_of_memory(error);
	return herald_option_refuse(error, option, "%s: expected %s; OpenSSL says: %s", path,
				    expected, reason());
}

/* A file that cannot be read has a clearer error than OpenSSL's. */
static enum herald_status
check_file(struct herald_error *error, const char *option, const char *path)
{
	FILE *file = fopen(path, "re");
	int number = errno;

	if (file && fgetc(file) == EOF && ferror(file)) { /* a folder, say */
		number = errno;
		fclose(file);
		file = NULL;
	}
	if (!file)
		return herald_option_refuse(error, option, "cannot read %s: %s", path,
					    herald_errno_text(number));
	fclose(file);
	return HERALD_OK;
}

/* The server's certificate. */

/* OpenSSL would ask for it at the terminal. */
static int
no_password(char *out, int out_bytes, int is_written, void *state)
{
	bool *is_encrypted = state;

	(void)out, (void)out_bytes, (void)is_written;
	if (is_encrypted)
		*is_encrypted = true;
	return -1;
}

static enum herald_status
use_certificate(SSL_CTX *context, const struct herald_openssl_options *options,
		struct herald_error *error)
{
	enum herald_status status = check_file(error, "certificate", options->certificate);

	if (status == HERALD_OK &&
	    SSL_CTX_use_certificate_chain_file(context, options->certificate) != 1)
		status = refuse_file(error, "certificate", options->certificate,
				     "certificates in PEM format");
	return status;
}

static enum herald_status
use_key(SSL_CTX *context, const struct herald_openssl_options *options, struct herald_error *error)
{
	enum herald_status status = check_file(error, "key", options->key);

	if (status != HERALD_OK)
		return status;
	bool is_encrypted = false;
	FILE *file = fopen(options->key, "re");
	EVP_PKEY *key = file ? PEM_read_PrivateKey(file, NULL, no_password, &is_encrypted) : NULL;
	if (file)
		fclose(file);
	if (is_encrypted)
		return herald_option_refuse(error, "key", "%s must not be encrypted", options->key);
	if (!key)
		return refuse_file(error, "key", options->key, "a private key in PEM format");
	if (SSL_CTX_use_PrivateKey(context, key) != 1)
		status = refuse_file(error, "key", options->key,
				     "the private key of the certificate");
	EVP_PKEY_free(key);
	return status;
}

/* The clients' certificates. */

static enum herald_status
require_names(SSL_CTX *context, const struct herald_openssl_options *options,
	      struct herald_error *error)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_WILDCARDS);
	for (size_t i = 0; i < options->client_names_count; i++)
		if (X509_VERIFY_PARAM_add1_host(param, options->client_names[i], 0) != 1)
			return herald_out_of_memory(error);
	return HERALD_OK;
}

static enum herald_status
require_certificates(SSL_CTX *context, const struct herald_openssl_options *options,
		     struct herald_error *error)
{
	enum herald_status status = check_file(error, "client_ca", options->client_ca);

	if (status != HERALD_OK)
		return status;
	/* Which ones are accepted is told to clients that have several. */
	STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(options->client_ca);
	SSL_CTX_set_client_CA_list(context, names);
	if (!names || SSL_CTX_load_verify_file(context, options->client_ca) != 1)
		return refuse_file(error, "client_ca", options->client_ca,
				   "CA certificates in PEM format");
	/* The file may have an intermediate CA without its root. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(context, 0);
	return require_names(context, options, error);
}

/* The protocol. */

/* A client that speaks other protocols only must not get an answer that it may misread. */
static int
select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_bytes,
		const unsigned char *offered, unsigned offered_bytes, void *state)
{
	static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";

	(void)ssl, (void)state;
	if (SSL_select_next_proto((unsigned char **)out, out_bytes, ours, sizeof(ours) - 1, offered,
				  offered_bytes) == OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_OK;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool
set_protocol(SSL_CTX *context)
{
	static const unsigned char id[] = SESSION_ID_CONTEXT;

	/* HTTP says itself where a request ends, so a FIN without close_notify cuts off nothing
	 * that is not noticed. */
	SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_IGNORE_UNEXPECTED_EOF |
					     SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_default_passwd_cb(context, no_password);
	SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
	/* The system's minimum may be higher. */
	if (SSL_CTX_get_min_proto_version(context) < TLS1_2_VERSION &&
	    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
		return false;
	return SSL_CTX_set_cipher_list(context, TLS12_CIPHERS) == 1 &&
	       SSL_CTX_set_session_id_context(context, id, sizeof(id) - 1) == 1;
}

enum herald_status
herald__openssl_read_files(const struct herald_openssl_options *options, SSL_CTX **out,
			   struct herald_error *error)
{
	ERR_clear_error();
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	if (!context || !set_protocol(context)) {
		SSL_CTX_free(context);
		return herald_out_of_memory(error);
	}
	enum herald_status status = use_certificate(context, options, error);
	if (status == HERALD_OK)
		status = use_key(context, options, error);
	if (status == HERALD_OK && options->client_ca)
		status = require_certificates(context, options, error);
	if (status == HERALD_OK)
		*out = context;
	else
		SSL_CTX_free(context);
	ERR_clear_error(); /* The program may use OpenSSL, too. */
	return status;
}
