/*
 * Many events in one text: arrays and lines, what is between the events, results with their places,
 * limits, a store, and memory. Each event has the same result as alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/text.h>
#include <herald/cloudevents.h>
#include <herald/many.h>

#include "service/user_events.h"
#include "support/draw.h"
#include "support/events.h"
#include "support/failing_allocator.h"
#include "support/fake_clock.h"
#include "support/fake_inbox.h"

#define ANN EVENT("user", "{\"user_id\":\"ann\"}")
#define BOB EVENT("user", "{\"user_id\":\"b\\u006fb\",\"username\":\"[{\\\"\"}")
#define NOBODY EVENT("nobody", "{}")
#define NO_ID EVENT("user", "{}")

#define LINES .form = HERALD_MANY_LINES
#define ARRAY .form = HERALD_MANY_ARRAY

/* What a call has returned. */
struct outcome {
	enum herald_status status;
	struct herald_error error;
	struct herald_many_counts counts;
	char *text; /* a copy of the input, which decoding has changed; no byte is behind it */
	size_t bytes;
	char told[4096]; /* "0:1 done, 1:3 fail HERALD_BAD_JSON": index, line, result */
	size_t told_count;
	const char *input;
};

static void
tell(const struct herald_handled *event, void *state)
{
	struct outcome *outcome = state;
	const struct herald_result *result = event->result;
	size_t used = strlen(outcome->told);

	assert_int_equal(event->index, outcome->told_count++);
	assert_true(event->offset + event->bytes <= outcome->bytes);
	assert_false(strchr(" \t\r\n", outcome->input[event->offset]));
	if (result->error.offset != HERALD_NO_OFFSET)
		assert_true(result->error.offset <= event->bytes);
	snprintf(outcome->told + used, sizeof(outcome->told) - used, "%s%zu:%zu %s%s%s",
		 used > 0 ? ", " : "", event->index, event->line,
		 herald_verdict_name(result->verdict), result->status != HERALD_OK ? " " : "",
		 result->status != HERALD_OK ? herald_status_name(result->status) : "");
}

static void
handle_many(struct outcome *outcome, struct herald_service *service, const char *input,
	    size_t bytes, struct herald_many_options options)
{
	memset(outcome, 0, sizeof(*outcome));
	outcome->input = input;
	outcome->bytes = bytes;
	outcome->text = malloc(bytes > 0 ? bytes : 1);
	assert_non_null(outcome->text);
	memcpy(outcome->text, input, bytes);
	options.handled = tell;
	options.state = outcome;
	trace[0] = '\0';
	logged[0] = '\0';
	outcome->status = herald_service_handle_many(service, outcome->text, bytes, &options,
						     &outcome->counts, &outcome->error);
	free(outcome->text);
	assert_int_equal(outcome->counts.events, outcome->told_count);
	assert_int_equal(outcome->counts.events,
			 outcome->counts.done + outcome->counts.retry + outcome->counts.fail);
}

static void
check_told(const struct outcome *outcome, const char *text, const char *told)
{
	if (strcmp(outcome->told, told) != 0)
		fail_msg("%s\nexpected %s\ngot      %s", text, told, outcome->told);
}

static void
check_error(const struct outcome *outcome, const char *text, enum herald_status status,
	    const char *path, size_t offset)
{
	if (outcome->status != status ||
	    (status != HERALD_OK &&
	     (outcome->error.status != status || strcmp(outcome->error.path, path) != 0 ||
	      outcome->error.offset != offset)))
		fail_msg("%s\nexpected %s at \"%s\", byte %zd\ngot      %s at \"%s\", byte %zd: %s",
			 text, herald_status_name(status), path, (ssize_t)offset,
			 herald_status_name(outcome->status), outcome->error.path,
			 (ssize_t)outcome->error.offset, outcome->error.message);
}

/* A text, and the results of its events. */
struct example {
	const char *text, *told;
	enum herald_status status; /* of the text as a whole */
	const char *path;
	size_t offset;
};

