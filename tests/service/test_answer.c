/*
 * herald/answer.h: what functions and handlers answer, which answer counts, and what is refused.
 * How answers are sent is tested in tests/http/test_endpoint_answers.c and tests/contract/http/.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include <herald/herald.h>

#include "support/draw.h"
#include "support/events.h"
#include "support/failing_allocator.h"

struct note_answer {
	const char *text;
	int32_t number;
};
HERALD_SCHEMA(note_answer,
	HERALD_FIELD(note_answer, text, .required = true, .max_bytes = 20),
	HERALD_FIELD(note_answer, number));

/*
 * What code of the user's does, as a text: commands, separated by ';'. The last verdict is
 * returned, or HERALD_DONE.
 *
 *	h NAME=VALUE        set a header; the status is noted unless it is HERALD_OK
 *	u NAME              remove it
 *	s 202               herald_done_status()
 *	t 200 a/b BODY      herald_done_text(); "-" as the type is NULL
 *	j 200 TEXT          herald_done_json(); "-" as the text is NULL
 *	r, f 409, d         herald_retry(), herald_fail_status(), HERALD_DONE
 */
static enum herald_verdict
obey_one(struct herald_context *ctx, char *command)
{
	unsigned status = 0;
	int used = 0;
	char type[400] = "";

	if (command[0] == 'h') {
		char *value = strchr(command, '=');

		*value++ = '\0';
		enum herald_status set = herald_context_header(ctx, command + 2, value);
		if (set != HERALD_OK)
			note("%s", herald_status_name(set));
		return HERALD_DONE;
	}
	if (command[0] == 'u') {
		assert_int_equal(herald_context_header(ctx, command + 2, NULL), HERALD_OK);
		return HERALD_DONE;
	}
	switch (command[0]) {
	case 's':
		return herald_done_status(ctx, (unsigned)atoi(command + 2));
	case 't':
		sscanf(command, "t %u %399s%n", &status, type, &used);
		command += used + (command[used] == ' ');
		return herald_done_text(ctx, status, strcmp(type, "-") == 0 ? NULL : type, command,
					strlen(command));
	case 'n':
		return herald_done_text(ctx, 200, NULL, NULL, (size_t)atoi(command + 2));
	case 'j': {
		sscanf(command, "j %u %n", &status, &used);
		const struct note_answer answer = {
			.text = strcmp(command + used, "-") == 0 ? NULL : command + used};
		return HERALD_DONE_JSON(ctx, status, note_answer, &answer);
	}
	case 'r':
		return herald_retry(ctx, "busy");
	case 'f':
		return herald_fail_status(ctx, (unsigned)atoi(command + 2), "failed");
	default:
		return HERALD_DONE;
	}
}

static enum herald_verdict
obey(struct herald_context *ctx, const char *text, size_t bytes)
{
	enum herald_verdict verdict = HERALD_DONE;
	char copy[1024], *rest = NULL;

	assert_true(bytes < sizeof(copy));
	memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	for (char *one = strtok_r(copy, ";", &rest); one; one = strtok_r(NULL, ";", &rest)) {
		enum herald_verdict own = obey_one(ctx, one);

		if (strchr("hu", one[0]) == NULL)
			verdict = own;
	}
	return verdict;
}

/* What each part does; the runs of the function are separated by '|'. NULL: nothing. */
struct script {
	const char *receive, *before, *function, *again, *after;
	unsigned runs;
};

static enum herald_verdict
obey_all(struct herald_context *ctx, const char *text)
{
	return text ? obey(ctx, text, strlen(text)) : HERALD_DONE;
}

static enum herald_verdict
act(struct herald_context *ctx, const void *payload, void *state)
{
	struct script *script = state;
	const char *run = script->function ? script->function : "";

	(void)payload;
	for (unsigned i = 0; i < script->runs && strchr(run, '|'); i++)
		run = strchr(run, '|') + 1;
	script->runs++;
	return obey(ctx, run, strcspn(run, "|"));
}

struct scripted {
	struct herald_handler handler; /* first */
	struct script *script;
};

static struct script *
script_of(struct herald_handler *handler)
{
	return ((struct scripted *)handler)->script;
}

static enum herald_verdict
on_receive(struct herald_handler *handler, struct herald_context *ctx, const char *data,
	   size_t bytes)
{
	(void)data;
	(void)bytes;
	return obey_all(ctx, script_of(handler)->receive);
}

