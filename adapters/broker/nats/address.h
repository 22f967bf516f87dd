/*
 * URLs of servers, and subjects.
 */
#ifndef HERALD_NATS_ADDRESS_H
#define HERALD_NATS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/status.h>

#define NATS_SERVERS_MAX 16
#define NATS_URL_BYTES_MAX 1024

/* Check the option `url`. Its error does not have the password. */
enum herald_status herald__nats_address_check(const char *url, struct herald_error *error);

/* The servers of a list. They point to `copy`. Returns their number. */
int herald__nats_address_split(const char *url, char copy[NATS_URL_BYTES_MAX + 1],
			       const char *servers[NATS_SERVERS_MAX]);

/* The host and the port of a server, without the user. */
const char *herald__nats_address_host(const char *server);

/* Whether one of a list begins with "tls://": then all connections have TLS. */
bool herald__nats_address_is_secure(const char *url);

/* The hosts and ports, without users and passwords, and a space after each. */
void herald__nats_address_describe(const char *url, char out[NATS_URL_BYTES_MAX + 32]);

/* A subject to publish to: tokens between dots, without blanks, control characters, wildcards. */
bool herald__nats_is_subject(const char *text);

/* Whether a subject with wildcards can mean the same as another one, which may have some, too. */
bool herald__nats_subjects_overlap(const char *a, const char *b);

#endif