static void
check_examples(const struct example *examples, size_t count, struct herald_many_options options)
{
	struct herald_service *service =
		create_service(&USER_OPTIONS(.max_event_bytes = 200, .max_arena_bytes = 4096));
	struct outcome outcome;

	for (size_t i = 0; i < count; i++) {
		const struct example *example = &examples[i];

		handle_many(&outcome, service, example->text, strlen(example->text), options);
		check_told(&outcome, example->text, example->told);
		check_error(&outcome, example->text, example->status, example->path,
			    example->offset);
	}
	herald_service_destroy(service);
}

#define LONG                                                                                       \
	EVENT("user",                                                                              \
	      "{\"user_id\":\"0123456789012345678901234567890123456789012345678901234567890123456" \
	      "7890123456789012345678901234567890123456789012345678901234567890\"}")

static void
test_lines(void **state)
{
	static const struct example examples[] = {
		{"", "", HERALD_OK, "", 0},
		{"\n \r\n\t\n", "", HERALD_OK, "", 0},
		{ANN, "0:1 done", HERALD_OK, "", 0},
		{ANN "\n", "0:1 done", HERALD_OK, "", 0},
		{ANN "\r\n" BOB "\r\n", "0:1 done, 1:2 done", HERALD_OK, "", 0},
		{ANN "\r\n" BOB "\r", "0:1 done, 1:2 done", HERALD_OK, "", 0},
		{"\n\n" ANN "\n \t\r\n  " BOB "  \n\n", "0:3 done, 1:5 done", HERALD_OK, "", 0},
		{"{\n" ANN "\nnull\n" NO_ID "\n" NOBODY "\n" BOB,
		 "0:1 fail HERALD_BAD_JSON, 1:2 done, 2:3 fail HERALD_BAD_TYPE, "
		 "3:4 fail HERALD_MISSING, 4:5 fail HERALD_UNKNOWN_TYPE, 5:6 done",
		 HERALD_OK, "", 0},
		/* Two events in a line are not an event. */
		{ANN " " BOB "\n" BOB, "0:1 fail HERALD_BAD_JSON, 1:2 done", HERALD_OK, "", 0},
		{ANN "\n[" BOB "]\n", "0:1 done, 1:2 fail HERALD_BAD_TYPE", HERALD_OK, "", 0},
		{LONG "\n" ANN, "0:1 fail HERALD_TOO_LARGE, 1:2 done", HERALD_OK, "", 0},
		/* A byte order mark is refused with the first line. */
		{"\xEF\xBB\xBF" ANN "\n" BOB, "0:1 fail HERALD_BAD_JSON, 1:2 done", HERALD_OK, "",
		 0},
		/* Without quotes around it, a carriage return is white space; a NUL is not. */
		{"{\"event_type\":\r\"a\"}", "0:1 fail HERALD_MISSING", HERALD_OK, "", 0},
	};

	(void)state;
	check_examples(examples, COUNT(examples), HERALD_MANY_OPTIONS(LINES));
}

