/*
 * What both files of the peer of jansson use: members of its tree by name, and room for lists; and
 * the payloads of jansson_shapes.c.
 */
#ifndef BENCH_JANSSON_SHAPES_H
#define BENCH_JANSSON_SHAPES_H

#include <jansson.h>
#include <stdlib.h>

#include "events.h"
#include "peer.h"
#include "rfc3339.h"

/* Room for list 0 to 4 of an event: lives from event to event, and grows to the longest. */
void *room(size_t list, size_t bytes);

static inline const json_t *
member(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	if (!value)
		peer_fail("no member %s", key);
	return value;
}

static inline const char *
string(const json_t *object, const char *key)
{
	const char *text = json_string_value(member(object, key));
	if (!text)
		peer_fail("%s is not a string", key);
	return text;
}

static inline int64_t
integer(const json_t *object, const char *key)
{
	const json_t *value = member(object, key);
	if (!json_is_integer(value))
		peer_fail("%s is not an integer", key);
	return json_integer_value(value);
}

static inline int32_t
integer_32(const json_t *object, const char *key)
{
	int64_t value = integer(object, key);
	if (value < INT32_MIN || value > INT32_MAX)
		peer_fail("%s is out of range", key);
	return (int32_t)value;
}

static inline double
number(const json_t *object, const char *key)
{
	const json_t *value = member(object, key);
	if (!json_is_number(value))
		peer_fail("%s is not a number", key);
	return json_number_value(value);
}

static inline bool
boolean(const json_t *object, const char *key)
{
	const json_t *value = member(object, key);
	if (!json_is_boolean(value))
		peer_fail("%s is not a boolean", key);
	return json_is_true(value);
}

static inline struct herald_time
point_in_time(const json_t *object, const char *key)
{
	const json_t *value = member(object, key);
	struct herald_time time;

	if (!json_is_string(value) ||
	    !rfc3339_parse(json_string_value(value), json_string_length(value), &time.seconds,
			   &time.nanoseconds, &time.offset_minutes))
		peer_fail("%s is not a timestamp", key);
	return time;
}

static inline json_t *
json_time(const struct herald_time *time)
{
	char text[36];
	size_t bytes = rfc3339_format(time->seconds, time->nanoseconds, time->offset_minutes, text);

	return json_stringn(text, bytes);
}

void read_integers(const json_t *in, struct integers *out);
json_t *write_integers(const struct integers *in);
void read_doubles(const json_t *in, struct doubles *out);
json_t *write_doubles(const struct doubles *in);
void read_strings(const json_t *in, struct strings *out);
json_t *write_strings(const struct strings *in);
void read_pull_request_event(const json_t *in, struct pull_request_event *out);
json_t *write_pull_request_event(const struct pull_request_event *in);
void read_mixture(const json_t *in, struct mixture *out);
json_t *write_mixture(const struct mixture *in);

#endif
