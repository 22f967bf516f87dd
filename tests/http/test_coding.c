/*
 * herald/adapter/coding.h: which Content-Encodings an endpoint accepts, bodies that are decoded
 * within limits, and what is wrong with options.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <herald/adapter/coding.h>
#include <herald/adapter/http.h>
#include <herald/adapter/request.h>
#include <herald/endpoint.h>

#include "http/endpoint_fixture.h"
#include "support/events.h"
#include "support/failing_allocator.h"
#include "support/run_length.h"

#define MAX_BYTES 2000
#define CODED "Run-Length"

static struct fixture
open_coded(struct herald_allocator allocator)
{
	return open_endpoint(allocator,
			     &HERALD_ENDPOINT_OPTIONS(.max_body_bytes = MAX_BYTES,
						      .content_codings = run_length_only));
}

static struct herald_http_request *
begin(const struct fixture *fixture, const char *content_encoding)
{
	return herald_http_request_create(
		fixture->endpoint,
		&(struct herald_http_head){.method = "POST",
					   .content_type = "application/json",
					   .content_encoding = content_encoding,
					   .content_length = HERALD_HTTP_NO_LENGTH});
}

/* Content-Encoding. */

static void
test_accepted_codings(void **state)
{
	static const struct {
		const char *value;
		bool plain, coded; /* whether the endpoint accepts it, without and with a coding */
	} rows[] = {
		{NULL, true, true},
		{"", true, true},
		{" \t", true, true},
		{"identity", true, true},
		{"IDENTITY ", true, true},
		{"identity,identity", true, true},
		{" , identity ,", true, true},
		{"run-length", false, true},
		{"Run-Length", false, true},
		{"\tRUN-LENGTH ", false, true},
		{"identity, run-length", false, true},
		{",run-length,", false, true},
		{"run-length,run-length", false, false},
		{"run-length, identity, run-length", false, false},
		{"run-length, gzip", false, false},
		{"gzip, run-length", false, false},
		{HERALD_HTTP_SEVERAL_CODINGS, false, false},
		{"gzip", false, false},
		{"x-gzip", false, false},
		{"x-run-length", false, false},
		{"run-lengt", false, false},
		{"run-length2", false, false},
		{"run length", false, false},
		{"run-length;q=1", false, false},
		{"*", false, false},
		{"identityx", false, false},
	};
	struct fixture fixtures[2] = {open_default(), open_coded((struct herald_allocator){0})};

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		struct herald_http_request *request = begin(&fixtures[i % 2], rows[i / 2].value);
		const struct herald_http_response *response = herald_http_request_response(request);
		bool accepted = i % 2 ? rows[i / 2].coded : rows[i / 2].plain;

		if (!response != accepted)
			fail_msg("\"%s\" was %s", rows[i / 2].value,
				 response ? "refused" : "accepted");
		if (response)
			assert_int_equal(response->status, 415);
		herald_http_request_destroy(request);
	}
	close_endpoint(&fixtures[0]);
	close_endpoint(&fixtures[1]);
}

/* The herald_http_header_sink: keeps one header. */
static bool
keep_accept_encoding(const char *name, const char *value, void *state)
{
	if (strcmp(name, "Accept-Encoding") == 0)
		*(const char **)state = value;
	return true;
}

