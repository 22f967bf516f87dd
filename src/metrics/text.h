/*
 * Metrics as text: Prometheus's format 0.0.4, or OpenMetrics 1.0.
 */
#ifndef HERALD_SRC_METRICS_TEXT_H
#define HERALD_SRC_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/buffer.h>
#include <herald/metrics.h>
#include <herald/status.h>

#include "base/histogram.h"

/* After a failure, nothing more is appended. */
struct herald__metrics_text {
	struct herald_buffer *out;
	enum herald_metrics_format format;
	enum herald_status status;
	const char *family; /* that is being written */
	const char *suffix; /* of its samples */
};

struct herald__label {
	const char *name;
	const char *value; /* any bytes; escaped */
};

/* The most labels of a sample, without the bound of a bucket. */
#define HERALD__MAX_LABELS 4

/* Unused ones, at the end, have the name NULL. */
struct herald__labels {
	struct herald__label all[HERALD__MAX_LABELS];
};

#define HERALD__LABELS(...) (&(const struct herald__labels){{__VA_ARGS__}})

enum herald__metric_type {
	HERALD__METRIC_COUNTER, /* The name does not have the "_total" of its samples. */
	HERALD__METRIC_GAUGE,
	HERALD__METRIC_HISTOGRAM,
	HERALD__METRIC_INFO, /* The name does not have the "_info" of its sample. */
};

/*
 * Begin a family. All of its samples must follow before the next family begins.
 *
 * name  borrowed until the next family begins; ends in "_seconds" or "_bytes" if it has a unit.
 * help  one line without backslashes and quotes.
 */
void herald__metrics_family(struct herald__metrics_text *text, enum herald__metric_type type,
			    const char *name, const char *help);

/* A sample of the family; `labels` may be NULL. */
void herald__metrics_value(struct herald__metrics_text *text, const struct herald__labels *labels,
			   uint64_t value);

/* A sample that is a time, of a family of seconds. */
void herald__metrics_seconds(struct herald__metrics_text *text, const struct herald__labels *labels,
			     uint64_t ns);

/* All samples of a histogram, of a family of this type. */
void
herald__metrics_histogram(struct herald__metrics_text *text, const struct herald__labels *labels,
			  const struct herald__bounds *bounds,
			  const struct herald__histogram_sums *sums);

/* A family with one sample, without labels. */
void herald__metrics_single(struct herald__metrics_text *text, enum herald__metric_type type,
			    const char *name, const char *help, uint64_t value);

/* The end of all metrics. */
void herald__metrics_end(struct herald__metrics_text *text);

#endif
