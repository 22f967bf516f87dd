/*
 * Decoding parts of documents, and members that are decoded later. Private.
 */
#ifndef HERALD_SRC_CODEC_DECODE_H
#define HERALD_SRC_CODEC_DECODE_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/codec.h>

#include "base/error_path.h"

/* The place of a document in a larger one: added to its own offsets, paths and depth. */
struct herald__part {
	size_t offset;
	size_t depth;
	const char *path;
};

/* A document that is not part of another one. */
static const struct herald__part herald__whole = {0, 0, ""};

struct herald__reader;

/*
 * A member of the root that another decoder reads while the rest of the document is decoded: the
 * raw JSON member at `offset`, if its value is an object or an array. The member is set to its
 * text.
 */
struct herald__deferral {
	size_t offset; /* of the member in the root's struct */
	/*
	 * Decode the value at `at`. Or match its brackets, and decode or check its text later;
	 * otherwise invalid JSON would be accepted.
	 *
	 * root     the root's struct, as far as it has been decoded.
	 * Returns  the place after the value, or NULL after recording an error.
	 */
	char *(*decode)(struct herald__deferral *deferral, struct herald__reader *reader, char *at,
			const void *root);
};

/* As herald_codec_decode(), but directly into `out`, which is partly written after an error. */
HERALD_MUST_CHECK enum herald_status
herald__codec_decode_part(const struct herald_codec *codec, char *data, size_t bytes,
			  struct herald_arena *arena, void *out, const struct herald__part *part,
			  struct herald_error *error);

/* The same for a whole document, without finishing its error: the caller knows the path later.
 * Returns false after setting `trace`. */
HERALD_MUST_CHECK bool
herald__codec_decode_traced(const struct herald_codec *codec, char *data, size_t bytes,
			    struct herald_arena *arena, void *out, struct herald__trace *trace);

/* The same for a whole document with a member that another decoder reads. */
HERALD_MUST_CHECK enum herald_status
herald__codec_decode_deferring(const struct herald_codec *codec, char *data, size_t bytes,
			       struct herald_arena *arena, void *out,
			       struct herald__deferral *deferral, struct herald_error *error);

/* Check that the text of a deferred member is valid JSON. */
HERALD_MUST_CHECK enum herald_status
herald__codec_check_part(const struct herald_codec *codec, const char *data, size_t bytes,
			 const struct herald__part *part, struct herald_error *error);

#endif
