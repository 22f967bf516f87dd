/*
 * Checks whether libmicrohttpd (0.9.75) has reported everything in a head. It parses a head in
 * place and reports pointers into the request's own bytes, so whatever it skipped is a gap between
 * them:
 *
 *	POST /event HTTP/1.1\r\nHost: test\r\n\r\n
 *	    ^      ^        ^^      ^     ^ ^ ^ ^       each is now a NUL
 *
 * It ends a head at a line that is only a colon, or begins with a NUL; appends a folded line to the
 * name of the header above; ends a line at a lone line feed; and ends a value or a path at a NUL.
 * All of these are refused here, and nothing else.
 */
#include <string.h>

#include "head_check.h"

bool
herald__microhttpd_check_is_needed(void)
{
	/* 1.0 has another parser, which ends values at trailing blanks. */
	return MHD_get_version()[0] == '0';
}

/* The MHD_KeyValueIterator: takes the first key. */
static enum MHD_Result
take_first(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
	const char **first = cls;

	(void)kind, (void)value;
	*first = key;
	return MHD_NO;
}

bool
herald__microhttpd_target_is_whole(struct MHD_Connection *connection, const char *method,
				   const char *version)
{
	const char *target = herald__microhttpd_check_target(method);
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
herald__microhttpd_check_begin(struct herald__microhttpd_check *check, const char *method,
			       const char *version)
{
	check->method = method;
	check->next = version + strlen(version) + 2;
	check->broken = false;
}

bool
herald__microhttpd_check_end(const struct herald__microhttpd_check *check,
			     struct MHD_Connection *connection)
{
	size_t head_bytes =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
			->header_size;

	return !check->broken && check->next + 2 == check->method + head_bytes;
}
