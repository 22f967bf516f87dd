/*
 * The names of the attributes that a service needs: the lists of its options, routes, handlers and
 * format. Private.
 */
#ifndef HERALD_SRC_SERVICE_ATTRIBUTE_NAMES_H
#define HERALD_SRC_SERVICE_ATTRIBUTE_NAMES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/status.h>

struct herald_service;

/* The number of unlisted names that are remembered, so that each is logged once. */
#define HERALD__LOGGED_NAMES 32

/* "X-Team", "ce-*" for all names that begin with "ce-", or "?key" for an argument of a query. */
struct herald__attribute_name {
	const char *text;
	size_t bytes; /* without the '*' */
	bool is_prefix;
};

struct herald__attribute_names {
	struct herald__attribute_name *all; /* each name once */
	size_t count;
	bool has_arguments; /* of queries */
	/* Hashes of the names that were logged; 0: free. */
	_Atomic uint64_t logged[HERALD__LOGGED_NAMES];
};

/* Collect the names. `own` is the service's option, or NULL. Call it after adding routes and
 * handlers. */
enum herald_status
herald__attribute_names_collect(struct herald_service *service, const char *const *own,
				struct herald_error *error);

/* Before the name of an argument of a query. No header can have it in its name. */
#define HERALD__ARGUMENT_MARK '?'

/* Whether a name is listed, ignoring the case of letters. "*" lists headers only. */
bool herald__attribute_names_have(const struct herald__attribute_names *names, const char *name);

/* An attribute was not found: if it is not listed, log that once. Any thread. */
void herald__attribute_names_missed(struct herald_service *service, const char *name);

#endif
