/*
 * A struct whose schema has every kind and every option, for the tests of the codec and for fuzz
 * targets; a document for it; and two functions for any schema: comparing two structs, and filling
 * one with random valid values. Does not need cmocka.
 */
#ifndef HERALD_TESTS_SUPPORT_EVERY_KIND_H
#define HERALD_TESTS_SUPPORT_EVERY_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/schema.h>
#include <herald/time.h>
#include <herald/value.h>

/* Has a negative value, so its type is int. Has no name for 0. */
enum every_color { EVERY_RED = 1, EVERY_GREEN = 200, EVERY_BLUE = -7 };

/* Has no negative value, so its type is unsigned int. Has a name for 0. */
enum every_size { EVERY_SMALL, EVERY_MEDIUM, EVERY_LARGE };

struct every_leaf {
	int32_t number;
	const char *name;
	enum every_size size;
};

/* Contains itself, as deep as the limits allow. */
struct every_node {
	const char *name;
	const struct every_node *next;
	const struct every_node *children;
	size_t children_count;
};

/* Its schema rejects unknown members. */
struct every_strict {
	int64_t value;
	bool flag;
};

/* Transparent: in JSON an array, a number or null, and a string. */
struct every_row {
	const double *cells;
	size_t cells_count;
};

struct every_maybe {
	bool has_number;
	int64_t number;
};

struct every_wrapped {
	const char *text;
};

/* Members of maps: a number, and an object. */
struct every_price {
	const char *sku;
	int64_t cents;
};

struct every_person {
	const char *name;
	int32_t age;
	struct every_leaf leaf;
};

/* Tagged unions: in the tag's object, and next to the tag. */
struct every_shape {
	enum every_size kind;
	union {
		struct every_leaf leaf;
		struct every_strict strict;
	} body;
	int32_t after;
};

struct every_notice {
	const char *type;
	union {
		struct every_leaf leaf;
		const struct every_node *node;
		struct every_shape shape;
		double number;
		struct {
			const int16_t *list;
			size_t list_count;
		};
		struct herald_json raw;
	} data;
	bool has_note;
	int8_t note;
};

struct every_number {
	enum every_color op;
	const void *at;
};

/* With a check and without padding: `from` is at most `to`. In every_band it is flat. */
struct every_span {
	int32_t from;
	int32_t to;
};

struct every_band {
	const char *name;
	struct every_span span;
};

struct every_kind {
	/* The kinds without options. */
	bool truth;
	int8_t int8;
	int16_t int16;
	int32_t int32;
	int64_t int64;
	uint8_t uint8;
	uint16_t uint16;
	uint32_t uint32;
	uint64_t uint64;
	float real32;
	double real64;
	const char *string;
	struct herald_text text;
	char chars[16];
	struct herald_time time;
	struct herald_json json;
	struct herald_map map;
	struct herald_json_map json_map;
	enum every_color color;
	enum every_size size;
	struct every_leaf leaf;
	struct every_strict strict;
	const struct every_leaf *pointer;
	const struct every_leaf *list;
	size_t list_count;
	const struct every_node *tree;

	/* Lists of values. */
	const bool *truths;
	size_t truths_count;
	const int8_t *int8s;
	size_t int8s_count;
	const int16_t *int16s;
	size_t int16s_count;
	const int32_t *int32s;
	size_t int32s_count;
	const int64_t *int64s;
	size_t int64s_count;
	const uint8_t *uint8s;
	size_t uint8s_count;
	const uint16_t *uint16s;
	size_t uint16s_count;
	const uint32_t *uint32s;
	size_t uint32s_count;
	const uint64_t *uint64s;
	size_t uint64s_count;
	const float *real32s;
	size_t real32s_count;
	const double *real64s;
	size_t real64s_count;
	const char *const *strings;
	size_t strings_count;
	const struct herald_text *texts;
	size_t texts_count;
	const struct herald_time *times;
	size_t times_count;
	const struct herald_json *jsons;
	size_t jsons_count;

