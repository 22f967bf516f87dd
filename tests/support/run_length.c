/*
 * The coding: its decoder reads a digit, then a byte, in whatever pieces they come, and passes the
 * bytes on in pieces of its own. It owns nothing but its state.
 */
#include "support/run_length.h"

#include <string.h>

#include <herald/adapter/memory.h>

struct decoder {
	struct herald_allocator allocator;
	size_t count; /* of the byte that comes next; 0: a digit comes next */
	size_t taken_bytes;
};

enum herald_status
run_length_create(const struct herald_allocator *allocator, void **out)
{
	struct decoder *decoder = herald_memory_allocate(allocator, sizeof(*decoder));

	if (!decoder)
		return HERALD_NO_MEMORY;
	*decoder = (struct decoder){.allocator = *allocator};
	*out = decoder;
	return HERALD_OK;
}

static enum herald_status
take_byte(struct decoder *decoder, char byte, herald_coding_sink *sink, void *state,
	  struct herald_error *error)
{
	char run[9];

	decoder->taken_bytes++;
	if (decoder->count == 0) {
		if (byte < '1' || byte > '9')
			return herald_error_set(error, HERALD_BAD_FORMAT, HERALD_NO_OFFSET,
						"the run length at byte %zu is not a digit",
						decoder->taken_bytes - 1);
		decoder->count = (size_t)(byte - '0');
		return HERALD_OK;
	}
	size_t bytes = decoder->count;
	memset(run, byte, bytes);
	decoder->count = 0;
	return sink(run, bytes, state);
}

enum herald_status
run_length_decode(void *decoder, const char *data, size_t bytes, herald_coding_sink *sink,
		  void *sink_state, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	for (size_t i = 0; status == HERALD_OK && i < bytes; i++)
		status = take_byte(decoder, data[i], sink, sink_state, error);
	return status;
}

enum herald_status
run_length_finish(void *decoder, struct herald_error *error)
{
	const struct decoder *own = decoder;

	if (own->count == 0)
		return HERALD_OK;
	return herald_error_set(error, HERALD_BAD_FORMAT, HERALD_NO_OFFSET, "a run has no byte");
}

void
run_length_destroy(void *decoder)
{
	struct decoder *own = decoder;
	struct herald_allocator allocator = own->allocator;

	herald_memory_release(&allocator, own, sizeof(*own));
}

const struct herald_content_coding run_length = {
	.name = "Run-Length",
	.create = run_length_create,
	.decode = run_length_decode,
	.finish = run_length_finish,
	.destroy = run_length_destroy,
};

const struct herald_content_coding *const run_length_only[] = {&run_length, NULL};

size_t
run_length_encode(const char *text, char *out)
{
	size_t bytes = 0;

	for (; *text != '\0'; text++) {
		out[bytes++] = '1';
		out[bytes++] = *text;
	}
	out[bytes] = '\0';
	return bytes;
}
