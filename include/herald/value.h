/*
 * Value types for members of payload structs: text, raw JSON and maps.
 */
#ifndef HERALD_VALUE_H
#define HERALD_VALUE_H

#include <stddef.h>

#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A string with its length; may contain NUL bytes. Herald adds a NUL after what it decodes. */
struct herald_text {
	const char *data; /**< NULL if missing or null. */
	size_t bytes;     /**< Without the added NUL. */
};

/** The raw text of one JSON value: valid, without surrounding white space. */
struct herald_json {
	const char *data; /**< NULL if missing. Not NUL-terminated. */
	size_t bytes;     /**< Its length. */
};

/** One entry of a map. */
struct herald_pair {
	const char *key;   /**< Unique in its map. */
	const char *value; /**< "" for null. */
};

/** A JSON object of strings, in input order, without duplicate keys. */
struct herald_map {
	const struct herald_pair *pairs; /**< NULL if missing or null. */
	size_t count;                    /**< Number of entries. */
};

/** One entry of a JSON map. */
struct herald_json_pair {
	const char *key; /**< Unique in its map. */
	/**
	 * A string's value; the JSON text of a number, true or false, such as "2.10"; "" for null;
	 * NULL for an object or an array.
	 */
	const char *text;
	/** The raw JSON; data is NULL for a string. If set, it is encoded instead of `text`. */
	struct herald_json json;
};

/** A JSON object of any values, in input order, without duplicate keys. */
struct herald_json_map {
	const struct herald_json_pair *pairs; /**< NULL if missing or null. */
	size_t count;                         /**< Number of entries. */
};

/** Bytes of any media type, as a payload; see herald_data_schema. */
struct herald_data {
	const char *content_type; /**< "image/png". NULL if unknown. */
	const char *data;         /**< Not NUL-terminated. NULL: there is no payload. */
	size_t bytes;             /**< Their number. */
};

/** The value of `key`, or NULL. Borrowed from the map. Linear search. */
HERALD_API const char *herald_map_get(const struct herald_map *map, const char *key);

/** The entry of `key`, or NULL. Borrowed from the map. Linear search. */
HERALD_API const struct herald_json_pair *
herald_json_map_find(const struct herald_json_map *map, const char *key);

/** The `text` of the entry of `key`, or NULL if there is no entry. Borrowed from the map. */
HERALD_API const char *herald_json_map_get(const struct herald_json_map *map, const char *key);

#ifdef __cplusplus
}
#endif
#endif
