/*
 * The codec: each schema is prepared as a plan that drives the decoder and the encoder. Private.
 */
#ifndef HERALD_SRC_CODEC_PLAN_H
#define HERALD_SRC_CODEC_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/codec.h>

#include "base/words.h"
#include "codec/guess.h"
#include "codec/kind.h"

/* The constraints of a field beyond its kind. Without a flag, the check is skipped. */
enum {
	HERALD__REQUIRED = 1,
	HERALD__OPTIONAL = 2, /* has_offset is valid */
	HERALD__BOUNDED = 4,  /* min or max of a floating-point kind */
	HERALD__LENGTH = 8,   /* min_bytes or max_bytes */
	HERALD__ONE_OF = 16,
	HERALD__PLAIN = 32,          /* a const char * with at most length options: the fast path */
	HERALD__MAY_LACK = 64,       /* encoding may leave it out, depending on its value */
	HERALD__NULL_IS_VALUE = 128, /* null is decoded as other values are */
};

/*
 * A field, laid out for the decoder: what finding a field and storing a string need is within the
 * first 64 bytes. A member's name is compared as it nearly always appears in the text, with its
 * quotes and its colon, in whole words: the first eight bytes under a mask, the last eight, and
 * only then the rest.
 */
struct herald__field {
	uint64_t token_first, token_mask, token_last;
	const char *token;  /* "\"user_id\":", escaped if JSON requires it */
	size_t token_bytes; /* SIZE_MAX in the sentinel after the last field: never matches */
	uint32_t seen_word; /* index and bit in the set of fields already seen */
	uint64_t seen_bit;
	uint8_t kind;    /* or HERALD__KIND_FORM and so on */
	uint8_t element; /* the kind of the values of HERALD_KIND_VALUES; else HERALD_KIND_NONE */
	uint8_t flags;
	size_t offset;
	size_t has_offset;
	size_t count_offset;
	const struct herald__plan *inner;
	size_t item_bytes;           /* the size of an element of a list or an array */
	size_t array_count;          /* the number of elements of an array */
	size_t min_bytes, max_bytes; /* of strings; max is never 0 */
	size_t plain_max_bytes;      /* for HERALD__PLAIN; not above the codec's limit */
	size_t min_count, max_count; /* of lists and maps; max is never 0 */
	union {
		struct {
			int64_t min, max; /* the kind's range narrowed to the bounds */
		} integer;
		struct {
			uint64_t min, max;
		} natural;
		struct {
			double min, max;
		} real;
	} range;
	const char *name; /* of the JSON member */
	size_t name_bytes;
	const struct herald_field *field; /* for the names of enums, and rarely used options */
};

/* The number of bytes that may be read from the comma before a token on. */
#define HERALD__TOKEN_PADDING 32

/* A slot in a plan's hash table of keys. An empty one has the key "" and no field. */
struct herald__slot {
	uint64_t first, last; /* the key's words, see words.h */
	uint32_t bytes;       /* the length of the key */
	bool near;            /* at most 16 bytes: the words are the whole key */
	bool more;            /* a key with this slot's hash is in a later slot */
	const struct herald__field *field;
};

/* What is special about a plan. Most have none of these, and pay for one comparison with 0. */
enum {
	HERALD__TRANSPARENT = 1, /* the JSON is the value of the only field */
	HERALD__TAGGED = 2,      /* a member decides which lines count: see cases.h */
	HERALD__CHECKED = 4,     /* has checks, which are functions of the user: see check.h */
};

/* A check, of the schema itself or of a flat struct in it. */
struct herald__checked {
	const struct herald_schema *schema;
	size_t offset; /* of the flat struct */
};

/* A schema prepared for the decoder. One allocation; the arrays follow the struct. */
struct herald__plan {
	const struct herald_schema *schema;
	struct herald__plan *next; /* next plan of the codec */
	size_t allocated_bytes;
	size_t fields_count;               /* without HERALD_KIND_NONE */
	struct herald__field *fields;      /* in the order of the schema, then a sentinel */
	struct herald__slot *slots;        /* by key, with open addressing */
	size_t slots_count;                /* a power of two */
	unsigned slots_shift;              /* 64 minus the logarithm of slots_count */
	uint64_t multiplier;               /* chosen for few collisions, see fill_slots() */
	size_t max_key_bytes;              /* of any member's name: limits.max_key_bytes */
	struct herald__guesses guesses;    /* of the field that a name may be */
	uint64_t *required;                /* a bit for each required field */
	size_t words_count;                /* of `required`: 64 fields each */
	size_t element_bytes;              /* the size of the struct */
	bool reject_unknown;               /* from the schema */
	uint8_t special;                   /* HERALD__TRANSPARENT and so on */
	size_t key_offset;                 /* of HERALD_KEY */
	const struct herald__cases *cases; /* HERALD__TAGGED, or NULL */
	/* The same, but not special. HERALD__TAGGED: for wrong tags. HERALD__CHECKED: to be used
	 * before the checks. */
	struct herald__plan *usual;
	struct herald__checked *checks; /* of a flat struct before its parent's */
	size_t checks_count;
};

struct herald_codec {
	struct herald_allocator allocator;
	struct herald_limits limits;     /* with the defaults filled in */
	struct herald__plan *plans;      /* the first one is the root */
	struct herald__cases *cases;     /* of all plans */
	const struct herald__plan *root; /* NULL: herald_json_schema */
};

/* The field with this key (without quotes), or NULL. */
const struct herald__field *
herald__plan_find(const struct herald__plan *plan, const char *text, size_t bytes);

/* The index of the first slot for a key. */
static inline size_t
herald__plan_slot(const struct herald__plan *plan, struct herald__key key)
{
	return herald__key_mix(key) * plan->multiplier >> plan->slots_shift;
}

/* Allow the root's string member at `offset` to be missing, null or empty from now on. */
void herald__codec_relax(struct herald_codec *codec, size_t offset);

#endif
