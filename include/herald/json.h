/*
 * Reading raw JSON: walking over members and elements, looking up by JSON Pointer, numbers and
 * strings. For payloads whose shape is not known when the program is compiled; a struct
 * herald_json holds the text of one value.
 *
 *	struct herald_json city;
 *
 *	if (herald_json_find(&order->extra, "/address/city", &city, NULL) == HERALD_OK &&
 *	    herald_json_string_equals(&city, "Vienna"))
 *		...
 *
 * To decode raw JSON into a struct, use herald_context_decode() or a codec.
 *
 * Nothing is copied, and only herald_json_read_string() allocates memory. Nothing is recursive. The
 * functions may be called on any thread.
 *
 * The JSON must be valid. Raw JSON that Herald has decoded is: members, payloads, values of maps.
 * Check other text with herald_json_check(). With invalid text the functions read no byte outside
 * it, but what they find is meaningless. The values that they read are always checked.
 */
#ifndef HERALD_JSON_H
#define HERALD_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/codec.h>
#include <herald/export.h>
#include <herald/status.h>
#include <herald/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The type of a value. */
enum herald_json_type {
	HERALD_JSON_NONE, /**< There is no value: `data` is NULL or the text is not JSON. */
	HERALD_JSON_NULL,
	HERALD_JSON_BOOL,
	HERALD_JSON_NUMBER,
	HERALD_JSON_STRING,
	HERALD_JSON_ARRAY,
	HERALD_JSON_OBJECT,
};

/** The type of a value, by its first byte. */
HERALD_API enum herald_json_type herald_json_type_of(const struct herald_json *json);

/**
 * Check a text that was not decoded by Herald: one JSON value with white space around it, as
 * strictly as a codec does (herald/codec.h). Duplicate members are not detected here; see
 * herald_json_find().
 *
 * limits  max_depth, max_key_bytes, max_string_bytes and replace_lone_surrogates; NULL means the
 *         defaults.
 * out     the value, in `data`, without the white space. Set only on HERALD_OK.
 * error   may be NULL; path and offset of what is wrong.
 * Errors  HERALD_BAD_JSON, BAD_UTF8, LIMIT, BAD_OPTION.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_json_check(const char *data, size_t bytes, const struct herald_limits *limits,
		  struct herald_json *out, struct herald_error *error);

/**
 * A walk over the members of an object or the elements of an array, in input order:
 *
 *	struct herald_json_walk walk;
 *
 *	herald_json_walk_init(&walk, &json);
 *	while (herald_json_walk_next(&walk))
 *		use(&walk.name, &walk.value);
 *
 * Duplicate members are all visited.
 */
struct herald_json_walk {
	/** The member's name, a JSON string with its quotes: compare it with
	 * herald_json_string_equals(). Of an element, `data` is NULL. */
	struct herald_json name;
	struct herald_json value; /**< The member's or element's value. */
	size_t index;             /**< Its number, from 0. */

	/* Private. */
	const char *at_;  /**< Private. */
	const char *end_; /**< Private. */
	size_t count_;    /**< Private. */
	bool in_object_;  /**< Private. */
};

/** Begin a walk. Of a value that is neither an object nor an array, nothing will be visited. */
HERALD_API void
herald_json_walk_init(struct herald_json_walk *walk, const struct herald_json *json);

/** Move on to the first or next member or element. Returns false if there is none. */
HERALD_API bool herald_json_walk_next(struct herald_json_walk *walk);

/** The number of members or elements; 0 for other values. Walks over all of them. */
HERALD_API size_t herald_json_count(const struct herald_json *json);

/**
 * Look up a value by a JSON Pointer (RFC 6901), such as "/items/0/sku". In names, '~' is written
 * ~0 and '/' is ~1. "" is the whole value.
 *
 * out     in `json`. Set only on HERALD_OK; may be `json` itself.
 * error   may be NULL. The path is the pointer's up to the member in question. The offset counts
 *         from the begin of `json`: for HERALD_MISSING, of the innermost value that exists.
 * Errors  HERALD_MISSING, HERALD_DUPLICATE (the object has a second member of that name, so it
 *         cannot be told which one is meant), HERALD_BAD_VALUE (not a JSON Pointer),
 *         HERALD_BAD_JSON.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_json_find(const struct herald_json *json, const char *pointer, struct herald_json *out,
		 struct herald_error *error);

/*
 * The following read one value into *out, which is set only on HERALD_OK. All fail with
 * HERALD_MISSING if there is none (`data` is NULL), HERALD_BAD_TYPE if it has another type, also
 * null, and HERALD_BAD_JSON if it is not valid.
 */

/** Read true or false. */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_json_read_bool(const struct herald_json *json, bool *out);

/**
 * Read an integer, exactly. A number with a fraction or an exponent is HERALD_BAD_TYPE, one that
 * does not fit HERALD_OUT_OF_RANGE.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_json_read_int64(const struct herald_json *json, int64_t *out);

/** The same for 0 to 2^64 - 1. -0 is 0. */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_json_read_uint64(const struct herald_json *json, uint64_t *out);

/**
 * Read a number with any count of digits, correctly rounded (to nearest, ties to even). If it is
 * too large for a double, HERALD_OUT_OF_RANGE.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_json_read_double(const struct herald_json *json, double *out);

/**
 * Read a string: copy its content to an arena, without its escapes. Half a surrogate pair is read
 * as U+FFFD: only JSON that was decoded with replace_lone_surrogates has it.
 *
 * arena   such as herald_context_arena(ctx).
 * out     NUL-terminated. It may also contain NULs, from \\u0000.
 * Errors  also HERALD_BAD_UTF8, HERALD_NO_MEMORY, HERALD_LIMIT (the arena's).
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_json_read_string(const struct herald_json *json, struct herald_arena *arena,
			struct herald_text *out);

/**
 * Whether a value is a string with this content: `"\u0061b"` equals "ab". Undoes the escapes
 * as herald_json_read_string() does, without allocating memory.
 */
HERALD_API bool herald_json_string_equals(const struct herald_json *json, const char *text);

#ifdef __cplusplus
}
#endif
#endif
