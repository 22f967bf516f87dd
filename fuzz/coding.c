/*
 * Fuzzes the zlib adapter's codings: the input as a coded body, whole and in pieces, and the input
 * compressed and decoded again. However a body is cut, the outcome, what comes out and
 * the error are the same; never more than the limit comes out; and what is compressed comes back.
 *
 * The input: a byte that chooses the coding and the size of pieces, then the body.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include <herald/zlib.h>

#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())
#define MAX_DECODED_BYTES ((size_t)1 << 16)
#define MAX_PIECE_BYTES ((size_t)64 << 10)

/* What came out of a body. */
struct outcome {
	char data[MAX_DECODED_BYTES];
	size_t bytes;
	enum herald_status status;
	struct herald_error error;
};

/* The herald_coding_sink. */
static enum herald_status
keep(const char *data, size_t bytes, void *state)
{
	struct outcome *outcome = state;

	CHECK(bytes > 0 && bytes <= MAX_PIECE_BYTES);
	if (bytes > sizeof(outcome->data) - outcome->bytes)
		return HERALD_TOO_LARGE;
	memcpy(outcome->data + outcome->bytes, data, bytes);
	outcome->bytes += bytes;
	return HERALD_OK;
}

static void
decode(const struct herald_content_coding *coding, const uint8_t *data, size_t size, size_t piece,
       struct outcome *out)
{
	void *decoder;

	out->bytes = 0;
	out->status = HERALD_OK;
	out->error.message[0] = '\0';
	CHECK(coding->create(&herald_allocator_libc, &decoder) == HERALD_OK);
	for (size_t at = 0; out->status == HERALD_OK && at < size; at += piece) {
		size_t bytes = size - at < piece ? size - at : piece;
		char *copy = malloc(bytes);

		CHECK(copy != NULL);
		memcpy(copy, data + at, bytes);
		out->status = coding->decode(decoder, copy, bytes, keep, out, &out->error);
		free(copy);
	}
	if (out->status == HERALD_OK)
		out->status = coding->finish(decoder, &out->error);
	CHECK(out->status == HERALD_OK || out->status == HERALD_TOO_LARGE ||
	      (out->status == HERALD_BAD_FORMAT && out->error.message[0] != '\0'));
	coding->destroy(decoder);
}

static void
check_splits(const struct herald_content_coding *coding, const uint8_t *data, size_t size,
	     size_t piece)
{
	static struct outcome whole, cut;

	decode(coding, data, size, size > 0 ? size : 1, &whole);
	decode(coding, data, size, piece, &cut);
	CHECK(whole.status == cut.status);
	if (whole.status == HERALD_OK)
		CHECK(whole.bytes == cut.bytes && memcmp(whole.data, cut.data, whole.bytes) == 0);
	if (whole.status == HERALD_BAD_FORMAT)
		CHECK(strcmp(whole.error.message, cut.error.message) == 0);
}

static void
check_round_trip(const struct herald_content_coding *coding, int window_bits, const uint8_t *data,
		 size_t size, size_t piece)
{
	static uint8_t compressed[2 * MAX_DECODED_BYTES];
	static struct outcome outcome;
	z_stream stream = {0};

	if (size > MAX_DECODED_BYTES)
		return;
	CHECK(deflateInit2(&stream, (int)(piece % 10), Z_DEFLATED, window_bits, 8,
			   Z_DEFAULT_STRATEGY) == Z_OK);
	stream.next_in = data;
	stream.avail_in = (uInt)size;
	stream.next_out = compressed;
	stream.avail_out = sizeof(compressed);
	CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
	size_t bytes = stream.total_out;
	deflateEnd(&stream);
	decode(coding, compressed, bytes, piece, &outcome);
	CHECK(outcome.status == HERALD_OK && outcome.bytes == size);
	CHECK(size == 0 || memcmp(outcome.data, data, size) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct herald_content_coding *const *codings = herald_zlib_codings();
	uint8_t choice = size > 0 ? data[0] : 0;
	size_t piece = 1 + choice / 2;

	if (size > 0) {
		data++;
		size--;
	}
	check_splits(codings[choice % 2], data, size, piece);
	check_round_trip(codings[choice % 2], choice % 2 ? 15 : 15 + 16, data, size, piece);
	return 0;
}
