/*
 * Prints dead letters of brokers. Text from senders never reaches a terminal with control
 * characters in it, in JSON neither.
 */
#include "broker_output.h"

#include <inttypes.h>
#include <stdio.h>

#include <herald/adapter/subscriber.h>
#include <herald/time.h>

#include "json_line.h"
#include "readable.h"
#include "text.h"

/* JSON. */

/* null if it is unknown. */
static void
add_time(struct json_line *line, const char *key, int64_t ms)
{
	struct herald_time time = readable_time_of(ms);
	char text[HERALD_TIME_TEXT_BYTES];
	const bool is_known = ms != 0 && herald_time_format(&time, text) > 0;

	json_line_string(line, key, is_known ? text : NULL);
}

static void
add_attribute(const char *name, const char *value, void *state)
{
	struct json_line *line = state;
	const struct herald_text text = text_of(value);

	json_line_item(line);
	json_line_string(line, "name", name);
	if (text_is_utf8(text))
		json_line_text(line, "value", text);
	else
		json_line_base64(line, "value_base64", text);
	json_line_close(line);
}

static void
add_content(struct json_line *line, const struct herald_dead_message *message)
{
	json_line_list(line, "attributes");
	readable_each_attribute(message->attributes, add_attribute, line);
	json_line_list_end(line);
	if (text_is_utf8(message->data))
		json_line_text(line, "data", message->data);
	else
		json_line_base64(line, "data_base64", message->data);
}

static bool
print_json(const struct broker_letter *letter, bool is_whole)
{
	struct json_line line;

	json_line_begin(&line);
	json_line_string(&line, "id", letter->message->id);
	json_line_string(&line, "origin", letter->origin);
	json_line_string(&line, "event_type", letter->event_type);
	json_line_string(&line, "event_id", letter->event_id);
	json_line_string(&line, "reason", letter->reason);
	json_line_string(&line, "path", letter->path);
	json_line_string(&line, "status", letter->status);
	json_line_number(&line, "attempts", letter->attempts);
	add_time(&line, "dead", letter->dead_ms);
	add_time(&line, "stored", letter->message->stored_ms);
	json_line_number(&line, "bytes", letter->message->data.bytes);
	if (is_whole)
		add_content(&line, letter->message);
	return json_line_end(&line);
}

/* For people. */

void
broker_print_heading(void)
{
	printf("%-20s %-8s %8s  %s\n", "ID", "DEAD", "ATTEMPTS", "TYPE, EVENT ID, STATUS, REASON");
}

/* Text of a sender, and a blank. */
static void
print_word(const char *text)
{
	readable_print(text);
	putchar(' ');
}

bool
broker_print_letter(const struct broker_letter *letter, bool is_json)
{
	char age[24] = "-";

	if (is_json)
		return print_json(letter, false);
	if (letter->dead_ms != 0)
		readable_age(letter->dead_ms, age);
	printf("%-20s %-8s %8" PRIu64 "  ", letter->message->id, age, letter->attempts);
	print_word(letter->event_type);
	print_word(letter->event_id);
	readable_print(letter->status);
	printf(": ");
	readable_print(letter->reason);
	return putchar('\n') != EOF;
}

static void
print_attribute(const char *name, const char *value, void *state)
{
	bool *has_begun = state;

	if (herald_header_is_own(name))
		return;
	if (!*has_begun)
		putchar('\n');
	*has_begun = true;
	readable_print(name);
	fputs(": ", stdout);
	readable_print(value);
	putchar('\n');
}

bool
broker_print_whole_letter(const struct broker_letter *letter, bool is_json)
{
	const struct herald_dead_message *message = letter->message;
	bool has_begun = false;

	if (is_json)
		return print_json(letter, true);
	printf("id            %s\n", message->id);
	readable_print_member("origin", letter->origin);
	readable_print_member("type", letter->event_type);
	readable_print_member("event id", letter->event_id);
	readable_print_member("status", letter->status);
	readable_print_member("reason", letter->reason);
	readable_print_member("path", letter->path);
	printf("attempts      %" PRIu64 "\n", letter->attempts);
	if (letter->dead_ms != 0)
		readable_print_time("dead", letter->dead_ms);
	if (message->stored_ms != 0)
		readable_print_time("stored", message->stored_ms);
	printf("bytes         %zu\n", message->data.bytes);
	readable_each_attribute(message->attributes, print_attribute, &has_begun);
	readable_print_data(message->data);
	return !ferror(stdout);
}
