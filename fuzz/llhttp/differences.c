/*
 * The known differences between Herald and llhttp, one list for each kind. Two different requests
 * at the same place are never a known difference. docs/internals/http-server.md explains them to
 * users.
 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <herald/array.h>

#include "reading.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())

/* Comparing. */

static bool
is_same_text(struct herald_text a, struct herald_text b)
{
	return a.bytes == b.bytes && (a.bytes == 0 || memcmp(a.data, b.data, a.bytes) == 0);
}

static bool
is_same_request(const struct reading_request *a, const struct reading_request *b)
{
	if (a->headers_count != b->headers_count || a->major != b->major || a->minor != b->minor)
		return false;
	for (size_t i = 0; i < a->headers_count; i++)
		if (!is_same_text(a->headers[i].name, b->headers[i].name) ||
		    !is_same_text(a->headers[i].value, b->headers[i].value))
			return false;
	return is_same_text(a->method, b->method) && is_same_text(a->target, b->target) &&
	       is_same_text(a->body, b->body);
}

/* How many requests are the same, from the first one on. */
static size_t
same_requests(const struct reading *a, const struct reading *b)
{
	size_t same = 0;

	while (same < a->requests_count && same < b->requests_count &&
	       is_same_request(&a->requests[same], &b->requests[same]))
		same++;
	return same;
}

bool
reading_is_same(const struct reading *a, const struct reading *b)
{
	return a->end == b->end && a->requests_count == b->requests_count &&
	       same_requests(a, b) == a->requests_count;
}

/* What requests look like. These are written without Herald's functions, which they check. */

static const char *
string_of(struct herald_text text)
{
	return text.data ? text.data : "";
}

/* The value of the next header with this name, which is lower case; NULL: there is no other. */
static const char *
next_value(const struct reading_request *request, const char *name, size_t *at)
{
	while (*at < request->headers_count) {
		const struct reading_header *header = &request->headers[(*at)++];

		if (strcasecmp(string_of(header->name), name) == 0)
			return string_of(header->value);
	}
	return NULL;
}

static bool
has_header(const struct reading_request *request, const char *name)
{
	size_t at = 0;

	return next_value(request, name, &at);
}

/* A regular expression, which ignores case. It is compiled once, which takes long. */
struct pattern {
	const char *expression;
	bool is_compiled;
	regex_t compiled;
};

static bool
matches(const char *text, struct pattern *pattern, regmatch_t *groups, size_t groups_count)
{
	if (!pattern->is_compiled)
		CHECK(regcomp(&pattern->compiled, pattern->expression, REG_EXTENDED | REG_ICASE) ==
		      0);
	pattern->is_compiled = true;
	return regexec(&pattern->compiled, text, groups_count, groups, 0) == 0;
}

#define ESCAPE "%(0[1-9a-f]|[1-9a-f][0-9a-f])"
#define NAME "([-._~!$&'()*+;=a-z0-9]|" ESCAPE ")*"

/* IPv6address of RFC 3986 section 3.2.2. */
#define OCTET "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
#define H16 "[0-9a-f]{1,4}"
#define LS32 "(" H16 ":" H16 "|" OCTET "\\." OCTET "\\." OCTET "\\." OCTET ")"
#define UP_TO(COUNT) "((" H16 ":){0," #COUNT "}" H16 ")?::"

static bool
is_ipv6(const char *text)
{
	static struct pattern forms[] = {
		{.expression = "^(" H16 ":){6}" LS32 "$"},
		{.expression = "^::(" H16 ":){5}" LS32 "$"},
		{.expression = "^" UP_TO(0) "(" H16 ":){4}" LS32 "$"},
		{.expression = "^" UP_TO(1) "(" H16 ":){3}" LS32 "$"},
		{.expression = "^" UP_TO(2) "(" H16 ":){2}" LS32 "$"},
		{.expression = "^" UP_TO(3) H16 ":" LS32 "$"},
		{.expression = "^" UP_TO(4) LS32 "$"},
		{.expression = "^" UP_TO(5) H16 "$"},
		{.expression = "^" UP_TO(6) "$"},
	};

	for (size_t i = 0; i < HERALD_COUNT(forms); i++)
		if (matches(text, &forms[i], NULL, 0))
			return true;
	return false;
}

static bool
is_host(const char *text)
{
	static struct pattern name = {.expression = "^" NAME "$"};
	static struct pattern port = {.expression = "^(:[0-9]*)?$"};
	bool is_literal = *text == '[';
	size_t bytes = is_literal ? strcspn(++text, "]") : strcspn(text, ":");
	char host[READING_MAX_BYTES];

	if (is_literal && text[bytes] == '\0')
		return false;
	memcpy(host, text, bytes);
	host[bytes] = '\0';
	text += bytes + is_literal;
	return (is_literal ? is_ipv6(host) : matches(host, &name, NULL, 0)) &&
	       matches(text, &port, NULL, 0) &&
	       (*text == '\0' || strtoul(text + 1, NULL, 10) <= 65535);
}