static void
test_arrays(void **state)
{
	const size_t ann = strlen(ANN), bob = strlen(BOB);
	const struct example examples[] = {
		{"[]", "", HERALD_OK, "", 0},
		{" [ \n] \n", "", HERALD_OK, "", 0},
		{"[" ANN "]", "0:0 done", HERALD_OK, "", 0},
		{"[" ANN "," BOB "]", "0:0 done, 1:0 done", HERALD_OK, "", 0},
		{" [\r\n" ANN " ,\t" BOB "\n]\n", "0:0 done, 1:0 done", HERALD_OK, "", 0},
		/* Events that are not valid, and may even be no JSON. */
		{"[1,\"a,]\\\"\"," NO_ID ",{\"a\":},tru," LONG ",[{}]," BOB "]",
		 "0:0 fail HERALD_BAD_TYPE, 1:0 fail HERALD_BAD_TYPE, 2:0 fail HERALD_MISSING, "
		 "3:0 fail HERALD_BAD_JSON, 4:0 fail HERALD_BAD_JSON, 5:0 fail HERALD_TOO_LARGE, "
		 "6:0 fail HERALD_BAD_TYPE, 7:0 done",
		 HERALD_OK, "", 0},
		/* Not an array. */
		{"", "", HERALD_BAD_JSON, "", 0},
		{"  ", "", HERALD_BAD_JSON, "", 2},
		{ANN, "", HERALD_BAD_TYPE, "", 0},
		{" {", "", HERALD_BAD_JSON, "", 2},
		{"\xEF\xBB\xBF[" ANN "]", "", HERALD_BAD_JSON, "", 0},
		/* An array that is not valid from somewhere on. */
		{"[", "", HERALD_BAD_JSON, "/0", 1},
		{"[,", "", HERALD_BAD_JSON, "/0", 1},
		{"[" ANN, "0:0 done", HERALD_BAD_JSON, "/0", ann + 1},
		{"[" ANN ",", "0:0 done", HERALD_BAD_JSON, "/1", ann + 2},
		{"[" ANN ",]", "0:0 done", HERALD_BAD_JSON, "/1", ann + 2},
		{"[" ANN ",," BOB "]", "0:0 done", HERALD_BAD_JSON, "/1", ann + 2},
		{"[" ANN " " BOB "]", "0:0 done", HERALD_BAD_JSON, "/0", ann + 2},
		{"[" ANN "," BOB "}", "0:0 done, 1:0 done", HERALD_BAD_JSON, "/1", ann + bob + 2},
		{"[" ANN ",{\"a\":[1]", "0:0 done", HERALD_BAD_JSON, "/1", ann + 2},
		/* Brackets are counted; their kind is the event's error. */
		{"[" ANN ",{\"a\":[1}]", "0:0 done, 1:0 fail HERALD_BAD_JSON", HERALD_BAD_JSON,
		 "/1", ann + 11},
		{"[" ANN ",\"a\\\"]", "0:0 done", HERALD_BAD_JSON, "/1", ann + 2},
		{"[" ANN ",\"a\\", "0:0 done", HERALD_BAD_JSON, "/1", ann + 2},
		{"[" ANN "]]", "0:0 done", HERALD_BAD_JSON, "", ann + 2},
		{"[] []", "", HERALD_BAD_JSON, "", 3},
	};

	(void)state;
	check_examples(examples, COUNT(examples), HERALD_MANY_OPTIONS(ARRAY));
}

static void
test_messages_of_arrays(void **state)
{
	static const struct {
		const char *text, *message;
	} all[] = {
		{"{}", "expected an array, found an object"},
		{"\xEF\xBB\xBF[]", "expected a value, found a byte order mark"},
		{"[1 2]", "0: expected ',' or ']', found '2'"},
		{"[1,]", "1: expected a value, found ']'"},
		{"[{", "0: the event that begins here has no end: a quote or a bracket is "
		       "missing"},
		{"[]x", "expected the end of the input, found x"},
	};
	struct herald_service *service = create_service(&USER_OPTIONS());
	struct outcome outcome;

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		handle_many(&outcome, service, all[i].text, strlen(all[i].text),
			    HERALD_MANY_OPTIONS(ARRAY));
		if (!strstr(outcome.error.message, all[i].message))
			fail_msg("%s: expected %s, got %s", all[i].text, all[i].message,
				 outcome.error.message);
	}
	herald_service_destroy(service);
}

static void
test_limit_of_events(void **state)
{
	static const struct example lines[] = {
		{ANN "\n" BOB "\n\n \n", "0:1 done, 1:2 done", HERALD_OK, "", 0},
		{"\n\n\n1\n2\n3", "0:4 fail HERALD_BAD_TYPE, 1:5 fail HERALD_BAD_TYPE",
		 HERALD_LIMIT, "", 7},
	};
	static const struct example arrays[] = {
		{"[1,2]", "0:0 fail HERALD_BAD_TYPE, 1:0 fail HERALD_BAD_TYPE", HERALD_OK, "", 0},
		{"[1,2, 3,", "0:0 fail HERALD_BAD_TYPE, 1:0 fail HERALD_BAD_TYPE", HERALD_LIMIT, "",
		 6},
	};

	(void)state;
	check_examples(lines, COUNT(lines), HERALD_MANY_OPTIONS(LINES, .max_events = 2));
	check_examples(arrays, COUNT(arrays), HERALD_MANY_OPTIONS(ARRAY, .max_events = 2));
}

