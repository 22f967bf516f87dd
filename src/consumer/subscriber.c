/*
 * The headers that Herald adds to copies of messages, the same with all brokers: how often an event
 * has run, and why it has become a dead letter. Which message is copied, and to where, is the
 * subscriber's matter.
 */
#include <herald/adapter/subscriber.h>

#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>
#include <herald/time.h>

#include "base/attribute_text.h"
#include "base/safe_text.h"

#define MAX_ATTEMPTS 1000000

static const char *const dead_letter_headers[] = {
	"herald-reason", "herald-path", "herald-status",    "herald-attempts",
	"herald-origin", "herald-id",   "herald-failed-at",
};

const char *
herald_attributes_find(struct herald_text attributes, const char *name)
{
	return herald__attributes_find(attributes, name);
}

unsigned
herald_attributes_attempts(struct herald_text attributes)
{
	const char *text = herald__attributes_find(attributes, HERALD_ATTEMPT_HEADER);
	uint64_t attempts = 0;

	return text && herald_ascii_number(text, MAX_ATTEMPTS, &attempts) ? (unsigned)attempts : 0;
}

bool
herald_header_is_own(const char *name)
{
	if (herald_ascii_same(name, HERALD_ATTEMPT_HEADER))
		return true;
	for (size_t i = 0; i < HERALD_DEAD_LETTER_HEADERS; i++)
		if (herald_ascii_same(name, dead_letter_headers[i]))
			return true;
	return false;
}

/* Texts one after the other, in the memory of a dead letter. */
struct texts {
	struct herald_dead_letter_headers *letter;
	size_t used;
};

static void
add(struct herald_dead_letter_headers *letter, unsigned header, const char *value)
{
	if (*value != '\0')
		letter->headers[letter->count++] =
			(struct herald_pair){dead_letter_headers[header], value};
}

/* A line of up to `size` bytes. Error texts of subscribers are not checked, so they are here. */
static void
add_line(struct texts *texts, unsigned header, const char *value, size_t size)
{
	char *line = texts->letter->texts + texts->used;

	herald__text_line(line, size, value, strlen(value), false);
	texts->used += strlen(line) + 1;
	add(texts->letter, header, line);
}

static void
add_number(struct texts *texts, unsigned header, unsigned number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	add_line(texts, header, text, sizeof(text));
}

static void
add_status(struct texts *texts, unsigned header, const struct herald_settlement *settlement)
{
	if (settlement->http_status != 0)
		add_number(texts, header, settlement->http_status);
	else if (settlement->error && settlement->error->status != HERALD_OK)
		add(texts->letter, header, herald_status_name(settlement->error->status));
}

static void
add_time(struct texts *texts, unsigned header, int64_t wall_ms)
{
	const int64_t rest_ms = (wall_ms % 1000 + 1000) % 1000;
	const struct herald_time time = {
		.seconds = (wall_ms - rest_ms) / 1000,
		.nanoseconds = (int32_t)rest_ms * 1000000,
	};
	char *text = texts->letter->texts + texts->used;

	texts->used += herald_time_format(&time, text) + 1;
	add(texts->letter, header, text);
}

void
herald_dead_letter_describe(const struct herald_settlement *settlement, const char *origin,
			    struct herald_dead_letter_headers *out)
{
	const struct herald_error *error = settlement->error;
	struct texts texts = {.letter = out};

	out->count = 0;
	add_line(&texts, 0, error ? error->message : "", sizeof(error->message));
	add_line(&texts, 1, error ? error->path : "", sizeof(error->path));
	add_status(&texts, 2, settlement);
	add_number(&texts, 3, settlement->attempts);
	add(out, 4, origin);
	add_line(&texts, 5, settlement->event_id ? settlement->event_id : "", 256);
	add_time(&texts, 6, settlement->failed_ms);
}