static enum herald_verdict
on_before(struct herald_handler *handler, struct herald_context *ctx)
{
	return obey_all(ctx, script_of(handler)->before);
}

static enum herald_again
on_again(struct herald_handler *handler, struct herald_context *ctx, unsigned attempt,
	 uint32_t *delay_ms)
{
	(void)obey_all(ctx, script_of(handler)->again);
	*delay_ms = 0;
	return attempt < 3 ? HERALD_AGAIN_RUN : HERALD_AGAIN_STOP;
}

static enum herald_verdict
on_after(struct herald_handler *handler, struct herald_context *ctx, enum herald_verdict result)
{
	(void)result;
	return obey_all(ctx, script_of(handler)->after);
}

static const struct herald_handler_ops scripted_ops = {
	.struct_size = sizeof(struct herald_handler_ops),
	.name = "scripted",
	.receive = on_receive,
	.before = on_before,
	.again = on_again,
	.after = on_after,
};

/* The answer as a text: "201 a/b: body | X-A: 1", or "none". */
static void
keep_answer(const struct herald_answer *answer, void *state)
{
	char *text = state;
	size_t room = 4096, used = 0;

	assert_string_equal(text, "none");
	used += (size_t)snprintf(text, room, "%u", answer->status);
	if (answer->content_type)
		used += (size_t)snprintf(text + used, room - used, " %s: %.*s",
					 answer->content_type, (int)answer->body_bytes,
					 answer->body);
	else
		assert_int_equal(answer->body_bytes, 0);
	for (size_t i = 0; i < answer->headers_count; i++)
		used += (size_t)snprintf(text + used, room - used, " | %s: %s",
					 answer->headers[i].name, answer->headers[i].value);
}

/* Handle one event by a script. */
static struct herald_result
play(struct script *script, const struct herald_service_options *given, char answer[4096])
{
	struct scripted scripted = {{.ops = &scripted_ops}, script};
	struct herald_handler *handlers[] = {&scripted.handler};
	const struct herald_route routes[] = {{.event_type = "a",
					       .schema = &herald_json_schema,
					       .function = act,
					       .state = script}};
	struct herald_service_options options =
		given ? *given : HERALD_SERVICE_OPTIONS(.log = debug_log);
	char event[] = EVENT("a", "1");
	struct herald_result result;

	options.routes = routes;
	options.routes_count = 1;
	options.handlers = handlers;
	options.handlers_count = 1;
	struct herald_service *service = create_service(&options);
	strcpy(answer, "none");
	herald_service_handle_with(service, event, strlen(event),
				   &HERALD_ARRIVAL(.answer = keep_answer, .state = answer),
				   &result);
	herald_service_destroy(service);
	return result;
}

/* Which of several answers is sent. */