static void
test_options(void **state)
{
	struct herald_service *service = create_service(&USER_OPTIONS());
	struct herald_many_counts counts = {.events = 9};
	struct herald_many_options options = HERALD_MANY_OPTIONS(.form = (enum herald_many_form)7);
	struct herald_error error;
	char text[] = ANN "\n" NO_ID;

	(void)state;
	assert_int_equal(herald_service_handle_many(service, text, 4, &options, &counts, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, "form");
	assert_int_equal(counts.events, 0);
	options.struct_size = 0;
	assert_int_equal(herald_service_handle_many(service, text, 4, &options, NULL, NULL),
			 HERALD_BAD_OPTION);
	assert_int_equal(herald_service_handle_many(service, NULL, 0, NULL, &counts, NULL),
			 HERALD_OK);
	assert_int_equal(counts.events, 0);
	assert_int_equal(
		herald_service_handle_many(service, text, strlen(text), NULL, &counts, NULL),
		HERALD_OK);
	assert_int_equal(counts.done, 1);
	assert_int_equal(counts.fail, 1);
	herald_service_destroy(service);
}

/* The place of an error, the event itself, and its answer. */

static enum herald_verdict
answer_user(struct herald_context *ctx, const void *payload, void *state)
{
	const struct user *user = payload;

	(void)state;
	if (strcmp(user->user_id, "ann") != 0)
		return herald_retry_after(ctx, 70, "not %s", user->user_id);
	herald_context_header(ctx, "X-Own", herald_context_attribute(ctx, "X-In"));
	return herald_done_text(ctx, 201, NULL, "hello", 5);
}

static const char *
find_attribute(const char *name, void *state)
{
	(void)state;
	return strcmp(name, "X-In") == 0 ? "in" : NULL;
}

static void
check_parts(const struct herald_handled *event, void *state)
{
	const char *text = state;
	const struct herald_error *error = &event->result->error;

	assert_string_equal(herald_context_content_type(event->context), "application/json");
	switch (event->index) {
	case 0:
		assert_string_equal(error->path, "/payload/user_id");
		assert_int_equal(text[event->offset + error->offset], '{');
		assert_null(event->answer);
		break;
	case 1:
		assert_int_equal(event->answer->status, 201);
		assert_memory_equal(event->answer->body, "hello", 5);
		assert_string_equal(event->answer->headers[0].value, "in");
		assert_string_equal(herald_context_message(event->context)->event_type, "user");
		break;
	default:
		assert_int_equal(event->index, 2);
		assert_int_equal(event->result->verdict, HERALD_RETRY);
		assert_int_equal(event->result->retry_after_ms, 70);
		assert_string_equal(error->message, "not bob");
		assert_null(event->answer);
		assert_int_equal(event->bytes, strlen(BOB));
	}
	note("%zu", event->line);
}

static void
test_parts_of_an_event(void **state)
{
	static const struct herald_route routes[] = {
		{.event_type = "user", .schema = &user_schema, .function = answer_user}};
	static const char *const names[] = {"X-In", NULL};
	const char input[] = "\n" NO_ID "\n" ANN "\n" BOB;
	char text[sizeof(input)];
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .attributes = names));

	(void)state;
	memcpy(text, input, sizeof(input));
	assert_int_equal(
		herald_service_handle_many(
			service, text, strlen(input),
			&HERALD_MANY_OPTIONS(.handled = check_parts, .state = (void *)input,
					     .arrival =
						     &HERALD_ARRIVAL(.attribute = find_attribute,
								     .content_type =
									     "application/json")),
			NULL, NULL),
		HERALD_OK);
	assert_string_equal(trace, "2 3 4");
	herald_service_destroy(service);
}