static bool
is_target(const struct reading_request *request)
{
	static struct pattern pattern = {.expression =
						 "^((https?)://([^/?#]+))?(/([!-\"$&->@-~]|" ESCAPE
						 ")*)?(\\?([!-\"$&-~]|" ESCAPE ")*)?$"};
	const char *target = string_of(request->target);
	regmatch_t groups[4];
	char host[READING_MAX_BYTES];

	if (strcmp(target, "*") == 0)
		return strcmp(request->method.data, "OPTIONS") == 0;
	if (!matches(target, &pattern, groups, HERALD_COUNT(groups)))
		return false;
	if (groups[3].rm_so < 0)
		return *target == '/';
	size_t bytes = (size_t)(groups[3].rm_eo - groups[3].rm_so);
	memcpy(host, target + groups[3].rm_so, bytes);
	host[bytes] = '\0';
	return *host != ':' && is_host(host);
}

static bool
is_connect(const struct reading_request *request)
{
	return strcmp(request->method.data, "CONNECT") == 0;
}

static bool
has_other_target(const struct reading_request *request)
{
	return !is_target(request);
}

static bool
has_other_host(const struct reading_request *request)
{
	size_t at = 0;
	const char *host = next_value(request, "host", &at);

	if (!host)
		return request->minor > 0;
	return next_value(request, "host", &at) || !is_host(host);
}

static bool
has_other_type(const struct reading_request *request)
{
	size_t at = 0;
	const char *type = next_value(request, "content-type", &at);

	return type && (strchr(type, ',') || next_value(request, "content-type", &at));
}

static bool
has_other_coding(const struct reading_request *request)
{
	size_t at = 0;
	const char *coding = next_value(request, "transfer-encoding", &at);

	return coding && (request->minor == 0 || strcasecmp(coding, "chunked") != 0 ||
			  next_value(request, "transfer-encoding", &at));
}

static bool
has_other_expectation(const struct reading_request *request)
{
	size_t at = 0;
	const char *value;

	while ((value = next_value(request, "expect", &at)))
		if (strcasecmp(value, "100-continue") != 0)
			return true;
	return false;
}

static bool
has_other_version(const struct reading_request *request)
{
	return request->major != 1;
}

static bool
is_chunked(const struct reading_request *request)
{
	size_t at = 0;
	const char *coding = next_value(request, "transfer-encoding", &at);

	return coding && strcasecmp(coding, "chunked") == 0 &&
	       !next_value(request, "transfer-encoding", &at);
}

/* Of 64 bits and more. */
static bool
has_large_length(const struct reading_request *request)
{
	size_t at = 0;
	const char *length = next_value(request, "content-length", &at);

	return length && strlen(length) >= 20 && length[strspn(length, "0123456789")] == '\0';
}

/* llhttp reads other methods than these as another protocol, or not at all. */
static bool
has_other_method(const struct reading_request *request)
{
	static const char *const known[] = {
		"DELETE",   "GET",         "HEAD",      "POST",       "PUT",        "CONNECT",
		"OPTIONS",  "TRACE",       "COPY",      "LOCK",       "MKCOL",      "MOVE",
		"PROPFIND", "PROPPATCH",   "SEARCH",    "UNLOCK",     "BIND",       "REBIND",
		"UNBIND",   "ACL",         "REPORT",    "MKACTIVITY", "CHECKOUT",   "MERGE",
		"M-SEARCH", "NOTIFY",      "SUBSCRIBE", "PATCH",      "MKCALENDAR", "PURGE",
		"LINK",     "UNSUBSCRIBE", "UNLINK",    "SOURCE",     "QUERY",
	};

	for (size_t i = 0; i < HERALD_COUNT(known); i++)
		if (strcmp(request->method.data, known[i]) == 0)
			return false;
	return true;
}

/* The lists. */

struct difference {
	const char *name;
	/* Of the one that refuses: for Herald, parts of them; for llhttp, whole ones. */
	const char *reasons[8];
	/* Whether the request that the other one reads is of this kind. NULL: it may be any. */
	bool (*is_of_kind)(const struct reading_request *request);
};

