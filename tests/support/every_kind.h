/*
 * A struct whose schema has every kind and every option, for the tests of the codec and for the fuzz
 * targets; a document for it; and two things that work on any schema: are two structs equal, and
 * fill one with random values that are valid. Does not need cmocka.
 */
#ifndef HERALD_TESTS_EVERY_KIND_H
#define HERALD_TESTS_EVERY_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/schema.h>
#include <herald/time.h>
#include <herald/value.h>

/* With a negative value: the compiler takes int for it. Has no name for 0. */
enum every_color { EVERY_RED = 1, EVERY_GREEN = 200, EVERY_BLUE = -7 };

/* Without: unsigned int. Has a name for 0. */
enum every_size { EVERY_SMALL, EVERY_MEDIUM, EVERY_LARGE };

struct every_leaf {
	int32_t number;
	const char *name;
	enum every_size size;
};

/* Names itself: as deep as the limits allow. */
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

struct every_kind {
	/* The kinds alone. */
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

	/* With has_ beside them. */
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
};

/* The schema of struct every_kind. */
extern const struct herald_schema *const every_kind_table;

/* A valid document for it in which every member is there, with escapes and unknown members. */
extern const char every_kind_document[];
extern const size_t every_kind_document_bytes;

/*
 * Whether two structs of a schema hold the same: strings and lists by their contents, floating-point
 * numbers bit by bit, NULL and empty being different.
 */
bool every_equal(const struct herald_schema *schema, const void *a, const void *b);

/* A sequence of numbers that depends on nothing but where it began. */
struct every_random {
	uint64_t state;
};

uint64_t every_random_next(struct every_random *random);

/* A number below `limit`, which is not 0. */
uint64_t every_random_below(struct every_random *random, uint64_t limit);

/*
 * Fill a struct with random values that its schema allows; what it points to comes from the arena.
 * `depth` levels of structs at most. False when the arena is exhausted.
 */
bool every_fill(const struct herald_schema *schema, struct every_random *random,
		struct herald_arena *arena, size_t depth, void *out);

#endif
