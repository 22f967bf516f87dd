/*
 * Name lookup for tests: whoever links this has its own getaddrinfo(), which knows the names that a
 * test gives it, and asks the system for all others. Names that end in ".test" or ".invalid" (RFC
 * 2606) and were not given do not exist.
 */
#ifndef HERALD_TESTS_NAMES_H
#define HERALD_TESTS_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Let `name` have the numeric addresses in `addresses`, separated by blanks; at each lookup those up
 * to the next ';', and the last ones for ever: "8.8.8.8;127.0.0.1". Borrowed.
 */
void names_set(const char *name, const char *addresses);

/* Forget all names. */
void names_clear(void);

/* Let lookups of "blocked.test" wait from now on, or go on and fail. */
void names_block(bool blocked);

/* How many lookups wait. */
size_t names_waiting(void);

/* How many lookups there have been of a name that was set. */
size_t names_lookups(const char *name);

#endif
