/*
 * Certificates for tests, by OpenSSL's functions.
 */
#include "certificates.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define DAY_S 86400

/* Certificates. */

static void
add_extension(X509 *certificate, X509 *issuer, int id, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, id, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

struct identity
identity_create(const struct identity_request *request)
{
	static long serial = 1;
	struct identity made = {.key = EVP_EC_gen("P-256"), .certificate = X509_new()};
	const struct identity *issuer = request->issuer ? request->issuer : &made;
	X509_NAME *name;

	assert_non_null(made.key);
	assert_non_null(made.certificate);
	X509_set_version(made.certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), serial++);
	X509_gmtime_adj(X509_getm_notBefore(made.certificate),
			request->begins_s ? request->begins_s : -DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(made.certificate),
			request->ends_s ? request->ends_s : DAY_S);
	name = X509_get_subject_name(made.certificate);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
						    (const unsigned char *)request->name, -1, -1,
						    0),
			 1);
	X509_set_issuer_name(made.certificate, X509_get_subject_name(issuer->certificate));
	X509_set_pubkey(made.certificate, made.key);
	add_extension(made.certificate, issuer->certificate, NID_basic_constraints,
		      request->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	if (request->alternative)
		add_extension(made.certificate, issuer->certificate, NID_subject_alt_name,
			      request->alternative);
	if (request->usage)
		add_extension(made.certificate, issuer->certificate, NID_ext_key_usage,
			      request->usage);
	assert_true(X509_sign(made.certificate, issuer->key, EVP_sha256()) > 0);
	return made;
}

void
identity_destroy(struct identity *identity)
{
	EVP_PKEY_free(identity->key);
	X509_free(identity->certificate);
	*identity = (struct identity){0};
}

/* Files. */

void
folder_create(struct folder *folder)
{
	snprintf(folder->path, sizeof(folder->path), "/tmp/herald-tls-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
}

void
folder_remove(const struct folder *folder)
{
	DIR *entries = opendir(folder->path);
	const struct dirent *entry;

	assert_non_null(entries);
	while ((entry = readdir(entries)))
		if (entry->d_name[0] != '.')
			assert_int_equal(unlink(folder_path(folder, entry->d_name)), 0);
	closedir(entries);
	assert_int_equal(rmdir(folder->path), 0);
}

const char *
folder_path(const struct folder *folder, const char *name)
{
	static char paths[8][384];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder->path, name);
	return path;
}

static FILE *
open_file(const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	return file;
}

const char *
folder_write(const struct folder *folder, const char *name, const char *text)
{
	const char *path = folder_path(folder, name);
	FILE *file = open_file(path);

	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	return path;
}

const char *
folder_write_key(const struct folder *folder, const char *name, const struct identity *identity,
		 const char *password)
{
	const char *path = folder_path(folder, name);
	FILE *file = open_file(path);

	assert_int_equal(PEM_write_PKCS8PrivateKey(
				 file, identity->key, password ? EVP_aes_128_cbc() : NULL, password,
				 password ? (int)strlen(password) : 0, NULL, NULL),
			 1);
	assert_int_equal(fclose(file), 0);
	return path;
}

const char *
folder_write_certificates(const struct folder *folder, const char *name,
			  const struct identity *first, const struct identity *second)
{
	const char *path = folder_path(folder, name);
	FILE *file = open_file(path);

	assert_int_equal(PEM_write_X509(file, first->certificate), 1);
	assert_true(!second || PEM_write_X509(file, second->certificate) == 1);
	assert_int_equal(fclose(file), 0);
	return path;
}
