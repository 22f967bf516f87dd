/*
 * The structs of the fuzz target kinds.c, and its second reader.
 */
#ifndef HERALD_FUZZ_KINDS_KINDS_H
#define HERALD_FUZZ_KINDS_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <jansson.h>

#include <herald/time.h>
#include <herald/value.h>

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())

enum size { SIZE_SMALL = 1, SIZE_LARGE = 5, SIZE_OTHER = -3 };

struct circle {
	int32_t radius;
	const char *name;
};

struct node {
	const struct node *next;
	bool flag;
};

struct row {
	const int32_t *cells;
	size_t cells_count;
};

struct price {
	const char *sku;
	uint16_t cents;
};

struct person {
	const char *key;
	int8_t age;
};

/* A member of a map that is a list. */
struct series {
	const char *name;
	const int32_t *cells;
	size_t cells_count;
};

/* Its members are in the object of the struct that it is in. A check refuses `from` 77. */
struct span {
	int32_t from, to;
};

/* The tag is an enum; the union has a key of its own. */
struct shape {
	enum size kind;
	union {
		struct circle circle;
		const struct node *node;
	} body;
};

/* The tag is a string; the members of the union are next to it. */
struct notice {
	const char *type;
	union {
		struct circle circle;
		struct node node;
	} data;
};

/* Any other tag has a text. */
struct open {
	const char *type;
	union {
		struct node node;
		bool truth;
		struct herald_text text;
	} data;
	bool has_note;
	int8_t note;
};

/* Contains itself in a case and in all cases, so that tags after values are searched again and
 * again. */
struct deep {
	const char *type;
	union {
		const struct deep *inner;
		int32_t leaf;
		const char *text;
	} body;
	const struct deep *list;
	size_t list_count;
};

struct pointed {
	enum size op;
	const void *at;
};

struct kinds {
	struct shape shape;
	const struct notice *notices;
	size_t notices_count;
	const struct open *opens;
	size_t opens_count;
	const struct pointed *pointed;
	const struct price *prices;
	size_t prices_count;
	const struct person *people;
	size_t people_count;
	const struct series *series;
	size_t series_count;
	struct span span;
	const struct row *rows;
	size_t rows_count;
	int16_t pair[2];
	bool has_trio;
	uint8_t trio[3];
	struct node nodes[2];
	const char *const *holes;
	size_t holes_count;
	const enum size *sizes;
	size_t sizes_count;
	enum size unknown;
	enum size number;
	bool has_maybe;
	enum size maybe;
	int32_t quoted;
	int32_t loose;
	int32_t loose_quoted;
	bool bit;
	bool loose_bit;
	struct herald_time epoch;
	const struct deep *deep;
	double reals[2];
	const float *floats;
	size_t floats_count;
	const struct herald_text *texts;
	size_t texts_count;
	double quoted_real;
	bool quoted_bit;
	struct herald_time milliseconds;
};

/*
 * Whether a document fits the schemas of kinds.c. If `out` is not NULL, Herald has accepted the
 * document, and `out` must have its values. *uncertain is set if the digits of a real are needed to
 * tell whether it fits.
 */
bool fits_kinds(json_t *root, const struct kinds *out, bool *uncertain);

#endif
