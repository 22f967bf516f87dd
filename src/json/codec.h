/*
 * A codec's inside: each schema prepared as a plan that the decoder and the
 * encoder walk. Private.
 */
#ifndef HERALD_SRC_JSON_CODEC_H
#define HERALD_SRC_JSON_CODEC_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/codec.h>

#include "key.h"

/* What a field asks for beyond its kind; no flag means no check. */
enum {
	HERALD__REQUIRED = 1,
	HERALD__OPTIONAL = 2, /* has_offset counts */
	HERALD__BOUNDED = 4,  /* min or max of a floating-point kind */
	HERALD__LENGTH = 8,   /* min_bytes or max_bytes */
	HERALD__ONE_OF = 16,
	HERALD__PLAIN = 64, /* a const char * with no options but lengths: the decoder's fast way */
	HERALD__DEFERRED = 32,  /* raw JSON that is checked later, see herald__codec_defer() */
	HERALD__MAY_LACK = 128, /* encoding may leave it out, by what it is */
};

/*
 * A field as the decoder wants it: what finding it and storing a string takes
 * stands in the first 64 bytes. The member's name is compared as it nearly
 * always stands in the text, with quotes and colon, as whole words: its first
 * eight bytes under a mask, its last eight, and only then the rest.
 */
struct herald__field {
	uint64_t token_first, token_mask, token_last;
	const char *token;  /* "\"user_id\":", escaped where JSON wants it */
	size_t token_bytes; /* SIZE_MAX in the field after the last one, which nothing matches */
	uint32_t seen_word; /* where among the fields that have been seen, and its bit there */
	uint64_t seen_bit;
	uint8_t kind;
	uint8_t element; /* of HERALD_KIND_VALUES: the kind; else HERALD_KIND_NONE */
	uint8_t flags;
	size_t offset;
	size_t has_offset;
	size_t count_offset;
	const struct herald__plan *inner;
	size_t min_bytes, max_bytes; /* of strings; max is never 0 here */
	size_t plain_max_bytes;      /* of HERALD__PLAIN: also by the codec's limit */
	size_t min_count, max_count; /* of lists and maps, likewise */
	union {
		struct {
			int64_t min, max; /* the kind's range cut to the bounds */
		} integer;
		struct {
			uint64_t min, max;
		} natural;
		struct {
			double min, max;
		} real;
	} range;
	const char *name; /* of the member in JSON */
	size_t name_bytes;
	const struct herald_field *field; /* for names of enums, and what else is rare */
};

/* From the comma before a token on, this many bytes may be read. */
#define HERALD__TOKEN_PADDING 32

/* A place in a plan's table of keys. An empty one is as one of the key "", without a field. */
struct herald__slot {
	uint64_t first, last; /* the key's words, see key.h */
	uint32_t bytes;       /* the key's length */
	bool near;            /* at most 16: the words are all of it */
	bool more;            /* a key that belongs here is further on */
	const struct herald__field *field;
};

/* A schema as the decoder wants it. One allocation; the arrays stand behind the
 * struct. */
struct herald__plan {
	const struct herald_schema *schema;
	struct herald__plan *next; /* of the codec's plans */
	size_t allocated_bytes;
	size_t fields_count;          /* without HERALD_KIND_NONE */
	struct herald__field *fields; /* in the order of the schema, and one that never matches */
	struct herald__slot *slots;   /* hash table by key, open addressing */
	size_t slots_count;           /* a power of two */
	unsigned slots_shift;         /* 64 less its logarithm */
	uint64_t multiplier;          /* by which keys seldom meet, see set_multiplier() */
	size_t near_key_bytes;        /* of the longest key that has a short way: at most 16 */
	uint64_t *required;           /* a bit for each required field */
	size_t words_count;           /* of required: 64 fields each */
	size_t element_bytes;         /* sizeof the struct */
	bool reject_unknown;          /* the schema's */
};

struct herald_codec {
	struct herald_allocator allocator;
	struct herald_limits limits;     /* defaults filled in */
	struct herald__plan *plans;      /* all of them; the first is the root */
	const struct herald__plan *root; /* NULL: herald_json_schema */
};

/* The field whose key is `text`, without its quotes, or NULL. */
const struct herald__field *
herald__plan_find(const struct herald__plan *plan, const char *text, size_t bytes);

