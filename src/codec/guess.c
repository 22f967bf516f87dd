/*
 * Chooses how names are guessed, so that few fields of a struct have the same guess. Only fills the
 * table: what it is for is in guess.h, and decode_object.c uses it.
 */
#include "codec/guess.h"

#include <string.h>

#include "codec/plan.h"

/* The number of weights that are tried. In most structs, no two fields have the same guess then.
 */
#define TRIES 64

/* The place in the table for a field's name, which is compared with its quotes. */
static uint8_t *
find_place(struct herald__guesses *guesses, const struct herald__field *field)
{
	const char quotes[] = "\"\"", *name = field->name_bytes > 0 ? field->name : quotes + 1;
	const char *last = name + field->name_bytes - 1;
	uint32_t sum = (unsigned char)*name * guesses->first_weight +
		       (unsigned char)*last * guesses->last_weight + (uint32_t)field->name_bytes;

	return &guesses->fields[sum % HERALD__GUESSES];
}

/* Whether a name that is in the text as it is has the words of the field's token. */
static bool
is_guessed(const struct herald__field *field, size_t number)
{
	return number < HERALD__GUESS_SEVERAL && field->token_bytes == field->name_bytes + 3;
}

/* Fill the table with the weights as they are. Returns how many fields have no guess. */
static size_t
fill(struct herald__guesses *guesses, const struct herald__field *fields, size_t count)
{
	size_t several = 0;

	memset(guesses->fields, 0, sizeof(guesses->fields));
	for (size_t i = 0; i < count; i++) {
		uint8_t *place = find_place(guesses, &fields[i]);
		bool free = *place == 0 && is_guessed(&fields[i], i + 1);

		*place = free ? (uint8_t)(i + 1) : HERALD__GUESS_SEVERAL;
		several += !free;
	}
	return several;
}

void
herald__guesses_fill(struct herald__guesses *guesses, const struct herald__field *fields,
		     size_t count)
{
	size_t least = SIZE_MAX;
	struct herald__guesses tried;

	for (uint32_t i = 0; least > 0 && i < TRIES; i++) {
		size_t several;

		tried.first_weight = 5 + 2 * i;
		tried.last_weight = 11 + 6 * i;
		several = fill(&tried, fields, count);
		if (several < least) {
			least = several;
			*guesses = tried;
		}
	}
}