static void
test_refusals_name_the_codings(void **state)
{
	static const struct herald_content_coding other = {"other", run_length_create,
							   run_length_decode, run_length_finish,
							   run_length_destroy};
	const struct herald_content_coding *const two[] = {&run_length, &other, NULL};
	const struct {
		struct herald_endpoint_options options;
		const char *sent, *accepted, *answer;
	} rows[] = {
		{HERALD_ENDPOINT_OPTIONS(0), "br", "identity",
		 "415 {\"error\":\"expected Content-Encoding identity, found br\"}"},
		{HERALD_ENDPOINT_OPTIONS(.content_codings = run_length_only), "br\n\"",
		 "Run-Length",
		 "415 {\"error\":\"expected Content-Encoding Run-Length, found br\\\\n\\\"\"}"},
		{HERALD_ENDPOINT_OPTIONS(.content_codings = two), "other, run-length",
		 "Run-Length, other",
		 "415 {\"error\":\"expected Content-Encoding Run-Length, other, found other, "
		 "run-length\"}"},
		{HERALD_ENDPOINT_OPTIONS(.content_codings = two, .hide_errors = true), "br",
		 "Run-Length, other", "415 {\"error\":\"Unsupported Media Type\"}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fixture fixture =
			open_endpoint((struct herald_allocator){0}, &rows[i].options);
		struct herald_http_request *request = begin(&fixture, rows[i].sent);
		const struct herald_http_response *response = herald_http_request_response(request);
		const char *accepted = NULL;

		assert_string_equal(text_of(response), rows[i].answer);
		assert_true(
			herald_http_response_headers(response, keep_accept_encoding, &accepted));
		assert_string_equal(accepted, rows[i].accepted);
		herald_http_request_destroy(request);
		close_endpoint(&fixture);
	}
}

/* Bodies. */

/* Send a coded body in two pieces, cut at `cut`. */
static void
check_body(const struct fixture *fixture, const char *body, size_t cut, const char *expected)
{
	struct herald_http_request *request = begin(fixture, CODED);

	assert_null(herald_http_request_response(request));
	if (herald_http_request_append(request, body, cut))
		herald_http_request_append(request, body + cut, strlen(body) - cut);
	trace[0] = '\0'; /* It has no room for so many events. */
	const struct herald_http_response *response = herald_http_request_finish(request);
	assert_string_equal(text_of(response), expected);
	assert_ptr_equal(herald_http_request_finish(request), response);
	assert_ptr_equal(herald_http_request_response(request), response);
	assert_false(herald_http_request_append(request, "1a", 2));
	assert_string_equal(text_of(response), expected);
	herald_http_request_destroy(request);
}

static void
test_every_split(void **state)
{
	char coded[2 * sizeof(SEED_EVENT)];
	size_t bytes = run_length_encode(SEED_EVENT, coded);
	struct fixture fixture = open_coded((struct herald_allocator){0});

	(void)state;
	for (size_t cut = 0; cut <= bytes; cut++)
		check_body(&fixture, coded, cut, "200 " SUCCESS);
	/* The next body does not depend on this one. */
	check_answer(&fixture, SEED_EVENT, "200 " SUCCESS);
	close_endpoint(&fixture);
}

/* What is given in place is decoded elsewhere. */
static void
test_in_place(void **state)
{
	static const struct {
		const char *coded, *answer;
	} rows[] = {
		{NULL, "200 " SUCCESS},
		{"1a!", "400 {\"error\":\"the run length at byte 2 is not a digit\"}"},
		{"1a1", "400 {\"error\":\"a run has no byte\"}"},
	};
	char coded[2 * sizeof(SEED_EVENT)];
	struct fixture fixture = open_coded((struct herald_allocator){0});

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_http_request *request = begin(&fixture, CODED);
		size_t bytes = rows[i].coded ? strlen(rows[i].coded)
					     : run_length_encode(SEED_EVENT, coded);

		if (rows[i].coded)
			memcpy(coded, rows[i].coded, bytes);
		assert_string_equal(
			text_of(herald_http_request_finish_in_place(request, coded, bytes)),
			rows[i].answer);
		herald_http_request_destroy(request);
	}
	close_endpoint(&fixture);
}

static void
test_bad_bodies(void **state)
{
	static const struct {
		const char *body, *answer;
	} rows[] = {
		{"", "400 {\"error\":\"expected a value, found the end of the "
		     "input\",\"path\":\"\",\"offset\":0}"},
		{"!a", "400 {\"error\":\"the run length at byte 0 is not a digit\"}"},
		{"1a2b1c0d", "400 {\"error\":\"the run length at byte 6 is not a digit\"}"},
		{"1a2", "400 {\"error\":\"a run has no byte\"}"},
		{"2 1x",
		 "400 {\"error\":\"expected a value, found x\",\"path\":\"\",\"offset\":2}"},
	};
	struct fixture fixture = open_coded((struct herald_allocator){0});
	struct fixture hiding = open_endpoint(
		(struct herald_allocator){0},
		&HERALD_ENDPOINT_OPTIONS(.content_codings = run_length_only, .hide_errors = true));

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t cut = 0; cut <= strlen(rows[i].body); cut++) {
			check_body(&fixture, rows[i].body, cut, rows[i].answer);
			check_body(&hiding, rows[i].body, cut, "400 {\"error\":\"Bad Request\"}");
		}
	assert_string_equal(trace, "");
	close_endpoint(&fixture);
	close_endpoint(&hiding);
}

