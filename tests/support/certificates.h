/*
 * Certificates for tests, made in memory and written to a temporary folder. Keys are of P-256.
 */
#ifndef HERALD_TESTS_SUPPORT_CERTIFICATES_H
#define HERALD_TESTS_SUPPORT_CERTIFICATES_H

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

/* A certificate and its key. */
struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

/* What to make. Zero means the default. */
struct identity_request {
	const char *name;              /* the subject's CN; required */
	const char *alternative;       /* the subjectAltName: "DNS:a.test"; default none */
	const struct identity *issuer; /* default: it is signed by itself */
	bool is_ca;
	const char *usage; /* the extended key usage: "clientAuth"; default none */
	long begins_s;     /* in seconds from now; default a day ago */
	long ends_s;       /* default in a day */
};

/* These fail the test if they cannot. */
struct identity identity_create(const struct identity_request *request);
void identity_destroy(struct identity *identity);

/* A folder that is empty, and removed with all that is in it. */
struct folder {
	char path[64];
};
void folder_create(struct folder *folder);
void folder_remove(const struct folder *folder);

/* "FOLDER/NAME"; valid until the call after the next seven. */
const char *folder_path(const struct folder *folder, const char *name);

/* Write a file of the folder; return its path, as above. */
const char *folder_write(const struct folder *folder, const char *name, const char *text);
const char *folder_write_key(const struct folder *folder, const char *name,
			     const struct identity *identity, const char *password);
/* Up to two certificates. `second` may be NULL. */
const char *folder_write_certificates(const struct folder *folder, const char *name,
				      const struct identity *first, const struct identity *second);

#endif
