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

/* The arguments of a query, as far as they have been checked. */
struct query {
	const char *begin, *line_end; /* what is behind the path, up to the version */
	const char *text;  /* a name or a value, which ends where the next one begins; NULL: none */
	size_t text_bytes; /* once decoded */
	bool broken;
};

/* Whether a byte of a decoded text can have been in the query only as an escape. */
static bool
needs_escape(char c)
{
	/* A blank was a plus. */
	return c < ' ' || c > '~' || c == '#' || c == '%';
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/* Whether an escape is still there: the daemon's MHD_OPTION_UNESCAPE_CALLBACK may leave them. */
static bool
is_escape(const char *text, size_t bytes)
{
	return bytes >= 3 && text[0] == '%' && is_hex(text[1]) && is_hex(text[2]);
}

/*
 * Check a name or a value. libmicrohttpd has decoded it in place, so it is shorter than it was by
 * two bytes for each escape; behind it are a NUL and the last bytes as they were sent:
 *
 *	%41b%23 & ...
 *	Ab#\0%23\0
 *
 * What needs an escape must not be more than the escapes that there were.
 */
static void
end_text(struct query *query, const char *end)
{
	size_t dropped_bytes = query->text ? (size_t)(end - query->text) - query->text_bytes : 0;
	size_t escapes = 0;

	for (size_t i = 0; query->text && i < query->text_bytes; i++) {
		bool is_left =
			dropped_bytes == 0 && is_escape(query->text + i, query->text_bytes - i);

		escapes += !is_left && needs_escape(query->text[i]);
		query->broken |= query->text[i] == '\0';
	}
	query->broken |= dropped_bytes % 2 != 0 || escapes > dropped_bytes / 2;
	for (size_t i = 1; i < dropped_bytes; i++)
		query->broken |= end[-(ptrdiff_t)i] != '%' && needs_escape(end[-(ptrdiff_t)i]);
}

/* Not what the program itself has added to the connection: that may also be a part of the path, or
 * an argument once more. */
static bool
is_next(const struct query *query, const char *text)
{
	const char *last = query->text ? query->text + query->text_bytes : query->begin;

	return (uintptr_t)text > (uintptr_t)last && (uintptr_t)text < (uintptr_t)query->line_end;
}

static void
begin_text(struct query *query, const char *text, size_t bytes)
{
	if (!text || !is_next(query, text))
		return;
	/* A separator is between them. */
	end_text(query, text - 1);
	query->text = text;
	query->text_bytes = bytes;
}

/* The MHD_KeyValueIteratorN. */
static enum MHD_Result
check_argument(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_bytes,
	       const char *value, size_t value_bytes)
{
	struct query *query = cls;

	(void)kind;
	begin_text(query, name, name_bytes);
	begin_text(query, value, value_bytes);
	return query->broken ? MHD_NO : MHD_YES;
}

bool
herald__microhttpd_query_is_valid(struct MHD_Connection *connection, const char *method,
				  const char *version)
{
	const char *target = herald__microhttpd_check_target(method);
	struct query query = {.begin = target + strlen(target), .line_end = version};

	MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, check_argument, &query);
	if (!query.text || query.broken)
		return !query.broken;
	/* The blank before the version, and perhaps an '&' after the last argument. */
	const char *end = version - 1;
	if (end > query.text + query.text_bytes && end[-1] == '\0')
		end--;
	end_text(&query, end);
	return !query.broken;
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
