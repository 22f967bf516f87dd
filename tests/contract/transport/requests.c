/*
 * The request of an attempt on the wire: one request, with exactly the deliverer's headers and
 * body, and without other headers that could change what a receiver does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <herald/array.h>

#include "probe.h"

/* The value of a header of a request, up to its line's end, in `value`; "" if there is none. It
 * must not be there twice. */
static void
read_header(const char *request, const char *name, char *value, size_t size)
{
	const char *end = strstr(request, "\r\n\r\n") + 2;
	char pattern[64];

	snprintf(pattern, sizeof(pattern), "\r\n%s:", name);
	const char *at = strcasestr(request, pattern);
	value[0] = '\0';
	if (!at || at >= end)
		return;
	assert_true(!strcasestr(at + 2, pattern) || strcasestr(at + 2, pattern) >= end);
	at += strlen(pattern) + (at[strlen(pattern)] == ' ');
	snprintf(value, size, "%.*s", (int)strcspn(at, "\r"), at);
}

static void
assert_header(const char *request, const char *name, const char *expected)
{
	char value[256];

	read_header(request, name, value, sizeof(value));
	if (strcmp(value, expected) != 0)
		fail_msg("%s is \"%s\" and not \"%s\" in:\n%s", name, value, expected, request);
}

static void
assert_begins(const char *request, const char *line)
{
	if (strncmp(request, line, strlen(line)) != 0)
		fail_msg("\"%s\" does not begin:\n%s", line, request);
}

/* No header that makes a receiver do more, or something else. */
static void
assert_nothing_else(const char *request)
{
	static const char *const names[] = {
		"Expect",  "Transfer-Encoding", "TE",      "Upgrade",           "Range", "Cookie",
		"Referer", "Authorization",     "Trailer", "If-Modified-Since",
	};

	for (size_t i = 0; i < HERALD_COUNT(names); i++)
		assert_header(request, names[i], "");
}

static void
get_and_its_headers(struct probe *probe)
{
	static const char *const more[] = {"X-Tenant: acme", "X-Team: blue, green"};
	char host[64];

	probe_serve(probe);
	probe_open(probe, NULL, 1);
	struct probe_attempt *attempt = probe_get(probe, "/200?a=b%20c&d=%2F");
	attempt->base.own_headers = "Herald-Delivery-Id: id 7\r\nHerald-Attempt: 1\r\n"
				    "Herald-Error: caf%C3%A9\\r\\n";
	attempt->base.headers = more;
	attempt->base.headers_count = HERALD_COUNT(more);
	assert_int_equal(probe_finish(probe, probe_begin(probe, attempt))->http_status, 200);

	const char *request = misbehaving_server_text(&probe->server, 0);
	assert_begins(request, "GET /200?a=b%20c&d=%2F HTTP/1.1\r\n");
	snprintf(host, sizeof(host), "127.0.0.1:%u", probe->server.port);
	assert_header(request, "Host", host);
	assert_header(request, "Herald-Delivery-Id", "id 7");
	assert_header(request, "Herald-Attempt", "1");
	assert_header(request, "Herald-Error", "caf%C3%A9\\r\\n");
	assert_header(request, "X-Tenant", "acme");
	assert_header(request, "X-Team", "blue, green");
	assert_header(request, "Content-Type", "");
	assert_header(request, "Content-Length", "");
	assert_nothing_else(request);
	assert_string_equal(strstr(request, "\r\n\r\n"), "\r\n\r\n");
}

/* Without a copy: the probe's server keeps 4,095 bytes of a request. */
static void
post_and_its_body(struct probe *probe)
{
	static char large[3500];
	const struct {
		const char *body;
		size_t bytes;
		const char *type;
	} rows[] = {
		{"{\"a\":1}", 7, "application/json"},
		{"", 0, "text/plain; charset=utf-8"},
		{"\0\r\n\r\n\0x", 7, "application/octet-stream"},
		{large, sizeof(large), "a/b"},
		{large, 1024, "a/b"},
		{large, 1023, "a/b"},
		{"x", 1, "multipart/form-data; boundary=\"x\""},
	};

	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (char)(i * 7 + i / 256);
	probe_serve(probe);
	probe_open(probe, NULL, 1);
	for (size_t i = 0; i < HERALD_COUNT(rows); i++) {
		struct probe_attempt *attempt = probe_get(probe, "/200");
		char length[32];

		attempt->base.method = HERALD_DELIVERY_POST;
		attempt->base.content_type = rows[i].type;
		attempt->base.body = rows[i].body;
		attempt->base.body_bytes = rows[i].bytes;
		assert_int_equal(probe_finish(probe, probe_begin(probe, attempt))->http_status,
				 200);

		const char *request = misbehaving_server_text(&probe->server, i);
		assert_begins(request, "POST /200 HTTP/1.1\r\n");
		snprintf(length, sizeof(length), "%zu", rows[i].bytes);
		assert_header(request, "Content-Type", rows[i].type);
		assert_header(request, "Content-Length", length);
		assert_nothing_else(request);
		assert_memory_equal(strstr(request, "\r\n\r\n") + 4, rows[i].body, rows[i].bytes);
	}
}

