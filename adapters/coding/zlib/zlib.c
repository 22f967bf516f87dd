/*
 * Decodes gzip and deflate with zlib. Owns the decoders. The endpoint reads Content-Encoding and
 * limits the size of bodies.
 */
#include <stdbool.h>
#include <stddef.h>

/* With it, zlib's input is const. */
#define ZLIB_CONST
#include <zlib.h>

#include <herald/adapter/memory.h>
#include <herald/zlib.h>

/* As much is decoded at a time. */
#define PIECE_BYTES 8192

/* zlib counts input in unsigned int. */
#define MAX_INPUT_BYTES ((size_t)1 << 30)

/* A format that zlib reads. */
struct format {
	const char *name; /* for errors */
	int window_bits;  /* of inflateInit2(): the largest window, and the format */
	bool has_members; /* Several may follow each other. */
};

static const struct format gzip = {"gzip (RFC 1952)", 15 + 16, true};
static const struct format deflate_zlib = {"deflate in zlib format (RFC 1950)", 15, false};

struct decoder {
	const struct format *format;
	struct herald_allocator allocator;
	z_stream stream;
	bool is_complete;   /* The input ends with a member, and nothing follows yet. */
	size_t taken_bytes; /* of the body */
};

/* Memory: zlib does not tell the size of a block that it frees, so it is kept before the block. */

union block {
	size_t bytes; /* with this union */
	max_align_t align;
};

static void *
allocate(void *state, uInt count, uInt bytes)
{
	const struct decoder *decoder = state;
	size_t all_bytes = sizeof(union block) + (size_t)count * bytes;
	union block *block = herald_memory_allocate(&decoder->allocator, all_bytes);

	if (!block)
		return Z_NULL;
	block->bytes = all_bytes;
	return block + 1;
}

static void
release(void *state, void *data)
{
	const struct decoder *decoder = state;
	union block *block = (union block *)data - 1;

	herald_memory_release(&decoder->allocator, block, block->bytes);
}

/* Decoders. */

static enum herald_status
create(const struct format *format, const struct herald_allocator *allocator, void **out)
{
	struct decoder *decoder = herald_memory_allocate(allocator, sizeof(*decoder));

	if (!decoder)
		return HERALD_NO_MEMORY;
	*decoder = (struct decoder){.format = format, .allocator = *allocator};
	decoder->stream.zalloc = allocate;
	decoder->stream.zfree = release;
	decoder->stream.opaque = decoder;
	if (inflateInit2(&decoder->stream, format->window_bits) != Z_OK) {
		herald_memory_release(allocator, decoder, sizeof(*decoder));
		return HERALD_NO_MEMORY;
	}
	*out = decoder;
	return HERALD_OK;
}

static enum herald_status
create_gzip(const struct herald_allocator *allocator, void **out)
{
	return create(&gzip, allocator, out);
}

static enum herald_status
create_deflate(const struct herald_allocator *allocator, void **out)
{
	return create(&deflate_zlib, allocator, out);
}

static void
destroy(void *state)
{
	struct decoder *decoder = state;
	struct herald_allocator allocator = decoder->allocator;

	inflateEnd(&decoder->stream);
	herald_memory_release(&allocator, decoder, sizeof(*decoder));
}

/* Errors. */

static enum herald_status
refuse(const struct decoder *decoder, const char *reason, struct herald_error *error)
{
	return herald_error_set(error, HERALD_BAD_FORMAT, HERALD_NO_OFFSET,
				"expected a body in %s: %s, at byte %zu", decoder->format->name,
				reason, decoder->taken_bytes - decoder->stream.avail_in);
}

/* What inflate() has returned. */
static enum herald_status
check(const struct decoder *decoder, int result, struct herald_error *error)
{
	switch (result) {
	case Z_OK:
	case Z_STREAM_END:
	case Z_BUF_ERROR: /* It needs more input. */
		return HERALD_OK;
	case Z_MEM_ERROR:
		return HERALD_NO_MEMORY;
	case Z_NEED_DICT:
		return refuse(decoder, "it needs a dictionary", error);
	default:
		return refuse(decoder,
			      decoder->stream.msg ? decoder->stream.msg : "the data is corrupt",
			      error);
	}
}

/* Decoding. */

/* There is input: before a further member, begin anew. */
static enum herald_status
begin_member(struct decoder *decoder, struct herald_error *error)
{
	if (!decoder->is_complete)
		return HERALD_OK;
	if (!decoder->format->has_members)
		return refuse(decoder, "bytes follow its end", error);
	inflateReset(&decoder->stream);
	return HERALD_OK;
}

/* Decode up to a piece of output, or a member's end. `is_full` is set to whether there may be more
 * output. */
static enum herald_status
decode_piece(struct decoder *decoder, herald_coding_sink *sink, void *sink_state, bool *is_full,
	     struct herald_error *error)
{
	char piece[PIECE_BYTES];
	z_stream *stream = &decoder->stream;

	stream->next_out = (Bytef *)piece;
	stream->avail_out = sizeof(piece);
	int result = inflate(stream, Z_NO_FLUSH);
	size_t bytes = sizeof(piece) - stream->avail_out;
	/* First what comes before an error, so that the outcome does not depend on how the body is
	 * cut. */
	enum herald_status status = bytes > 0 ? sink(piece, bytes, sink_state) : HERALD_OK;

	if (status == HERALD_OK)
		status = check(decoder, result, error);
	decoder->is_complete = result == Z_STREAM_END;
	*is_full = stream->avail_out == 0 && !decoder->is_complete;
	return status;
}

static enum herald_status
decode_input(struct decoder *decoder, herald_coding_sink *sink, void *sink_state,
	     struct herald_error *error)
{
	enum herald_status status = HERALD_OK;
	bool is_full = false;

	while (status == HERALD_OK && (decoder->stream.avail_in > 0 || is_full)) {
		status = begin_member(decoder, error);
		if (status == HERALD_OK)
			status = decode_piece(decoder, sink, sink_state, &is_full, error);
	}
	return status;
}

static enum herald_status
decode(void *state, const char *data, size_t bytes, herald_coding_sink *sink, void *sink_state,
       struct herald_error *error)
{
	struct decoder *decoder = state;
	enum herald_status status = HERALD_OK;

	while (status == HERALD_OK && bytes > 0) {
		size_t taken = bytes < MAX_INPUT_BYTES ? bytes : MAX_INPUT_BYTES;

		decoder->stream.next_in = (const Bytef *)data;
		decoder->stream.avail_in = (uInt)taken;
		decoder->taken_bytes += taken;
		data += taken;
		bytes -= taken;
		status = decode_input(decoder, sink, sink_state, error);
	}
	return status;
}

static enum herald_status
finish(void *state, struct herald_error *error)
{
	const struct decoder *decoder = state;

	return decoder->is_complete ? HERALD_OK : refuse(decoder, "it ends too early", error);
}

static const struct herald_content_coding gzip_coding = {
	.name = "gzip",
	.create = create_gzip,
	.decode = decode,
	.finish = finish,
	.destroy = destroy,
};

static const struct herald_content_coding deflate_coding = {
	.name = "deflate",
	.create = create_deflate,
	.decode = decode,
	.finish = finish,
	.destroy = destroy,
};

const struct herald_content_coding *const *
herald_zlib_codings(void)
{
	static const struct herald_content_coding *const codings[] = {&gzip_coding, &deflate_coding,
								      NULL};

	return codings;
}