#define TOO_LARGE "413 {\"error\":\"the body is larger than 2000 bytes\"}"

/* The event, with blanks after it: `bytes` in all when it is decoded. */
static struct herald_http_request *
send_padded(const struct fixture *fixture, size_t bytes)
{
	char coded[2 * sizeof(SEED_EVENT)], run[3];
	struct herald_http_request *request = begin(fixture, CODED);
	size_t left = bytes - strlen(SEED_EVENT);
	bool more =
		herald_http_request_append(request, coded, run_length_encode(SEED_EVENT, coded));

	while (more && left > 0) {
		size_t blanks = left < 9 ? left : 9;

		snprintf(run, sizeof(run), "%zu ", blanks);
		more = herald_http_request_append(request, run, 2);
		left -= blanks;
	}
	assert_int_equal(more, herald_http_request_response(request) == NULL);
	return request;
}

static void
test_decoded_bytes_are_limited(void **state)
{
	struct fixture fixture = open_coded((struct herald_allocator){0});
	struct herald_http_request *request = send_padded(&fixture, MAX_BYTES);

	(void)state;
	assert_string_equal(text_of(herald_http_request_finish(request)), "200 " SUCCESS);
	herald_http_request_destroy(request);
	/* It is refused before its end. */
	request = send_padded(&fixture, MAX_BYTES + 1);
	assert_string_equal(text_of(herald_http_request_response(request)), TOO_LARGE);
	herald_http_request_destroy(request);
	close_endpoint(&fixture);
}

/* As many bytes of a body that expands to fewer. */
static void
test_received_bytes_are_limited(void **state)
{
	struct fixture fixture = open_coded((struct herald_allocator){0});
	char body[MAX_BYTES + 2];

	(void)state;
	for (size_t i = 0; i < MAX_BYTES; i++)
		body[i] = i % 2 ? ' ' : '1';
	for (size_t bytes = MAX_BYTES; bytes <= MAX_BYTES + 1; bytes++) {
		struct herald_http_request *request = begin(&fixture, CODED);

		body[MAX_BYTES] = '1';
		bool more = herald_http_request_append(request, body, bytes);
		assert_int_equal(more, bytes == MAX_BYTES);
		if (!more)
			assert_string_equal(text_of(herald_http_request_response(request)),
					    TOO_LARGE);
		herald_http_request_destroy(request);
	}
	struct herald_http_request *request = herald_http_request_create(
		fixture.endpoint, &(struct herald_http_head){.method = "POST",
							     .content_type = "application/json",
							     .content_encoding = CODED,
							     .content_length = MAX_BYTES + 1});
	assert_string_equal(text_of(herald_http_request_response(request)), TOO_LARGE);
	herald_http_request_destroy(request);
	close_endpoint(&fixture);
}

/* The body ends too early, or the client has disconnected. */
static void
test_abandoned_bodies(void **state)
{
	struct failing_allocator memory;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct fixture fixture = open_coded(memory.allocator);
	struct herald_http_request *request = begin(&fixture, CODED);
	assert_true(herald_http_request_append(request, "1a1", 3));
	assert_string_equal(text_of(herald_http_request_unreadable(request)),
			    "400 {\"error\":\"failed to read the request body\"}");
	herald_http_request_destroy(request);
	request = begin(&fixture, CODED);
	assert_true(herald_http_request_append(request, "1a1", 3));
	herald_http_request_destroy(request);
	close_endpoint(&fixture);
	assert_all_released(&memory);
}

/* Options. */

