/*
 * Lists of producers with names: checked, copied and searched. It calls no producer.
 */
#include "producer/named.h"

#include <string.h>

#include <herald/adapter/text.h>

#include "base/options.h"

static bool
is_name_byte(char byte)
{
	return herald_ascii_is_letter(byte) || herald_ascii_is_digit(byte) || byte == '-' ||
	       byte == '.' || byte == '_';
}

size_t
herald__producer_name_bytes(const char *text)
{
	size_t bytes = 0;

	while (is_name_byte(text[bytes]))
		bytes++;
	return bytes;
}

bool
herald__is_producer_name(const char *name)
{
	const size_t bytes = herald__producer_name_bytes(name);

	return bytes > 0 && bytes < HERALD__PRODUCER_NAME_BYTES && name[bytes] == '\0';
}

static const char *
problem_of(const struct herald_named_producer *list, size_t index)
{
	const struct herald_named_producer *named = &list[index];

	if (!named->name || !herald__is_producer_name(named->name))
		return "must have a name of 1 to 63 letters, digits, '-', '.' and '_'";
	if (herald__named_producers_find(list, index, named->name))
		return "has the name of another one";
	return named->producer ? NULL : "has no producer";
}

enum herald_status
herald__named_producers_check(const struct herald_named_producer *list, size_t count,
			      struct herald_error *error)
{
	for (size_t i = 0; i < count; i++) {
		const char *problem = problem_of(list, i);

		if (problem)
			return herald__option_error(error, HERALD_BAD_OPTION,
						    HERALD__OPTION_ELEMENT("producers", i), "%s",
						    problem);
	}
	return HERALD_OK;
}

const struct herald_named_producer *
herald__named_producers_copy(struct herald_arena *arena, const struct herald_named_producer *list,
			     size_t count)
{
	struct herald_named_producer *copies =
		count > 0 ? herald__arena_array(arena, count, sizeof(*copies)) : NULL;

	for (size_t i = 0; copies && i < count; i++) {
		copies[i].producer = list[i].producer;
		if (!herald__arena_string(arena, list[i].name, &copies[i].name))
			return NULL;
	}
	return copies;
}

const struct herald_named_producer *
herald__named_producers_find(const struct herald_named_producer *list, size_t count,
			     const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}
