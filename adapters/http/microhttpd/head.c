/*
 * Reads the head of a request at the first call for it. All texts are borrowed from the connection.
 */
#include "head.h"

#include <string.h>

#include <herald/adapter/text.h>

static enum MHD_Result
head_add(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_bytes, const char *value,
	 size_t value_bytes)
{
	struct herald__microhttpd_head *head = cls;

	(void)kind, (void)key_bytes;
	herald_http_framing_add(&head->framing, key, value);
	herald__microhttpd_check_add(&head->check, key, value, value_bytes);
	return MHD_YES;
}

/* The function to call for each header. */
struct visit {
	herald_attribute_visitor *visit;
	void *state;
};

static enum MHD_Result
head_visit_one(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	const struct visit *visit = cls;

	(void)kind;
	return visit->visit(name, value ? value : "", visit->state) ? MHD_YES : MHD_NO;
}

/* The herald_http_head.headers_visit callback. */
static void
head_visit(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	struct visit each = {visit, visit_state};

	MHD_get_connection_values(state, MHD_HEADER_KIND, head_visit_one, &each);
}

/* The MHD_KeyValueIteratorN of arguments. An argument with a NUL is left out, because it would be
 * read as a shorter one. */
static enum MHD_Result
head_visit_argument(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_bytes,
		    const char *value, size_t value_bytes)
{
	const struct visit *visit = cls;

	(void)kind;
	if (memchr(name, '\0', name_bytes) || (value && memchr(value, '\0', value_bytes)))
		return MHD_YES;
	return visit->visit(name, value ? value : "", visit->state) ? MHD_YES : MHD_NO;
}

/* The herald_http_head.arguments_visit callback: libmicrohttpd has decoded them in place. */
static void
head_visit_arguments(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	struct visit each = {visit, visit_state};

	MHD_get_connection_values_n(state, MHD_GET_ARGUMENT_KIND, head_visit_argument, &each);
}

/* libmicrohttpd (0.9.75) sends 100 only if the value is exactly this. */
static bool
sends_continue(struct MHD_Connection *connection)
{
	const char *expect =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT);

	return expect && herald_ascii_same(expect, "100-continue");
}

/* A path that was decoded cannot be judged. Only an event's is refused for that. */
static void
check_head(struct herald__microhttpd_head *head, struct MHD_Connection *connection,
	   const char *method, const char *version, bool is_event)
{
	bool is_checked = herald__microhttpd_check_is_needed();
	bool is_whole =
		is_checked && herald__microhttpd_target_is_whole(connection, method, version);

	herald_http_framing_request_line(&head->framing, method,
					 is_whole ? herald__microhttpd_check_target(method) : NULL,
					 version);
	if (is_checked && is_event && !is_whole)
		head->framing.problem = "the path has an escape, or a NUL";
	else if (is_checked && !head->framing.problem &&
		 !herald__microhttpd_query_is_valid(connection, method, version))
		head->framing.problem = "the query has a character that must be escaped, or an "
					"invalid escape";
	if (is_checked && !herald__microhttpd_check_end(&head->check, connection))
		head->framing.problem = "a line of the head is malformed";
}

void
herald__microhttpd_head_read(struct MHD_Connection *connection, const char *method,
			     const char *version, bool is_event,
			     struct herald__microhttpd_head *out)
{
	*out = (struct herald__microhttpd_head){
		.http = {.method = method,
			 .headers_visit = head_visit,
			 .arguments_visit = head_visit_arguments,
			 .state = connection},
		.framing = HERALD_HTTP_FRAMING_INIT,
	};
	/* Whether libmicrohttpd decrypts the connection. */
	out->framing.is_secured =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	herald__microhttpd_check_begin(&out->check, method, version);
	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, head_add, out);
	check_head(out, connection, method, version, is_event);
	out->waits_unheard = out->framing.expects_continue &&
			     herald_http_framing_has_body(&out->framing) &&
			     !sends_continue(connection);
	out->http.content_type = out->framing.content_type;
	out->http.content_encoding = out->framing.content_encoding;
	out->http.content_length = out->framing.content_length;
}

const char *
herald__microhttpd_head_problem(struct herald__microhttpd_head *head)
{
	/* Refused as an unknown expectation is, because the sender may wait for ever. */
	if (head->waits_unheard)
		herald_http_framing_add(&head->framing, MHD_HTTP_HEADER_EXPECT, "a list");
	return head->framing.problem;
}
