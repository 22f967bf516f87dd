/*
 * The path of an error in a value that was skipped. Skipping records no path; after an error, the
 * valid text before it is scanned a second time.
 */
#include "json/reader/skipped_path.h"

#include <string.h>

#include "json/reader/string_read.h"
#include "json/reader/string_scan.h"

/* A level of nesting. */
struct level {
	const char *key; /* of the current member, in its quotes; NULL: none yet */
	size_t key_bytes;
	size_t index;
	bool object;
	bool named;    /* the colon was read, so the member has begun */
	bool complete; /* the current value has ended */
};

/* The place after the string that begins at `at`; NULL if it does not end before `stop`. */
static const char *
end_of_string(const char *at, const char *stop)
{
	for (at++; at < stop && *at != '"'; at++)
		at += *at == '\\';
	return at < stop ? at + 1 : NULL;
}

/* Read one token of text that is valid up to `stop`. Returns the place after it. */
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
		if (!(after = end_of_string(at, stop)))
			return stop;
		if (level->object && !level->key) {
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
		while (after < stop && !strchr(",:]}\t\r\n ", *after))
			after++;
		/* No error is inside a word or directly after a digit. */
		level->complete = after < stop || (*at >= 'a' && *at <= 'z') ||
				  (after[-1] >= '0' && after[-1] <= '9');
		return after;
	}
}

/* The length of the valid escape at `at`; both halves of a surrogate pair. A key's closing quote
 * follows, so that each byte is read only if the one before it was not the end. */
static size_t
escape_bytes(const char *at)
{
	if (at[1] != 'u')
		return 2;
	return (at[2] | 0x20) == 'd' && strchr("89ABab", at[3]) && at[6] == '\\' && at[7] == 'u' &&
			       (at[8] | 0x20) == 'd' && strchr("CDEFcdef", at[9])
		       ? 12
		       : 6;
}

void
herald__trace_raw_key(struct herald__trace *trace, const char *key, size_t bytes)
{
	/* Only as much as can be shown: each byte shown takes at most six. */
	char copy[6 * sizeof(trace->error.path) + 16];
	struct herald_limits limits = {.max_string_bytes = SIZE_MAX,
				       .replace_lone_surrogates = true};
	struct herald__reader scratch;
	struct herald__string text = {0};

	if (!memchr(key, '\\', bytes)) {
		herald__trace_key(trace, key, bytes);
		return;
	}
	while (bytes + 1 > sizeof(copy)) {
		size_t step = *key == '\\' ? escape_bytes(key) : 1;

		key += step;
		bytes -= step;
	}
	memcpy(copy, key, bytes + 1); /* with the closing quote */
	herald__reader_begin(&scratch, copy, bytes + 1, &limits);
	scratch.text = HERALD__UTF8; /* valid UTF-8, but may begin within a character */
	if (herald__read_string(&scratch, copy, HERALD__VALUE, &text))
		herald__trace_key(trace, text.data, text.bytes);
}

void
herald__trace_skipped(struct herald__reader *reader, const char *start)
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
			herald__trace_raw_key(&reader->trace, top->key, top->key_bytes);
	}
}
