/*
 * Whether libmicrohttpd (0.9.75) has told of a head all that there was. It reads a head in place,
 * and what it tells are pointers into the request's own bytes. So what it skipped shows as a gap
 * between them:
 *
 *	POST /event HTTP/1.1\r\nHost: test\r\n\r\n
 *	    ^      ^        ^^      ^     ^ ^ ^ ^       each is a NUL by now
 *
 * A line of a colon, or of a NUL, ends the head for it; a folded line goes to the name of the
 * header above; a lone line feed ends a line; a NUL ends a value, or a path. Each is refused by
 * this, and nothing else.
 */
#include <string.h>

#include "whole.h"

bool
herald__whole_is_needed(void)
{
	/* 1.0 reads heads by another parser, which ends values where blanks begin. */
	return MHD_get_version()[0] == '0';
}

/* MHD_KeyValueIterator: the first one's key. */
static enum MHD_Result
take_first(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	const char **first = cls;

	(void)kind, (void)value;
	*first = key;
	return MHD_NO;
}

/* Where the version begins, if nothing is hidden after a path that has been decoded in place. */
static bool
path_is_whole(struct MHD_Connection *connection, const char *target, const char *version)
{
	const char *end = target + strlen(target) + 1;
	const char *first_argument = NULL;

	if (*target == ' ')
		return false;
	if (end == version)
		return true;
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_first, &first_argument);
	return first_argument ? first_argument == end : end + 1 == version;
}

void
herald__whole_begin(struct herald__whole *whole, struct MHD_Connection *connection,
		    const char *method, size_t target_bytes, const char *version)
{
	const char *target = method + strlen(method) + 1;

	whole->method = method;
	whole->next = version + strlen(version) + 2;
	whole->broken = target_bytes != HERALD__UNKNOWN_TARGET
				? target + target_bytes + 1 != version
				: !path_is_whole(connection, target, version);
}

bool
herald__whole_end(const struct herald__whole *whole, struct MHD_Connection *connection)
{
	size_t head_bytes =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
			->header_size;

	return !whole->broken && whole->next + 2 == whole->method + head_bytes;
}
