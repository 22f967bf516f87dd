/*
 * The response to events that come one a line: a line with the verdict of each. Private.
 */
#ifndef HERALD_SRC_HTTP_VERDICT_LINES_H
#define HERALD_SRC_HTTP_VERDICT_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/adapter/request.h>

struct herald__settled;

struct herald__verdict_lines {
	struct herald_http_request *request;
	size_t left; /* events without a line */
};

/* Reserve memory for `count` lines, so that no event runs whose verdict cannot be sent. Returns
 * false when out of memory. */
bool herald__verdict_lines_begin(struct herald__verdict_lines *lines,
				 struct herald_http_request *request, size_t count);

/* Write the line of the next event. */
void
herald__verdict_lines_add(struct herald__verdict_lines *lines, const struct herald__settled *event);

/* All events have a line. */
void herald__verdict_lines_respond(struct herald__verdict_lines *lines);

#endif