/* Herald refuses, llhttp reads. */
static const struct difference stricter[] = {
	/* RFC 9112 section 3.2. llhttp leaves Host to its user. */
	{"stricter: Host", {"Host"}, has_other_host},
	{"stricter: Content-Type", {"Content-Type"}, has_other_type},
	/* RFC 9112 section 6.1. */
	{"stricter: Transfer-Encoding", {"Transfer-Encoding"}, has_other_coding},
	/* RFC 9110 section 10.1.1. */
	{"stricter: Expect", {"the server meets no expectation"}, has_other_expectation},
	/* RFC 9110 section 9.3.6. What follows is a body for some, and bytes of a tunnel for
	 * others, such as llhttp. */
	{"stricter: CONNECT", {"the server opens no tunnels"}, is_connect},
	/* Fragments, "%00", broken escapes, user information, other schemes, "GET *". */
	{"stricter: target",
	 {"the request's target is not valid", "the target * is for OPTIONS only"},
	 has_other_target},
	/* llhttp skips spaces, reads a line without a version as HTTP/0.9, and takes a bare LF. */
	{"stricter: request line", {"the request line does not"}, NULL},
	/* llhttp skips any CR and LF before a request, Herald one empty line. */
	{"stricter: empty lines", {"a CR in the head is not followed by LF"}, NULL},
	/* llhttp also reads HTTP/0.9 and HTTP/2.0. */
	{"stricter: version", {"the server speaks HTTP/1 only"}, has_other_version},
	/* Sizes of more than 15 digits, and extensions such as ";a=". */
	{"stricter: line of a chunk", {"the chunks of the body are malformed"}, is_chunked},
};

/* The same before llhttp has read the head. */
static const struct difference stricter_early[] = {
	{"stricter: version", {"the server speaks HTTP/1 only"}, NULL},
};

/* llhttp refuses, Herald reads. */
static const struct difference less_strict[] = {
	/* "5 ;a = \"b\" ;c" is allowed (RFC 9112 section 7.1.1). */
	{"less strict: blank in a chunk extension",
	 {"Invalid character in chunk size", "Invalid character in chunk extensions",
	  "Invalid character in chunk extensions name",
	  "Invalid character in chunk extensions value",
	  "Invalid character in chunk extensions quote value"},
	 is_chunked},
	/* Trailers do not change where a body ends; Herald drops them (section 7.1.2). */
	{"less strict: trailer",
	 {"Content-Length can't be present with Transfer-Encoding",
	  "Invalid `Transfer-Encoding` header value", "Empty Transfer-Encoding"},
	 is_chunked},
	/* White space after a value may be tabs (RFC 9110 section 5.6.3). */
	{"less strict: tab after chunked", {"Request has invalid `Transfer-Encoding`"}, is_chunked},
	/* A method is any token (RFC 9110 section 9.1). Paths of functions name theirs. */
	{"less strict: method",
	 {"Invalid method encountered", "Expected space after method",
	  "Expected HTTP/2 Connection Preface", "Invalid method for HTTP/x.x request"},
	 has_other_method},
	/* HTTP/1.2 is read as HTTP/1.1 (RFC 9110 section 2.5). */
	{"less strict: version", {"Invalid HTTP version"}, NULL},
};

/* llhttp refuses at once what Herald refuses when it has seen more: within a body */
static const struct difference later_in_body[] = {
	{"later: chunk extension",
	 {"Invalid character in chunk size", "Invalid character in chunk extensions",
	  "Invalid character in chunk extensions name",
	  "Invalid character in chunk extensions value",
	  "Invalid character in chunk extensions quote value"},
	 is_chunked},
	/* Herald's connections answer 413. */
	{"later: overflow", {"Content-Length overflow"}, has_large_length},
};

/* and within a head. */
static const struct difference later_in_head[] = {
	{"later: method",
	 {"Invalid method encountered", "Expected space after method",
	  "Expected HTTP/2 Connection Preface", "Invalid method for HTTP/x.x request"},
	 NULL},
	{"later: version", {"Invalid HTTP version"}, NULL},
	{"later: length",
	 {"Content-Length overflow", "Invalid character in Content-Length",
	  "Content-Length can't be present with Transfer-Encoding", "Empty Content-Length",
	  "Duplicate Content-Length"},
	 NULL},
	{"later: encoding",
	 {"Invalid `Transfer-Encoding` header value", "Request has invalid `Transfer-Encoding`",
	  "Transfer-Encoding can't be present with Content-Length", "Empty Transfer-Encoding"},
	 NULL},
	{"later: target",
	 {"Unexpected char in url schema", "Unexpected char in url server",
	  "Unexpected start char in url", "Invalid characters in url", "Invalid char in url path",
	  "Invalid char in url query", "Invalid char in url fragment start", "Double @ in url"},
	 NULL},
};

static bool
has_reason(const struct difference *difference, const char *reason, bool is_whole)
{
	for (size_t i = 0; i < HERALD_COUNT(difference->reasons) && difference->reasons[i]; i++)
		if (is_whole ? strcmp(reason, difference->reasons[i]) == 0
			     : strstr(reason, difference->reasons[i]) != NULL)
			return true;
	return false;
}

