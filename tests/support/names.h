/*
 * Name lookup for tests. A program that links this file has its own getaddrinfo(), which knows the
 * names that a test sets, and otherwise asks the system. Names that end in ".test" or ".invalid"
 * (RFC 2606) do not exist unless they are set.
 */
#ifndef HERALD_TESTS_SUPPORT_NAMES_H
#define HERALD_TESTS_SUPPORT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Set the numeric addresses of `name`, separated by blanks. Each lookup returns the addresses up to
 * the next ';'; the last ones are returned from then on: "8.8.8.8;127.0.0.1". Borrowed.
 */
void names_set(const char *name, const char *addresses);

/* Forget all names. */
void names_clear(void);

/* Let lookups of "blocked.test" block from now on, or release them so that they fail. */
void names_block(bool blocked);

/* The number of blocked lookups. */
size_t names_waiting(void);

/* The number of lookups of names that were set. */
size_t names_lookups(const char *name);

#endif