static const struct {
	const char *name;
	struct script script;
	enum herald_verdict verdict;
	unsigned http_status;
	const char *answer;
} rows[] = {
	{"nothing", {.function = ""}, HERALD_DONE, 0, "none"},
	{"a status", {.function = "s 202"}, HERALD_DONE, 202, "202"},
	{"the least status", {.function = "s 200"}, HERALD_DONE, 200, "200"},
	{"the greatest status", {.function = "s 299"}, HERALD_DONE, 299, "299"},
	{"no content", {.function = "s 204"}, HERALD_DONE, 204, "204"},
	{"text", {.function = "t 201 a/b hello"}, HERALD_DONE, 201, "201 a/b: hello"},
	{"text without a type",
	 {.function = "t 200 - hello"},
	 HERALD_DONE,
	 200,
	 "200 text/plain; charset=utf-8: hello"},
	{"empty text", {.function = "t 200 a/b"}, HERALD_DONE, 200, "200 a/b: "},
	{"no text with 204", {.function = "t 204 a/b"}, HERALD_DONE, 204, "204"},
	{"no text with 205", {.function = "t 205 -"}, HERALD_DONE, 205, "205"},
	{"JSON",
	 {.function = "j 200 hello"},
	 HERALD_DONE,
	 200,
	 "200 application/json: {\"text\":\"hello\",\"number\":0}"},
	{"the last one of the function",
	 {.function = "t 201 a/b one;j 200 two;t 202 c/d three"},
	 HERALD_DONE,
	 202,
	 "202 c/d: three"},
	{"a status after a text", {.function = "t 201 a/b one;s 202"}, HERALD_DONE, 202, "202"},
	{"HERALD_DONE keeps it", {.function = "t 201 a/b one;d"}, HERALD_DONE, 201, "201 a/b: one"},
	{"a header alone", {.function = "h X-A=1"}, HERALD_DONE, 0, "0 | X-A: 1"},
	{"a header with all else",
	 {.function = "h X-A=1;t 201 a/b one;h X-B=2"},
	 HERALD_DONE,
	 201,
	 "201 a/b: one | X-A: 1 | X-B: 2"},
	{"a header replaced",
	 {.function = "h X-A=1;h X-B=2;h x-a=3"},
	 HERALD_DONE,
	 0,
	 "0 | x-a: 3 | X-B: 2"},
	{"a header removed",
	 {.function = "h X-A=1;h X-B=2;h X-C=3;u x-b;u X-D"},
	 HERALD_DONE,
	 0,
	 "0 | X-A: 1 | X-C: 3"},
	{"the only header removed", {.function = "h X-A=1;u X-A"}, HERALD_DONE, 0, "none"},
	{"blanks", {.function = "h X-A= \t a b \t "}, HERALD_DONE, 0, "0 | X-A: a b"},

	{"a failure drops status and body",
	 {.function = "h X-A=1;t 201 a/b one;f 409"},
	 HERALD_FAIL,
	 409,
	 "0 | X-A: 1"},
	{"a retry likewise",
	 {.function = "t 201 a/b one;h X-A=1;r"},
	 HERALD_RETRY,
	 0,
	 "0 | X-A: 1"},
	{"a failure alone", {.function = "f 409"}, HERALD_FAIL, 409, "none"},
	{"done after a failure", {.function = "f 409;s 201"}, HERALD_DONE, 201, "201"},

	{"of receive, function ran",
	 {.receive = "h X-R=r;t 201 a/b r"},
	 HERALD_DONE,
	 201,
	 "201 a/b: r | X-R: r"},
	{"of before", {.before = "t 202 a/b b"}, HERALD_DONE, 202, "202 a/b: b"},
	{"the function replaces it",
	 {.before = "h X-A=b;h X-B=b;t 202 a/b b", .function = "h X-A=f;t 201 a/b f"},
	 HERALD_DONE,
	 201,
	 "201 a/b: f | X-A: f | X-B: b"},
	{"after replaces it",
	 {.function = "h X-A=f;t 201 a/b f", .after = "h X-A=a;j 200 after"},
	 HERALD_DONE,
	 200,
	 "200 application/json: {\"text\":\"after\",\"number\":0} | X-A: a"},
	{"receive refuses",
	 {.receive = "h WWW-Authenticate=Basic;f 401"},
	 HERALD_FAIL,
	 401,
	 "0 | WWW-Authenticate: Basic"},
	{"before refuses", {.before = "t 200 a/b b;h X-B=b;f 403"}, HERALD_FAIL, 403, "0 | X-B: b"},
	{"after fails",
	 {.function = "t 201 a/b f;h X-F=f", .after = "h X-A=a;f 500"},
	 HERALD_FAIL,
	 500,
	 "0 | X-F: f | X-A: a"},
	{"after a failure",
	 {.function = "h X-F=f;f 409", .after = "h X-A=a;t 200 a/b a"},
	 HERALD_FAIL,
	 409,
	 "0 | X-F: f | X-A: a"},

	{"the last attempt counts",
	 {.function = "h X-1=1;t 201 a/b one;r|h X-2=2;t 202 a/b two"},
	 HERALD_DONE,
	 202,
	 "202 a/b: two | X-2: 2"},
	{"what an attempt answered is dropped",
	 {.function = "h X-1=1;t 201 a/b one;r|"},
	 HERALD_DONE,
	 0,
	 "none"},
	{"what was there before comes back",
	 {.before = "h X-A=b;t 202 a/b b", .function = "h X-A=1;h X-1=1;t 201 a/b one;r|h X-2=2"},
	 HERALD_DONE,
	 202,
	 "202 a/b: b | X-A: b | X-2: 2"},
	{"what again said is dropped with the attempt",
	 {.function = "r|s 202", .again = "h X-G=g"},
	 HERALD_DONE,
	 202,
	 "202"},
	{"the last attempt's headers stay",
	 {.function = "h X-1=1;r|h X-2=2;r|h X-3=3;r", .again = "h X-G=g"},
	 HERALD_RETRY,
	 0,
	 "0 | X-3: 3 | X-G: g"},
	{"a failure after an attempt",
	 {.function = "h X-1=1;r|h X-2=2;f 409"},
	 HERALD_FAIL,
	 409,
	 "0 | X-2: 2"},
};

