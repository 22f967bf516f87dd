/*
 * `herald tail`: asks a running service again and again how its last events ended, and prints a
 * line for each. Owns the number of the event that was read last, and of which process it is.
 */
#include "tail.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <herald/array.h>

#include "admin_client.h"
#include "text.h"
#include "tool_memory.h"

#define MAX_TYPE_COLUMNS 32
#define MAX_ID_COLUMNS 36

/* In the order of docs/dashboard.md. */
static const char *const verdicts[] = {"done",     "retry",     "fail",   "rejected",
				       "accepted", "duplicate", "ignored"};

struct tail {
	struct admin_client client;
	const char *type;    /* NULL: all */
	const char *verdict; /* likewise */
	uint64_t interval_ms;
	uint64_t count; /* 0: no end */
	bool is_json;
	char problem[1024]; /* of the last request, which was printed; "": it did not fail */
	bool has_last;
	size_t last;    /* the number of the last event that was read */
	char began[40]; /* when its process began; "": is not told */
	size_t watch;   /* one more after a time without requests, whose events were not kept */
	uint64_t printed;
	size_t type_columns, id_columns; /* they grow */
	struct herald_arena *arena;      /* of one answer */
};

/* Options. */

static const char *
read_type(const char *value, void *state)
{
	((struct tail *)state)->type = value;
	return NULL;
}

static const char *
read_verdict(const char *value, void *state)
{
	for (size_t i = 0; i < HERALD_COUNT(verdicts); i++)
		if (strcmp(verdicts[i], value) == 0) {
			((struct tail *)state)->verdict = value;
			return NULL;
		}
	return "done, retry, fail, rejected, accepted, duplicate or ignored";
}

static const char *
read_count(const char *value, void *state)
{
	return options_number(value, 1, 1000000000, &((struct tail *)state)->count)
		       ? NULL
		       : "a number from 1 to 1000000000";
}

/* 10 s after a request, the service keeps no more events. */
static const char *
read_interval(const char *value, void *state)
{
	return options_number(value, 10, 5000, &((struct tail *)state)->interval_ms)
		       ? NULL
		       : "milliseconds, 10 to 5000";
}

static const char *
read_json(const char *value, void *state)
{
	(void)value;
	((struct tail *)state)->is_json = true;
	return NULL;
}

static const struct tool_option options[] = {
	{"type", "TYPE", read_type, "only events of this type"},
	{"verdict", "NAME", read_verdict,
	 "only events that ended so: done, retry, fail, rejected, accepted, duplicate or ignored"},
	{"count", "N", read_count, "end after so many events. Default: at a signal"},
	{"interval-ms", "N", read_interval, "time between two requests. Default 500"},
	{"json", NULL, read_json, "print one JSON object a line"},
	ADMIN_CLIENT_OPTIONS,
};

/* Lines. */

static bool
is_wanted(const struct tail *tail, const struct json_tree *event)
{
	const char *type = json_tree_string(event, "event_type");
	const char *verdict = json_tree_string(event, "verdict");

	return (!tail->type || (type && strcmp(type, tail->type) == 0)) &&
	       (!tail->verdict || (verdict && strcmp(verdict, tail->verdict) == 0));
}

/* In as many columns, and a blank; what is longer is cut. */
static void
print_cell(const char *text, size_t columns)
{
	size_t used;
	const char *shown = text && *text != '\0' ? text : "-";
	const size_t bytes = text_cut(text_of(shown), columns, &used);

	text_print_safe(stdout, (struct herald_text){shown, bytes});
	printf("%*s ", (int)(columns - used), "");
}

/* At least `columns`, so that the lines before stay aligned. */
static size_t
columns_for(const char *text, size_t columns, size_t max_columns)
{
	size_t used = 0;

	if (text)
		(void)text_cut(text_of(text), max_columns, &used);
	return used > columns ? used : columns;
}

/* "850ns", "85us", "1.2ms", "340ms", "2.5s" */
static void
print_duration(size_t ns)
{
	char text[32];

	if (ns < 1000)
		snprintf(text, sizeof(text), "%zuns", ns);
	else if (ns < 1000000)
		snprintf(text, sizeof(text), "%zuus", ns / 1000);
	else if (ns < 10000000)
		snprintf(text, sizeof(text), "%zu.%zums", ns / 1000000, ns % 1000000 / 100000);
	else if (ns < 1000000000)
		snprintf(text, sizeof(text), "%zums", ns / 1000000);
	else
		snprintf(text, sizeof(text), "%zu.%zus", ns / 1000000000,
			 ns % 1000000000 / 100000000);
	printf("%7s", text);
}

/* Many reasons begin with the path. */
static void
print_reason(const struct json_tree *event)
{
	const char *path = json_tree_string(event, "path");
	const char *reason = json_tree_string(event, "reason");

	if (path && (!reason || strncmp(reason, path, strlen(path)) != 0)) {
		fputs("  ", stdout);
		text_print_safe(stdout, text_of(path));
	}
	if (reason) {
		fputs("  ", stdout);
		text_print_safe(stdout, text_of(reason));
	}
	putchar('\n');
}

/* "order 2": the type and its version */
static const char *
type_of(const struct tail *tail, const struct json_tree *event)
{
	const char *type = json_tree_string(event, "event_type");
	const char *version = json_tree_string(event, "version");

	return type && version ? memory_print(tail->arena, "%s %s", type, version) : type;
}

