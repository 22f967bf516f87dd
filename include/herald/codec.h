/*
 * Codecs: a schema checked and prepared once, then decoding JSON into its struct and encoding the
 * struct as JSON, from any thread.
 *
 * JSON is RFC 8259, strictly: valid UTF-8, no trailing commas, no leading zeros, no lone surrogates,
 * nothing but white space after the value, keys compared exactly.
 */
#ifndef HERALD_CODEC_H
#define HERALD_CODEC_H

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

/** What a decoder takes before it refuses with HERALD_LIMIT. A 0 means the default. */
struct herald_limits {
	size_t max_depth;        /**< Arrays and objects within each other: 64; at most 1024. */
	size_t max_list_count;   /**< Elements of a list, entries of a map: 65,536. */
	size_t max_key_bytes;    /**< A member's name between its quotes: 1,024. */
	size_t max_string_bytes; /**< A string between its quotes: no limit but the event's. */
};

struct herald_codec;

/**
 * Check a schema, and those it leads to, and prepare them.
 *
 * schema     borrowed until the codec is destroyed.
 * limits     copied; NULL means the defaults.
 * allocator  copied; NULL means libc's. Used here and in destroy only.
 * out        set only on HERALD_OK; the caller owns it.
 * error      may be NULL; its path is the C member, such as "order_placed.lines".
 * Errors     HERALD_BAD_SCHEMA (duplicate keys, members that overlap, bytes of the struct that no
 *            field describes, options that do not suit the kind), HERALD_BAD_OPTION,
 *            HERALD_NO_MEMORY.
 * Threads    any; the codec is immutable and may be used by all threads at once.
 *
 * A member left out is seen by the gap it leaves. One so small that alignment would have left the
 * same gap cannot be seen.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_codec_create(const struct herald_schema *schema, const struct herald_limits *limits,
		    const struct herald_allocator *allocator, struct herald_codec **out,
		    struct herald_error *error);

/** Free a codec. NULL is allowed. */
HERALD_API void herald_codec_destroy(struct herald_codec *codec);

/**
 * Decode one JSON document into the codec's struct, in one pass and in place.
 *
 * data    `bytes` bytes, not NUL-terminated; consumed: strings are unescaped where they stand and
 *         the struct points to them, so it must live as long as the struct is used. After an error
 *         its contents are no longer the document.
 * arena   what does not fit into the struct or the data: lists, maps, structs pointed to.
 * out     the struct; written only on HERALD_OK, and then completely.
 * error   may be NULL; path and offset are those of the value that is wrong. A missing member has
 *         its own path and the offset of the object that lacks it; one that stands twice, or is
 *         unknown, the offset of its name; a list that is too long that of the first element too many.
 * Errors  HERALD_BAD_JSON, BAD_UTF8, BAD_TYPE, BAD_VALUE, BAD_TIME, OUT_OF_RANGE, BAD_LENGTH,
 *         MISSING, DUPLICATE, UNKNOWN_MEMBER, LIMIT (the arena's too), NO_MEMORY.
 *         What the arena gave out is taken back by its next reset only.
 * Threads any.
 *
 * Members that no field has as its key are checked to be valid JSON and skipped.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_codec_decode(const struct herald_codec *codec, char *data, size_t bytes,
		    struct herald_arena *arena, void *out, struct herald_error *error);

/**
 * Encode the codec's struct as one JSON object, without white space, in the order of the schema.
 *
 * NULL strings, pointers, lists and maps, and optional members whose has_ is false, are left out; so is
 * what is zero, may not be (HERALD_MIN(1), say), and is not required. What it writes decodes to an equal
 * struct; what would not is an error.
 *
 * in      the struct.
 * out     the bytes are added at its end; as it was after an error.
 * error   may be NULL; its path is that of the value that is wrong, the offset HERALD_NO_OFFSET.
 * Errors  HERALD_MISSING (NULL, but required or said to be there), BAD_VALUE (not a number, an enum
 *         without a name), BAD_UTF8, BAD_JSON, BAD_TIME, OUT_OF_RANGE, BAD_LENGTH, DUPLICATE, LIMIT,
 *         TOO_LARGE, NO_MEMORY.
 * Threads any.
 */
HERALD_API HERALD_MUST_CHECK enum herald_status
herald_codec_encode(const struct herald_codec *codec, const void *in, struct herald_buffer *out,
		    struct herald_error *error);

#ifdef __cplusplus
}
#endif
#endif
