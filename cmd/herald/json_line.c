/*
 * Writes lines of JSON; json_line.h says what for.
 */
#include "json_line.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>
#include <herald/base64.h>

static void
append(struct json_line *line, const char *data, size_t bytes)
{
	if (!line->has_failed)
		line->has_failed = herald_buffer_append(&line->out, data, bytes) != HERALD_OK;
}

/* Append a character below U+0100 as "\\u009b". */
static void
append_escaped(struct json_line *line, unsigned character)
{
	char text[8];

	append(line, text, (size_t)snprintf(text, sizeof(text), "\\u%04x", character));
}

/* The character at `at`, if it is a control character after U+001F, which JSON allows in strings,
 * but a terminal would obey; else 0. */
static unsigned
control_at(const char *at, const char *end)
{
	unsigned first = (unsigned char)at[0], second = end - at > 1 ? (unsigned char)at[1] : 0;

	if (first == 0x7F)
		return first;
	return first == 0xC2 && second >= 0x80 && second < 0xA0 ? second : 0;
}

static void
append_string(struct json_line *line, struct herald_text text)
{
	const char *end = text.data + text.bytes;

	append(line, "\"", 1);
	for (const char *at = text.data; at < end;) {
		size_t bytes = herald_utf8_sequence_bytes(at, (size_t)(end - at));
		unsigned control = control_at(at, end);

		if (bytes == 0)
			append(line, "\xef\xbf\xbd", 3);
		else if (*at == '"' || *at == '\\' || (unsigned char)*at < ' ')
			append_escaped(line, (unsigned char)*at);
		else if (control != 0)
			append_escaped(line, control);
		else
			append(line, at, bytes);
		at += bytes > 0 ? bytes : 1;
	}
	append(line, "\"", 1);
}

static void
append_key(struct json_line *line, const char *key)
{
	if (line->has_members)
		append(line, ",", 1);
	line->has_members = true;
	append_string(line, (struct herald_text){key, strlen(key)});
	append(line, ":", 1);
}

void
json_line_begin(struct json_line *line)
{
	*line = (struct json_line){0};
	herald_buffer_init(&line->out, NULL, 0);
	append(line, "{", 1);
}

void
json_line_text(struct json_line *line, const char *key, struct herald_text text)
{
	append_key(line, key);
	if (text.data)
		append_string(line, text);
	else
		append(line, "null", 4);
}

void
json_line_string(struct json_line *line, const char *key, const char *text)
{
	json_line_text(line, key, (struct herald_text){text, text ? strlen(text) : 0});
}

void
json_line_number(struct json_line *line, const char *key, uint64_t number)
{
	char text[24];

	append_key(line, key);
	append(line, text,
	       (size_t)snprintf(text, sizeof(text), "%llu", (unsigned long long)number));
}

void
json_line_json(struct json_line *line, const char *key, struct herald_text json)
{
	bool is_string = false;

	if (!json.data) {
		json_line_string(line, key, NULL);
		return;
	}
	const char *end = json.data + json.bytes, *begin = json.data;
	append_key(line, key);
	for (const char *at = begin; at < end; at++) {
		unsigned control = control_at(at, end);

		if (control != 0) {
			append(line, begin, (size_t)(at - begin));
			append_escaped(line, control);
			at += control > 0x7F;
			begin = at + 1;
		} else if (is_string && *at == '\\') {
			at++;
		} else if (*at == '"') {
			is_string = !is_string;
		} else if (!is_string && strchr(" \t\r\n", *at)) {
			append(line, begin, (size_t)(at - begin));
			begin = at + 1;
		}
	}
	append(line, begin, (size_t)(end - begin));
}

void
json_line_base64(struct json_line *line, const char *key, struct herald_text bytes)
{
	size_t count = herald_base64_bytes(bytes.bytes);

	append_key(line, key);
	append(line, "\"", 1);
	if (!line->has_failed)
		line->has_failed = herald_buffer_reserve(&line->out, count) != HERALD_OK;
	if (!line->has_failed) {
		herald_base64_encode(bytes.data, bytes.bytes, line->out.data + line->out.bytes);
		line->out.bytes += count;
	}
	append(line, "\"", 1);
}

void
json_line_open(struct json_line *line, const char *key)
{
	append_key(line, key);
	append(line, "{", 1);
	line->has_members = false;
}

void
json_line_close(struct json_line *line)
{
	append(line, "}", 1);
	line->has_members = true;
}

void
json_line_list(struct json_line *line, const char *key)
{
	append_key(line, key);
	append(line, "[", 1);
	line->has_members = false;
}

void
json_line_item(struct json_line *line)
{
	if (line->has_members)
		append(line, ",", 1);
	append(line, "{", 1);
	line->has_members = false;
}

void
json_line_list_end(struct json_line *line)
{
	append(line, "]", 1);
	line->has_members = true;
}

bool
json_line_end(struct json_line *line)
{
	append(line, "}\n", 2);
	bool is_printed = !line->has_failed &&
			  fwrite(line->out.data, 1, line->out.bytes, stdout) == line->out.bytes;
	herald_buffer_finish(&line->out);
	return is_printed && fflush(stdout) == 0;
}
