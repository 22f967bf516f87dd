/*
 * Functions of paths: the headers of their requests, and answers that are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/connection_fixture.h"
#include "support/failing_allocator.h"

/* The log records, one per line. */
static char logged[1024];

static void
keep_log(const struct herald_log_record *record, void *state)
{
	FILE *out = fmemopen(logged + strlen(logged), sizeof(logged) - strlen(logged), "w");

	(void)state;
	assert_non_null(out);
	fprintf(out, "%s: %s", herald_log_level_name(record->level), record->message);
	for (size_t i = 0; i < record->fields_count; i++)
		if (record->fields[i].text)
			fprintf(out, " %s=%s", record->fields[i].key, record->fields[i].text);
		else
			fprintf(out, " %s=%lld", record->fields[i].key,
				(long long)record->fields[i].number);
	fprintf(out, "\n");
	fclose(out);
}

/* A worker with one more path, /path. */
static void
create_with(struct wire *wire, herald_server_function *function, void *state,
	    const struct herald_allocator *allocator)
{
	const struct herald_server_path paths[] = {
		{.path = "/path", .function = function, .state = state, .methods = "GET, PUT"}};

	create(wire, NULL);
	wire_disconnect(wire);
	herald_http_worker_destroy(wire->worker);
	assert_int_equal(herald_http_worker_create(
				 NULL,
				 &HERALD_SERVER_OPTIONS(HERALD_SERVER_PATHS(paths),
							.log = {keep_log, NULL, HERALD_LOG_DEBUG},
							.allocator = *allocator),
				 NULL, NULL, &wire->worker, NULL),
			 HERALD_OK);
	assert_true(wire_connect(wire));
	logged[0] = '\0';
}

/* Answers. */

struct given {
	const char *name, *value; /* of a header; none if both are NULL */
	unsigned status;          /* 0: no answer */
	const char *content_type;
	const void *body;
	size_t bytes;
};

static void
answer_as_given(struct herald_server_request *request, void *state)
{
	const struct given *given = state;

	if (given->name || given->value)
		(void)herald_server_answer_header(request, given->name, given->value);
	if (given->status != 0)
		(void)herald_server_answer(request, given->status, given->content_type, given->body,
					   given->bytes);
}

#define LOG_REFUSED "error: an answer of a path was refused path=/path reason="
#define LOG_ANSWERED(TEXT) "debug: request refused status=500 reason=" TEXT "\n"
#define INVALID "the answer of the path's function is invalid"
#define SILENT "the path's function did not answer"

static void
refused_answers(void **state)
{
	static const struct {
		struct given given;
		const char *answers, *logged;
	} cases[] = {
		{{NULL, NULL, 0, NULL, NULL, 0}, ERROR(500, SILENT), LOG_ANSWERED(SILENT)},
		{{NULL, NULL, 199, "a/b", "x", 1},
		 ERROR(500, INVALID),
		 LOG_REFUSED "the status is not 200 to 599\n" LOG_ANSWERED(INVALID)},
		{{NULL, NULL, 600, "a/b", "x", 1},
		 ERROR(500, INVALID),
		 LOG_REFUSED "the status is not 200 to 599\n" LOG_ANSWERED(INVALID)},
		{{NULL, NULL, 200, "a/b", NULL, 1},
		 ERROR(500, INVALID),
		 LOG_REFUSED "the body is NULL, but has bytes\n" LOG_ANSWERED(INVALID)},
		{{NULL, NULL, 204, NULL, NULL, 1},
		 ERROR(500, INVALID),
		 LOG_REFUSED "the body is NULL, but has bytes\n" LOG_ANSWERED(INVALID)},
		{{NULL, NULL, 200, NULL, "x", 1},
		 ERROR(500, INVALID),
		 LOG_REFUSED "the value is NULL header=Content-Type\n" LOG_ANSWERED(INVALID)},
		{{NULL, NULL, 200, "a\n", "x", 1},
		 ERROR(500, INVALID),
		 LOG_REFUSED
		 "the value has a control character header=Content-Type\n" LOG_ANSWERED(INVALID)},
		{{"X-A", "", 0, NULL, NULL, 0},
		 ERROR(500, INVALID),
		 LOG_REFUSED "the value is empty header=X-A\n" LOG_ANSWERED(INVALID)},
		/* Without the header, the answer is valid. */
		{{"X-A", "a\r\nb", 200, "a/b", "=", 1},
		 "200 =\n",
		 LOG_REFUSED "the value has a control character header=X-A\n"},
		{{"X A", "b", 200, "a/b", "=", 1},
		 "200 =\n",
		 LOG_REFUSED "the name is not a token (RFC 9110 section 5.6.2) header=X A\n"},
		{{NULL, "b", 204, NULL, NULL, 0},
		 "204\n",
		 LOG_REFUSED "the name is NULL header=NULL\n"},
		{{"X-A", NULL, 204, NULL, NULL, 0},
		 "204\n",
		 LOG_REFUSED "the value is NULL header=X-A\n"},
		{{"X-A", "b", 599, "a/b", "=", 1}, "599 X-A: b =\n", ""},
		/* What RFC 9110 requires is added. */
		{{NULL, NULL, 401, "a/b", "=", 1}, "401 WWW-Authenticate: Bearer =\n", ""},
		{{"www-authenticate", "Basic realm=\"a\"", 401, "a/b", "=", 1},
		 "401 www-authenticate: Basic realm=\"a\" =\n",
		 ""},
		{{"WWW-Authenticate-Info", "a", 401, "a/b", "=", 1},
		 "401 WWW-Authenticate: Bearer WWW-Authenticate-Info: a =\n",
		 ""},
		{{"A", "b", 401, "a/b", "=", 1}, "401 WWW-Authenticate: Bearer A: b =\n", ""},
		{{NULL, NULL, 405, "a/b", "=", 1}, "405 Allow: GET, PUT, HEAD, OPTIONS =\n", ""},
		{{"Allow", "PUT", 405, "a/b", "=", 1}, "405 Allow: PUT =\n", ""},
		{{"Allow", "PUT", 401, "a/b", "=", 1},
		 "401 WWW-Authenticate: Bearer Allow: PUT =\n",
		 ""},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct given given = cases[i].given;
		struct wire wire;

		create_with(&wire, answer_as_given, &given, &herald_allocator_libc);
		/* The connection goes on. */
		send_text(&wire, GET("/path"));
		send_text(&wire, GET("/x"));
		wire_flush(&wire);
		char *answers = wire_answers(&wire);
		assert_int_equal(strncmp(answers, cases[i].answers, strlen(cases[i].answers)), 0);
		assert_string_equal(answers + strlen(cases[i].answers), ERROR(404, "not found"));
		free(answers);
		assert_int_equal(strncmp(logged, cases[i].logged, strlen(cases[i].logged)), 0);
		assert_string_equal(logged + strlen(cases[i].logged),
				    "debug: request refused status=404 reason=not found\n");
		wire_destroy(&wire);
	}
}

