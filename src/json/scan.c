/*
 * The lexical level of the JSON reader: errors, values to skip, and the paths of
 * errors in them. Owns the grammar of RFC 8259 but for strings (string.c) and
 * the numbers that are wanted (number.c). Knows nothing of schemas, allocates
 * nothing.
 */
#include "scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "simd.h"
#include "text.h"

/* One bit a level: whether it is an object. */
struct nesting {
	uint64_t objects[HERALD__MAX_DEPTH / 64];
	size_t depth;
};

char *
herald__fail(struct herald__reader *reader, const char *at, enum herald_status status,
	     const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	herald__trace_vfail(&reader->trace, herald__offset(reader, at), status, format, arguments);
	va_end(arguments);
	return NULL;
}

static const char *
value_name(char first)
{
	switch (first) {
	case '"':
		return "a string";
	case '{':
		return "an object";
	case '[':
		return "an array";
	case 't':
	case 'f':
		return "a boolean";
	case 'n':
		return "null";
	case '-':
		return "a number";
	default:
		return first >= '0' && first <= '9' ? "a number" : NULL;
	}
}

static bool
is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

/* What is at `at`, where no value can be: a word such as NaN, a character, a byte. */
static const char *
name_found(const struct herald__reader *reader, const char *at, struct herald__shown *shown)
{
	size_t left = (size_t)(reader->end - at), bytes = 0;
	unsigned char byte = (unsigned char)*at;
	bool valid;

	if (left >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
		return "a byte order mark";
	if (left >= 2 && (memcmp(at, "\xFE\xFF", 2) == 0 || memcmp(at, "\xFF\xFE", 2) == 0))
		return "a byte order mark of UTF-16";
	while (bytes < left && is_letter(at[bytes]))
		bytes++;
	if (bytes > 0)
		return herald__show_word(shown, at, bytes);
	if (byte == '\'')
		return "a single quote";
	if (byte > ' ' && byte < 0x7F)
		snprintf(shown->text, sizeof(shown->text), "'%c'", byte);
	else if (byte >= 0x80 && (bytes = herald__utf8_next(at, left, &valid), valid))
		snprintf(shown->text, sizeof(shown->text), "U+%04X", herald__utf8_code(at, bytes));
	else
		snprintf(shown->text, sizeof(shown->text), "byte 0x%02X", byte);
	return shown->text;
}

void
herald__record_syntax(struct herald__reader *reader, const char *at, const char *expected)
{
	struct herald__shown shown;

	if (at >= reader->end)
		herald__fail(reader, reader->whole_end, HERALD_BAD_JSON,
			     "expected %s, found the end of the input", expected);
	else
		herald__fail(reader, at, HERALD_BAD_JSON, "expected %s, found %s", expected,
			     name_found(reader, at, &shown));
}

const char *
herald__show_number(const struct herald__reader *reader, const char *at,
		    struct herald__shown *shown)
{
	size_t bytes = 0;

	while (at + bytes < reader->end && at[bytes] != '\0' &&
	       strchr("+-.0123456789Ee", at[bytes]) != NULL)
		bytes++;
	return herald__show_word(shown, at, bytes);
}

char *
herald__fail_zero(struct herald__reader *reader, const char *at)
{
	struct herald__shown shown;

	return herald__fail(reader, at, HERALD_BAD_JSON,
			    "expected a number without leading zeros, found %s",
			    herald__show_number(reader, at, &shown));
}

/* Whether at `at` is the beginning of true, false or null, but not all of it. */
static bool
is_broken_word(const struct herald__reader *reader, const char *at)
{
	const char *word = *at == 't' ? "true" : *at == 'f' ? "false" : *at == 'n' ? "null" : "";
	size_t bytes = strlen(word);

	return (size_t)(reader->end - at) < bytes || memcmp(at, word, bytes) != 0;
}

void
herald__record_type(struct herald__reader *reader, const char *at, const char *expected)
{
	const char *found = at < reader->end ? value_name(*at) : NULL;

	if (found == NULL || is_broken_word(reader, at))
		herald__record_syntax(reader, at, expected);
	else
		herald__fail(reader, at, HERALD_BAD_TYPE, "expected %s, found %s", expected, found);
}

static bool
at_digit(const struct herald__reader *reader, const char *at)
{
	return at < reader->end && *at >= '0' && *at <= '9';
}

static char *
skip_digits(struct herald__reader *reader, char *at)
{
	if (!at_digit(reader, at))
		return herald__fail_syntax(reader, at, "a digit");
	while (at_digit(reader, at))
		at++;
	return at;
}

static char *
skip_number(struct herald__reader *reader, char *at)
{
	at += *at == '-';
	if (at_digit(reader, at) && *at == '0' && at_digit(reader, at + 1))
		return herald__fail_zero(reader, at);
	if ((at = skip_digits(reader, at)) == NULL)
		return NULL;
	if (at < reader->end && *at == '.' && (at = skip_digits(reader, at + 1)) == NULL)
		return NULL;
	if (at < reader->end && (*at == 'e' || *at == 'E')) {
		at++;
		at += at < reader->end && (*at == '+' || *at == '-');
		at = skip_digits(reader, at);
	}
	return at;
}

static char *
skip_word(struct herald__reader *reader, char *at, const char *word)
{
	size_t bytes = strlen(word);

	if ((size_t)(reader->end - at) < bytes || memcmp(at, word, bytes) != 0)
		return herald__fail_syntax(reader, at, "a value");
	return at + bytes;
}

static char *
skip_scalar(struct herald__reader *reader, char *at)
{
	if (at == reader->end)
		return herald__fail_syntax(reader, at, "a value");
	switch (*at) {
	case '"':
		return herald__skip_string(reader, at + 1, HERALD__VALUE);
	case 't':
		return skip_word(reader, at, "true");
	case 'f':
		return skip_word(reader, at, "false");
	case 'n':
		return skip_word(reader, at, "null");
	default:
		if (*at == '-' || at_digit(reader, at))
			return skip_number(reader, at);
		return herald__fail_syntax(reader, at, "a value");
	}
}

/* A member's name and its colon. */
static char *
skip_key(struct herald__reader *reader, char *at)
{
	at = herald__skip_space(reader, at);
	if (at == reader->end || *at != '"')
		return herald__fail_syntax(reader, at, "a member's name in quotes");
	if ((at = herald__skip_string(reader, at + 1, HERALD__NAME)) == NULL)
		return NULL;
	at = herald__skip_space(reader, at);
	if (at == reader->end || *at != ':')
		return herald__fail_syntax(reader, at, "':'");
	return at + 1;
}

static bool
in_object(const struct nesting *nesting)
{
	size_t top = nesting->depth - 1;

	return (nesting->objects[top / 64] >> top % 64 & 1) != 0;
}

/* An opening bracket. Returns the place of the first value in it, or after it
 * when it is empty. */
static char *
skip_open(struct herald__reader *reader, struct nesting *nesting, char *at)
{
	bool object = *at == '{';
	size_t top = nesting->depth++;

	if (reader->depth + nesting->depth > reader->limits->max_depth)
		return herald__fail(reader, at, HERALD_LIMIT, HERALD__TOO_DEEP,
				    reader->limits->max_depth);
	nesting->objects[top / 64] &= ~((uint64_t)1 << top % 64);
	nesting->objects[top / 64] |= (uint64_t)object << top % 64;
	at = herald__skip_space(reader, at + 1);
	if (at < reader->end && *at == (object ? '}' : ']')) {
		nesting->depth--;
		return at + 1;
	}
	return object ? skip_key(reader, at) : at;
}

/* After a value: closing brackets, and the comma before the next value. */
static char *
skip_close(struct herald__reader *reader, struct nesting *nesting, char *at)
{
	while (nesting->depth > 0) {
		bool object = in_object(nesting);

		at = herald__skip_space(reader, at);
		if (at < reader->end && *at == ',')
			return object ? skip_key(reader, at + 1) : at + 1;
		if (at == reader->end || *at != (object ? '}' : ']'))
			return herald__fail_syntax(reader, at,
						   object ? "',' or '}'" : "',' or ']'");
		nesting->depth--;
		at++;
	}
	return at;
}

/* Not recursive: how deep a value may be nested does not depend on the stack.
 */
static char *
skip_checked(struct herald__reader *reader, char *at)
{
	struct nesting nesting = {.depth = 0};

	do {
		size_t depth = nesting.depth;

		at = herald__skip_space(reader, at);
		if (at < reader->end && (*at == '{' || *at == '[')) {
			at = skip_open(reader, &nesting, at);
			if (at != NULL && nesting.depth > depth)
				continue;
		} else {
			at = skip_scalar(reader, at);
		}
		if (at != NULL)
			at = skip_close(reader, &nesting, at);
	} while (at != NULL && nesting.depth > 0);
	return at;
}

/* A level of nesting, as the search for a path sees it. */
struct level {
	const char *key; /* of the current member, in its quotes; NULL: there is none yet */
	size_t key_bytes;
	size_t index;
	bool object;
	bool named;    /* the colon after the key was there: the member has begun */
	bool complete; /* the current value is over; what follows belongs to the level itself */
};

/* The place after a string that begins at `at`; NULL when it does not end
 * before `stop`. */
static const char *
end_of_string(const char *at, const char *stop)
{
	for (at++; at < stop && *at != '"'; at++)
		at += *at == '\\';
	return at < stop ? at + 1 : NULL;
}

/* One token of text that is known to be valid up to `stop`. Returns the place
 * after it. */
static const char *
trace_token(struct level **top, const char *at, const char *stop)
{
	struct level *level = *top;
	const char *after = at + 1;

	switch (*at) {
	case '{':
	case '[':
		*++*top = (struct level){.object = *at == '{'};
		return after;
	case '}':
	case ']':
		(--*top)->complete = true;
		return after;
	case ',':
		level->complete = false;
		level->index++;
		level->key = NULL;
		level->named = false;
		return after;
	case '"':
		if ((after = end_of_string(at, stop)) == NULL)
			return stop;
		if (level->object && level->key == NULL) {
			level->key = at + 1;
			level->key_bytes = (size_t)(after - at) - 2;
		} else {
			level->complete = true;
		}
		return after;
	case ':':
		level->named = true;
		return after;
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		return after;
	default:
		while (after < stop && strchr(",:]}\t\r\n ", *after) == NULL)
			after++;
		/* Nothing fails within a word, and a number never right after a digit. */
		level->complete = after < stop || (*at >= 'a' && *at <= 'z') ||
				  (after[-1] >= '0' && after[-1] <= '9');
		return after;
	}
}

/* The bytes of the valid escape at `at`: of a pair of surrogates, both. */
static size_t
escape_bytes(const char *at)
{
	if (at[1] != 'u')
		return 2;
	return (at[2] | 0x20) == 'd' && strchr("89ABab", at[3]) != NULL ? 12 : 6;
}

/* A key may have escapes in it; the path has them undone. */
static void
prepend_raw_key(struct herald__reader *reader, const char *key, size_t bytes)
{
	/* No more of it than can be seen: a byte that is shown is six at most. */
	char copy[6 * sizeof(reader->trace.error.path) + 16];
	struct herald_limits limits = {.max_string_bytes = SIZE_MAX};
	struct herald__reader scratch;
	struct herald__string text = {0};

	if (memchr(key, '\\', bytes) == NULL) {
		herald__trace_key(&reader->trace, key, bytes);
		return;
	}
	while (bytes + 1 > sizeof(copy)) {
		size_t step = *key == '\\' ? escape_bytes(key) : 1;

		key += step;
		bytes -= step;
	}
	memcpy(copy, key, bytes + 1); /* with its closing quote */
	herald__reader_begin(&scratch, copy, bytes + 1, &limits);
	scratch.text = HERALD__UTF8; /* all of it is; the copy may begin within a character */
	if (herald__read_string(&scratch, copy, HERALD__VALUE, &text) != NULL)
		herald__trace_key(&reader->trace, text.data, text.bytes);
}

/*
 * After a failure in a skipped value: find the path from the value to the place
 * by going through the text before it once more. The way that does not fail
 * keeps no path at all.
 */
static void
prepend_skipped_path(struct herald__reader *reader, const char *start)
{
	struct level levels[HERALD__MAX_DEPTH + 2];
	struct level *top = levels;
	const char *stop = reader->begin + (reader->trace.error.offset - reader->base_offset);

	levels[0] = (struct level){.object = false};
	while (start < stop)
		start = trace_token(&top, start, stop);
	for (; top > levels; top--) {
		if (top->complete)
			continue;
		if (!top->object)
			herald__trace_index(&reader->trace, top->index);
		else if (top->named)
			prepend_raw_key(reader, top->key, top->key_bytes);
	}
}

char *
herald__skip_value(struct herald__reader *reader, char *at)
{
	char *after;

	/* A value without brackets has no path in it. */
	if (at < reader->end && *at != '{' && *at != '[' && !herald__is_space(*at))
		return skip_scalar(reader, at);
	if ((after = skip_checked(reader, at)) == NULL)
		prepend_skipped_path(reader, at);
	return after;
}

/*
 * The bytes behind the last block, within `depth` brackets; `escaped` says whether a backslash comes
 * before them. Returns the place after the last bracket, or NULL.
 */
static char *
skip_brackets_slowly(char *at, const char *end, size_t depth, bool in_string, bool escaped)
{
	for (; at < end; at++) {
		if (escaped)
			escaped = false;
		else if (*at == '\\')
			escaped = true;
		else if (*at == '"')
			in_string = !in_string;
		else if (in_string)
			continue;
		else if (*at == '{' || *at == '[')
			depth++;
		else if ((*at == '}' || *at == ']') && --depth == 0)
			return at + 1;
	}
	return NULL;
}

char *
herald__skip_brackets(char *at, char *end)
{
	size_t depth = 1;

	at++;
#ifdef HERALD__BLOCK
	struct herald__block_state state = {false, false};

	for (; end - at >= HERALD__BLOCK; at += HERALD__BLOCK) {
		struct herald__brackets block = herald__find_brackets(at, &state);

		for (uint32_t bits = block.opening | block.closing; bits != 0; bits &= bits - 1) {
			if ((block.opening & bits & -bits) != 0)
				depth++;
			else if (--depth == 0)
				return at + __builtin_ctz(bits) + 1;
		}
	}
	return skip_brackets_slowly(at, end, depth, state.in_string, state.escaped);
#else
	return skip_brackets_slowly(at, end, depth, false, false);
#endif
}

bool
herald__check_json(const char *data, size_t bytes, const struct herald_limits *limits,
		   struct herald__trace *trace)
{
	struct herald__reader reader;
	char *at = (char *)data; /* skipping does not write */

	herald__reader_begin(&reader, at, bytes, limits);
	if ((at = skip_checked(&reader, at)) != NULL) {
		at = herald__skip_space(&reader, at);
		if (at == reader.end)
			return true;
		herald__record_syntax(&reader, at, "the end of the value");
	}
	return herald__trace_fail(trace, HERALD_NO_OFFSET, reader.trace.error.status,
				  "the raw JSON is not valid at byte %zu: %s",
				  reader.trace.error.offset, reader.trace.error.message);
}
