/*
 * The servers that a DSN names. libpq goes on to the next one after an error, but not when one is
 * silent; so each address is connected to on its own, with its own time.
 */
#ifndef HERALD_POSTGRES_HOSTS_H
#define HERALD_POSTGRES_HOSTS_H

#include <stddef.h>

#define POSTGRES_ADDRESSES_MAX 16

/* What replaces the members of the DSN; "": they stay. */
struct postgres_address {
	char host[256];  /* a name, or the folder of a socket */
	char number[64]; /* its IP address */
	char port[8];
};

/*
 * The addresses of the hosts, in their order. The names are looked up, which may take as long as
 * the system waits for an answer.
 *
 * Returns  how many there are, at least one: all of its members are empty if the DSN names no host,
 *          or if they cannot be told apart.
 */
size_t
herald__postgres_addresses(const char *dsn, struct postgres_address out[POSTGRES_ADDRESSES_MAX]);

#endif
