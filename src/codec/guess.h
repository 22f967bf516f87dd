/*
 * Guessing which field of a struct a member's name may be, from three things that cost nothing to
 * look at: its first byte, its last byte and its length. Private.
 *
 * Where members come in another order than the fields, each name must be searched. A guess takes a
 * third of the instructions of a hash of the whole name. It must then be compared with the name,
 * which is done by the words of its token: see name_token.h. And where there is no guess, the name
 * is unknown, as most names are that senders add.
 */
#ifndef HERALD_SRC_CODEC_GUESS_H
#define HERALD_SRC_CODEC_GUESS_H

#include <stddef.h>
#include <stdint.h>

struct herald__field;

#define HERALD__GUESSES 256

/* In place of a field: there are several, so that the name must be searched. */
#define HERALD__GUESS_SEVERAL 255

struct herald__guesses {
	uint32_t first_weight, last_weight;
	uint8_t fields
		[HERALD__GUESSES]; /* the number of a field, counted from 1; 0: there is none */
};

/*
 * The guess for a name of `bytes` bytes that is between two quotes. Reads them where the name is
 * empty.
 */
static inline unsigned
herald__guess(const struct herald__guesses *guesses, const char *name, size_t bytes)
{
	uint32_t first = (unsigned char)name[0], last = (unsigned char)*(name + bytes - 1);

	return guesses->fields[(first * guesses->first_weight + last * guesses->last_weight +
				(uint32_t)bytes) %
			       HERALD__GUESSES];
}

/* Fill in the guesses for the names of the fields. */
void herald__guesses_fill(struct herald__guesses *guesses, const struct herald__field *fields,
			  size_t count);

#endif
