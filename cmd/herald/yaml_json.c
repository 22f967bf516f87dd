/*
 * Converts YAML to JSON with libyaml, event by event. Which words are numbers or null is decided
 * here, by YAML's core schema (YAML 1.2 section 10.3.2).
 */
#include "yaml_json.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <herald/array.h>
#include <herald/buffer.h>

#ifdef HAVE_YAML
#include <yaml.h>
#endif

#include "json_tree.h"
#include "tool_memory.h"

bool
yaml_is(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

#ifndef HAVE_YAML

bool
yaml_to_json(struct herald_arena *arena, char **data, size_t *bytes, struct herald_error *error)
{
	(void)arena;
	(void)data;
	(void)bytes;
	herald_error_set(error, HERALD_BAD_FORMAT, HERALD_NO_OFFSET,
			 "this herald was built without libyaml; convert the file to JSON");
	return false;
}

#else

/* Aliases may repeat a text many times. */
#define MAX_JSON_BYTES ((size_t)64 << 20)

/* A collection that is open. */
struct level {
	bool is_map, is_key; /* is_key: the next node is a key */
	size_t count;
	const char *anchor;
	size_t begin;
};

/* The JSON of a node that aliases can repeat. */
struct anchor {
	const char *name;
	size_t begin, end;
};

struct conversion {
	struct herald_arena *arena;
	struct herald_buffer out;
	struct level levels[JSON_TREE_MAX_DEPTH];
	size_t depth;
	struct memory_list anchors; /* struct anchor */
	const char *reason;         /* why it failed */
};

static void
append(struct conversion *conversion, const char *text, size_t bytes)
{
	if (!conversion->reason && herald_buffer_append(&conversion->out, text, bytes) != HERALD_OK)
		conversion->reason = "the JSON is too large: aliases repeat too much";
}

static void
append_string(struct conversion *conversion, const char *text, size_t bytes)
{
	append(conversion, "\"", 1);
	for (size_t i = 0; i < bytes; i++) {
		char escape[8];

		if (text[i] == '"' || text[i] == '\\' || (unsigned char)text[i] < ' ')
			append(conversion, escape,
			       (size_t)snprintf(escape, sizeof(escape), "\\u%04x",
						(unsigned)text[i]));
		else
			append(conversion, text + i, 1);
	}
	append(conversion, "\"", 1);
}

/* What comes before a node. Returns whether the node is a key. */
static bool
begin_node(struct conversion *conversion)
{
	if (conversion->depth == 0)
		return false;
	struct level *level = &conversion->levels[conversion->depth - 1];
	bool is_key = level->is_map && level->is_key;
	if (level->is_map && !is_key)
		append(conversion, ":", 1);
	else if (level->count++ > 0)
		append(conversion, ",", 1);
	level->is_key = !is_key;
	return is_key;
}

static void
keep_anchor(struct conversion *conversion, const char *name, size_t begin)
{
	if (!name)
		return;
	struct anchor *anchor = memory_take(conversion->arena, sizeof(*anchor));
	*anchor = (struct anchor){memory_copy(conversion->arena, name, strlen(name)), begin,
				  conversion->out.bytes};
	memory_list_add(conversion->arena, &conversion->anchors, anchor);
}

static bool
is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

static size_t
digits(const char *text, const char *allowed)
{
	return strspn(text, allowed);
}

/* A number of JSON, and those that YAML allows besides: "+1", ".5", "1.", "007". */
static bool
append_number(struct conversion *conversion, const char *text)
{
	const char *at = text + (*text == '-' || *text == '+');
	size_t whole = digits(at, "0123456789"), fraction = 0, exponent = 0;
	const char *begin = at, *point = at + whole;

	at = point;
	if (*at == '.')
		at += 1 + (fraction = digits(at + 1, "0123456789"));
	if (whole + fraction == 0)
		return false;
	const char *power = at;
	if (*at == 'e' || *at == 'E') {
		at += 1 + (at[1] == '-' || at[1] == '+');
		exponent = digits(at, "0123456789");
		if (exponent == 0)
			return false;
		at += exponent;
	}
	if (*at != '\0')
		return false;
	while (whole > 1 && *begin == '0') {
		begin++;
		whole--;
	}
	char *number = memory_print(conversion->arena, "%s%.*s%s%.*s%s", *text == '-' ? "-" : "",
				    whole > 0 ? (int)whole : 1, whole > 0 ? begin : "0",
				    fraction > 0 ? "." : "", (int)fraction, point + (*point == '.'),
				    power);
	append(conversion, number, strlen(number));
	return true;
}

/* 0x1F and 0o17, up to 15 digits. */
static bool
append_based(struct conversion *conversion, const char *text)
{
	static const char all[] = "0123456789abcdef";
	uint64_t value = 0;
	char number[24];

	if (text[0] != '0' || (text[1] != 'x' && text[1] != 'o') || text[2] == '\0' ||
	    strlen(text) > 17)
		return false;
	unsigned base = text[1] == 'x' ? 16 : 8;
	for (const char *at = text + 2; *at != '\0'; at++) {
		const char *digit = strchr(all, *at >= 'A' && *at <= 'F' ? *at - 'A' + 'a' : *at);

		if (!digit || digit - all >= (int)base)
			return false;
		value = value * base + (uint64_t)(digit - all);
	}
	append(conversion, number,
	       (size_t)snprintf(number, sizeof(number), "%llu", (unsigned long long)value));
	return true;
}

static void
append_plain(struct conversion *conversion, const char *text, size_t bytes)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
	static const char *const trues[] = {"true", "True", "TRUE", NULL};
	static const char *const falses[] = {"false", "False", "FALSE", NULL};

	if (is_one_of(text, nulls))
		append(conversion, "null", 4);
	else if (is_one_of(text, trues))
		append(conversion, "true", 4);
	else if (is_one_of(text, falses))
		append(conversion, "false", 5);
	else if (!append_number(conversion, text) && !append_based(conversion, text))
		append_string(conversion, text, bytes);
}

