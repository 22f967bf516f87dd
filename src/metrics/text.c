/*
 * Writes metrics as text: comments of families, names, labels, numbers. It owns the differences of
 * the two formats. What is written, and in which order, is decided elsewhere.
 */
#include "metrics/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/safe_text.h"

#define SECOND_NS 1000000000

static bool
is_openmetrics(const struct herald__metrics_text *text)
{
	return text->format == HERALD_METRICS_OPENMETRICS;
}

static void
put_bytes(struct herald__metrics_text *text, const char *data, size_t bytes)
{
	if (text->status == HERALD_OK)
		text->status = herald_buffer_append(text->out, data, bytes);
}

static void
put(struct herald__metrics_text *text, const char *string)
{
	put_bytes(text, string, strlen(string));
}

/* Families. */

static const struct {
	const char *name;
	const char *openmetrics_name;
	const char *suffix;
} types[] = {
	[HERALD__METRIC_COUNTER] = {"counter", "counter", "_total"},
	[HERALD__METRIC_GAUGE] = {"gauge", "gauge", ""},
	[HERALD__METRIC_HISTOGRAM] = {"histogram", "histogram", ""},
	[HERALD__METRIC_INFO] = {"gauge", "info", "_info"},
};

/* "# TYPE herald_events_total counter": in Prometheus's format a family has the name of its
 * samples. */
static void
put_comment(struct herald__metrics_text *text, const char *keyword, const char *value)
{
	put(text, "# ");
	put(text, keyword);
	put(text, " ");
	put(text, text->family);
	if (!is_openmetrics(text))
		put(text, text->suffix);
	put(text, " ");
	put(text, value);
	put(text, "\n");
}

static const char *
unit_of(const char *name)
{
	static const char *const units[] = {"seconds", "bytes"};
	const char *last = strrchr(name, '_');

	for (size_t i = 0; last && i < HERALD_COUNT(units); i++)
		if (strcmp(last + 1, units[i]) == 0)
			return units[i];
	return NULL;
}

void
herald__metrics_family(struct herald__metrics_text *text, enum herald__metric_type type,
		       const char *name, const char *help)
{
	const char *unit = unit_of(name);

	text->family = name;
	text->suffix = types[type].suffix;
	put_comment(text, "HELP", help);
	put_comment(text, "TYPE",
		    is_openmetrics(text) ? types[type].openmetrics_name : types[type].name);
	if (unit && is_openmetrics(text))
		put_comment(text, "UNIT", unit);
}

/* Labels. */

/* What to write for the first byte of a value, if it is not written as it is. */
static const char *
escape_of(char byte)
{
	switch (byte) {
	case '\\':
		return "\\\\";
	case '"':
		return "\\\"";
	case '\n':
		return "\\n";
	default:
		return NULL;
	}
}

/* Values are UTF-8 in both formats. An invalid byte is written as "\xff", so that different values
 * stay different, unless one of them has these four characters. */
static void
put_escaped(struct herald__metrics_text *text, const char *value)
{
	size_t left = strlen(value);

	while (left > 0) {
		const char *escape = escape_of(*value);
		bool is_valid;
		size_t bytes = herald__utf8_next(value, left, &is_valid);
		char invalid[8];

		if (!is_valid) {
			bytes = 1;
			snprintf(invalid, sizeof(invalid), "\\\\x%02x", (unsigned char)*value);
			escape = invalid;
		}
		if (escape)
			put(text, escape);
		else
			put_bytes(text, value, bytes);
		value += bytes;
		left -= bytes;
	}
}

static void
put_label(struct herald__metrics_text *text, char separator, struct herald__label label)
{
	put_bytes(text, &separator, 1);
	put(text, label.name);
	put(text, "=\"");
	put_escaped(text, label.value);
	put(text, "\"");
}

/* `bound` is the last label; its name may be NULL. */
static void
put_labels(struct herald__metrics_text *text, const struct herald__labels *labels,
	   struct herald__label bound)
{
	char separator = '{';

	for (size_t i = 0; labels && i < HERALD__MAX_LABELS && labels->all[i].name; i++) {
		put_label(text, separator, labels->all[i]);
		separator = ',';
	}
	if (bound.name) {
		put_label(text, separator, bound);
		separator = ',';
	}
	if (separator == ',')
		put(text, "}");
}

/* Samples. */

static void
put_number(struct herald__metrics_text *text, uint64_t number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), " %" PRIu64 "\n", number);
	put(text, digits);
}

static void
put_sample(struct herald__metrics_text *text, const char *suffix,
	   const struct herald__labels *labels, struct herald__label bound, uint64_t value)
{
	put(text, text->family);
	put(text, suffix);
	put_labels(text, labels, bound);
	put_number(text, value);
}

void
herald__metrics_value(struct herald__metrics_text *text, const struct herald__labels *labels,
		      uint64_t value)
{
	put_sample(text, text->suffix, labels, (struct herald__label){0}, value);
}

void
herald__metrics_single(struct herald__metrics_text *text, enum herald__metric_type type,
		       const char *name, const char *help, uint64_t value)
{
	herald__metrics_family(text, type, name, help);
	herald__metrics_value(text, NULL, value);
}

/* Durations. */

/* "0.00025", "1.0": as short as possible, with a point, as OpenMetrics wants the bounds of buckets
 * from 0.0001 seconds on (section "Canonical Numbers"). Smaller ones, which it would write as
 * "1e-05", have the same form: "0.00001". The same in both formats, so that a series keeps its name
 * if a reader asks for the other one. */
static void
write_seconds(char *out, size_t size, uint64_t ns)
{
	int bytes = snprintf(out, size, "%" PRIu64 ".%09" PRIu64, ns / SECOND_NS, ns % SECOND_NS);

	while (out[bytes - 1] == '0' && out[bytes - 2] != '.')
		out[--bytes] = '\0';
}

static void
put_seconds(struct herald__metrics_text *text, const char *suffix,
	    const struct herald__labels *labels, uint64_t ns)
{
	char seconds[40];

	write_seconds(seconds, sizeof(seconds), ns);
	put(text, text->family);
	put(text, suffix);
	put_labels(text, labels, (struct herald__label){0});
	put(text, " ");
	put(text, seconds);
	put(text, "\n");
}

void
herald__metrics_seconds(struct herald__metrics_text *text, const struct herald__labels *labels,
			uint64_t ns)
{
	put_seconds(text, "", labels, ns);
}

void
herald__metrics_histogram(struct herald__metrics_text *text, const struct herald__labels *labels,
			  const struct herald__bounds *bounds,
			  const struct herald__histogram_sums *sums)
{
	uint64_t total = 0;

	for (size_t i = 0; i <= bounds->count; i++) {
		char seconds[40] = "+Inf";

		if (i < bounds->count)
			write_seconds(seconds, sizeof(seconds), bounds->ns[i]);
		total += sums->counts[i];
		put_sample(text, "_bucket", labels, (struct herald__label){"le", seconds}, total);
	}
	put_seconds(text, "_sum", labels, sums->sum_ns);
	put_sample(text, "_count", labels, (struct herald__label){0}, total);
}

void
herald__metrics_end(struct herald__metrics_text *text)
{
	if (is_openmetrics(text))
		put(text, "# EOF\n");
}