	/* With has_ members. */
	bool has_maybe_truth;
	bool maybe_truth;
	bool has_maybe_int8;
	int8_t maybe_int8;
	bool has_maybe_int64;
	int64_t maybe_int64;
	bool has_maybe_uint64;
	uint64_t maybe_uint64;
	bool has_maybe_real64;
	double maybe_real64;
	bool has_maybe_chars;
	char maybe_chars[5];
	bool has_maybe_time;
	struct herald_time maybe_time;

	/* With options. */
	const char *id; /* required; its key is "the id" */
	int32_t percent;
	uint64_t huge;
	float ratio;
	double degrees;
	const char *nickname;
	struct herald_text blob;
	char code[9];
	const char *unit;
	const int16_t *scores;
	size_t scores_count;
	const char *const *tags;
	size_t tags_count;
	struct herald_map labels;
	const struct every_leaf *few;
	size_t few_count;
	void *secret;

	/* In a form of their own. */
	int32_t quoted32;
	uint64_t quoted64;
	float quoted_float;
	double quoted_real;
	int16_t whole;
	uint64_t natural;
	bool bit;
	bool loose_bit;
	bool loose_truth;
	bool quoted_bit;
	enum every_color level;
	enum every_size rating;
	struct herald_time seconds;
	struct herald_time milliseconds;
	struct herald_time quoted_seconds;
	struct herald_time loose_time;
	const int64_t *ids;
	size_t ids_count;
	const int8_t *wholes;
	size_t wholes_count;
	const bool *bits;
	size_t bits_count;
	const struct herald_time *epochs;
	size_t epochs_count;
	const enum every_size *every_sizes;
	size_t every_sizes_count;
	const enum every_color *levels;
	size_t levels_count;
	bool has_maybe_size;
	enum every_size maybe_size;
	bool has_maybe_quoted;
	int64_t maybe_quoted;
	bool has_maybe_seconds;
	struct herald_time maybe_seconds;

	/* Fixed arrays, lists of anything, and maps. */
	double xy[2];
	bool has_maybe_xyz;
	float maybe_xyz[3];
	int16_t quoted_array[2];
	const char *names[2];
	const char *holes_array[3];
	struct every_leaf leaves[2];
	struct every_maybe maybe_array[2];
	const char *const *holes;
	size_t holes_count;
	const struct herald_text *text_holes;
	size_t text_holes_count;
	const struct every_row *rows;
	size_t rows_count;
	const struct every_maybe *maybes;
	size_t maybes_count;
	struct every_row row;
	struct every_wrapped wrapped;
	const struct every_maybe *maybe_at;
	const struct every_price *prices;
	size_t prices_count;
	const struct every_person *people;
	size_t people_count;

	/* Tagged unions. */
	struct every_shape shape;
	const struct every_shape *every_shapes;
	size_t every_shapes_count;
	const struct every_notice *notices;
	size_t notices_count;
	const struct every_number *number_at;

	/* Rules of structs as a whole. */
	struct every_span span;
	const struct every_band *bands;
	size_t bands_count;
};

/* The schema of struct every_kind. */
extern const struct herald_schema *const every_kind_table;

/* A valid document in which every member is present, with escapes and unknown members. */
extern const char every_kind_document[];
extern const size_t every_kind_document_bytes;

/*
 * Whether two structs of a schema have the same content. Strings and lists are compared by content,
 * floating-point numbers bit by bit. NULL and empty are different.
 */
bool every_equal(const struct herald_schema *schema, const void *a, const void *b);

/* Pseudorandom numbers that depend only on the seed. */
struct every_random {
	uint64_t state;
};

uint64_t every_random_next(struct every_random *random);

/* A number below `limit`, which must not be 0. */
uint64_t every_random_below(struct every_random *random, uint64_t limit);

/*
 * Fill a struct with random values that its schema allows. What it points to is allocated from the
 * arena. Structs are nested up to `depth` levels. Returns false when the arena is exhausted.
 */
bool every_fill(const struct herald_schema *schema, struct every_random *random,
		struct herald_arena *arena, size_t depth, void *out);

#endif
