/*
 * Prints rows of a store. JSON is written by Herald's own encoder: each kind of line is a struct
 * with a schema.
 */
#include "output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>

#include "readable.h"

/* JSON. */

struct text_line {
	struct herald_text data;
};

HERALD_SCHEMA(text_line, HERALD_FIELD(text_line, data));

static enum herald_status
encode(const struct herald_schema *schema, const void *value, struct herald_buffer *out,
       struct herald_error *error)
{
	struct herald_codec *codec;
	enum herald_status status = herald_codec_create(schema, NULL, NULL, &codec, error);

	if (status != HERALD_OK)
		return status;
	status = herald_codec_encode(codec, value, out, error);
	herald_codec_destroy(codec);
	return status;
}

static bool
print_json(const struct herald_schema *schema, const void *value)
{
	struct herald_buffer out;
	struct herald_error error;

	herald_buffer_init(&out, NULL, 0);
	bool is_encoded = encode(schema, value, &out, &error) == HERALD_OK;
	if (!is_encoded)
		herald_error_print(stderr, "herald", &error);
	bool is_printed = is_encoded && fwrite(out.data, 1, out.bytes, stdout) == out.bytes &&
			  putchar('\n') != EOF;
	herald_buffer_finish(&out);
	return is_printed;
}

/* Whether data can be a JSON string. */
static bool
is_utf8(struct herald_text data)
{
	struct herald_buffer out;

	herald_buffer_init(&out, NULL, 0);
	enum herald_status status =
		encode(&text_line_schema, &(struct text_line){data}, &out, NULL);
	herald_buffer_finish(&out);
	return status == HERALD_OK;
}

struct count_line {
	const char *kind;
	const char *queue;
	const char *event_type;
	const char *state;
	uint64_t count;
	struct herald_time oldest;
};

HERALD_SCHEMA(count_line,
	HERALD_FIELD(count_line, kind),
	HERALD_FIELD(count_line, queue),
	HERALD_FIELD(count_line, event_type),
	HERALD_FIELD(count_line, state),
	HERALD_FIELD(count_line, count),
	HERALD_FIELD(count_line, oldest));

struct finding_line {
	const char *name;
	bool problem;
	const char *text;
};

HERALD_SCHEMA(finding_line,
	HERALD_FIELD(finding_line, name),
	HERALD_FIELD(finding_line, problem),
	HERALD_FIELD(finding_line, text));

/* A value that is not UTF-8 is given in base64, as data is. */
struct attribute_line {
	const char *name;
	const char *value;
	const char *value_base64;
};

HERALD_SCHEMA(attribute_line,
	HERALD_FIELD(attribute_line, name),
	HERALD_FIELD(attribute_line, value),
	HERALD_FIELD(attribute_line, value_base64));

struct letter_line {
	char id[24]; /* a string: many readers of JSON keep only 53 bits of a number */
	const char *kind;
	const char *queue;
	const char *event_type;
	const char *source;
	const char *event_id;
	const char *destination;
	const char *why;
	const char *reason;
	const char *path;
	bool has_offset;
	int64_t offset;
	uint32_t attempts;
	uint32_t interrupted;
	uint32_t replays;
	bool held;
	struct herald_time created;
	struct herald_time dead;
	const char *content_type;
	const struct attribute_line *attributes;
	size_t attributes_count;
	struct herald_text data;
	const char *data_base64;
};

HERALD_SCHEMA(letter_line,
	HERALD_FIELD(letter_line, id),
	HERALD_FIELD(letter_line, kind),
	HERALD_FIELD(letter_line, queue),
	HERALD_FIELD(letter_line, event_type),
	HERALD_FIELD(letter_line, source),
	HERALD_FIELD(letter_line, event_id),
	HERALD_FIELD(letter_line, destination),
	HERALD_FIELD(letter_line, why),
	HERALD_FIELD(letter_line, reason),
	HERALD_FIELD(letter_line, path),
	HERALD_OPTIONAL(letter_line, offset),
	HERALD_FIELD(letter_line, attempts),
	HERALD_FIELD(letter_line, interrupted),
	HERALD_FIELD(letter_line, replays),
	HERALD_FIELD(letter_line, held),
	HERALD_FIELD(letter_line, created),
	HERALD_FIELD(letter_line, dead),
	HERALD_FIELD(letter_line, content_type),
	HERALD_LIST(letter_line, attributes, attribute_line),
	HERALD_FIELD(letter_line, data),
	HERALD_FIELD(letter_line, data_base64));