/* The index of the slot that a key belongs in. */
static inline size_t
herald__plan_slot(const struct herald__plan *plan, struct herald__key key)
{
	return herald__key_mix(key) * plan->multiplier >> plan->slots_shift;
}

/* The same for a key of at most 16 bytes and no NUL, where 16 can be read: by its words alone. */
static inline const struct herald__field *
herald__plan_find_near(const struct herald__plan *plan, const char *text, size_t bytes)
{
	struct herald__key key = herald__key_words_near(text, bytes);
	const struct herald__slot *slot = &plan->slots[herald__plan_slot(plan, key)];

	if (slot->first == key.first && slot->last == key.last && slot->near)
		return slot->field;
	return slot->more ? herald__plan_find(plan, text, bytes) : NULL;
}

_Static_assert(HERALD_KIND_COUNT <= 32, "a bit for each kind");

static inline bool
herald__kind_is_number(enum herald_kind kind)
{
	return kind >= HERALD_KIND_INT8 && kind <= HERALD_KIND_DOUBLE;
}

/* Whether values of a kind begin with a pointer, which is NULL where there is none. */
static inline bool
herald__kind_is_pointer(enum herald_kind kind)
{
#define HERALD__BIT(KIND) (UINT32_C(1) << HERALD_KIND_##KIND)
	const uint32_t pointers = HERALD__BIT(STRING) | HERALD__BIT(TEXT) | HERALD__BIT(JSON) |
				  HERALD__BIT(MAP) | HERALD__BIT(JSON_MAP) | HERALD__BIT(POINTER) |
				  HERALD__BIT(LIST) | HERALD__BIT(VALUES);
#undef HERALD__BIT

	return (pointers >> kind & 1) != 0;
}

static inline bool
herald__kind_is_map(enum herald_kind kind)
{
	return kind == HERALD_KIND_MAP || kind == HERALD_KIND_JSON_MAP;
}

/* The size in memory of one value of a kind that needs no schema; 0 for the
 * others. */
size_t herald__kind_bytes(enum herald_kind kind);

/* Where a document stands in a larger one: what comes before its own offsets, paths and depth. */
struct herald__part {
	size_t offset;
	size_t depth;
	const char *path;
};

/* A document that is not part of another one. */
static const struct herald__part herald__whole = {0, 0, ""};

/*
 * Who can tell what a deferred member is, from what stands before it.
 *
 * envelope  the root's struct, as far as it has been read.
 * out       where the member's value goes: the struct of the codec that is returned.
 * Returns   NULL when it is not known yet: then the member is left for later.
 */
struct herald__resolver {
	const struct herald_codec *(*resolve)(void *state, const void *envelope, void **out);
	void *state;
};

/* As herald_codec_decode(), but straight into `out`, which is half written after an error. */
HERALD_MUST_CHECK enum herald_status
herald__codec_decode_part(const struct herald_codec *codec, char *data, size_t bytes,
			  struct herald_arena *arena, void *out, const struct herald__part *part,
			  struct herald_error *error);

/*
 * The same for a whole document with a deferred member: when that is an object, and `resolver` knows what
 * it is, it is decoded at once. It is then read once instead of twice.
 */
HERALD_MUST_CHECK enum herald_status
herald__codec_decode_envelope(const struct herald_codec *codec, char *data, size_t bytes,
			      struct herald_arena *arena, void *out,
			      const struct herald__resolver *resolver, struct herald_error *error);

/*
 * From now on a decode checks only the brackets and quotes of the root's raw JSON member at `offset`,
 * when it is an object or an array. The caller promises to decode its text, as a whole, or to give it
 * to herald__codec_check_part(): then the same documents are refused as without this. Of two errors in
 * the deferred text the first one is named, where without this one of syntax would come first.
 */
void herald__codec_defer(struct herald_codec *codec, size_t offset);

/* From now on the root's string member at `offset` may be missing, null or empty. */
void herald__codec_relax(struct herald_codec *codec, size_t offset);

/* Check that a deferred text is valid JSON. */
HERALD_MUST_CHECK enum herald_status
herald__codec_check_part(const struct herald_codec *codec, const char *data, size_t bytes,
			 const struct herald__part *part, struct herald_error *error);

#endif
