/*
 * What the spans of events and of deliveries have in common. Calls no hook and allocates nothing.
 */
#include "base/span.h"

#include <assert.h>
#include <time.h>

#define NS_PER_SECOND INT64_C(1000000000)

static void
add(struct herald__span *filled, struct herald_span_attribute attribute)
{
	assert(filled->span.attributes_count < HERALD__SPAN_ATTRIBUTES);
	filled->attributes[filled->span.attributes_count++] = attribute;
}

void
herald__span_add_text(struct herald__span *filled, const char *key, const char *text)
{
	if (text && *text != '\0')
		add(filled, (struct herald_span_attribute){key, text, 0});
}

void
herald__span_add_number(struct herald__span *filled, const char *key, int64_t number)
{
	add(filled, (struct herald_span_attribute){key, NULL, number});
}

int64_t
herald__span_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

void
herald__span_set_end(struct herald__span *filled, int64_t now_ns)
{
	struct herald_span *span = &filled->span;

	span->end_ns = now_ns > span->begin_ns ? now_ns : span->begin_ns;
}
