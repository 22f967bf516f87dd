/*
 * Documents: from the first byte to the last, white space around it included, and as part of a larger one.
 * Owns the decoder's invariant (see scan.h), the reader, and which error is told of a document with a
 * deferred member. The object that a document is, is decode.c's.
 */
#include <string.h>

#include "../arena.h"
#include "codec.h"
#include "decode.h"
#include "scan.h"

/* A document for which the decoder's invariant does not hold: say what is wrong
 * with it. */
static char *
fail_document(struct herald__reader *reader, char *at)
{
	char *after = herald__skip_value(reader, at);

	if (after == NULL)
		return NULL;
	after = herald__skip_space(reader, after);
	if (after < reader->end)
		return herald__fail_syntax(reader, after, "the end of the input");
	return herald__fail_type(reader, at, "an object");
}

/* Any value, as it is. */
static char *
decode_raw(struct herald__reader *reader, char *at, struct herald_json *out)
{
	char *after = herald__skip_value(reader, at);

	if (after != NULL)
		*out = (struct herald_json){at, (size_t)(after - at)};
	return after;
}

static char *
decode_document(struct herald__reader *reader, const struct herald__plan *plan, char *out)
{
	char *at = herald__skip_space(reader, reader->begin);
	char *end = reader->end;

	while (end > at && herald__is_space(end[-1]))
		end--;
	if (plan == NULL) {
		at = decode_raw(reader, at, (struct herald_json *)(void *)out);
	} else if (at == end || *at != '{' || end[-1] != '}') {
		return fail_document(reader, at);
	} else {
		reader->end = end;
		memset(out, 0, plan->element_bytes);
		at = herald__decode_object(reader, at, plan, out);
	}
	if (at != NULL && at < end)
		return herald__fail_syntax(reader, herald__skip_space(reader, at),
					   "the end of the input");
	return at;
}

/*
 * A failure after a deferred value may be due to it: what skipped it saw brackets and quotes only. If
 * it is not valid, that is the first error of the document.
 */
static void
blame_deferred(struct herald__reader *reader, const struct herald__plan *plan)
{
	struct herald__trace trace = reader->trace;
	const struct herald__field *field = plan->fields;

	while ((field->flags & HERALD__DEFERRED) == 0)
		field++;
	reader->depth = 1;
	herald__forget_stops(reader);
	reader->text = HERALD__UNKNOWN;
	reader->sequences_count = 0;
	if (herald__skip_value(reader, reader->deferred) == NULL)
		herald__trace_key(&reader->trace, field->name, field->name_bytes);
	else
		reader->trace = trace;
}

static enum herald_status
decode(const struct herald_codec *codec, char *data, size_t bytes, struct herald_arena *arena,
       void *out, const struct herald__part *part, const struct herald__resolver *resolver,
       struct herald_error *error)
{
	struct herald__reader reader;
	char nothing;

	/* Of no bytes the pointer may be NULL, to which nothing can be added. */
	if (bytes == 0)
		data = &nothing;
	herald__reader_begin(&reader, data, bytes, &codec->limits);
	reader.arena = arena;
	reader.depth = part->depth;
	reader.base_offset = part->offset;
	reader.resolver = resolver;
	if (decode_document(&reader, codec->root, out) != NULL)
		return HERALD_OK;
	if (reader.deferred != NULL)
		blame_deferred(&reader, codec->root);
	return herald__trace_finish(&reader.trace, part->path, error);
}

enum herald_status
herald__codec_decode_part(const struct herald_codec *codec, char *data, size_t bytes,
			  struct herald_arena *arena, void *out, const struct herald__part *part,
			  struct herald_error *error)
{
	return decode(codec, data, bytes, arena, out, part, NULL, error);
}

enum herald_status
herald__codec_decode_envelope(const struct herald_codec *codec, char *data, size_t bytes,
			      struct herald_arena *arena, void *out,
			      const struct herald__resolver *resolver, struct herald_error *error)
{
	return decode(codec, data, bytes, arena, out, &herald__whole, resolver, error);
}

enum herald_status
herald__codec_check_part(const struct herald_codec *codec, const char *data, size_t bytes,
			 const struct herald__part *part, struct herald_error *error)
{
	struct herald__reader reader;
	char *at = (char *)data; /* skipping does not write */

	herald__reader_begin(&reader, at, bytes, &codec->limits);
	reader.depth = part->depth;
	reader.base_offset = part->offset;
	if ((at = herald__skip_value(&reader, at)) != NULL &&
	    (at = herald__skip_space(&reader, at)) == reader.end)
		return HERALD_OK;
	if (at != NULL)
		herald__fail_syntax(&reader, at, "the end of the value");
	return herald__trace_finish(&reader.trace, part->path, error);
}

enum herald_status
herald_codec_decode(const struct herald_codec *codec, char *data, size_t bytes,
		    struct herald_arena *arena, void *out, struct herald_error *error)
{
	size_t out_bytes =
		codec->root != NULL ? codec->root->element_bytes : sizeof(struct herald_json);
	void *decoded = herald__arena_take(arena, out_bytes);
	enum herald_status status;

	if (decoded == NULL)
		return herald_error_set(
			error, herald__arena_over_limit(arena) ? HERALD_LIMIT : HERALD_NO_MEMORY,
			HERALD_NO_OFFSET, "no memory for the struct");
	status = herald__codec_decode_part(codec, data, bytes, arena, decoded, &herald__whole,
					   error);
	if (status == HERALD_OK)
		memcpy(out, decoded, out_bytes);
	return status;
}
