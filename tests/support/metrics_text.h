/*
 * A strict reader of metrics, for tests: both formats, line by line. Include cmocka.h (and what it
 * needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_METRICS_TEXT_H
#define HERALD_TESTS_SUPPORT_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/metrics.h>

/*
 * Fail unless the text is what its format says. Each family has HELP, TYPE and (OpenMetrics, if it
 * has a unit) UNIT, then its samples, and does not come again. No two samples are equal. Buckets
 * never fall, and the last one, which is +Inf, is the count.
 */
void metrics_check(const char *text, enum herald_metrics_format format);

/* Write the metrics, check them, and return the text; free() it. */
char *metrics_text(const struct herald_metrics *metrics, enum herald_metrics_format format);

/* The number of a sample, such as "a_total{x=\"y\"}"; fails if there is none. */
double metrics_number(const char *text, const char *sample);

/* Whether there is such a sample. */
bool metrics_has(const char *text, const char *sample);

#endif
