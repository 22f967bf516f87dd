/*
 * Reads dead letters of brokers: their headers, and the type of the event, whatever its format.
 */
#include "broker_letter.h"

#include <stdlib.h>
#include <string.h>

#include <herald/adapter/subscriber.h>
#include <herald/adapter/text.h>
#include <herald/time.h>

#include "moment.h"
#include "readable.h"

struct headers {
	struct herald_cloudevent_header list[INSPECT_MAX_HEADERS];
	size_t count;
};

static void
add_header(const char *name, const char *value, void *state)
{
	struct headers *headers = state;

	if (headers->count < INSPECT_MAX_HEADERS)
		headers->list[headers->count++] = (struct herald_cloudevent_header){name, value};
}

struct found_type {
	char *type;
	bool is_found;
};

/* Of a batch, the first event. */
static void
take_event(const struct inspect_event *event, void *state)
{
	struct found_type *found = state;

	if (found->is_found || !event->type.data)
		return;
	found->is_found = true;
	found->type = strndup(event->type.data, event->type.bytes);
}

/* Returns false when out of memory. */
static bool
read_type(struct inspector *inspector, const struct herald_dead_message *message, char **out)
{
	struct headers headers = {.count = 0};
	struct found_type found = {0};
	/* It is decoded in place. */
	char *body = malloc(message->data.bytes + 1);

	if (!body)
		return false;
	if (message->data.bytes > 0)
		memcpy(body, message->data.data, message->data.bytes);
	body[message->data.bytes] = '\0';
	readable_each_attribute(message->attributes, add_header, &headers);
	struct inspect_request request = {
		.headers = {headers.list, headers.count},
		.body = body,
		.body_bytes = message->data.bytes,
	};
	request.content_type = inspect_header(&request, "content-type");
	inspect(inspector, &request, take_event, &found);
	free(body);
	*out = found.type;
	return !found.is_found || found.type;
}

/* The header herald-failed-at, or when it was stored. */
static int64_t
time_of(const struct herald_dead_message *message)
{
	const char *text = herald_attributes_find(message->attributes, "herald-failed-at");
	struct herald_time time;

	if (text && herald_time_parse(text, strlen(text), &time, NULL) == HERALD_OK)
		return time.seconds * 1000 + time.nanoseconds / 1000000;
	return message->stored_ms;
}

bool
broker_letter_read(struct inspector *inspector, const struct herald_dead_message *message,
		   struct broker_letter *out)
{
	const struct herald_text attributes = message->attributes;
	const char *attempts = herald_attributes_find(attributes, "herald-attempts");

	*out = (struct broker_letter){
		.message = message,
		.origin = herald_attributes_find(attributes, "herald-origin"),
		.reason = herald_attributes_find(attributes, "herald-reason"),
		.path = herald_attributes_find(attributes, "herald-path"),
		.status = herald_attributes_find(attributes, "herald-status"),
		.event_id = herald_attributes_find(attributes, "herald-id"),
		.dead_ms = time_of(message),
	};
	if (attempts)
		(void)!herald_ascii_number(attempts, UINT32_MAX, &out->attempts);
	return read_type(inspector, message, &out->event_type);
}

void
broker_letter_finish(struct broker_letter *letter)
{
	free(letter->event_type);
	letter->event_type = NULL;
}

/* Whether a text is the one that is wanted, or none is. */
static bool
is_wanted(const char *text, const char *wanted)
{
	return !wanted || (text && strcmp(text, wanted) == 0);
}

/* If it is unknown when it became one, it matches only if any time does. */
static bool
is_in_time(int64_t dead_ms, const struct broker_filter *filter)
{
	return dead_ms >= filter->from_ms &&
	       (filter->to_ms == 0 || (dead_ms != 0 && dead_ms < filter->to_ms));
}

bool
broker_letter_matches(const struct broker_letter *letter, const struct broker_filter *filter)
{
	return is_wanted(letter->message->id, filter->id) &&
	       is_wanted(letter->event_id, filter->event_id) &&
	       is_wanted(letter->event_type, filter->event_type) &&
	       is_wanted(letter->status, filter->status) &&
	       (!filter->reason || (letter->reason && strstr(letter->reason, filter->reason))) &&
	       is_in_time(letter->dead_ms, filter);
}

bool
broker_filter_is_one(const struct broker_filter *filter)
{
	return filter->id || filter->event_id || filter->event_type || filter->reason ||
	       filter->status || moment_is_beginning(filter->from_ms) ||
	       moment_is_end(filter->to_ms);
}
