/*
 * Checking of values that are left as they are: the grammar of RFC 8259, except for strings
 * (string_read.c) and numbers that are converted (number_read.c). Knows no schemas, allocates
 * nothing.
 */
#include "json/reader/scan.h"

#include <string.h>

#include "base/simd.h"
#include "json/reader/number_scan.h"
#include "json/reader/skipped_path.h"
#include "json/reader/string_read.h"
#include "json/reader/string_scan.h"

/* One bit for each level: set if it is an object. */
struct nesting {
	uint64_t objects[HERALD__MAX_DEPTH / 64];
	size_t depth;
};

HERALD__COLD static char *
fail_number(struct herald__reader *reader, char *wrong)
{
	return herald__at_digit(wrong, reader->end) ? herald__fail_zero(reader, wrong)
						    : herald__fail_syntax(reader, wrong, "a digit");
}

static char *
skip_number(struct herald__reader *reader, char *at)
{
	char *wrong = at, *after = herald__scan_number(at, reader->end, &wrong);

	return after ? after : fail_number(reader, wrong);
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
		if (*at == '-' || herald__at_digit(at, reader->end))
			return skip_number(reader, at);
		return herald__fail_syntax(reader, at, "a value");
	}
}

/* Skip a member's name and colon. */
static char *
skip_key(struct herald__reader *reader, char *at)
{
	at = herald__skip_space(reader, at);
	if (at == reader->end || *at != '"')
		return herald__fail_syntax(reader, at, "a member's name in quotes");
	if (!(at = herald__skip_string(reader, at + 1, HERALD__NAME)))
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

/* Skip an opening bracket. Returns the place of the first value in it, or the place after an empty
 * object or array. */
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

/* Skip what follows a value: closing brackets, and the comma before the next value. */
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

/* Not recursive, so that the nesting depth does not depend on the stack. */
static char *
skip_checked(struct herald__reader *reader, char *at)
{
	struct nesting nesting = {.depth = 0};

	do {
		size_t depth = nesting.depth;

		at = herald__skip_space(reader, at);
		if (at < reader->end && (*at == '{' || *at == '[')) {
			at = skip_open(reader, &nesting, at);
			if (at && nesting.depth > depth)
				continue;
		} else {
			at = skip_scalar(reader, at);
		}
		if (at)
			at = skip_close(reader, &nesting, at);
	} while (at && nesting.depth > 0);
	return at;
}

char *
herald__skip_value(struct herald__reader *reader, char *at)
{
	char *after;

	/* The path of a scalar is empty. */
	if (at < reader->end && *at != '{' && *at != '[' && !herald__is_space(*at))
		return skip_scalar(reader, at);
	if (!(after = skip_checked(reader, at)))
		herald__trace_skipped(reader, at);
	return after;
}

char *
herald__fail_document(struct herald__reader *reader, char *at, const char *expected)
{
	char *after = herald__skip_value(reader, at);

	if (!after)
		return NULL;
	after = herald__skip_space(reader, after);
	if (after < reader->end)
		return herald__fail_syntax(reader, after, "the end of the input");
	return herald__fail_type(reader, at, expected);
}

char *
herald__document_begin(struct herald__reader *reader, const char *brackets)
{
	char *at = herald__skip_space(reader, reader->begin), *end = reader->end;

	while (end > at && herald__is_space(end[-1]))
		end--;
	if (at == end || *at != brackets[0] || end[-1] != brackets[1])
		return herald__fail_document(reader, at,
					     brackets[0] == '[' ? "an array" : "an object");
	reader->end = end;
	return at;
}

char *
herald__document_end(struct herald__reader *reader, char *at)
{
	if (at < reader->end)
		return herald__fail_syntax(reader, herald__skip_space(reader, at),
					   "the end of the input");
	return at;
}

#ifdef HERALD__BLOCK
/* Follow the brackets of a block of `depth` open ones. Returns the number of bytes up to the one
 * that closes the first, or 0: it is not in this block. */
static inline size_t
close_in_block(const char *at, struct herald__block_state *state, size_t *depth)
{
	struct herald__brackets block = herald__find_brackets(at, state);

	for (uint64_t bits = block.opening | block.closing; bits != 0; bits &= bits - 1) {
		if ((block.opening & bits & -bits) != 0)
			++*depth;
		else if (--*depth == 0)
			return (size_t)__builtin_ctzll(bits) + 1;
	}
	return 0;
}

char *
herald__skip_brackets(char *at, char *end)
{
	struct herald__block_state state = {false, false};
	char last[HERALD__BLOCK] = "";
	size_t depth = 1, bytes;

	for (at++; end - at >= HERALD__BLOCK; at += HERALD__BLOCK)
		if ((bytes = close_in_block(at, &state, &depth)) > 0)
			return at + bytes;
	memcpy(last, at, (size_t)(end - at));
	bytes = close_in_block(last, &state, &depth);
	return bytes > 0 ? at + bytes : NULL;
}
#else
char *
herald__skip_brackets(char *at, char *end)
{
	size_t depth = 1;
	bool in_string = false, escaped = false;

	for (at++; at < end; at++) {
		bool is_escaped = escaped;

		escaped = *at == '\\' && !is_escaped;
		if (*at == '"' && !is_escaped)
			in_string = !in_string;
		if (in_string)
			continue;
		if (*at == '{' || *at == '[')
			depth++;
		else if ((*at == '}' || *at == ']') && --depth == 0)
			return at + 1;
	}
	return NULL;
}
#endif

/* `at` is after the opening quote. */
static char *
skip_quoted(char *at, const char *end)
{
	for (; at < end && *at != '"'; at++)
		if (*at == '\\' && ++at == end)
			return NULL;
	return at < end ? at + 1 : NULL;
}

char *
herald__skip_balanced(char *at, char *end)
{
	if (*at == '{' || *at == '[')
		return herald__skip_brackets(at, end);
	if (*at == '"')
		return skip_quoted(at + 1, end);
	while (at < end && *at != ',' && *at != ']' && !herald__is_space(*at))
		at++;
	return at;
}

bool
herald__check_json(const char *data, size_t bytes, const struct herald_limits *limits,
		   struct herald__trace *trace)
{
	struct herald__reader reader;
	char *at = (char *)data; /* skipping does not write */

	herald__reader_begin(&reader, at, bytes, limits);
	if ((at = skip_checked(&reader, at))) {
		at = herald__skip_space(&reader, at);
		if (at == reader.end)
			return true;
		herald__record_syntax(&reader, at, "the end of the value");
	}
	return herald__trace_fail(trace, HERALD_NO_OFFSET, reader.trace.error.status,
				  "the raw JSON is not valid at byte %zu: %s",
				  reader.trace.error.offset, reader.trace.error.message);
}
