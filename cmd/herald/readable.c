/*
 * Prints parts of dead letters for people. Knows neither stores nor brokers.
 */
#include "readable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

struct herald_time
readable_time_of(int64_t ms)
{
	int64_t seconds = ms / 1000, rest = ms % 1000;

	if (rest < 0) {
		seconds--;
		rest += 1000;
	}
	return (struct herald_time){.seconds = seconds, .nanoseconds = (int32_t)rest * 1000000};
}

const char *
readable_seconds(int64_t seconds, char out[24])
{
	if (seconds < 0)
		seconds = 0;
	if (seconds < 120)
		snprintf(out, 24, "%" PRId64 "s", seconds);
	else if (seconds < 7200)
		snprintf(out, 24, "%" PRId64 "m", seconds / 60);
	else if (seconds < 172800)
		snprintf(out, 24, "%" PRId64 "h", seconds / 3600);
	else
		snprintf(out, 24, "%" PRId64 "d", seconds / 86400);
	return out;
}

const char *
readable_age(int64_t ms, char out[24])
{
	return readable_seconds(herald_time_now().seconds - ms / 1000, out);
}

const char *
readable_or_dash(const char *text)
{
	return text && *text ? text : "-";
}

void
readable_print(const char *text)
{
	text_print_safe(stdout, text_of(readable_or_dash(text)));
}

void
readable_print_member(const char *name, const char *text)
{
	if (!text || *text == '\0')
		return;
	printf("%-13s ", name);
	readable_print(text);
	putchar('\n');
}

void
readable_print_time(const char *name, int64_t ms)
{
	struct herald_time time = readable_time_of(ms);
	char text[HERALD_TIME_TEXT_BYTES];

	/* A forged time may be past the year 9999. */
	if (herald_time_format(&time, text) > 0)
		readable_print_member(name, text);
}

void
readable_each_attribute(struct herald_text attributes,
			void (*take)(const char *name, const char *value, void *state), void *state)
{
	const char *at = attributes.data ? attributes.data : "", *end = at + attributes.bytes;

	while (at < end) {
		const char *name_end = memchr(at, '\0', (size_t)(end - at));
		const char *value = name_end ? name_end + 1 : end;
		const char *value_end =
			value < end ? memchr(value, '\0', (size_t)(end - value)) : NULL;

		if (!value_end)
			return;
		take(at, value, state);
		at = value_end + 1;
	}
}

static void
print_attribute(const char *name, const char *value, void *state)
{
	(void)state;
	readable_print(name);
	fputs(": ", stdout);
	readable_print(value);
	putchar('\n');
}

void
readable_print_attributes(struct herald_text attributes)
{
	if (attributes.bytes == 0)
		return;
	putchar('\n');
	readable_each_attribute(attributes, print_attribute, NULL);
}

void
readable_print_data(struct herald_text data)
{
	putchar('\n');
	text_print_lines(stdout, data);
	putchar('\n');
}
