/*
 * The strict reader of metrics. It knows the two formats by themselves, and nothing of the code
 * that writes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metrics_text.h"

#define MAX_FAMILIES 256
#define MAX_SAMPLES 8192
#define MAX_LINE 512

struct reader {
	bool is_openmetrics;
	size_t families_count, samples_count;
	char families[MAX_FAMILIES][128];
	char samples[MAX_SAMPLES][MAX_LINE];
	char help[128], type[32]; /* of the family */
	bool has_samples;         /* the family has */
	/* The buckets of a histogram's series. */
	double bucket;
	bool has_buckets, has_infinity;
};

static bool
is_name(char byte, bool is_first)
{
	return (byte >= 'a' && byte <= 'z') || byte == '_' ||
	       (!is_first && byte >= '0' && byte <= '9');
}

static size_t
name_bytes(const char *text)
{
	size_t bytes = 0;

	while (is_name(text[bytes], bytes == 0))
		bytes++;
	return bytes;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t bytes = strlen(text), end_bytes = strlen(end);

	return bytes > end_bytes && strcmp(text + bytes - end_bytes, end) == 0;
}

/* Comments. */

static void
begin_family(struct reader *reader, const char *name, const char *help)
{
	for (size_t i = 0; i < reader->families_count; i++)
		if (strcmp(reader->families[i], name) == 0)
			fail_msg("the family %s comes again", name);
	if (*help == '\0' || strchr(help, '\\') || strchr(help, '"'))
		fail_msg("%s: the help is not simple: %s", name, help);
	assert_true(reader->families_count < MAX_FAMILIES);
	snprintf(reader->families[reader->families_count++], 128, "%s", name);
	snprintf(reader->help, sizeof(reader->help), "%s", name);
	reader->type[0] = '\0';
	reader->has_samples = false;
}

static void
read_type(struct reader *reader, const char *name, const char *type)
{
	static const char *const types[] = {"counter", "gauge", "histogram", "info"};
	bool is_known = false;

	for (size_t i = 0; i < HERALD_COUNT(types) - !reader->is_openmetrics; i++)
		is_known |= strcmp(type, types[i]) == 0;
	if (!is_known)
		fail_msg("%s: no such type: %s", name, type);
	snprintf(reader->type, sizeof(reader->type), "%s", type);
	/* Only OpenMetrics takes the suffix away. */
	if (strcmp(type, "counter") == 0 && ends_with(name, "_total") == reader->is_openmetrics)
		fail_msg("%s: not the name of a counter", name);
	if (strcmp(type, "histogram") == 0 && !ends_with(name, "_seconds"))
		fail_msg("%s: a histogram without a unit", name);
}

static void
read_comment(struct reader *reader, const char *line)
{
	char keyword[8], name[128];
	int bytes = 0;

	if (sscanf(line, "# %7s %127s %n", keyword, name, &bytes) != 2 || line[bytes] == '\0')
		fail_msg("not a comment of a family: %s", line);
	if (strcmp(keyword, "HELP") == 0) {
		begin_family(reader, name, line + bytes);
		return;
	}
	assert_string_equal(name, reader->help);
	assert_false(reader->has_samples);
	if (strcmp(keyword, "TYPE") == 0) {
		read_type(reader, name, line + bytes);
		return;
	}
	assert_string_equal(keyword, "UNIT");
	assert_true(reader->is_openmetrics);
	assert_true(ends_with(name, line + bytes));
}

/* Samples. */

/* Past the labels, which begin at '{'. Their values are UTF-8 with three escapes. */
static const char *
skip_labels(const char *at, const char *line)
{
	do {
		size_t bytes = name_bytes(++at);

		if (bytes == 0 || at[bytes] != '=' || at[bytes + 1] != '"')
			fail_msg("not a label: %s", line);
		for (at += bytes + 2; *at != '"'; at++) {
			if (*at == '\\' && !strchr("\\\"n", *++at))
				fail_msg("not an escape: %s", line);
			if (*at == '\0')
				fail_msg("a label without an end: %s", line);
		}
		at++;
	} while (*at == ',');
	if (*at != '}')
		fail_msg("labels without an end: %s", line);
	return at + 1;
}