#define TEN "ABCDEFGHIJ"

/* A method that is not shown as a whole is marked. */
static void
methods_that_are_refused(void **state)
{
	struct given given = {NULL, NULL, 204, NULL, NULL, 0};
	struct wire wire;

	(void)state;
	create_with(&wire, answer_as_given, &given, &herald_allocator_libc);
	send_text(&wire, "DELETE /path HTTP/1.1\r\nHost: a\r\n\r\n");
	wire_flush(&wire);
	char *answers = wire_answers(&wire);
	assert_string_equal(answers,
			    "405 Allow: GET, PUT, HEAD, OPTIONS {\"error\":\"the path accepts "
			    "GET, PUT, HEAD, not DELETE\"}\n");
	free(answers);
	assert_string_equal(logged, "debug: request refused status=405 reason=the path accepts "
				    "GET, PUT, HEAD, not DELETE\n");
	logged[0] = '\0';
	send_text(&wire, TEN TEN TEN TEN "X /path HTTP/1.1\r\nHost: a\r\n\r\n");
	wire_flush(&wire);
	assert_string_equal(logged, "debug: request refused status=405 reason=the path accepts "
				    "GET, PUT, HEAD, not " TEN TEN TEN TEN "...\n");
	wire_destroy(&wire);
}

/* The answer is large, and there is no memory for it. */
static void
answer_without_memory(struct herald_server_request *request, void *state)
{
	static const char body[70000];
	struct failing_allocator *memory = state;

	memory->mode = FAIL_ONLY;
	memory->fail_at = memory->calls + 1;
	assert_int_equal(herald_server_answer(request, 200, "text/plain", body, sizeof(body)),
			 HERALD_NO_MEMORY);
	assert_int_equal(memory->failures, 1);
}

static void
no_memory_for_an_answer(void **state)
{
	struct failing_allocator memory;
	struct wire wire;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	create_with(&wire, answer_without_memory, &memory, &memory.allocator);
	send_text(&wire, GET("/path"));
	wire_flush(&wire);
	assert_answers(&wire, "503 Retry-After: 1 {\"error\":\"out of memory\"}\n");
	assert_string_equal(logged, "debug: request refused status=503 reason=out of memory\n");
	wire_destroy(&wire);
	assert_all_released(&memory);
}

/* Headers. */

struct visit {
	char headers[256];
	unsigned left; /* the number of headers to visit */
};

static bool
note_header(const char *name, const char *value, void *state)
{
	struct visit *visit = state;
	size_t used = strlen(visit->headers);

	snprintf(visit->headers + used, sizeof(visit->headers) - used, "%s=%s;", name, value);
	return --visit->left > 0;
}

static void
answer_visited(struct herald_server_request *request, void *state)
{
	struct visit *visit = state;

	herald_server_request_headers_visit(request, note_header, visit);
	assert_int_equal(herald_server_answer(request, 204, NULL, NULL, 0), HERALD_OK);
}

static void
visited_headers(void **state)
{
	static const struct {
		const char *request;
		unsigned count;
		const char *headers;
	} cases[] = {
		{GET("/path"), 9, "Host=t;"},
		{"GET /path HTTP/1.1\r\nhost: t\r\nX-A:\t b c \r\nx-a: d\r\nX-B:\r\n\r\n", 9,
		 "host=t;X-A=b c;x-a=d;X-B=;"},
		{"GET /path HTTP/1.1\r\nHost: t\r\nX-A: b\r\nX-B: c\r\n\r\n", 2, "Host=t;X-A=b;"},
		{"GET /path HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 1,
		 "Connection=keep-alive;"},
		/* The body comes later, without its trailers. */
		{"PUT /path HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "1\r\na\r\n0\r\nX-T: u\r\n\r\n",
		 9, "Host=t;Transfer-Encoding=chunked;"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct visit visit = {.left = cases[i].count};
		struct wire wire;

		create_with(&wire, answer_visited, &visit, &herald_allocator_libc);
		send_text(&wire, cases[i].request);
		assert_string_equal(visit.headers, cases[i].headers);
		wire_destroy(&wire);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_answers),
		cmocka_unit_test(methods_that_are_refused),
		cmocka_unit_test(no_memory_for_an_answer),
		cmocka_unit_test(visited_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