/* Nothing of one attempt is left in the next one. */
static void
requests_in_turn(struct probe *probe)
{
	static const char *const more[] = {"X-One: 1"};

	probe_serve(probe);
	probe_open(probe, NULL, 1);
	for (size_t i = 0; i < 8; i++) {
		struct probe_attempt *attempt = probe_get(probe, "/200");
		bool is_post = i / 2 % 2;

		if (is_post) {
			attempt->base.method = HERALD_DELIVERY_POST;
			attempt->base.content_type = "a/b";
			attempt->base.body = "body";
			attempt->base.body_bytes = 4;
		}
		attempt->base.headers = more;
		attempt->base.headers_count = i % 2;
		assert_int_equal(probe_finish(probe, probe_begin(probe, attempt))->http_status,
				 200);

		const char *request = misbehaving_server_text(&probe->server, i);
		assert_begins(request, is_post ? "POST /200 " : "GET /200 ");
		assert_header(request, "X-One", i % 2 ? "1" : "");
		assert_header(request, "Content-Type", is_post ? "a/b" : "");
		assert_header(request, "Content-Length", is_post ? "4" : "");
	}
}

/* The status is the result; nothing else is asked. */
static void
redirects_are_not_followed(struct probe *probe)
{
	static const char *const urls[] = {"/301", "/302", "/303", "/307", "/308"};

	probe->server.location = "/200";
	probe_serve(probe);
	probe_open(probe, NULL, 1);
	for (size_t i = 0; i < HERALD_COUNT(urls); i++) {
		assert_int_equal(probe_fetch(probe, urls[i])->http_status,
				 strtoul(urls[i] + 1, NULL, 10));
		assert_int_equal(misbehaving_server_requests(&probe->server), i + 1);
	}
}

static void
credentials_of_a_url(struct probe *probe)
{
	char url[128];

	probe->allows_credentials = true;
	probe_serve(probe);
	probe_open(probe, NULL, 1);
	snprintf(url, sizeof(url), "http://user:pass%%20word@127.0.0.1:%u/200", probe->server.port);
	assert_int_equal(probe_fetch(probe, url)->http_status, 200);
	assert_int_equal(probe_fetch(probe, "/200")->http_status, 200);
	assert_header(misbehaving_server_text(&probe->server, 0), "Authorization",
		      "Basic dXNlcjpwYXNzIHdvcmQ="); /* user:pass word */
	/* They are not sent to the next URL. */
	assert_header(misbehaving_server_text(&probe->server, 1), "Authorization", "");
}

/* An attempt is one request on the wire, however it ends. */
static void
one_request_an_attempt(struct probe *probe)
{
	static const char *const urls[] = {"/close", "/reset", "/half", "/cut", "/bye", "/200"};

	probe_serve(probe);
	probe_open(probe, NULL, 1);
	for (size_t i = 0; i < 4 * HERALD_COUNT(urls); i++) {
		(void)probe_fetch(probe, "/200"); /* So that there is a connection to use again. */
		(void)probe_fetch(probe, urls[i % HERALD_COUNT(urls)]);
	}
	assert_in_range(misbehaving_server_requests(&probe->server), 4 * HERALD_COUNT(urls),
			8 * HERALD_COUNT(urls));
}

const struct contract_transport_case contract_transport_requests[] = {
	CONTRACT_CASE(get_and_its_headers, CONTRACT_TRANSPORT_NETWORK),
	CONTRACT_CASE(post_and_its_body, CONTRACT_TRANSPORT_NETWORK),
	CONTRACT_CASE(requests_in_turn, CONTRACT_TRANSPORT_NETWORK),
	CONTRACT_CASE(redirects_are_not_followed, CONTRACT_TRANSPORT_NETWORK),
	CONTRACT_CASE(credentials_of_a_url, CONTRACT_TRANSPORT_NETWORK),
	CONTRACT_CASE(one_request_an_attempt, CONTRACT_TRANSPORT_NETWORK),
};
const size_t contract_transport_requests_count = HERALD_COUNT(contract_transport_requests);
