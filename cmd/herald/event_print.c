/*
 * Prints events, for programs and for people. Text from senders never reaches a terminal with
 * control characters in it.
 */
#include "event_print.h"

#include <stdio.h>
#include <string.h>

#include <herald/time.h>

#include "json_line.h"
#include "text.h"

/* For people, of the data. */
#define MAX_DATA_BYTES 2000

static const char *
verdict_of(const struct event_facts *facts)
{
	return facts->error ? "rejected" : "accepted";
}

/* "" if there is none. */
static const char *
time_text(const struct herald_time *time, char out[HERALD_TIME_TEXT_BYTES])
{
	out[0] = '\0';
	if (time)
		(void)herald_time_format(time, out);
	return out;
}

/* JSON. */

static void
print_extensions(struct json_line *line, const struct inspect_event *event)
{
	json_line_open(line, "extensions");
	for (size_t i = 0; i < event->extensions_count; i++) {
		const struct herald_json_pair *pair = &event->extensions[i];

		if (pair->json.data)
			json_line_json(line, pair->key,
				       (struct herald_text){pair->json.data, pair->json.bytes});
		else
			json_line_string(line, pair->key, pair->text);
	}
	json_line_close(line);
}

static void
print_data(struct json_line *line, const struct inspect_event *event)
{
	bool is_bytes = event->data.data && !event->is_json;

	json_line_json(line, "data", is_bytes ? (struct herald_text){NULL, 0} : event->data);
	if (is_bytes)
		json_line_base64(line, "data_base64", event->data);
}

static void
print_error(struct json_line *line, const struct herald_error *error)
{
	json_line_string(line, "error", error ? error->message : NULL);
	json_line_string(line, "path", error ? error->path : NULL);
	if (error && error->offset != HERALD_NO_OFFSET)
		json_line_number(line, "offset", error->offset);
	else
		json_line_string(line, "offset", NULL);
}

bool
event_print_json(const struct inspect_event *event, const struct event_facts *facts)
{
	char time[HERALD_TIME_TEXT_BYTES];
	struct json_line line;

	json_line_begin(&line);
	json_line_string(&line, "verdict", verdict_of(facts));
	json_line_number(&line, "status", facts->status);
	json_line_string(&line, "format", event->format);
	json_line_string(&line, "mode", event->mode);
	json_line_text(&line, "id", event->id);
	json_line_text(&line, "source", event->source);
	json_line_text(&line, "type", event->type);
	json_line_string(&line, "time", event->time ? time_text(event->time, time) : NULL);
	json_line_text(&line, "subject", event->subject);
	json_line_text(&line, "dataschema", event->dataschema);
	json_line_text(&line, "datacontenttype", event->datacontenttype);
	json_line_text(&line, "version", event->version);
	print_extensions(&line, event);
	print_data(&line, event);
	json_line_string(&line, "trace_id", facts->trace_id);
	json_line_string(&line, "signature", facts->signature);
	print_error(&line, facts->error);
	return json_line_end(&line);
}

/* For people. */

static void
print_word(const char *name, struct herald_text text)
{
	if (!text.data)
		return;
	printf("  %s=", name);
	text_print_safe(stdout, text);
}

/* JSON has tabs and ends of lines between its tokens only. */
static void
print_json_text(struct herald_text json)
{
	const char *end = json.data + json.bytes, *begin = json.data;

	for (const char *at = begin; at <= end; at++)
		if (at == end || *at == '\t' || *at == '\r' || *at == '\n') {
			text_print_safe(stdout, (struct herald_text){begin, (size_t)(at - begin)});
			if (at < end)
				putchar(' ');
			begin = at + 1;
		}
}

static void
print_pairs(const struct inspect_event *event)
{
	for (size_t i = 0; i < event->extensions_count; i++) {
		const struct herald_json_pair *pair = &event->extensions[i];

		printf(i == 0 ? "    " : "  ");
		text_print_safe(stdout, text_of(pair->key));
		putchar('=');
		if (pair->json.data)
			print_json_text((struct herald_text){pair->json.data, pair->json.bytes});
		else
			text_print_safe(stdout, text_of(pair->text));
	}
	if (event->extensions_count > 0)
		putchar('\n');
}

static void
print_readable_data(const struct inspect_event *event)
{
	struct herald_text data = event->data;

	if (!data.data)
		return;
	if (data.bytes > MAX_DATA_BYTES)
		data.bytes = MAX_DATA_BYTES;
	printf("    ");
	if (event->is_json)
		print_json_text(data);
	else
		text_print_safe(stdout, data);
	if (data.bytes < event->data.bytes)
		printf(" ... (%zu bytes)", event->data.bytes);
	putchar('\n');
}

static void
print_reason(const struct herald_error *error)
{
	printf("    ");
	text_print_safe(stdout, text_of(error->message));
	if (error->path[0] != '\0') {
		printf("  at ");
		text_print_safe(stdout, text_of(error->path));
	}
	if (error->offset != HERALD_NO_OFFSET)
		printf("  (byte %zu)", error->offset);
	putchar('\n');
}

bool
event_print(const struct inspect_event *event, const struct event_facts *facts, bool is_coloured)
{
	const char *colour = !is_coloured ? "" : facts->error ? "\033[31m" : "\033[32m";
	const char *plain = is_coloured ? "\033[0m" : "";
	char time[HERALD_TIME_TEXT_BYTES];

	printf("%s%u %s%s  %s%s%s", colour, facts->status, verdict_of(facts), plain,
	       event->format ? event->format : "request", event->mode ? " " : "",
	       event->mode ? event->mode : "");
	print_word("type", event->type);
	print_word("version", event->version);
	print_word("id", event->id);
	print_word("source", event->source);
	print_word("subject", event->subject);
	if (event->time)
		printf("  time=%s", time_text(event->time, time));
	if (strcmp(facts->signature, "none") != 0)
		printf("  signature=%s", facts->signature);
	putchar('\n');
	print_pairs(event);
	print_readable_data(event);
	if (facts->error)
		print_reason(facts->error);
	return fflush(stdout) == 0 && !ferror(stdout);
}
