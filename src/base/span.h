/*
 * Spans for a span hook: their attributes, and the time.
 */
#ifndef HERALD_SRC_BASE_SPAN_H
#define HERALD_SRC_BASE_SPAN_H

#include <stdint.h>

#include <herald/span.h>

#define HERALD__SPAN_ATTRIBUTES 16

/* A span with its attributes. Who fills it in sets span.attributes to `attributes`, and adds no
 * more than fit. */
struct herald__span {
	struct herald_span span;
	struct herald_span_attribute attributes[HERALD__SPAN_ATTRIBUTES];
};

/* Add an attribute. A text that is NULL or "" is omitted. Texts are borrowed. */
void herald__span_add_text(struct herald__span *filled, const char *key, const char *text);
void herald__span_add_number(struct herald__span *filled, const char *key, int64_t number);

/* Nanoseconds since 1970-01-01T00:00:00Z, for begin_ns and end_ns. */
int64_t herald__span_now_ns(void);

/* Set end_ns to the time. It is not before begin_ns, even if the wall clock was set back. */
void herald__span_set_end(struct herald__span *filled, int64_t now_ns);

#endif
