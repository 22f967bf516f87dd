/*
 * What the two halves of the C++ test share.
 */
#ifndef TESTS_CPP_SCHEMA_H
#define TESTS_CPP_SCHEMA_H

#include <stdint.h>

#include <herald/check.h>
#include <herald/schema.h>
#include <herald/time.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct greeting {
	const char *name;
	int32_t times;
};

HERALD_SCHEMA_DECLARE(greeting);

/* A member of each type, for comparing the tables of C and C++. */

enum shade { SHADE_LIGHT, SHADE_DARK };

struct leaf {
	int64_t number;
};

struct kinds {
	bool boolean;
	int8_t int8;
	int16_t int16;
	int32_t int32;
	int64_t int64;
	uint8_t uint8;
	uint16_t uint16;
	uint32_t uint32;
	uint64_t uint64;
	long long longest;
	float real32;
	double real64;
	const char *string;
	char *writable;
	char chars[8];
	struct herald_text text;
	struct herald_time time;
	struct herald_json json;
	struct herald_map map;
	struct herald_json_map json_map;
	enum shade shade;
	struct leaf leaf;
	const struct leaf *pointer;
	const struct leaf *list;
	size_t list_count;
	const int16_t *values;
	size_t values_count;
	const char *const *strings;
	size_t strings_count;
	bool has_maybe;
	int32_t maybe;
	bool has_tint;
	enum shade tint;
	const enum shade *shades;
	size_t shades_count;
	int64_t quoted;
	bool numeric;
	struct herald_time since;
	int32_t secret;
};

struct entry {
	char *name;
	int64_t value;
};

struct collections {
	double xy[2];
	bool has_uv;
	int16_t uv[3];
	const char *nullable[2];
	struct leaf leaves[2];
	struct entry *entries;
	size_t entries_count;
	struct leaf *writable;
	size_t writable_count;
	int32_t *numbers;
	size_t numbers_count;
	char **strings;
	size_t strings_count;
	enum shade *shades;
	size_t shades_count;
};

union bodies {
	struct leaf leaf;
	struct herald_json other;
};

union numbers {
	const struct leaf *pointed;
	int64_t number;
};

union next_to {
	struct leaf leaf;
};

struct tagged {
	union bodies body;
	enum shade shade;
	union numbers required;
	union next_to flat;
	const void *pointer;
	const void *required_pointer;
	union {
		int64_t light_number;
		const char *any_text;
	};
};

struct ruled {
	int32_t from;
	int32_t to;
};

HERALD_SCHEMA_DECLARE(leaf);
HERALD_SCHEMA_DECLARE(kinds);
HERALD_SCHEMA_DECLARE(entry);
HERALD_SCHEMA_DECLARE(collections);
HERALD_SCHEMA_DECLARE(tagged);
HERALD_SCHEMA_DECLARE(ruled);

#ifdef __cplusplus
}
#endif
#endif