struct done_line {
	const char *operation;
	uint64_t count;
	bool dry_run;
};

HERALD_SCHEMA(done_line,
	HERALD_FIELD(done_line, operation),
	HERALD_FIELD(done_line, count),
	HERALD_FIELD(done_line, dry_run));

/* Returns NULL when out of memory; the caller frees it. */
static char *
base64_of(struct herald_text data)
{
	size_t bytes = herald_base64_bytes(data.bytes);
	char *text = malloc(bytes + 1);

	if (!text)
		return NULL;
	herald_base64_encode(data.data, data.bytes, text);
	text[bytes] = '\0';
	return text;
}

static const char *
kind_name(enum herald_dead_kind kind)
{
	return kind == HERALD_DEAD_DELIVERIES ? "delivery" : "event";
}

static struct letter_line
line_of(const struct herald_dead_letter *letter)
{
	struct letter_line line = {
		.kind = kind_name(letter->kind),
		.queue = letter->queue,
		.event_type = letter->event_type,
		.source = letter->source,
		.event_id = letter->event_id,
		.destination = letter->destination,
		.why = herald_dead_reason_name(letter->why),
		.reason = letter->reason,
		.path = letter->path,
		.has_offset = letter->offset >= 0,
		.offset = letter->offset,
		.attempts = letter->attempts,
		.interrupted = letter->interrupted,
		.replays = letter->replays,
		.held = letter->is_held,
		.created = readable_time_of(letter->created_ms),
		.dead = readable_time_of(letter->dead_ms),
	};

	snprintf(line.id, sizeof(line.id), "%" PRIu64, letter->id);
	return line;
}

/* What a line borrows. */
struct letter_memory {
	struct attribute_line *attributes;
	size_t attributes_count;
	char *data_base64;
	bool is_short; /* out of memory */
};

static void
free_letter_memory(struct letter_memory *memory)
{
	for (size_t i = 0; i < memory->attributes_count; i++)
		free((char *)memory->attributes[i].value_base64);
	free(memory->attributes);
	free(memory->data_base64);
}

static void
add_attribute(const char *name, const char *value, void *state)
{
	struct letter_memory *memory = state;
	const struct herald_text text = {value, strlen(value)};
	struct attribute_line *all =
		realloc(memory->attributes, (memory->attributes_count + 1) * sizeof(*all));

	if (!all) {
		memory->is_short = true;
		return;
	}
	memory->attributes = all;
	struct attribute_line *line = &all[memory->attributes_count++];
	*line = (struct attribute_line){.name = name};
	if (is_utf8(text))
		line->value = value;
	else
		memory->is_short |= !(line->value_base64 = base64_of(text));
}

/* Data is printed as a string if it is UTF-8, or else in base64. */
static bool
print_letter_json(const struct herald_dead_letter *letter, bool is_whole)
{
	struct letter_line line = line_of(letter);
	struct letter_memory memory = {0};

	if (is_whole) {
		line.content_type = letter->content_type;
		line.data = letter->data;
		if (!is_utf8(letter->data)) {
			line.data = (struct herald_text){0};
			line.data_base64 = memory.data_base64 = base64_of(letter->data);
			memory.is_short = !memory.data_base64;
		}
		readable_each_attribute(letter->attributes, add_attribute, &memory);
		line.attributes = memory.attributes;
		line.attributes_count = memory.attributes_count;
	}
	bool is_printed = !memory.is_short && print_json(&letter_line_schema, &line);
	free_letter_memory(&memory);
	return is_printed;
}