/* Attributes of a CloudEvent in binary mode: with them each line would be the same event. */

static const char *const one_event[][2] = {
	{"ce-specversion", "1.0"}, {"CE-Id", "same"}, {"ce-source", "s"},
	{"ce-type", "user"},       {"X-In", "in"},
};

static const char *
find_of_one_event(const char *name, void *state)
{
	assert_string_equal(state, "given");
	for (size_t i = 0; i < HERALD_COUNT(one_event); i++)
		if (herald_ascii_same(one_event[i][0], name))
			return one_event[i][1];
	return NULL;
}

static void
visit_of_one_event(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	assert_string_equal(state, "given");
	for (size_t i = 0; i < HERALD_COUNT(one_event); i++)
		if (!visit(one_event[i][0], one_event[i][1], visit_state))
			return;
}

static bool
note_attribute(const char *name, const char *value, void *state)
{
	(void)state;
	note("%s=%s", name, value);
	return true;
}

static enum herald_verdict
note_attributes(struct herald_context *ctx, const void *payload, void *state)
{
	const struct user *user = payload;
	const char *id = herald_context_attribute(ctx, "ce-id");

	(void)state;
	note("%s:%s", user->user_id, id ? id : "NULL");
	herald_context_attributes_visit(ctx, note_attribute, NULL);
	return HERALD_DONE;
}

static void
test_attributes_of_one_event_are_left_out(void **state)
{
	static const struct herald_route routes[] = {
		{.event_type = "user", .schema = &user_schema, .function = note_attributes}};
	static const char *const names[] = {"X-In", "ce-*", NULL};
	const struct herald_format *const formats[] = {&herald_format_cloudevents,
						       &herald_format_envelope};
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(routes), HERALD_FORMATS(formats), .attributes = names));
	char given[] = "given";
	const struct herald_arrival arrival =
		HERALD_ARRIVAL(.attribute = find_of_one_event,
			       .attributes_visit = visit_of_one_event, .state = given,
			       .content_type = "application/json");
	struct outcome outcome;

	(void)state;
	handle_many(&outcome, service, ANN "\n" BOB, strlen(ANN "\n" BOB),
		    HERALD_MANY_OPTIONS(LINES, .arrival = &arrival));
	assert_string_equal(trace, "ann:NULL X-In=in bob:NULL X-In=in");
	handle_many(&outcome, service, "[" ANN "]", strlen("[" ANN "]"),
		    HERALD_MANY_OPTIONS(.form = HERALD_MANY_ARRAY, .arrival = &arrival));
	assert_string_equal(trace, "ann:NULL X-In=in");
	herald_service_destroy(service);

	/* Without that format, they are attributes like others. */
	service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .attributes = names));
	handle_many(&outcome, service, "[" ANN "]", strlen("[" ANN "]"),
		    HERALD_MANY_OPTIONS(.form = HERALD_MANY_ARRAY, .arrival = &arrival));
	assert_string_equal(trace, "ann:same ce-specversion=1.0 CE-Id=same ce-source=s "
				   "ce-type=user X-In=in");
	herald_service_destroy(service);
}

/* `receive`, `before`, statistics and the clock: as for single events. */

static struct fake_clock hooks_clock;

static enum herald_verdict
note_receive(struct herald_handler *handler, struct herald_context *ctx, const char *data,
	     size_t bytes)
{
	(void)handler;
	note("receive:%zu", bytes);
	fake_clock_add_ms(&hooks_clock, 5);
	return bytes == 2 && data[0] == '{' ? herald_fail(ctx, "too short") : HERALD_DONE;
}

static void
note_rejected(struct herald_handler *handler, struct herald_context *ctx,
	      const struct herald_rejection *rejection)
{
	(void)handler;
	(void)ctx;
	note("rejected:%.*s", (int)rejection->bytes, rejection->data);
}