static void
convert_scalar(struct conversion *conversion, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t bytes = event->data.scalar.length;
	const char *tag = (const char *)event->data.scalar.tag;
	bool is_key = begin_node(conversion);
	size_t begin = conversion->out.bytes;

	if (is_key && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    strcmp(text, "<<") == 0)
		conversion->reason = "merge keys (<<) are not supported";
	else if (tag && strcmp(tag, YAML_STR_TAG) != 0 && strcmp(tag, "!") != 0)
		conversion->reason = "tags other than !!str are not supported";
	else if (is_key || tag || event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		append_string(conversion, text, bytes);
	else
		append_plain(conversion, text, bytes);
	keep_anchor(conversion, (const char *)event->data.scalar.anchor, begin);
}

static void
convert_alias(struct conversion *conversion, const char *name)
{
	if (begin_node(conversion)) {
		conversion->reason = "an alias as a key is not supported";
		return;
	}
	for (size_t i = conversion->anchors.count; i-- > 0;) {
		const struct anchor *anchor = conversion->anchors.items[i];

		if (strcmp(anchor->name, name) == 0) {
			if (herald_buffer_reserve(&conversion->out, anchor->end - anchor->begin) !=
			    HERALD_OK)
				conversion->reason =
					"the JSON is too large: aliases repeat too much";
			else
				append(conversion, conversion->out.data + anchor->begin,
				       anchor->end - anchor->begin);
			return;
		}
	}
	conversion->reason = "an alias has no anchor before it";
}

static void
open_level(struct conversion *conversion, bool is_map, const char *anchor)
{
	if (begin_node(conversion))
		conversion->reason = "a key that is not a scalar is not supported";
	else if (conversion->depth == HERALD_COUNT(conversion->levels))
		conversion->reason = "more than 256 nested collections";
	if (conversion->reason)
		return;
	conversion->levels[conversion->depth++] = (struct level){
		.is_map = is_map,
		.is_key = is_map,
		.anchor = anchor ? memory_copy(conversion->arena, anchor, strlen(anchor)) : NULL,
		.begin = conversion->out.bytes,
	};
	append(conversion, is_map ? "{" : "[", 1);
}

static void
close_level(struct conversion *conversion)
{
	const struct level *level = &conversion->levels[--conversion->depth];

	append(conversion, level->is_map ? "}" : "]", 1);
	keep_anchor(conversion, level->anchor, level->begin);
}

/* Returns false at the end, and on failure. */
static bool
convert_event(struct conversion *conversion, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		convert_scalar(conversion, event);
		break;
	case YAML_ALIAS_EVENT:
		convert_alias(conversion, (const char *)event->data.alias.anchor);
		break;
	case YAML_MAPPING_START_EVENT:
		open_level(conversion, true, (const char *)event->data.mapping_start.anchor);
		break;
	case YAML_SEQUENCE_START_EVENT:
		open_level(conversion, false, (const char *)event->data.sequence_start.anchor);
		break;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		close_level(conversion);
		break;
	case YAML_DOCUMENT_START_EVENT:
		if (conversion->out.bytes > 0)
			conversion->reason = "expected one document, found a second";
		break;
	case YAML_STREAM_END_EVENT:
		return false;
	default:
		break;
	}
	return !conversion->reason;
}

static void
set_error(struct herald_error *error, const yaml_parser_t *parser, const char *reason, size_t line)
{
	if (!reason && parser->problem) {
		reason = parser->problem;
		line = parser->problem_mark.line;
	}
	herald_error_set(error, HERALD_BAD_FORMAT, HERALD_NO_OFFSET, "line %zu: %s", line + 1,
			 reason ? reason : "not valid YAML");
}

bool
yaml_to_json(struct herald_arena *arena, char **data, size_t *bytes, struct herald_error *error)
{
	struct conversion *conversion = memory_take(arena, sizeof(*conversion));
	yaml_parser_t parser;
	yaml_event_t event;
	bool more = true, is_parsed = true;
	size_t line = 0;

	conversion->arena = arena;
	if (!yaml_parser_initialize(&parser))
		return false;
	herald_buffer_init(&conversion->out, NULL, MAX_JSON_BYTES);
	yaml_parser_set_input_string(&parser, (const unsigned char *)*data, *bytes);
	while (more && (is_parsed = yaml_parser_parse(&parser, &event) != 0)) {
		line = event.start_mark.line;
		more = convert_event(conversion, &event);
		yaml_event_delete(&event);
	}
	bool is_converted = is_parsed && !conversion->reason;
	if (is_converted) {
		*data = memory_copy(arena, conversion->out.data, conversion->out.bytes);
		*bytes = conversion->out.bytes;
	} else {
		set_error(error, &parser, conversion->reason, line);
	}
	herald_buffer_finish(&conversion->out);
	yaml_parser_delete(&parser);
	return is_converted;
}

#endif
