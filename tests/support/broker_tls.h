/*
 * TLS to a broker: cases for adapters that use adapters/broker/common/tls.c. A test has a server of
 * its own, whose certificate is for localhost and which asks clients for one. Include cmocka.h (and
 * what it needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_BROKER_TLS_H
#define HERALD_TESTS_SUPPORT_BROKER_TLS_H

#include <stdint.h>

#include <herald/status.h>

#include "certificates.h"

struct herald_publisher;
struct herald_subscriber;

/* The options of an adapter. */
struct tls_options {
	const char *url, *source;
	const char *ca_file, *certificate_file, *key_file;
};

/* The adapter, and its server. */
struct tls_broker {
	const char *scheme; /* "rediss://" */
	const char *login;  /* "guest:guest@" */
	uint16_t port;      /* with TLS */
	uint16_t plain_port;
	enum herald_status (*create_publisher)(const struct tls_options *options,
					       struct herald_publisher **out,
					       struct herald_error *error);
	enum herald_status (*create_subscriber)(const struct tls_options *options,
						struct herald_subscriber **out,
						struct herald_error *error);
	void (*kill)(void); /* and start it again */
};

/* Files in `folder`, made by tls_files_create(). */
struct tls_files {
	struct folder folder;
	struct identity ca, other_ca, certified, client;
	char ca_file[128], other_ca_file[128], client_file[128], client_key[128];
	char server_file[128], server_key[128];
};
extern struct tls_files tls_files;

void tls_files_create(void);
void tls_files_remove(void);
/* The files of a server's other certificate: see struct identity_request. */
void tls_files_certify(const char *alternative, long ends_s);

/* Set before the cases run. */
extern struct tls_broker tls_broker;

/* The cases. */
void test_tls_messages_pass(void **state);
void test_tls_server_is_killed(void **state);
void test_tls_what_is_refused(void **state);
void test_tls_client_without_certificate(void **state);
void test_tls_options(void **state);

/* A server whose certificate is not accepted: the reason is in the error. */
void tls_assert_refused(const struct tls_options *options, const char *why);
/* The options of a client that is accepted, with a host. */
struct tls_options tls_good(const char *host, const char *source);
/* Publish a message, consume it, and settle it. */
void tls_assert_passes(const struct tls_options *options);

#endif
