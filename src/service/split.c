/*
 * Splits a text with several events: lines (NDJSON), or the elements of a JSON array. Only what is
 * between the events is checked here; each event is checked when it is decoded. Formats split
 * their own batches, which are checked as a whole first: src/formats/.
 */
#include "service/split.h"

#include <string.h>

#include "base/attributes.h"
#include "json/reader/reader.h"
#include "json/reader/scan.h"
#include "json/reader/string_scan.h"

/* An event is at `begin` of the text `data`. */
HERALD__COLD static enum herald_status
refuse_more(const struct herald__split *split, size_t offset, struct herald_error *error)
{
	return herald_error_set(error, HERALD_LIMIT, offset,
				"expected at most %zu events (%s), found more", split->max_events,
				split->max_option);
}

static void
visit(const struct herald__split *split, char *at, char *end)
{
	const struct herald_member member = {
		.data = at, .bytes = (size_t)(end - at), .content_type = split->content_type};

	split->visit(&member, split->state);
}

/* Lines. */

struct line {
	char *begin, *end; /* without the white space around it; equal if it has nothing else */
	char *next;        /* the next line */
};

/* Returns false after the last line. */
static inline bool
next_line(char *at, char *end, struct line *line)
{
	if (at == end)
		return false;

	char *feed = memchr(at, '\n', (size_t)(end - at));
	line->begin = at;
	line->end = feed ? feed : end;
	line->next = feed ? feed + 1 : end;
	while (line->begin < line->end && herald__is_space(*line->begin))
		line->begin++;
	while (line->end > line->begin && herald__is_space(line->end[-1]))
		line->end--;
	return true;
}

size_t
herald__lines_count(const char *data, size_t bytes)
{
	char *at = (char *)data; /* not written to */
	struct line line;
	size_t count = 0;

	if (bytes == 0)
		return 0; /* there may be no data */
	for (char *end = at + bytes; next_line(at, end, &line); at = line.next)
		count += line.begin < line.end;
	return count;
}

enum herald_status
herald__lines_split(char *data, size_t bytes, const struct herald__split *split,
		    struct herald_error *error)
{
	struct line line;
	size_t number = 0, count = 0;

	if (bytes == 0)
		return HERALD_OK;
	char *end = data + bytes;
	for (char *at = data; next_line(at, end, &line); at = line.next) {
		number++;
		if (line.begin == line.end)
			continue;
		if (count++ == split->max_events)
			return refuse_more(split, (size_t)(line.begin - data), error);
		if (split->line)
			*split->line = number;
		visit(split, line.begin, line.end);
	}
	return HERALD_OK;
}

/* Arrays. */

enum failure {
	NOT_AN_ARRAY,
	NO_VALUE,    /* where an event should begin */
	NO_END,      /* of an event */
	NO_COMMA,    /* after an event */
	NOT_THE_END, /* of the text */
};

/* Describe what is wrong with the array at `at`. The event `index` begins at `begin`. */
HERALD__COLD static enum herald_status
refuse_array(char *data, size_t bytes, const struct herald_limits *limits, char *at, size_t index,
	     enum failure failure, struct herald_error *error)
{
	struct herald__reader reader;

	herald__reader_begin(&reader, data, bytes, limits);
	switch (failure) {
	case NOT_AN_ARRAY:
		herald__fail_document(&reader, at, "an array");
		break;
	case NO_VALUE:
		herald__fail_syntax(&reader, at, "a value");
		break;
	case NO_END:
		herald__fail(&reader, at, HERALD_BAD_JSON,
			     "the event that begins here has no end: a quote or a bracket is "
			     "missing");
		break;
	case NO_COMMA:
		herald__fail_syntax(&reader, at, "',' or ']'");
		break;
	case NOT_THE_END:
		herald__fail_syntax(&reader, at, "the end of the input");
		break;
	}
	if (failure != NOT_AN_ARRAY && failure != NOT_THE_END)
		herald__trace_index(&reader.trace, index);
	return herald__trace_finish(&reader.trace, "", error);
}

static inline char *
skip_space(char *at, const char *end)
{
	while (at < end && herald__is_space(*at))
		at++;
	return at;
}

enum herald_status
herald__array_split(char *data, size_t bytes, const struct herald_limits *limits,
		    const struct herald__split *split, struct herald_error *error)
{
	char *end = data + bytes, *at = skip_space(data, end), *after;
	size_t index = 0;

	if (at == end || *at != '[')
		return refuse_array(data, bytes, limits, at, 0, NOT_AN_ARRAY, error);
	at = skip_space(at + 1, end);
	if (at < end && *at == ']')
		goto closed;
	for (;; index++) {
		if (at == end || *at == ',' || *at == ']')
			return refuse_array(data, bytes, limits, at, index, NO_VALUE, error);
		if (index == split->max_events)
			return refuse_more(split, (size_t)(at - data), error);
		if (!(after = herald__skip_balanced(at, end)))
			return refuse_array(data, bytes, limits, at, index, NO_END, error);
		visit(split, at, after);
		at = skip_space(after, end);
		if (at == end || (*at != ',' && *at != ']'))
			return refuse_array(data, bytes, limits, at, index, NO_COMMA, error);
		if (*at == ']')
			break;
		at = skip_space(at + 1, end);
	}
closed:
	at = skip_space(at + 1, end);
	return at == end ? HERALD_OK : refuse_array(data, bytes, limits, at, 0, NOT_THE_END, error);
}
