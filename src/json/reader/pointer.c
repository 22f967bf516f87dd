/*
 * JSON Pointers: parsed into tokens once, then followed in the text of a document before decoding
 * in place overwrites it; or followed once in raw JSON. Checks only what it needs to find its way;
 * the decoder checks that the document is valid. Does not interpret the values.
 */
#include "json/reader/pointer.h"

#include <stdbool.h>
#include <string.h>

#include <herald/json.h>

#include "base/error_path.h"
#include "base/utf8.h"
#include "json/reader/token.h"
#include "json/reader/walk.h"

/* Parsing. */

static const char *
pointer_problem(const char *text)
{
	if (*text != '/')
		return "not a JSON Pointer, which begins with '/', as in \"/metadata/version\"";
	for (const char *at = strchr(text, '~'); at; at = strchr(at + 1, '~'))
		if (at[1] != '0' && at[1] != '1')
			return "'~' in a JSON Pointer must be followed by '0' or '1' (~0 is '~', "
			       "~1 is '/')";
	if (!herald__is_utf8(text, strlen(text)))
		return "not valid UTF-8";
	return NULL;
}

/* Undo the escapes of one token, which ends at the next '/'. Returns the place after it. */
static char *
unescape_token(char *at, struct herald_text *out)
{
	char *to = at;

	out->data = at;
	for (; *at != '\0' && *at != '/'; at++, to++) {
		*to = *at;
		if (*at == '~')
			*to = *++at == '0' ? '~' : '/';
	}
	out->bytes = (size_t)(to - out->data);
	return at;
}

enum herald_status
herald__pointer_parse(const char *text, struct herald_arena *arena, struct herald__pointer *out,
		      const char **problem)
{
	size_t bytes = strlen(text), count = 0;

	if ((*problem = pointer_problem(text)))
		return HERALD_BAD_VALUE;
	for (const char *at = text; *at != '\0'; at++)
		count += *at == '/';
	out->text = herald_arena_copy(arena, text, bytes);
	out->tokens = herald_arena_alloc(arena, count * sizeof(*out->tokens));
	char *at = herald_arena_copy(arena, text, bytes);
	if (!out->text || !out->tokens || !at)
		return HERALD_NO_MEMORY;
	for (out->tokens_count = 0; *at == '/'; out->tokens_count++)
		at = unescape_token(at + 1, &out->tokens[out->tokens_count]);
	return HERALD_OK;
}

/* Following. */

/* The index that a token denotes (RFC 6901 section 4), or SIZE_MAX, which no array has. */
static size_t
index_of(const struct herald__token *token)
{
	size_t index = 0;

	if (token->bytes == 0 || token->bytes > 15 || (token->data[0] == '0' && token->bytes > 1))
		return SIZE_MAX;
	for (size_t i = 0; i < token->bytes; i++) {
		if (token->data[i] < '0' || token->data[i] > '9')
			return SIZE_MAX;
		index = index * 10 + (size_t)(token->data[i] - '0');
	}
	return index;
}

static inline bool
is_named(const struct herald__item *item, const struct herald__token *token)
{
	char first = item->name[1];

	/* Most names differ in their first byte. */
	if (token->bytes > 0 && first != *token->data && first != '\\' && *token->data != '~')
		return false;
	return herald__name_equals(item->name, item->name_end, token);
}

/* Move on to the next item. Returns false if there is none. */
static bool
next_item(const char *end, bool in_object, struct herald__item *item)
{
	const char *after = herald__walk_value(item->value, end);

	return after && herald__walk_next(after, end, in_object, item);
}

/* The value of a member of the object at `at`, or NULL. */
static const char *
find_member(const char *at, const char *end, const struct herald__token *token)
{
	struct herald__item item = {0};

	for (bool more = herald__walk_first(at, end, &item); more;
	     more = next_item(end, true, &item))
		if (is_named(&item, token))
			return item.value;
	return NULL;
}

/* The name of a later member that the token denotes, too, or NULL. `value` is the first one's. */
static const char *
find_second(const char *value, const char *end, const struct herald__token *token)
{
	struct herald__item item = {.value = value};

	while (next_item(end, true, &item))
		if (is_named(&item, token))
			return item.name;
	return NULL;
}