static void
test_which_answer_counts(void **state)
{
	char answer[4096];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct script script = rows[i].script;
		struct herald_result result = play(&script, NULL, answer);

		if (strcmp(answer, rows[i].answer) != 0)
			fail_msg("%s: %s instead of %s", rows[i].name, answer, rows[i].answer);
		assert_int_equal(result.verdict, rows[i].verdict);
		assert_int_equal(result.http_status, rows[i].http_status);
		assert_int_equal(result.status, HERALD_OK);
	}
	assert_string_equal(trace, "");
}

/* What is refused. */

#define FAILS(REASON) HERALD_FAIL, "the answer is not valid" REASON

static void
test_wrong_answers_fail(void **state)
{
	static const struct {
		const char *function;
		enum herald_verdict verdict;
		const char *reason;
	} wrong[] = {
		{"n 5", FAILS(": the data is NULL, but has 5 bytes")},
		{"s 199", FAILS(": expected a status from 200 to 299, found 199")},
		{"s 300", FAILS(": expected a status from 200 to 299, found 300")},
		{"s 0", FAILS(": expected a status from 200 to 299, found 0")},
		{"s 304", FAILS(": expected a status from 200 to 299, found 304")},
		{"t 404 a/b no", FAILS(": expected a status from 200 to 299, found 404")},
		{"j 500 no", FAILS(": expected a status from 200 to 299, found 500")},
		{"t 204 a/b no", FAILS(": status 204 has no body")},
		{"t 205 - no", FAILS(": status 205 has no body")},
		{"j 204 no", FAILS(": status 204 has no body")},
		{"t 200 text no",
		 FAILS(": expected a media type of at most 255 bytes, found \"text\"")},
		{"t 200 /b no",
		 FAILS(": expected a media type of at most 255 bytes, found \"/b\"")},
		{"t 200 a/ no",
		 FAILS(": expected a media type of at most 255 bytes, found \"a/\"")},
		{"t 200 a/b,c/d no",
		 FAILS(": expected a media type of at most 255 bytes, found \"a/b,c/d\"")},
		{"j 200 -", FAILS(" at /text: text is required, but NULL")},
		{"j 200 aaaaaaaaaaaaaaaaaaaaa",
		 FAILS(" at /text: text: expected a string of at most 20 bytes, found 21")},
	};
	char answer[4096];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct script script = {.function = wrong[i].function};

		logged[0] = '\0';
		struct herald_result result = play(&script, NULL, answer);
		if (strcmp(result.error.message, wrong[i].reason) != 0)
			fail_msg("%s: %s instead of %s", wrong[i].function, result.error.message,
				 wrong[i].reason);
		assert_int_equal(result.verdict, wrong[i].verdict);
		assert_int_equal(result.http_status, 500);
		assert_string_equal(answer, "none");
		assert_non_null(strstr(logged, "error: event failed"));
		assert_non_null(strstr(logged, wrong[i].reason));
	}
}

