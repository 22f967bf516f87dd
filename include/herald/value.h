/*
 * The small value types that a payload struct may hold besides C's own.
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

/** One entry of a JSON map. */
struct herald_json_pair {
	const char *key; /**< Unique in its map. */
	/**
	 * Of a string its value; of a number, true or false its text in the JSON, such as "2.10"; "" for a
	 * null; NULL for an object or an array.
	 */
	const char *text;
	/** The raw JSON of a value that is not a string; NULL for a string. Encoding prefers it to `text`. */
	struct herald_json json;
};

/** A JSON object of any values, in the order of the text; no key stands twice. */
struct herald_json_map {
	const struct herald_json_pair *pairs; /**< NULL when absent or null. */
	size_t count;                         /**< How many. */
};

/** The value of `key`, borrowed from the map, or NULL. Linear in the number of entries. */
HERALD_API const char *herald_map_get(const struct herald_map *map, const char *key);

/** The entry of `key`, borrowed from the map, or NULL. Linear in the number of entries. */
HERALD_API const struct herald_json_pair *
herald_json_map_find(const struct herald_json_map *map, const char *key);

/** The `text` of the entry of `key`; NULL as well when there is no such entry. */
HERALD_API const char *herald_json_map_get(const struct herald_json_map *map, const char *key);

#ifdef __cplusplus
}
#endif
#endif