static const char *
find_element(const char *at, const char *end, const struct herald__token *token)
{
	size_t index = index_of(token);
	struct herald__item item;

	if (index == SIZE_MAX || !herald__walk_first(at, end, &item))
		return NULL;
	while (index-- > 0)
		if (!next_item(end, false, &item))
			return NULL;
	return *item.value != ']' ? item.value : NULL;
}

/* The value that a token denotes in the value at `at`, or NULL. */
static const char *
follow(const char *at, const char *end, const struct herald__token *token)
{
	if (at == end)
		return NULL;
	if (*at == '{')
		return find_member(at, end, token);
	return *at == '[' ? find_element(at, end, token) : NULL;
}

void
herald__pointer_find(const struct herald__pointer *pointer, const char *data, size_t bytes,
		     struct herald__pointed *out)
{
	const char *end = data + bytes, *at = herald__walk_space(data, end), *found = at;

	for (size_t i = 0; i < pointer->tokens_count && found; i++) {
		const struct herald_text *text = &pointer->tokens[i];
		const struct herald__token token = {text->data, text->bytes, false};

		at = found;
		found = follow(at, end, &token);
	}
	const char *after = found ? herald__walk_value(found, end) : NULL;
	out->json = !after ? (struct herald_json){NULL, 0}
			   : (struct herald_json){found, (size_t)(after - found)};
	out->offset = (size_t)((found ? found : at) - data);
}

enum herald_status
herald__pointed_text(const struct herald_json *json, struct herald_arena *arena, const char **out)
{
	struct herald_text string;

	*out = NULL;
	if (json->bytes == 0 || strchr("{[n", *json->data))
		return HERALD_OK;
	if (*json->data != '"') {
		*out = herald_arena_copy(arena, json->data, json->bytes);
		return *out ? HERALD_OK : HERALD_NO_MEMORY;
	}
	enum herald_status status = herald_json_read_string(json, arena, &string);
	if (status == HERALD_OK && !memchr(string.data, '\0', string.bytes))
		*out = string.data;
	return status == HERALD_NO_MEMORY || status == HERALD_LIMIT ? status : HERALD_OK;
}

/* Looking up in raw JSON: herald/json.h. */

/* A pointer that is being followed. */
struct search {
	const char *pointer;
	const char *token_end; /* the end of the current token in the pointer */
	const char *begin;     /* of the document */
};

/* Record an error whose path is the pointer up to the current token. */
static enum herald_status
fail_at(const struct search *search, const char *at, enum herald_status status, const char *message,
	struct herald_error *error)
{
	struct herald__trace trace;

	herald__trace_fail(&trace, (size_t)(at - search->begin), status, "%s", message);
	herald__trace_pointer(&trace, search->pointer,
			      (size_t)(search->token_end - search->pointer));
	return herald__trace_finish(&trace, "", error);
}

/* Move on to the value that the next token denotes. */
static enum herald_status
follow_next(struct search *search, const char **at, const char *end, struct herald_error *error)
{
	const char *begin = search->token_end + 1;
	size_t bytes = strcspn(begin, "/");
	const struct herald__token token = {begin, bytes, memchr(begin, '~', bytes)};
	const char *found = follow(*at, end, &token), *second;

	search->token_end = begin + bytes;
	if (!found)
		return fail_at(search, *at, HERALD_MISSING, "is missing", error);
	if (**at == '{' && (second = find_second(found, end, &token)))
		return fail_at(search, second, HERALD_DUPLICATE, "is a duplicate member", error);
	*at = found;
	return HERALD_OK;
}

enum herald_status
herald_json_find(const struct herald_json *json, const char *pointer, struct herald_json *out,
		 struct herald_error *error)
{
	const char *problem = *pointer == '\0' ? NULL : pointer_problem(pointer);
	const char *at = json->data;
	struct search search = {pointer, pointer, at};

	if (problem)
		return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET, "%s", problem);
	if (json->bytes == 0)
		return herald_error_set(error, HERALD_MISSING, HERALD_NO_OFFSET,
					"expected JSON, found none");
	const char *end = at + json->bytes;
	while (*search.token_end != '\0') {
		enum herald_status status = follow_next(&search, &at, end, error);

		if (status != HERALD_OK)
			return status;
	}
	const char *after = herald__walk_value(at, end);
	if (!after || after == at)
		return fail_at(&search, at, HERALD_BAD_JSON, "expected a value", error);
	*out = (struct herald_json){at, (size_t)(after - at)};
	return HERALD_OK;
}