static void
test_handlers_and_statistics(void **state)
{
	static const struct herald_handler_ops ops = {.struct_size = sizeof(ops),
						      .name = "notes",
						      .receive = note_receive,
						      .rejected = note_rejected};
	struct herald_handler handler = {.ops = &ops};
	struct herald_handler *handlers[] = {&handler};
	struct herald_service *service = create_service(&USER_OPTIONS(HERALD_HANDLERS(handlers)));
	struct herald_statistics statistics;
	struct outcome outcome;
	char expected[256];

	(void)state;
	fake_clock_init(&hooks_clock, service);
	handle_many(&outcome, service, "{}\n" ANN "\n[]", strlen("{}\n" ANN "\n[]"),
		    HERALD_MANY_OPTIONS(LINES));
	snprintf(expected, sizeof(expected),
		 "receive:2 rejected:{} receive:%zu ann:NULL receive:2 rejected:[]", strlen(ANN));
	assert_string_equal(trace, expected);
	herald_service_statistics(service, &statistics);
	assert_int_equal(statistics.events, 3);
	assert_int_equal(statistics.done, 1);
	assert_int_equal(statistics.fail, 1);
	assert_int_equal(statistics.rejected_invalid, 1);
	assert_int_equal(statistics.nanoseconds, 15 * HERALD__MS_NS);
	service->clock = NULL;
	herald_service_destroy(service);
}

/* A text drawn at random: each event has the same result as alone. */

static const char *const kinds[] = {ANN,
				    BOB,
				    NOBODY,
				    NO_ID,
				    "{}",
				    "[1,{\"a\":\"]\"}]",
				    "\"\\\"\"",
				    "17",
				    "{\"event_type\":}",
				    "{\"a\":\"\xFF\"}"};
static const char *const spaces[] = {"", "", " ", "\t", "\r", "  "};

static void
append(char *text, const char *part)
{
	strcat(text, part);
}

static void
draw_text(uint64_t *random, enum herald_many_form form, char *text, char *told,
	  struct herald_service *service)
{
	size_t count = draw_below(random, 12), line = 1;

	strcpy(text, form == HERALD_MANY_ARRAY ? "[" : "");
	told[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		const char *event = kinds[draw_below(random, COUNT(kinds))];

		for (; form == HERALD_MANY_LINES && draw_one_in(random, 4); line++)
			append(text, draw_one_in(random, 2) ? "\n" : " \r\n");
		append(text, spaces[draw_below(random, COUNT(spaces))]);
		append(text, event);
		append(text, spaces[draw_below(random, COUNT(spaces))]);
		if (form == HERALD_MANY_LINES && (i + 1 < count || draw_one_in(random, 2)))
			append(text, "\n");
		else if (form == HERALD_MANY_ARRAY && i + 1 < count)
			append(text, draw_one_in(random, 2) ? "," : ",\n");
		const struct herald_result result = handle(service, event);
		sprintf(told + strlen(told), "%s%zu:%zu %s%s%s", i > 0 ? ", " : "", i,
			form == HERALD_MANY_LINES ? line++ : 0, herald_verdict_name(result.verdict),
			result.status != HERALD_OK ? " " : "",
			result.status != HERALD_OK ? herald_status_name(result.status) : "");
	}
	append(text, form == HERALD_MANY_ARRAY ? "]" : "");
}

static void
test_drawn_texts(void **state)
{
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(user_routes)));
	uint64_t seed = draw_seed(), random = seed;
	static struct outcome outcome;
	static char text[8192], told[4096];

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (int i = 0; i < 2000; i++) {
		enum herald_many_form form =
			draw_one_in(&random, 2) ? HERALD_MANY_LINES : HERALD_MANY_ARRAY;

		draw_text(&random, form, text, told, service);
		handle_many(&outcome, service, text, strlen(text),
			    HERALD_MANY_OPTIONS(.form = form));
		check_told(&outcome, text, told);
		check_error(&outcome, text, HERALD_OK, "", 0);
	}
	herald_service_destroy(service);
}

