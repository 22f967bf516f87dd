/*
 * The requests of tests/data/trace_context.jsonl: their headers, and what is to be read of them.
 */
#ifndef HERALD_TESTS_SUPPORT_TRACE_CASES_H
#define HERALD_TESTS_SUPPORT_TRACE_CASES_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/trace.h>

#define TRACE_CASES_PATH "tests/data/trace_context.jsonl"
#define TRACE_CASE_HEADERS 4

struct trace_case {
	char name[64];
	/* Names and values, each followed by its value; then NULL. */
	char *headers[2 * TRACE_CASE_HEADERS + 1];
	char *trace_id; /* NULL: a new one */
	char *state;    /* "" for none */
	char *flags;    /* NULL: not said */
};

/* Read the file. Free them with trace_cases_free(). */
void trace_cases_load(struct trace_case **out, size_t *count);
void trace_cases_free(struct trace_case *cases, size_t count);

/* Whether the trace of an event is the expected one. Prints what is wrong. */
bool trace_case_fits(const struct trace_case *from, const struct herald_trace *trace);

#endif
