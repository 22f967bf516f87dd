/*
 * JSON Pointers: split into tokens once, then followed through the text of a document, before decoding in place
 * destroys it. Nothing is checked here but what following needs: that the document is valid is the decoder's
 * to say. What the values mean is the caller's business.
 */
#include "pointer.h"

#include <stdbool.h>
#include <string.h>

#include "scan.h"
#include "utf8.h"

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

	if ((*problem = pointer_problem(text)) != NULL)
		return HERALD_BAD_VALUE;
	for (const char *at = text; *at != '\0'; at++)
		count += *at == '/';
	out->text = herald_arena_copy(arena, text, bytes);
	out->tokens = herald_arena_alloc(arena, count * sizeof(*out->tokens));
	char *at = herald_arena_copy(arena, text, bytes);
	if (out->text == NULL || out->tokens == NULL || at == NULL)
		return HERALD_NO_MEMORY;
	for (out->tokens_count = 0; *at == '/'; out->tokens_count++)
		at = unescape_token(at + 1, &out->tokens[out->tokens_count]);
	return HERALD_OK;
}

/* Following: every function may meet the end of the text, or nonsense, at any place. */

struct walk {
	char *end;
	struct herald_arena *arena;
	bool out_of_memory;
};

static char *
skip_space(const struct walk *walk, char *at)
{
	while (at < walk->end && herald__is_space(*at))
		at++;
	return at;
}

/* From the opening quote to after the closing one, or NULL. */
static char *
skip_string(const struct walk *walk, char *at)
{
	for (at++; at < walk->end; at++) {
		if (*at == '"')
			return at + 1;
		at += *at == '\\';
	}
	return NULL;
}

/* From the first byte of a value to after its last one, or NULL. */
static char *
skip_value(const struct walk *walk, char *at)
{
	if (at == walk->end)
		return NULL;
	if (*at == '{' || *at == '[')
		return herald__skip_brackets(at, walk->end);
	if (*at == '"')
		return skip_string(walk, at);
	while (at < walk->end && strchr(",:]} \t\r\n", *at) == NULL)
		at++;
	return at;
}

/* Read the string that begins at the quote `at` and has `bytes` bytes with its quotes; false: it is not valid. */
static bool
read_string(struct walk *walk, const char *at, size_t bytes, struct herald__string *out)
{
	const struct herald_limits limits = {.max_string_bytes = SIZE_MAX};
	char *copy = herald_arena_copy(walk->arena, at, bytes);
	struct herald__reader reader;

	if (copy == NULL) {
		walk->out_of_memory = true;
		return false;
	}
	herald__reader_begin(&reader, copy, bytes, &limits);
	return herald__read_string(&reader, copy + 1, HERALD__VALUE, out) != NULL;
}

/* Whether the name between the quotes at `at` and before `after` is the token. */
static bool
is_named(struct walk *walk, const char *at, const char *after, const struct herald_text *token)
{
	size_t bytes = (size_t)(after - at) - 2;
	struct herald__string name;

	if (memchr(at + 1, '\\', bytes) == NULL)
		return bytes == token->bytes && memcmp(at + 1, token->data, bytes) == 0;
	/* A byte takes at most the six of "\u002f". */
	return bytes <= 6 * token->bytes && read_string(walk, at, bytes + 2, &name) &&
	       name.bytes == token->bytes && memcmp(name.data, token->data, name.bytes) == 0;
}

/* After a member or an element: the place of the next one, or NULL. */
static char *
next_item(const struct walk *walk, char *at)
{
	if ((at = skip_value(walk, at)) == NULL)
		return NULL;
	at = skip_space(walk, at);
	return at < walk->end && *at == ',' ? skip_space(walk, at + 1) : NULL;
}

/* The value of a member of the object at `at`, or NULL. */
static char *
find_member(struct walk *walk, char *at, const struct herald_text *token)
{
	at = skip_space(walk, at + 1);
	while (at != NULL && at < walk->end && *at == '"') {
		char *name = at, *after = skip_string(walk, at);

		if (after == NULL)
			return NULL;
		at = skip_space(walk, after);
		if (at == walk->end || *at != ':')
			return NULL;
		at = skip_space(walk, at + 1);
		if (is_named(walk, name, after, token))
			return at < walk->end ? at : NULL;
		if (walk->out_of_memory)
			return NULL;
		at = next_item(walk, at);
	}
	return NULL;
}

/* The number that a token is (RFC 6901 section 4), or SIZE_MAX, which no array has. */
static size_t
index_of(const struct herald_text *token)
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

static char *
find_element(const struct walk *walk, char *at, const struct herald_text *token)
{
	size_t index = index_of(token);

	if (index == SIZE_MAX)
		return NULL;
	at = skip_space(walk, at + 1);
	while (at != NULL && index-- > 0)
		at = next_item(walk, at);
	return at != NULL && at < walk->end && *at != ']' ? at : NULL;
}

enum herald_status
herald__pointer_find(const struct herald__pointer *pointer, const char *data, size_t bytes,
		     struct herald_arena *arena, struct herald__pointed *out)
{
	char *begin = (char *)data; /* nothing is written */
	struct walk walk = {.end = begin + bytes, .arena = arena};
	char *at = skip_space(&walk, begin), *found = at;

	for (size_t i = 0; i < pointer->tokens_count && found != NULL; i++) {
		at = found;
		if (at == walk.end)
			found = NULL;
		else if (*at == '{')
			found = find_member(&walk, at, &pointer->tokens[i]);
		else
			found = *at == '[' ? find_element(&walk, at, &pointer->tokens[i]) : NULL;
	}
	char *after = found != NULL ? skip_value(&walk, found) : NULL;
	out->json = after == NULL ? (struct herald_json){NULL, 0}
				  : (struct herald_json){found, (size_t)(after - found)};
	out->offset = (size_t)((found != NULL ? found : at) - begin);
	return walk.out_of_memory ? HERALD_NO_MEMORY : HERALD_OK;
}

enum herald_status
herald__pointed_text(const struct herald_json *json, struct herald_arena *arena, const char **out)
{
	struct walk walk = {.arena = arena};
	struct herald__string string;

	*out = NULL;
	if (json->bytes == 0 || strchr("{[n", *json->data) != NULL)
		return HERALD_OK;
	if (*json->data != '"') {
		*out = herald_arena_copy(arena, json->data, json->bytes);
		return *out != NULL ? HERALD_OK : HERALD_NO_MEMORY;
	}
	if (read_string(&walk, json->data, json->bytes, &string) && string.nul == NULL)
		*out = string.data;
	return walk.out_of_memory ? HERALD_NO_MEMORY : HERALD_OK;
}