/* Every prefix of a text: the events that are whole are done. */

static size_t
count_ends(const char *text, size_t bytes, const char *event)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, event)); at += strlen(event))
		count += (size_t)(at - text) + strlen(event) <= bytes;
	return count;
}

static void
check_prefixes(struct herald_service *service, const char *text, enum herald_many_form form)
{
	struct outcome outcome;

	for (size_t bytes = 0; bytes < strlen(text); bytes++) {
		handle_many(&outcome, service, text, bytes, HERALD_MANY_OPTIONS(.form = form));
		size_t whole = count_ends(text, bytes, ANN) + count_ends(text, bytes, BOB);
		assert_int_equal(outcome.counts.done, whole);
		assert_true(outcome.counts.fail <= (form == HERALD_MANY_LINES));
		assert_int_equal(outcome.status,
				 form == HERALD_MANY_LINES ? HERALD_OK : HERALD_BAD_JSON);
		if (form == HERALD_MANY_ARRAY)
			assert_true(outcome.error.offset <= bytes);
	}
}

static void
test_truncated_texts(void **state)
{
	struct herald_service *service =
		create_service(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(user_routes)));

	(void)state;
	check_prefixes(service, ANN "\n" BOB "\r\n" ANN, HERALD_MANY_LINES);
	check_prefixes(service, "[" ANN "," BOB " , " ANN " ]", HERALD_MANY_ARRAY);
	herald_service_destroy(service);
}

/* Memory. */

static void
test_no_allocation_in_the_steady_state(void **state)
{
	struct failing_allocator memory;
	struct outcome outcome;
	size_t calls = 0;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(user_routes), .allocator = memory.allocator));
	for (int round = 0; round < 5; round++) {
		handle_many(&outcome, service, ANN "\n" BOB "\n{\n" NOBODY,
			    strlen(ANN "\n" BOB "\n{\n" NOBODY), HERALD_MANY_OPTIONS(LINES));
		if (round == 0)
			calls = memory.calls;
	}
	assert_int_equal(memory.calls, calls);
	herald_service_destroy(service);
	assert_all_released(&memory);
}

/* Returns false if the failing allocation was not reached. */
static bool
check_without_memory(size_t fail_at, bool has_store)
{
	static const char text[] = ANN "\n" NO_ID "\n" BOB;
	struct failing_allocator memory;
	struct fake_inbox inbox;
	struct outcome outcome;

	fake_inbox_init(&inbox);
	inbox.answers_at_once = true;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_service *service = create_service(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(user_routes), .allocator = memory.allocator,
					.store = has_store ? fake_inbox_store(&inbox) : NULL));
	memory.mode = FAIL_ONLY;
	memory.fail_at = memory.calls + fail_at;
	handle_many(&outcome, service, text, strlen(text), HERALD_MANY_OPTIONS(LINES));
	memory.mode = FAIL_NEVER;
	bool is_reached = memory.failures > 0;
	if (outcome.status == HERALD_OK) {
		assert_int_equal(outcome.counts.events, 3);
		assert_true(outcome.counts.retry <= is_reached);
		assert_true(outcome.counts.done >= 2 - outcome.counts.retry);
	} else {
		assert_int_equal(outcome.status, HERALD_NO_MEMORY);
		assert_int_equal(outcome.counts.events, 0);
		assert_true(is_reached && !has_store);
	}
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
	assert_all_released(&memory);
	return is_reached;
}

static void
test_without_memory(void **state)
{
	size_t n;

	(void)state;
	for (n = 1; check_without_memory(n, false); n++)
		;
	assert_true(n > 2);
	for (n = 1; check_without_memory(n, true); n++)
		;
	assert_true(n > 4);
}

/* A store. */

