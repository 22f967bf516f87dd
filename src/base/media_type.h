/*
 * Media types, as in Content-Type (RFC 9110 section 8.3.1). Private.
 */
#ifndef HERALD_SRC_BASE_MEDIA_TYPE_H
#define HERALD_SRC_BASE_MEDIA_TYPE_H

#include <stdbool.h>
#include <stddef.h>

/* "type/subtype" in a value, without white space and parameters. */
struct herald__media_type {
	const char *data; /* borrowed from the value; NULL: not a media type */
	size_t bytes;
	size_t slash;
};

/* Find the media type in the value of a header, which may be NULL. */
struct herald__media_type herald__media_type_of(const char *value);

/* Whether it is `name`, such as "text/csv", ignoring case. */
bool herald__media_type_is(const struct herald__media_type *type, const char *name);

/* Whether it is in a list that ends with NULL; if the list is NULL, whether it is application/json
 * or ends in "+json". */
bool herald__media_type_is_listed(const struct herald__media_type *type, const char *const *names);

#endif