/* A name or value, and what is refused of it. */
static const struct {
	const char *command, *status, *reason;
} wrong_headers[] = {
	{"h =1", "HERALD_BAD_VALUE", "not a token"},
	{"h X A=1", "HERALD_BAD_VALUE", "not a token"},
	{"h X-A:=1", "HERALD_BAD_VALUE", "not a token"},
	{"h X-A\r\nX-B=1", "HERALD_BAD_VALUE", "not a token"},
	{"h X-\xc3\xa4=1", "HERALD_BAD_VALUE", "not a token"},
	{"h X-A=1\r\nX-B: 2", "HERALD_BAD_VALUE", "control character"},
	{"h X-A=1\rX-B: 2", "HERALD_BAD_VALUE", "control character"},
	{"h X-A=1\n", "HERALD_BAD_VALUE", "control character"},
	{"h X-A=\x01", "HERALD_BAD_VALUE", "control character"},
	{"h X-A=a\x7f", "HERALD_BAD_VALUE", "control character"},
	{"h X-A=a\tb", "HERALD_BAD_VALUE", "control character"},
	{"h X-A=", "HERALD_BAD_VALUE", "empty"},
	{"h X-A= \t", "HERALD_BAD_VALUE", "empty"},
	{"h Content-Length=5", "HERALD_BAD_VALUE", "reserved"},
	{"h content-length=5", "HERALD_BAD_VALUE", "reserved"},
	{"h Transfer-Encoding=chunked", "HERALD_BAD_VALUE", "reserved"},
	{"h CONNECTION=close", "HERALD_BAD_VALUE", "reserved"},
	{"h Content-Type=a/b", "HERALD_BAD_VALUE", "reserved"},
	{"h Date=now", "HERALD_BAD_VALUE", "reserved"},
	{"h Keep-Alive=1", "HERALD_BAD_VALUE", "reserved"},
	{"h Proxy-Connection=1", "HERALD_BAD_VALUE", "reserved"},
	{"h Status=200", "HERALD_BAD_VALUE", "reserved"},
	{"h TE=trailers", "HERALD_BAD_VALUE", "reserved"},
	{"h Trailer=X-A", "HERALD_BAD_VALUE", "reserved"},
	{"h Upgrade=h2c", "HERALD_BAD_VALUE", "reserved"},
};

static void
test_wrong_headers_are_refused(void **state)
{
	char answer[4096], function[256];

	(void)state;
	for (size_t i = 0; i < COUNT(wrong_headers); i++) {
		struct script script = {.function = function};

		trace[0] = '\0';
		logged[0] = '\0';
		snprintf(function, sizeof(function), "h X-0=0;%s;h X-9=9",
			 wrong_headers[i].command);
		struct herald_result result = play(&script, NULL, answer);
		assert_int_equal(result.verdict, HERALD_DONE);
		assert_string_equal(answer, "0 | X-0: 0 | X-9: 9");
		assert_string_equal(trace, wrong_headers[i].status);
		const char *record = strstr(logged, "error: a header of the answer was refused");
		assert_non_null(record);
		assert_non_null(strstr(record, wrong_headers[i].reason));
	}
}

/* What a script cannot write. */
static enum herald_verdict
act_directly(struct herald_context *ctx, const void *payload, void *state)
{
	static const char *const types[] = {
		"a/b\r\nX-B: 1", "a/b; c\x01", "a/b\x7f", "", "a b/c", "a/b c", "\xc3\xa4/b",
	};
	char longest[300] = "a/";

	(void)payload;
	(void)state;
	assert_int_equal(herald_context_header(ctx, NULL, "1"), HERALD_BAD_VALUE);
	for (size_t i = 0; i < COUNT(types); i++)
		assert_int_equal(herald_done_text(ctx, 200, types[i], "x", 1), HERALD_FAIL);
	memset(longest + 2, 'b', 253);
	assert_int_equal(herald_done_text(ctx, 200, longest, "x", 1), HERALD_DONE);
	longest[255] = 'b';
	assert_int_equal(herald_done_text(ctx, 200, longest, "x", 1), HERALD_FAIL);
	/* Calls that failed changed nothing. */
	return herald_done_text(ctx, 200, "a/b", "x\0y", 3);
}

static void
keep_bytes(const struct herald_answer *answer, void *state)
{
	assert_int_equal(answer->body_bytes, 3);
	assert_memory_equal(answer->body, "x\0y", 3);
	assert_string_equal(answer->content_type, "a/b");
	assert_int_equal(answer->headers_count, 0);
	*(bool *)state = true;
}

static void
test_bytes_types_and_a_null_name(void **state)
{
	const struct herald_route routes[] = {
		{.event_type = "a", .schema = &herald_json_schema, .function = act_directly}};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .log = debug_log));
	char event[] = EVENT("a", "1");
	struct herald_result result;
	bool seen = false;

	(void)state;
	herald_service_handle_with(service, event, strlen(event),
				   &HERALD_ARRIVAL(.answer = keep_bytes, .state = &seen), &result);
	check_verdict(&result, HERALD_DONE, "");
	assert_true(seen);
	assert_non_null(strstr(logged, "header=NULL reason=the name is NULL"));
	herald_service_destroy(service);
}

