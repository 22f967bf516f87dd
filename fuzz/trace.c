/*
 * Fuzzes W3C Trace Context: the first line is a traceparent, the others are tracestates. What is
 * read is written, and reads the same again; a joined tracestate joins to itself; what is sent of
 * it is valid and short enough.
 */
#include <stdlib.h>
#include <string.h>

#include "base/trace.h"
#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())
#define MAX_VALUES 40

static void
check_parent(const char *text, size_t bytes)
{
	char written[HERALD_TRACEPARENT_SIZE];
	struct herald_trace trace, back;

	if (!herald_traceparent_parse(text, bytes, &trace))
		return;
	CHECK(bytes >= HERALD_TRACEPARENT_SIZE - 1);
	CHECK(strlen(trace.trace_id) == 32 && strlen(trace.span_id) == 16);
	herald_traceparent_write(&trace, written);
	CHECK(strlen(written) == HERALD_TRACEPARENT_SIZE - 1);
	CHECK(herald_traceparent_parse(written, strlen(written), &back));
	CHECK(strcmp(trace.trace_id, back.trace_id) == 0);
	CHECK(strcmp(trace.span_id, back.span_id) == 0);
	CHECK(trace.flags == back.flags);
}

static size_t
members_of(const char *state)
{
	size_t count = *state != '\0';

	for (; *state != '\0'; state++)
		count += *state == ',';
	return count;
}

static void
check_states(const char *const *values, size_t count, size_t bytes)
{
	char sent[HERALD__TRACESTATE_SENT_BYTES + 1];
	char *joined = malloc(bytes + count), *again;

	CHECK(joined);
	bool is_valid = herald_tracestate_join(values, count, joined);
	CHECK(is_valid || *joined == '\0');
	CHECK(strlen(joined) < bytes + count);
	CHECK(members_of(joined) <= HERALD_TRACESTATE_MAX_MEMBERS);

	again = malloc(strlen(joined) + 1);
	CHECK(again);
	CHECK(herald_tracestate_join((const char *const[]){joined}, 1, again));
	CHECK(strcmp(joined, again) == 0);
	free(again);

	CHECK(herald__tracestate_shorten(joined, sent) == strlen(sent));
	CHECK(strlen(joined) > HERALD__TRACESTATE_SENT_BYTES || strcmp(joined, sent) == 0);
	again = malloc(strlen(sent) + 1);
	CHECK(again);
	CHECK(herald_tracestate_join((const char *const[]){sent}, 1, again));
	CHECK(strcmp(sent, again) == 0);
	free(again);
	free(joined);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *values[MAX_VALUES];
	char *text = malloc(size + 1);
	size_t count = 0;

	CHECK(text);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';

	char *line = strchr(text, '\n');
	check_parent(text, line ? (size_t)(line - text) : size);
	for (; line && count < MAX_VALUES; line = strchr(line, '\n')) {
		*line++ = '\0';
		values[count++] = line;
	}
	/* The last one ends at the next line, if there were too many. */
	if (line)
		*line = '\0';
	if (count > 0)
		check_states(values, count, size);
	free(text);
	return 0;
}
