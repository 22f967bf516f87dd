/*
 * The small value types that a payload struct may hold beside C's own.
 */
#ifndef HERALD_VALUE_H
#define HERALD_VALUE_H

#include <stddef.h>

#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A string with its length; may hold NUL bytes, and has one after its end when Herald made it. */
struct herald_text {
	const char *data; /**< NULL when absent or null. */
	size_t bytes;     /**< Without that NUL. */
};

/** The raw text of one JSON value, checked to be valid, white space around it removed. */
struct herald_json {
	const char *data; /**< NULL when absent. Not NUL-terminated. */
	size_t bytes;     /**< Its length. */
};

/** One entry of a map. */
struct herald_pair {
	const char *key;   /**< Unique in its map. */
	const char *value; /**< "" for a null. */
};

/** A JSON object of strings, in the order of the text; no key stands twice. */
struct herald_map {
	const struct herald_pair *pairs; /**< NULL when absent or null. */
	size_t count;                    /**< How many. */
};

/** The value of `key`, borrowed from the map, or NULL. Linear in the number of entries. */
HERALD_API const char *herald_map_get(const struct herald_map *map, const char *key);

#ifdef __cplusplus
}
#endif
#endif
