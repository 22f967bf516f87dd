/*
 * Codecs decode JSON into a struct and encode a struct as JSON. A codec is created once from a
 * schema; then any thread may use it.
 *
 * JSON is read strictly by RFC 8259: valid UTF-8, no trailing commas, no leading zeros, no lone
 * surrogates, and only white space after the value. Keys are compared exactly.
 */
#ifndef HERALD_CODEC_H
#define HERALD_CODEC_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/allocator.h>
#include <herald/arena.h>
#include <herald/buffer.h>
#include <herald/export.h>
#include <herald/schema.h>
#include <herald/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Limits of what a codec reads; past them, HERALD_LIMIT. Zero means the default. */
struct herald_limits {
	size_t max_depth;        /**< Nested arrays and objects. Default 64, limit 1,024. */
	size_t max_list_count;   /**< Elements of a list, entries of a map. Default 65,536. */
	size_t max_key_bytes;    /**< A member's name in the input. Default 1,024. */
	size_t max_string_bytes; /**< A string in the input. Default unlimited. */
	/** Read half a surrogate pair, such as \\ud83d, as U+FFFD. Default: HERALD_BAD_JSON. */
	bool replace_lone_surrogates;
};

struct herald_codec;

/**
 * Create a codec: check a schema and the schemas that it refers to, and prepare them.
 *
 * schema     borrowed until the codec is destroyed.
 * limits     copied; NULL means the defaults.
 * allocator  copied; NULL means libc's. Used by create and destroy only.
 * out        set only on HERALD_OK; the caller owns it.
 * error      may be NULL; its path is the C member, such as "order_placed.lines".
 * Errors     HERALD_BAD_SCHEMA (duplicate keys, overlapping or forgotten members, options that
 *            do not fit the kind), HERALD_BAD_OPTION, HERALD_NO_MEMORY.
 * Threads    any. The codec is immutable; all threads may use it at once.
 *
 * A forgotten member is detected by the gap between its neighbours, unless the gap could be
 * padding. In a schema with `.no_padding` every gap is an error.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_codec_create(const struct herald_schema *schema, const struct herald_limits *limits,
		    const struct herald_allocator *allocator, struct herald_codec **out,
		    struct herald_error *error);

/** Free a codec. NULL is allowed. */
HERALD_API void herald_codec_destroy(struct herald_codec *codec);

/**
 * Decode one JSON document into the codec's struct, in one pass and in place. Members of the JSON
 * without a field are checked to be valid JSON and skipped.
 *
 * data    `bytes` bytes, not NUL-terminated. Strings are unescaped in place and the struct points
 *         to them, so keep it as long as you use the struct. After an error its contents are
 *         undefined.
 * arena   holds lists, maps and structs behind pointers.
 * out     the struct; set only on HERALD_OK.
 * error   may be NULL; path and offset of the wrong value. The offset is the object's for a missing
 *         member, the name's for a duplicate or unknown member, and the first element's past the
 *         limit for a list that is too long.
 * Errors  HERALD_BAD_JSON, BAD_UTF8, BAD_TYPE, BAD_VALUE, BAD_TIME, OUT_OF_RANGE, BAD_LENGTH,
 *         MISSING, DUPLICATE, UNKNOWN_MEMBER, LIMIT (also the arena's), NO_MEMORY.
 *         After an error the arena keeps what it allocated until its next reset.
 * Threads any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_codec_decode(const struct herald_codec *codec, char *data, size_t bytes,
		    struct herald_arena *arena, void *out, struct herald_error *error);

/**
 * Encode the codec's struct as a JSON object, in the order of the schema, without white space.
 *
 * Omitted are NULL strings, pointers, lists and maps, optional members whose has_ is false, and
 * members that are zero, not required, and could not be decoded from zero (for example with
 * HERALD_MIN(1)). The output decodes to an equal struct; a struct for which this is impossible is
 * an error.
 *
 * in      the struct.
 * out     the JSON is appended. Unchanged after an error.
 * error   may be NULL; its path names the wrong value. No offset.
 * Errors  HERALD_MISSING (NULL, but required or has_ is true), BAD_VALUE (not a number, an enum
 *         without a name), BAD_UTF8, BAD_JSON, BAD_TIME, OUT_OF_RANGE, BAD_LENGTH, DUPLICATE,
 *         LIMIT, TOO_LARGE, NO_MEMORY.
 * Threads any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_codec_encode(const struct herald_codec *codec, const void *in, struct herald_buffer *out,
		    struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