/* Lists. */

void
print_count_heading(void)
{
	printf("%-9s %-8s %12s %8s  %-20s %s\n", "KIND", "STATE", "COUNT", "OLDEST", "QUEUE",
	       "TYPE");
}

bool
print_count(const struct herald_count *count, bool is_json)
{
	const char *kind = count->is_delivery ? "delivery" : "event";
	const char *state = herald_count_state_name(count->state);
	char age[24];

	if (is_json)
		return print_json(&count_line_schema,
				  &(struct count_line){
					  .kind = kind,
					  .queue = count->queue,
					  .event_type = count->event_type,
					  .state = state,
					  .count = count->count,
					  .oldest = readable_time_of(count->oldest_ms),
				  });
	printf("%-9s %-8s %12" PRIu64 " %8s  %-20s ", kind, state, count->count,
	       readable_age(count->oldest_ms, age), readable_or_dash(count->queue));
	readable_print(count->event_type);
	return putchar('\n') != EOF;
}

bool
print_finding(const struct herald_finding *finding, bool is_json)
{
	if (is_json)
		return print_json(&finding_line_schema, &(struct finding_line){
								.name = finding->name,
								.problem = finding->is_problem,
								.text = finding->text,
							});
	return printf("%-7s  %-16s %s\n", finding->is_problem ? "PROBLEM" : "ok", finding->name,
		      finding->text) > 0;
}

void
print_letter_heading(void)
{
	printf("%-20s %-8s %-12s %8s  %s\n", "ID", "DEAD", "WHY", "ATTEMPTS",
	       "TYPE, EVENT ID OR DESTINATION, REASON");
}

bool
print_letter(const struct herald_dead_letter *letter, bool is_json)
{
	char age[24];

	if (is_json)
		return print_letter_json(letter, false);
	printf("%-20" PRIu64 " %-8s %-12s %8u  ", letter->id, readable_age(letter->dead_ms, age),
	       herald_dead_reason_name(letter->why), letter->attempts);
	readable_print(letter->event_type);
	putchar(' ');
	readable_print(letter->kind == HERALD_DEAD_DELIVERIES ? letter->destination
							      : letter->event_id);
	printf(": ");
	readable_print(letter->reason);
	return putchar('\n') != EOF;
}

bool
print_whole_letter(const struct herald_dead_letter *letter, bool is_json)
{
	if (is_json)
		return print_letter_json(letter, true);
	printf("id            %" PRIu64 " (%s)\n", letter->id, kind_name(letter->kind));
	readable_print_member("queue", letter->queue);
	readable_print_member("type", letter->event_type);
	readable_print_member("source", letter->source);
	readable_print_member("event id", letter->event_id);
	readable_print_member("destination", letter->destination);
	readable_print_member("why", herald_dead_reason_name(letter->why));
	readable_print_member("reason", letter->reason);
	readable_print_member("path", letter->path);
	if (letter->offset >= 0)
		printf("byte          %" PRId64 "\n", letter->offset);
	printf("attempts      %u, interrupted %u, replayed %u\n", letter->attempts,
	       letter->interrupted, letter->replays);
	if (letter->is_held)
		printf("held          later events with its key wait for it\n");
	readable_print_time("accepted", letter->created_ms);
	readable_print_time("dead", letter->dead_ms);
	readable_print_member("content type", letter->content_type);
	readable_print_attributes(letter->attributes);
	readable_print_data(letter->data);
	return !ferror(stdout);
}

bool
print_done(const char *verb, uint64_t count, bool is_dry_run, bool is_json)
{
	if (is_json)
		return print_json(&done_line_schema, &(struct done_line){
							     .operation = verb,
							     .count = count,
							     .dry_run = is_dry_run,
						     });
	if (is_dry_run)
		return printf("%" PRIu64 " would be %s\n", count, verb) > 0;
	return printf("%s %" PRIu64 "\n", verb, count) > 0;
}