static void
check_bucket(struct reader *reader, const char *sample, double number)
{
	const char *bound = strstr(sample, "le=\"");

	if (!bound)
		fail_msg("a bucket without a bound: %s", sample);
	if (!reader->has_buckets || number < reader->bucket) {
		assert_false(reader->has_buckets);
		reader->has_infinity = false;
	}
	reader->has_buckets = true;
	reader->bucket = number;
	if (strcmp(bound, "le=\"+Inf\"}") == 0)
		reader->has_infinity = true;
	else if (!strchr(bound, '.'))
		fail_msg("a bound without a point: %s", sample);
}

static void
check_histogram(struct reader *reader, const char *suffix, const char *sample, double number)
{
	if (strcmp(suffix, "_bucket") == 0) {
		check_bucket(reader, sample, number);
		return;
	}
	assert_true(reader->has_infinity);
	if (strcmp(suffix, "_sum") == 0)
		return;
	assert_string_equal(suffix, "_count");
	assert_true(number == reader->bucket);
	reader->has_buckets = false;
}

static const char *
suffix_of(const struct reader *reader)
{
	if (!reader->is_openmetrics)
		return "";
	if (strcmp(reader->type, "counter") == 0)
		return "_total";
	return strcmp(reader->type, "info") == 0 ? "_info" : "";
}

static void
read_sample(struct reader *reader, const char *line)
{
	size_t name = name_bytes(line), family = strlen(reader->help);
	const char *at = line + name;
	char suffix[32], sample[MAX_LINE], *end;

	if (name < family || name - family >= sizeof(suffix) || reader->type[0] == '\0' ||
	    memcmp(line, reader->help, family) != 0)
		fail_msg("not of the family %s: %s", reader->help, line);
	reader->has_samples = true;
	snprintf(suffix, sizeof(suffix), "%.*s", (int)(name - family), line + family);
	if (*at == '{')
		at = skip_labels(at, line);
	snprintf(sample, sizeof(sample), "%.*s", (int)(at - line), line);
	double number = strtod(at, &end);
	if (*at != ' ' || end == at || *end != '\0' || number < 0)
		fail_msg("not a number: %s", line);
	if (strcmp(reader->type, "histogram") == 0)
		check_histogram(reader, suffix, sample, number);
	else
		assert_string_equal(suffix, suffix_of(reader));
	for (size_t i = 0; i < reader->samples_count; i++)
		if (strcmp(reader->samples[i], sample) == 0)
			fail_msg("%s comes again", sample);
	assert_true(reader->samples_count < MAX_SAMPLES);
	memcpy(reader->samples[reader->samples_count++], sample, sizeof(sample));
}

void
metrics_check(const char *text, enum herald_metrics_format format)
{
	struct reader *reader = calloc(1, sizeof(*reader));
	bool has_ended = false;
	char line[MAX_LINE];

	assert_non_null(reader);
	reader->is_openmetrics = format == HERALD_METRICS_OPENMETRICS;
	while (*text != '\0') {
		size_t bytes = strcspn(text, "\n");

		assert_int_equal(text[bytes], '\n');
		assert_true(bytes > 0 && bytes < sizeof(line));
		assert_false(has_ended);
		snprintf(line, sizeof(line), "%.*s", (int)bytes, text);
		text += bytes + 1;
		if (strcmp(line, "# EOF") == 0)
			has_ended = true;
		else if (*line == '#')
			read_comment(reader, line);
		else
			read_sample(reader, line);
	}
	assert_int_equal(has_ended, reader->is_openmetrics);
	assert_false(reader->has_buckets);
	free(reader);
}

char *
metrics_text(const struct herald_metrics *metrics, enum herald_metrics_format format)
{
	struct herald_buffer text;

	herald_buffer_init(&text, NULL, 0);
	assert_int_equal(herald_metrics_write(metrics, format, &text), HERALD_OK);
	assert_int_equal(herald_buffer_append(&text, "", 1), HERALD_OK);
	metrics_check(text.data, format);
	return text.data;
}

/* Numbers. */

static const char *
find(const char *text, const char *sample)
{
	size_t bytes = strlen(sample);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, sample, bytes) == 0 && line[bytes] == ' ')
			return line + bytes;
	}
	return NULL;
}

bool
metrics_has(const char *text, const char *sample)
{
	return find(text, sample);
}

double
metrics_number(const char *text, const char *sample)
{
	const char *found = find(text, sample);

	if (!found)
		fail_msg("there is no %s in:\n%s", sample, text);
	return strtod(found, NULL);
}
