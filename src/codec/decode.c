/*
 * Decoding of a document, including the white space around it, and of a part of a larger document.
 * Establishes the decoder's invariant (see reader.h) and owns the reader. decode_object.c decodes
 * the object itself.
 */
#include "codec/decode.h"

#include <string.h>

#include "base/arena.h"
#include "base/attributes.h"
#include "codec/decode_object.h"
#include "codec/plan.h"
#include "json/reader/scan.h"
#include "json/reader/string_scan.h"

/* Decode any value, without interpreting it. */
static char *
decode_raw(struct herald__reader *reader, char *at, struct herald_json *out)
{
	char *after = herald__skip_value(reader, at);

	if (after)
		*out = (struct herald_json){at, (size_t)(after - at)};
	return after;
}

/* Whether the text is in brackets, as the decoder's invariant demands. */
static bool
is_in_brackets(const char *at, const char *end)
{
	return at < end && ((*at == '{' && end[-1] == '}') || (*at == '[' && end[-1] == ']'));
}

/* Decode a document that is a number. Its copy ends with a bracket, so that the invariant holds. */
static char *
decode_number(struct herald__reader *reader, char *at, char *end, const struct herald__plan *plan,
	      char *out)
{
	size_t bytes = (size_t)(end - at);
	char *copy = herald__arena_take(reader->arena, bytes + 1);

	if (!copy)
		return herald__fail_memory(reader, at);
	memcpy(copy, at, bytes);
	copy[bytes] = '}';
	reader->base_offset = herald__offset(reader, at);
	reader->begin = reader->ahead_begin = copy;
	reader->end = copy + bytes + 1;
	reader->whole_end = copy + bytes;
	herald__rescan_special(reader);
	return herald__decode_object(reader, copy, plan, out) ? end : NULL;
}

/*
 * Decode a document that is any value: the root is transparent. Without brackets the invariant does
 * not hold, so such a value is checked first. After that only a number could be read past its end.
 */
HERALD__NOT_INLINE static char *
decode_any(struct herald__reader *reader, char *at, char *end, const struct herald__plan *plan,
	   char *out)
{
	char *after;

	memset(out, 0, plan->element_bytes);
	if (is_in_brackets(at, end)) {
		reader->end = end;
		return herald__decode_object(reader, at, plan, out);
	}
	if (!(after = herald__skip_value(reader, at)))
		return NULL;
	if (after < end)
		return herald__fail_syntax(reader, herald__skip_space(reader, after),
					   "the end of the input");
	if (*at == '-' || (*at >= '0' && *at <= '9'))
		return decode_number(reader, at, end, plan, out);
	reader->end = end;
	return herald__decode_object(reader, at, plan, out);
}

/* Inlined into each caller: otherwise an event would take 1 % longer. */
static HERALD__INLINE char *
decode_document(struct herald__reader *reader, const struct herald__plan *plan, char *out)
{
	char *at = herald__skip_space(reader, reader->begin);
	char *end = reader->end;

	while (end > at && herald__is_space(end[-1]))
		end--;
	if (!plan) {
		at = decode_raw(reader, at, (struct herald_json *)(void *)out);
	} else if ((plan->special & HERALD__TRANSPARENT) != 0) {
		at = decode_any(reader, at, end, plan, out);
	} else if (at == end || *at != '{' || end[-1] != '}') {
		return herald__fail_document(reader, at, "an object");
	} else {
		reader->end = end;
		memset(out, 0, plan->element_bytes);
		at = herald__decode_object(reader, at, plan, out);
	}
	if (at && at < end)
		return herald__fail_syntax(reader, herald__skip_space(reader, at),
					   "the end of the input");
	return at;
}

static inline void
begin(struct herald__reader *reader, const struct herald_codec *codec, char *data, size_t bytes,
      struct herald_arena *arena)
{
	herald__reader_begin(reader, data, bytes, &codec->limits);
	reader->arena = arena;
	herald__arena_expect(arena, bytes);
}

static enum herald_status
decode(const struct herald_codec *codec, char *data, size_t bytes, struct herald_arena *arena,
       void *out, const struct herald__part *part, struct herald__deferral *deferral,
       struct herald_error *error)
{
	struct herald__reader reader;
	char nothing;

	/* If there are no bytes, the pointer may be NULL, and arithmetic on it is undefined. */
	if (bytes == 0)
		data = &nothing;
	begin(&reader, codec, data, bytes, arena);
	reader.depth = part->depth;
	reader.base_offset = part->offset;
	reader.deferral = deferral;
	if (decode_document(&reader, codec->root, out))
		return HERALD_OK;
	return herald__trace_finish(&reader.trace, part->path, error);
}

enum herald_status
herald__codec_decode_part(const struct herald_codec *codec, char *data, size_t bytes,
			  struct herald_arena *arena, void *out, const struct herald__part *part,
			  struct herald_error *error)
{
	return decode(codec, data, bytes, arena, out, part, NULL, error);
}

bool
herald__codec_decode_traced(const struct herald_codec *codec, char *data, size_t bytes,
			    struct herald_arena *arena, void *out, struct herald__trace *trace)
{
	struct herald__reader reader;

	begin(&reader, codec, data, bytes, arena);
	if (decode_document(&reader, codec->root, out))
		return true;
	*trace = reader.trace;
	return false;
}

enum herald_status
herald__codec_decode_deferring(const struct herald_codec *codec, char *data, size_t bytes,
			       struct herald_arena *arena, void *out,
			       struct herald__deferral *deferral, struct herald_error *error)
{
	return decode(codec, data, bytes, arena, out, &herald__whole, deferral, error);
}

enum herald_status
herald__codec_check_part(const struct herald_codec *codec, const char *data, size_t bytes,
			 const struct herald__part *part, struct herald_error *error)
{
	struct herald__reader reader;
	char *at = (char *)data; /* not written to */

	herald__reader_begin(&reader, at, bytes, &codec->limits);
	reader.depth = part->depth;
	reader.base_offset = part->offset;
	if ((at = herald__skip_value(&reader, at)) &&
	    (at = herald__skip_space(&reader, at)) == reader.end)
		return HERALD_OK;
	if (at)
		herald__fail_syntax(&reader, at, "the end of the value");
	return herald__trace_finish(&reader.trace, part->path, error);
}

enum herald_status
herald_codec_decode(const struct herald_codec *codec, char *data, size_t bytes,
		    struct herald_arena *arena, void *out, struct herald_error *error)
{
	size_t out_bytes = codec->root ? codec->root->element_bytes : sizeof(struct herald_json);
	void *decoded = herald__arena_take(arena, out_bytes);
	enum herald_status status;

	if (!decoded)
		return herald_error_set(
			error, herald__arena_over_limit(arena) ? HERALD_LIMIT : HERALD_NO_MEMORY,
			HERALD_NO_OFFSET, "out of memory");
	status = herald__codec_decode_part(codec, data, bytes, arena, decoded, &herald__whole,
					   error);
	if (status == HERALD_OK)
		memcpy(out, decoded, out_bytes);
	return status;
}