static void
print_event(struct tail *tail, const struct json_tree *event)
{
	const char *type = type_of(tail, event), *id = json_tree_string(event, "id");

	tail->type_columns = columns_for(type, tail->type_columns, MAX_TYPE_COLUMNS);
	tail->id_columns = columns_for(id, tail->id_columns, MAX_ID_COLUMNS);
	print_cell(json_tree_string(event, "time"), 24);
	print_cell(json_tree_string(event, "verdict"), 9);
	print_cell(type, tail->type_columns);
	print_cell(id, tail->id_columns);
	print_duration(json_tree_count(event, "duration_ns", 0));
	print_reason(event);
}

/* White space between tokens may be of several lines; in strings, JSON has no such characters. */
static void
print_json_line(struct tail *tail, const struct herald_json *json)
{
	char *line = memory_take(tail->arena, json->bytes);

	for (size_t i = 0; i < json->bytes; i++)
		line[i] = (unsigned char)json->data[i] < ' ' ? ' ' : json->data[i];
	text_print_json(stdout, (struct herald_text){line, json->bytes});
	putchar('\n');
}

static void
print_events(struct tail *tail, const struct json_tree *events)
{
	for (size_t i = 0; i < events->count; i++) {
		if (tail->count > 0 && tail->printed == tail->count)
			return;
		if (events->items[i].type != HERALD_JSON_OBJECT ||
		    !is_wanted(tail, &events->items[i]))
			continue;
		tail->printed++;
		if (!tail->is_json) {
			print_event(tail, &events->items[i]);
			continue;
		}
		print_json_line(tail, &events->items[i].json);
	}
}

/* Requests. */

static void
print_lost(struct tail *tail, const struct json_tree *root)
{
	const size_t lost = json_tree_count(root, "lost", 0);
	char text[80];

	snprintf(text, sizeof(text), "%zu events were lost", lost);
	if (lost > 0)
		(void)admin_client_fail(&tail->client, text);
	if (json_tree_count(root, "watch", 0) != tail->watch)
		(void)admin_client_fail(&tail->client,
					"events may be missing: there was no request for 10 s");
}

/* Whether the answer is of another process than the last one. */
static bool
is_of_another(const struct tail *tail, const struct json_tree *root)
{
	const char *began = json_tree_string(root, "began");

	return strncmp(tail->began, began ? began : "", sizeof(tail->began) - 1) != 0 ||
	       json_tree_count(root, "last", 0) < tail->last;
}

/* Where the next request goes on. */
static void
keep_place(struct tail *tail, const struct json_tree *root, size_t last)
{
	const char *began = json_tree_string(root, "began");

	snprintf(tail->began, sizeof(tail->began), "%s", began ? began : "");
	tail->watch = json_tree_count(root, "watch", 0);
	tail->last = last;
	tail->has_last = true;
}

/* Take an answer. Returns false if it has no events. */
static bool
take_answer(struct tail *tail, const struct json_tree *root)
{
	const struct json_tree *events = json_tree_get(root, "events");
	const size_t last = json_tree_count(root, "last", SIZE_MAX);

	if (last == SIZE_MAX || !events || events->type != HERALD_JSON_ARRAY)
		return admin_client_fail(&tail->client, "the answer has no events");
	if (tail->has_last && is_of_another(tail, root)) {
		(void)admin_client_fail(&tail->client, "the service was started again");
		keep_place(tail, root, 0); /* The next answer has all events that there are. */
		return true;
	}
	if (tail->has_last)
		print_lost(tail, root);
	print_events(tail, events);
	keep_place(tail, root, last);
	return true;
}

static bool
ask(struct tail *tail, struct admin_answer *answer)
{
	const struct admin_argument after = {
		"after", tail->has_last ? memory_print(tail->arena, "%zu", tail->last) : NULL};

	return admin_client_get(&tail->client, "events", &after, 1, tail->arena, answer);
}

/* Print why a request failed, unless the one before failed so. Returns whether to ask on: the
 * service is waited for, if it was there before. */
static bool
wait_on(struct tail *tail)
{
	if (strcmp(tail->problem, tail->client.problem) != 0)
		(void)admin_client_fail(&tail->client, tail->client.problem);
	memcpy(tail->problem, tail->client.problem, sizeof(tail->problem));
	return tail->has_last && !admin_client_is_refused(&tail->client);
}

/* Ask once, and print what has come. Returns false if that ends the command. */
static bool
step(struct tail *tail)
{
	struct admin_answer answer;

	herald_arena_reset(tail->arena);
	tail->client.is_quiet = true;
	const bool is_there = ask(tail, &answer);
	tail->client.is_quiet = false;
	if (!is_there)
		return wait_on(tail);
	tail->problem[0] = '\0';
	return take_answer(tail, answer.root) && tool_flush();
}

static int
watch(struct tail *tail)
{
	const struct timespec interval = {.tv_sec = (time_t)(tail->interval_ms / 1000),
					  .tv_nsec = (long)(tail->interval_ms % 1000) * 1000000};

	while (step(tail)) {
		if (tail->count > 0 && tail->printed == tail->count)
			return 0;
		nanosleep(&interval, NULL);
	}
	return 1;
}

static int
run(int argc, char **argv)
{
	struct tail tail = {.interval_ms = 500, .type_columns = 16, .id_columns = 16};
	char **words;

	admin_client_init(&tail.client, "tail");
	enum options_result result = options_read(&tail_command, argc, argv, &tail, 1, &words);
	if (result != OPTIONS_OK)
		return result == OPTIONS_HELP ? 0 : 2;
	int status = admin_client_open(&tail.client, words[0]);
	if (status != 0)
		return status;
	tail.arena = memory_create();
	status = watch(&tail);
	herald_arena_destroy(tail.arena);
	admin_client_close(&tail.client);
	return status;
}

const struct tool_command tail_command = {
	.name = "tail",
	.words = "URL",
	.doc = "Print the events of a running service, as they end",
	.options = options,
	.options_count = HERALD_COUNT(options),
	.run = run,
};