static void
test_one_commit_for_all(void **state)
{
	static const char text[] = ANN "\n{\n" BOB "\n" NO_ID "\n" ANN;
	struct fake_inbox inbox;
	struct outcome outcome;
	struct herald_statistics statistics;

	(void)state;
	fake_inbox_init(&inbox);
	struct herald_service *service =
		create_service(&USER_OPTIONS(.store = fake_inbox_store(&inbox)));
	fake_inbox_start_committer(&inbox);
	handle_many(&outcome, service, text, strlen(text), HERALD_MANY_OPTIONS(LINES));
	fake_inbox_stop_committer(&inbox);
	check_told(&outcome, text,
		   "0:1 done, 1:2 fail HERALD_BAD_JSON, 2:3 done, 3:4 fail HERALD_MISSING, "
		   "4:5 done");
	assert_int_equal(inbox.accepts, 3);
	assert_int_equal(inbox.stored_count, 3);
	assert_string_equal(trace, "");
	herald_service_statistics(service, &statistics);
	assert_int_equal(statistics.accepted, 3);
	assert_int_equal(statistics.rejected_invalid, 2);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

/* More events than are in memory at once: the first ones are on disk before others are taken. */

static size_t group_events;

static void
note_accepts(const struct herald_handled *event, void *state)
{
	const struct fake_inbox *inbox = state;

	assert_int_equal(event->result->acceptance, HERALD_ACCEPTANCE_ACCEPTED);
	if (event->index % group_events == 0)
		note("%u", inbox->accepts);
}

/* `accepts` is how many events the store had when the first one of each group was told. */
static void
check_groups(size_t max_waiting, size_t events, const char *accepts)
{
	enum { EVENTS = 2500 };
	static char text[EVENTS * (sizeof(ANN) + 1)];
	struct fake_inbox inbox;
	struct herald_many_counts counts;
	size_t bytes = 0;

	trace[0] = '\0';
	for (size_t i = 0; i < events; i++)
		bytes += (size_t)sprintf(text + bytes, "%s\n", ANN);
	fake_inbox_init(&inbox);
	inbox.base.max_waiting = max_waiting;
	group_events = max_waiting < 1000 ? max_waiting : 1000;
	struct herald_service *service = create_service(&HERALD_SERVICE_OPTIONS(
		HERALD_ROUTES(user_routes), .store = fake_inbox_store(&inbox)));
	fake_inbox_start_committer(&inbox);
	assert_int_equal(herald_service_handle_many(
				 service, text, bytes,
				 &HERALD_MANY_OPTIONS(.handled = note_accepts, .state = &inbox),
				 &counts, NULL),
			 HERALD_OK);
	fake_inbox_stop_committer(&inbox);
	assert_int_equal(counts.done, events);
	assert_string_equal(trace, accepts);
	herald_service_destroy(service);
	fake_inbox_finish(&inbox);
}

static void
test_groups(void **state)
{
	(void)state;
	check_groups(SIZE_MAX, 2500, "1000 2000 2500");
	check_groups(1000, 2500, "1000 2000 2500");
	/* As many as the store lets wait. */
	check_groups(3, 7, "3 6 7");
	check_groups(1, 2, "1 2");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lines, events_setup),
		cmocka_unit_test_setup(test_arrays, events_setup),
		cmocka_unit_test_setup(test_messages_of_arrays, events_setup),
		cmocka_unit_test_setup(test_limit_of_events, events_setup),
		cmocka_unit_test_setup(test_options, events_setup),
		cmocka_unit_test_setup(test_parts_of_an_event, events_setup),
		cmocka_unit_test_setup(test_attributes_of_one_event_are_left_out, events_setup),
		cmocka_unit_test_setup(test_handlers_and_statistics, events_setup),
		cmocka_unit_test_setup(test_drawn_texts, events_setup),
		cmocka_unit_test_setup(test_truncated_texts, events_setup),
		cmocka_unit_test_setup(test_no_allocation_in_the_steady_state, events_setup),
		cmocka_unit_test_setup(test_without_memory, events_setup),
		cmocka_unit_test_setup(test_one_commit_for_all, events_setup),
		cmocka_unit_test_setup(test_groups, events_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