/* `request` is what the other one reads, at least the head of it; NULL: none. */
static const char *
find(const struct difference *list, size_t count, bool is_whole, const char *reason,
     const struct reading_request *request)
{
	for (size_t i = 0; i < count; i++) {
		const struct difference *known = &list[i];
		bool is_of_kind = !known->is_of_kind || (request && known->is_of_kind(request));

		if (is_of_kind && has_reason(known, reason, is_whole))
			return known->name;
	}
	return NULL;
}

/* After the same requests, of which the last one says what becomes of the connection. `last` is
 * what llhttp reads. */

/* Herald closes if any option says so (RFC 9112 section 9.3). */
static bool
says_both(const struct reading_request *request)
{
	size_t at = 0;
	bool close = false, keep_alive = false;

	for (const char *value; (value = next_value(request, "connection", &at));) {
		close |= strcasestr(value, "close") != NULL;
		keep_alive |= strcasestr(value, "keep-alive") != NULL;
	}
	return close && keep_alive;
}

/* Not a header of HTTP; llhttp closes for it. */
static bool
closes_proxy(const struct reading_request *request)
{
	size_t at = 0;

	for (const char *value; (value = next_value(request, "proxy-connection", &at));)
		if (strcasestr(value, "close"))
			return true;
	return false;
}

static const char *
difference_after(const struct reading_request *last, const struct reading *ours,
		 const struct reading *theirs)
{
	/* Herald ignores a change of the protocol. */
	if (theirs->end == READING_UPGRADED && has_header(last, "upgrade"))
		return "after: Upgrade";
	if (theirs->end == READING_ENDS && closes_proxy(last))
		return "after: Proxy-Connection";
	/* Herald drops trailers; llhttp closes for "Connection: close" in them. */
	if (theirs->end == READING_ENDS && last->has_trailers)
		return "after: trailer";
	if (ours->end == READING_ENDS && says_both(last))
		return "after: close and keep-alive";
	return NULL;
}

static const char *
difference_of_ends(struct herald_text stream, const struct reading *ours,
		   const struct reading *theirs)
{
	const struct reading_request *begun = &ours->requests[ours->requests_count];
	const char *name = NULL;

	if (ours->end != READING_INCOMPLETE)
		return NULL;
	if (theirs->end == READING_REFUSED && ours->is_within_body) {
		name = find(less_strict, HERALD_COUNT(less_strict), true, theirs->reason, begun);
		return name ? name
			    : find(later_in_body, HERALD_COUNT(later_in_body), true, theirs->reason,
				   begun);
	}
	if (theirs->end == READING_REFUSED)
		return find(later_in_head, HERALD_COUNT(later_in_head), true, theirs->reason, NULL);
	if (theirs->end == READING_ENDS && strchr("\r\n", stream.data[stream.bytes - 1]))
		return "later: empty line at the end";
	return NULL;
}

static const struct reading_request *
request_at(const struct reading *reading, size_t i)
{
	return i < reading->requests_count ? &reading->requests[i] : NULL;
}

/* Also one whose body is incomplete. */
static const struct reading_request *
begun_at(const struct reading *reading, size_t i)
{
	return i < reading->requests_count + reading->is_within_body ? &reading->requests[i] : NULL;
}

static const char *
find_stricter(const char *reason, const struct reading_request *begun)
{
	if (!begun) {
		const char *name =
			find(stricter_early, HERALD_COUNT(stricter_early), false, reason, NULL);

		if (name)
			return name;
	}
	return find(stricter, HERALD_COUNT(stricter), false, reason, begun);
}

/* For the rest of the preface of HTTP/2, after the version. */
static bool
waits_for_preface(const struct reading *theirs)
{
	const struct reading_request *begun = &theirs->requests[theirs->requests_count];

	return theirs->end == READING_INCOMPLETE && !theirs->is_within_body && begun->method.data &&
	       strcmp(begun->method.data, "PRI") == 0;
}

const char *
reading_difference(struct herald_text stream, const struct reading *ours,
		   const struct reading *theirs)
{
	size_t same = same_requests(ours, theirs);
	const struct reading_request *our = request_at(ours, same),
				     *their = request_at(theirs, same);
	const char *name = NULL;

	if (reading_is_same(ours, theirs))
		return "";
	if (our && their)
		return NULL;
	if (same > 0)
		name = difference_after(&theirs->requests[same - 1], ours, theirs);
	if (!name && waits_for_preface(theirs))
		name = "less strict: method";
	if (!name && our && theirs->end == READING_REFUSED)
		name = find(less_strict, HERALD_COUNT(less_strict), true, theirs->reason, our);
	if (!name && !our && ours->end == READING_REFUSED)
		name = find_stricter(ours->reason, begun_at(theirs, same));
	return name || our || their ? name : difference_of_ends(stream, ours, theirs);
}
