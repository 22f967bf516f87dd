/*
 * Reads Accept: whether a reader prefers OpenMetrics to Prometheus's text. A range that cannot be
 * read counts as not there. If neither format is accepted, Prometheus's is sent: a person with a
 * browser, or a tool without Accept, can read it.
 */
#include "metrics/accept.h"

#include <stdbool.h>
#include <string.h>

#include <herald/adapter/text.h>

#define FULL_WEIGHT 1000

/* A part of the value, without the blanks around it. */
static bool
is(struct herald_text text, const char *word)
{
	return text.bytes == strlen(word) && herald_ascii_same_bytes(text.data, word, text.bytes);
}

/* The end of an element of a list: a separator outside of quotes, or `end`. */
static const char *
element_end(const char *at, const char *end, char separator)
{
	bool is_quoted = false;

	for (; at < end && (is_quoted || *at != separator); at++) {
		if (*at == '"')
			is_quoted = !is_quoted;
		else if (is_quoted && *at == '\\' && at + 1 < end)
			at++;
	}
	return at;
}

/* "0.75" (RFC 9110 section 12.4.2) in thousandths, or -1. */
static int
weight_of(struct herald_text text)
{
	int weight = 0, unit = FULL_WEIGHT;

	if (text.bytes == 0 || text.bytes > 5 || (text.bytes > 1 && text.data[1] != '.'))
		return -1;
	for (size_t i = 0; i < text.bytes; i++) {
		if (i == 1)
			continue;
		if (!herald_ascii_is_digit(text.data[i]))
			return -1;
		weight += (text.data[i] - '0') * unit;
		unit /= 10;
	}
	return weight <= FULL_WEIGHT ? weight : -1;
}

static struct herald_text
unquoted(struct herald_text text)
{
	if (text.bytes >= 2 && text.data[0] == '"' && text.data[text.bytes - 1] == '"')
		return (struct herald_text){text.data + 1, text.bytes - 2};
	return text;
}

/* An element such as "text/plain;version=0.0.4;q=0.5". */
struct range {
	struct herald_text type;
	struct herald_text version; /* data NULL: any */
	int weight;
};

static void
read_parameter(struct range *range, struct herald_text parameter)
{
	const char *end = parameter.data + parameter.bytes;
	const char *equals = element_end(parameter.data, end, '=');

	if (equals == end)
		return;
	struct herald_text name =
		herald_http_trimmed(parameter.data, (size_t)(equals - parameter.data));
	struct herald_text value =
		unquoted(herald_http_trimmed(equals + 1, (size_t)(end - equals - 1)));
	if (is(name, "q"))
		range->weight = weight_of(value);
	else if (is(name, "version"))
		range->version = value;
}

static struct range
read_range(const char *at, const char *end)
{
	const char *stop = element_end(at, end, ';');
	struct range range = {
		.type = herald_http_trimmed(at, (size_t)(stop - at)),
		.weight = FULL_WEIGHT,
	};

	while (stop < end) {
		at = stop + 1;
		stop = element_end(at, end, ';');
		read_parameter(&range, herald_http_trimmed(at, (size_t)(stop - at)));
	}
	return range;
}

static void
raise(int *weight, const struct range *range, const char *version)
{
	bool matches = !range->version.data || (version && is(range->version, version));

	if (matches && range->weight > *weight)
		*weight = range->weight;
}

void
herald__accept_add(struct herald__accept *accept, const char *value)
{
	const char *end = value + strlen(value);

	for (const char *at = value, *stop; at < end; at = stop + 1) {
		stop = element_end(at, end, ',');
		struct range range = read_range(at, stop);

		if (is(range.type, "application/openmetrics-text"))
			raise(&accept->openmetrics, &range, "1.0.0");
		else if (is(range.type, "text/plain"))
			raise(&accept->text, &range, "0.0.4");
		else if (is(range.type, "text/*"))
			raise(&accept->any_text, &range, NULL);
		else if (is(range.type, "*/*"))
			raise(&accept->anything, &range, NULL);
	}
}

enum herald_metrics_format
herald__accept_format(const struct herald__accept *accept)
{
	/* The most specific range counts (RFC 9110 section 12.5.1). */
	int text = accept->text >= 0       ? accept->text
		   : accept->any_text >= 0 ? accept->any_text
					   : accept->anything;

	return accept->openmetrics > 0 && accept->openmetrics >= text ? HERALD_METRICS_OPENMETRICS
								      : HERALD_METRICS_PROMETHEUS;
}
