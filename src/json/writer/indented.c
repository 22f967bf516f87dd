/*
 * Writing JSON for people. Owns commas, line breaks and blanks. Its callers make sure that brackets
 * match, and that every key has a value.
 */
#include "json/writer/indented.h"

#include <string.h>

#include "base/safe_text.h"
#include "json/writer/number_write.h"

static void
put(struct herald__indented *json, const char *text)
{
	if (json->status == HERALD_OK)
		json->status = herald_buffer_append(json->out, text, strlen(text));
}

static void
put_line_break(struct herald__indented *json)
{
	if (json->indent == 0)
		return;
	put(json, "\n");
	for (unsigned i = 0; i < json->depth * json->indent; i++)
		put(json, " ");
}

/* Write what is before a key, or before a value without one. */
static void
put_separator(struct herald__indented *json)
{
	if (json->has_item)
		put(json, ",");
	if (json->line_depth == 0 && json->depth > 0)
		put_line_break(json);
	else if (json->has_item && json->indent > 0)
		put(json, " ");
	json->has_item = true;
}

static void
begin_value(struct herald__indented *json)
{
	if (json->has_key)
		json->has_key = false;
	else
		put_separator(json);
}

void
herald__indented_begin(struct herald__indented *json, char bracket)
{
	begin_value(json);
	put(json, (const char[]){bracket, '\0'});
	json->depth++;
	json->has_item = false;
}

void
herald__indented_begin_line(struct herald__indented *json, char bracket)
{
	herald__indented_begin(json, bracket);
	if (json->line_depth == 0)
		json->line_depth = json->depth;
}

void
herald__indented_end(struct herald__indented *json, char bracket)
{
	bool in_line = json->line_depth > 0;

	if (json->line_depth == json->depth)
		json->line_depth = 0;
	json->depth--;
	if (json->has_item && !in_line)
		put_line_break(json);
	put(json, (const char[]){bracket, '\0'});
	json->has_item = true;
}

static void
put_text(struct herald__indented *json, const char *text, size_t bytes)
{
	if (json->status == HERALD_OK)
		json->status = herald__json_append_bytes(json->out, text, bytes);
}

void
herald__indented_key_bytes(struct herald__indented *json, const char *key, size_t bytes)
{
	put_separator(json);
	put_text(json, key, bytes);
	put(json, json->indent > 0 ? ": " : ":");
	json->has_key = true;
}

void
herald__indented_key(struct herald__indented *json, const char *key)
{
	herald__indented_key_bytes(json, key, strlen(key));
}

void
herald__indented_text_bytes(struct herald__indented *json, const char *text, size_t bytes)
{
	begin_value(json);
	put_text(json, text, bytes);
}

void
herald__indented_text(struct herald__indented *json, const char *text)
{
	if (text)
		herald__indented_text_bytes(json, text, strlen(text));
	else
		herald__indented_word(json, "null");
}

void
herald__indented_joined(struct herald__indented *json, const char *first, const char *second)
{
	begin_value(json);
	put(json, "\"");
	put(json, first);
	put(json, second);
	put(json, "\"");
}

void
herald__indented_word(struct herald__indented *json, const char *word)
{
	begin_value(json);
	put(json, word);
}

void
herald__indented_natural(struct herald__indented *json, uint64_t value)
{
	char text[HERALD__NUMBER_BYTES];

	*herald__write_natural(value, text) = '\0';
	herald__indented_word(json, text);
}

void
herald__indented_integer(struct herald__indented *json, int64_t value)
{
	char text[HERALD__NUMBER_BYTES];

	*herald__write_integer(value, text) = '\0';
	herald__indented_word(json, text);
}

void
herald__indented_member(struct herald__indented *json, const char *key, const char *text)
{
	if (!text)
		return;
	herald__indented_key(json, key);
	herald__indented_text(json, text);
}
