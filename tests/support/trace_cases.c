/*
 * Reads tests/data/trace_context.jsonl, a reading of W3C Trace Context.
 */
#include "trace_cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define MAX_CASES 64

static char *
copy_text(const json_t *text)
{
	return json_is_string(text) ? strdup(json_string_value(text)) : NULL;
}

static void
read_case(const json_t *from, struct trace_case *out)
{
	const json_t *expect = json_object_get(from, "expect");
	const json_t *headers = json_object_get(from, "headers");
	size_t i;
	json_t *header;

	snprintf(out->name, sizeof(out->name), "%s",
		 json_string_value(json_object_get(from, "name")));
	assert_true(json_array_size(headers) <= TRACE_CASE_HEADERS);
	json_array_foreach(headers, i, header)
	{
		out->headers[2 * i] = copy_text(json_array_get(header, 0));
		out->headers[2 * i + 1] = copy_text(json_array_get(header, 1));
	}
	out->trace_id = copy_text(json_object_get(expect, "trace_id"));
	assert_non_null(out->trace_id);
	if (strcmp(out->trace_id, "new") == 0) {
		free(out->trace_id);
		out->trace_id = NULL;
	}
	out->state = copy_text(json_object_get(expect, "tracestate"));
	if (!out->state)
		out->state = strdup("");
	out->flags = copy_text(json_object_get(expect, "flags"));
}

void
trace_cases_load(struct trace_case **out, size_t *count)
{
	FILE *file = fopen(TRACE_CASES_PATH, "r");
	struct trace_case *cases = calloc(MAX_CASES, sizeof(*cases));
	char *line = NULL;
	size_t size = 0;

	assert_non_null(file);
	assert_non_null(cases);
	for (*count = 0; getline(&line, &size, file) > 0; ++*count) {
		json_error_t error;
		json_t *from = json_loads(line, 0, &error);

		if (!from)
			fail_msg("%s:%zu: %s", TRACE_CASES_PATH, *count + 1, error.text);
		assert_true(*count < MAX_CASES);
		read_case(from, &cases[*count]);
		json_decref(from);
	}
	free(line);
	fclose(file);
	*out = cases;
}

void
trace_cases_free(struct trace_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (char **header = cases[i].headers; *header; header++)
			free(*header);
		free(cases[i].trace_id);
		free(cases[i].state);
		free(cases[i].flags);
	}
	free(cases);
}

/* Hexadecimal digits that are not all zero. */
static bool
is_id(const char *text, size_t digits)
{
	return strlen(text) == digits && strspn(text, "0123456789abcdef") == digits &&
	       strspn(text, "0") < digits;
}

static bool
is_in_headers(const struct trace_case *from, const char *id)
{
	for (size_t i = 0; from->headers[i]; i++)
		if (strstr(from->headers[i], id))
			return true;
	return false;
}

/* What is wrong, or NULL. */
static const char *
problem(const struct trace_case *from, const struct herald_trace *trace)
{
	if (!is_id(trace->trace_id, 32) || !is_id(trace->span_id, 16))
		return "an id is not valid";
	if (is_in_headers(from, trace->span_id))
		return "the span is the sender's";
	if (strcmp(trace->state, from->state) != 0)
		return "the state is another one";
	if (!from->trace_id) {
		if (is_in_headers(from, trace->trace_id) || *trace->parent_id != '\0')
			return "the trace is not new";
		return trace->flags == HERALD_TRACE_RANDOM ? NULL : "the flags of a new trace";
	}
	if (strcmp(trace->trace_id, from->trace_id) != 0)
		return "the trace is another one";
	if (!is_id(trace->parent_id, 16) || !is_in_headers(from, trace->parent_id))
		return "the parent is not the sender's span";
	return from->flags && trace->flags != strtoul(from->flags, NULL, 16)
		       ? "the flags are others"
		       : NULL;
}

bool
trace_case_fits(const struct trace_case *from, const struct herald_trace *trace)
{
	const char *what = problem(from, trace);

	if (!what)
		return true;
	print_error("%s: %s: trace %s, span %s, parent %s, flags %02x, state \"%s\"\n", from->name,
		    what, trace->trace_id, trace->span_id, trace->parent_id, trace->flags,
		    trace->state);
	return false;
}