/* Limits. */

static void
test_limits_of_headers(void **state)
{
	static const struct {
		size_t headers, bytes;
		const char *function, *trace, *answer;
	} cases[] = {
		{2, 0, "h A=1;h B=2;h C=3", "HERALD_LIMIT", "0 | A: 1 | B: 2"},
		{2, 0, "h A=1;h B=2;h a=3", "", "0 | a: 3 | B: 2"},
		{2, 0, "h A=1;h B=2;u A;h C=3", "", "0 | B: 2 | C: 3"},
		{0, 6, "h A=12345;h B=2", "HERALD_LIMIT", "0 | A: 12345"},
		{0, 7, "h A=12345;h B=2", "HERALD_LIMIT", "0 | A: 12345"},
		{0, 8, "h A=12345;h B=2", "", "0 | A: 12345 | B: 2"},
		{0, 6, "h A=12345;h A=54321", "", "0 | A: 54321"},
		{0, 6, "h A=12345;h A=123456", "HERALD_LIMIT", "0 | A: 12345"},
	};
	char answer[4096];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct script script = {.function = cases[i].function};

		trace[0] = '\0';
		play(&script,
		     &HERALD_SERVICE_OPTIONS(.max_answer_headers = cases[i].headers,
					     .max_answer_headers_bytes = cases[i].bytes),
		     answer);
		assert_string_equal(trace, cases[i].trace);
		assert_string_equal(answer, cases[i].answer);
	}
}

static void
test_limit_of_the_body(void **state)
{
	static const struct {
		size_t limit;
		const char *function, *reason;
	} cases[] = {
		{5, "t 200 a/b 12345", ""},
		{5, "t 200 a/b 123456", "the answer is not valid: it is larger than 5 bytes"},
		{24, "j 200 12", ""},
		{23, "j 200 12", "the answer is not valid: "},
	};
	char answer[4096];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct script script = {.function = cases[i].function};
		struct herald_result result =
			play(&script, &HERALD_SERVICE_OPTIONS(.max_answer_bytes = cases[i].limit),
			     answer);
		size_t bytes = strlen(cases[i].reason);

		if (bytes == 0)
			assert_int_equal(result.verdict, HERALD_DONE);
		else
			assert_int_equal(result.http_status, 500);
		assert_memory_equal(result.error.message, cases[i].reason, bytes);
	}
}

static void
test_limits_are_checked(void **state)
{
	static const struct {
		struct herald_service_options options;
		const char *path;
	} wrong[] = {
		{{.struct_size = sizeof(wrong[0].options),
		  .max_answer_bytes = ((size_t)1 << 30) + 1},
		 "max_answer_bytes"},
		{{.struct_size = sizeof(wrong[0].options), .max_answer_headers = 257},
		 "max_answer_headers"},
		{{.struct_size = sizeof(wrong[0].options), .max_answer_headers_bytes = 65537},
		 "max_answer_headers_bytes"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct herald_service *service = NULL;
		struct herald_error error;

		assert_int_equal(herald_service_create(&wrong[i].options, &service, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, wrong[i].path);
	}
}

/* Headers drawn at random, against a list that is kept here. */

struct model {
	char names[8][8];
	char values[8][24];
	size_t count;
};

static void
model_set(struct model *model, const char *name, const char *value)
{
	size_t at = 0;

	while (at < model->count && strcasecmp(model->names[at], name) != 0)
		at++;
	if (!value && at < model->count) {
		model->count--;
		for (; at < model->count; at++) {
			strcpy(model->names[at], model->names[at + 1]);
			strcpy(model->values[at], model->values[at + 1]);
		}
	} else if (value) {
		snprintf(model->names[at], sizeof(model->names[at]), "%s", name);
		snprintf(model->values[at], sizeof(model->values[at]), "%s", value);
		model->count += at == model->count;
	}
}

/* Append a command, and do it to the model. */
static void
draw_header(uint64_t *draw, struct model *model, char *out)
{
	static const char *const names[] = {"X-A", "x-a", "X-B", "X-C", "Y", "y"};
	const char *name = names[draw_below(draw, COUNT(names))];
	char value[24];

	if (draw_one_in(draw, 4)) {
		sprintf(out + strlen(out), "u %s;", name);
		model_set(model, name, NULL);
		return;
	}
	snprintf(value, sizeof(value), "v%u", (unsigned)draw_below(draw, 1000));
	sprintf(out + strlen(out), "h %s=%s;", name, value);
	model_set(model, name, value);
}

static void
test_headers_drawn_at_random(void **state)
{
	uint64_t draw = draw_seed();

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)draw);
	for (int round = 0; round < 300; round++) {
		struct model model = {.count = 0};
		char function[1024] = "", answer[4096], expected[1024] = "0";
		struct script script = {.function = function};

		for (uint64_t n = draw_below(&draw, 20); n > 0; n--)
			draw_header(&draw, &model, function);
		play(&script, &HERALD_SERVICE_OPTIONS(.max_answer_headers = 5), answer);
		for (size_t i = 0; i < model.count; i++)
			sprintf(expected + strlen(expected), " | %s: %s", model.names[i],
				model.values[i]);
		assert_string_equal(answer, model.count > 0 ? expected : "none");
	}
}