static void
test_bad_options(void **state)
{
	static const struct herald_content_coding
		none = {NULL, run_length_create, run_length_decode, run_length_finish,
			run_length_destroy},
		empty = {"", run_length_create, run_length_decode, run_length_finish,
			 run_length_destroy},
		list = {"a,b", run_length_create, run_length_decode, run_length_finish,
			run_length_destroy},
		identity = {"Identity", run_length_create, run_length_decode, run_length_finish,
			    run_length_destroy},
		same = {"RUN-length", run_length_create, run_length_decode, run_length_finish,
			run_length_destroy},
		no_create = {"a", NULL, run_length_decode, run_length_finish, run_length_destroy},
		no_decode = {"a", run_length_create, NULL, run_length_finish, run_length_destroy},
		no_finish = {"a", run_length_create, run_length_decode, NULL, run_length_destroy},
		no_destroy = {"a", run_length_create, run_length_decode, run_length_finish, NULL};
	static const struct {
		const struct herald_content_coding *codings[3];
		const char *path, *message;
	} rows[] = {
		{{NULL}, "content_codings", "the list is empty; NULL accepts no coding"},
		{{&none},
		 "content_codings[0]",
		 "must have a name that is a token, such as \"gzip\""},
		{{&empty},
		 "content_codings[0]",
		 "must have a name that is a token, such as \"gzip\""},
		{{&list},
		 "content_codings[0]",
		 "must have a name that is a token, such as \"gzip\""},
		{{&run_length, &identity},
		 "content_codings[1]",
		 "identity is always accepted and needs no coding"},
		{{&run_length, &same},
		 "content_codings[1]",
		 "has the name of another coding in the list"},
		{{&no_create}, "content_codings[0]", "must have all of its functions"},
		{{&no_decode}, "content_codings[0]", "must have all of its functions"},
		{{&no_finish}, "content_codings[0]", "must have all of its functions"},
		{{&no_destroy}, "content_codings[0]", "must have all of its functions"},
	};
	struct fixture fixture = open_default();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct herald_endpoint *endpoint = NULL;
		struct herald_error error;

		assert_int_equal(
			herald_endpoint_create(
				fixture.service,
				&HERALD_ENDPOINT_OPTIONS(.content_codings = rows[i].codings),
				&endpoint, &error),
			HERALD_BAD_OPTION);
		assert_string_equal(error.path, rows[i].path);
		assert_non_null(strstr(error.message, rows[i].message));
		assert_null(endpoint);
	}
	close_endpoint(&fixture);
}

/* Memory. */

/* Create an endpoint and handle an event while the n-th allocation fails. Returns whether one
 * did. */
static bool
handle_while_failing(enum failing_mode mode, size_t n)
{
	char coded[2 * sizeof(SEED_EVENT)];
	size_t bytes = run_length_encode(SEED_EVENT, coded);
	struct failing_allocator memory;
	struct fixture fixture;

	failing_allocator_init(&memory, FAIL_NEVER, 0);
	fixture.service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .allocator = memory.allocator));
	memory.mode = mode;
	memory.fail_at = memory.calls + n;
	enum herald_status status = herald_endpoint_create(
		fixture.service, &HERALD_ENDPOINT_OPTIONS(.content_codings = run_length_only),
		&fixture.endpoint, NULL);
	assert_int_equal(status, memory.failures > 0 ? HERALD_NO_MEMORY : HERALD_OK);
	struct herald_http_request *request = status == HERALD_OK ? begin(&fixture, CODED) : NULL;
	for (size_t at = 0; request && at < bytes; at += 50)
		if (!herald_http_request_append(request, coded + at, strnlen(coded + at, 50)))
			break;
	if (request) {
		const char *text = text_of(herald_http_request_finish(request));

		assert_string_equal(text, memory.failures > 0 ? "503 {\"error\":\"out of memory\"} "
								"Retry-After: 1"
							      : "200 " SUCCESS);
	}
	herald_http_request_destroy(request);
	if (status == HERALD_OK)
		herald_endpoint_destroy(fixture.endpoint);
	herald_service_destroy(fixture.service);
	assert_all_released(&memory);
	return memory.failures > 0;
}

static void
test_every_allocation_fails(void **state)
{
	(void)state;
	for (enum failing_mode mode = FAIL_ONLY; mode <= FAIL_FROM; mode++) {
		size_t n = 1;

		while (handle_while_failing(mode, n))
			n++;
		assert_true(n > 5);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_accepted_codings, events_setup),
		cmocka_unit_test_setup(test_refusals_name_the_codings, events_setup),
		cmocka_unit_test_setup(test_every_split, events_setup),
		cmocka_unit_test_setup(test_in_place, events_setup),
		cmocka_unit_test_setup(test_bad_bodies, events_setup),
		cmocka_unit_test_setup(test_decoded_bytes_are_limited, events_setup),
		cmocka_unit_test_setup(test_received_bytes_are_limited, events_setup),
		cmocka_unit_test_setup(test_abandoned_bodies, events_setup),
		cmocka_unit_test_setup(test_bad_options, events_setup),
		cmocka_unit_test_setup(test_every_allocation_fails, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