/* Memory. */

/* Each allocation fails once: the event is done with all of its answer, or says why not. */
static void
test_every_allocation_fails(void **state)
{
	bool failed = true;

	(void)state;
	for (size_t n = 1; failed; n++) {
		struct failing_allocator memory;
		struct herald_service *service = NULL;
		struct script script = {.function = "h X-A=1;j 200 hello;h X-B=2"};
		const struct herald_route routes[] = {{.event_type = "a",
						       .schema = &herald_json_schema,
						       .function = act,
						       .state = &script}};
		char event[] = EVENT("a", "1"), answer[4096] = "none";
		struct herald_result result;

		trace[0] = '\0';
		failing_allocator_init(&memory, FAIL_NEVER, 0);
		service = create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes),
								 .allocator = memory.allocator));
		memory.mode = FAIL_ONLY;
		memory.fail_at = memory.calls + n;
		herald_service_handle_with(service, event, strlen(event),
					   &HERALD_ARRIVAL(.answer = keep_answer, .state = answer),
					   &result);
		failed = memory.failures > 0;
		if (result.verdict == HERALD_DONE)
			assert_string_equal(answer, "200 application/json: "
						    "{\"text\":\"hello\",\"number\":0} | X-A: 1 | "
						    "X-B: 2");
		else
			assert_int_equal(result.verdict, HERALD_RETRY);
		assert_true(failed || result.verdict == HERALD_DONE);
		herald_service_destroy(service);
		assert_all_released(&memory);
	}
}

/* The codec of an answer is created once; the memory of answers belongs to the event. */
static void
test_no_allocation_in_the_steady_state(void **state)
{
	struct failing_allocator memory;
	struct script script = {.function = "h X-A=1;j 200 hello;t 201 a/b text"};
	const struct herald_route routes[] = {{.event_type = "a",
					       .schema = &herald_json_schema,
					       .function = act,
					       .state = &script}};
	size_t calls = 0;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .allocator = memory.allocator));
	for (int round = 0; round < 1000; round++) {
		struct herald_result result = handle(service, EVENT("a", "1"));

		assert_int_equal(result.http_status, 201);
		if (round == 1)
			calls = memory.calls;
	}
	assert_int_equal(memory.calls, calls);
	herald_service_destroy(service);
	assert_all_released(&memory);
}

/* The limit of an event's memory includes its answer. */
static void
test_an_answer_counts_for_the_event(void **state)
{
	struct script script = {.function = "t 200 a/b 0123456789"};
	char function[900] = "t 200 a/b ", answer[4096];

	(void)state;
	struct herald_result result =
		play(&script, &HERALD_SERVICE_OPTIONS(.max_arena_bytes = 1024), answer);
	assert_int_equal(result.http_status, 200);
	memset(function + strlen(function), 'a', sizeof(function) - strlen(function) - 1);
	script.function = function;
	result = play(&script, &HERALD_SERVICE_OPTIONS(.max_arena_bytes = 1024), answer);
	assert_int_equal(result.http_status, 500);
	assert_string_equal(result.error.message, "the answer is not valid: the event needs more "
						  "than 1024 bytes of memory");
	assert_string_equal(answer, "none");
}

/* Schemas. */

/* More schemas than the service keeps codecs of. */
#define MANY 150

static struct herald_schema schemas[MANY];

static enum herald_verdict
act_by_number(struct herald_context *ctx, const void *payload, void *state)
{
	const struct note_answer answer = {"hello", 7};
	long number = strtol(((const struct herald_json *)payload)->data, NULL, 10);

	(void)state;
	return herald_done_json(ctx, 200, &schemas[number], &answer);
}

static struct herald_service *
create_with_schemas(struct herald_allocator allocator)
{
	const struct herald_route routes[] = {
		{.event_type = "a", .schema = &herald_json_schema, .function = act_by_number}};

	for (size_t i = 0; i < MANY; i++)
		schemas[i] = note_answer_schema;
	return create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .allocator = allocator));
}

static void
handle_number(struct herald_service *service, unsigned number)
{
	char event[200], answer[4096] = "none";
	struct herald_result result;

	snprintf(event, sizeof(event), EVENT("a", "%u "), number);
	herald_service_handle_with(service, event, strlen(event),
				   &HERALD_ARRIVAL(.answer = keep_answer, .state = answer),
				   &result);
	assert_string_equal(answer, "200 application/json: {\"text\":\"hello\",\"number\":7}");
}

/* All of them are encoded, and the number of codecs that are kept is bounded. */
static void
test_many_schemas(void **state)
{
	struct failing_allocator memory;
	size_t bytes = 0;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_service *service = create_with_schemas(memory.allocator);
	for (unsigned i = 0; i < 2 * MANY; i++) {
		handle_number(service, i % MANY);
		if (i == MANY / 2)
			bytes = memory.bytes;
	}
	assert_int_equal(memory.bytes, bytes);
	herald_service_destroy(service);
	assert_all_released(&memory);
}

static void *
handle_all(void *service)
{
	for (unsigned i = 0; i < 10 * MANY; i++)
		handle_number(service, i % MANY);
	return NULL;
}

/* Each schema is new to all threads at once. */
static void
test_schemas_on_many_threads(void **state)
{
	struct failing_allocator memory;
	pthread_t threads[4];

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_service *service = create_with_schemas(memory.allocator);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, handle_all, service), 0);
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	herald_service_destroy(service);
	assert_all_released(&memory);
}

struct bad {
	const char *text;
	const char *other;
};
HERALD_SCHEMA(bad, HERALD_FIELD(bad, text), HERALD_FIELD(bad, other, .key = "text"));

static enum herald_verdict
act_with_bad_schema(struct herald_context *ctx, const void *payload, void *state)
{
	struct bad answer = {"hello", "you"};

	(void)payload;
	(void)state;
	return HERALD_DONE_JSON(ctx, 200, bad, &answer);
}

static void
test_a_bad_schema(void **state)
{
	const struct herald_route routes[] = {{.event_type = "a",
					       .schema = &herald_json_schema,
					       .function = act_with_bad_schema}};
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)));

	(void)state;
	for (int round = 0; round < 2; round++) {
		struct herald_result result = handle(service, EVENT("a", "1"));

		check_verdict(&result, HERALD_FAIL,
			      "the answer is not valid at bad.other: bad.other: duplicate key "
			      "\"text\"");
		assert_int_equal(result.http_status, 500);
	}
	herald_service_destroy(service);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_which_answer_counts, events_setup),
		cmocka_unit_test_setup(test_wrong_answers_fail, events_setup),
		cmocka_unit_test_setup(test_wrong_headers_are_refused, events_setup),
		cmocka_unit_test_setup(test_bytes_types_and_a_null_name, events_setup),
		cmocka_unit_test_setup(test_limits_of_headers, events_setup),
		cmocka_unit_test_setup(test_limit_of_the_body, events_setup),
		cmocka_unit_test_setup(test_limits_are_checked, events_setup),
		cmocka_unit_test_setup(test_headers_drawn_at_random, events_setup),
		cmocka_unit_test_setup(test_every_allocation_fails, events_setup),
		cmocka_unit_test_setup(test_no_allocation_in_the_steady_state, events_setup),
		cmocka_unit_test_setup(test_an_answer_counts_for_the_event, events_setup),
		cmocka_unit_test_setup(test_many_schemas, events_setup),
		cmocka_unit_test_setup(test_schemas_on_many_threads, events_setup),
		cmocka_unit_test_setup(test_a_bad_schema, events_setup),
	};

	return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
