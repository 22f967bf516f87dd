/*
 * The growing buffer: its growth and its limit.
 */
#include <stdint.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/buffer.h>

/* The first allocation: large enough for an ordinary response or event. */
#define FIRST_BYTES 256

void
herald_buffer_init(struct herald_buffer *buffer, const struct herald_allocator *allocator,
		   size_t max_bytes)
{
	*buffer = (struct herald_buffer){
		.max_bytes = max_bytes ? max_bytes : SIZE_MAX,
		.allocator = herald_allocator_or_libc(allocator),
	};
}

void
herald_buffer_finish(struct herald_buffer *buffer)
{
	herald_memory_release(&buffer->allocator, buffer->data, buffer->capacity);
	buffer->data = NULL;
	buffer->bytes = 0;
	buffer->capacity = 0;
}

/* At least doubles, so that appending n bytes takes O(n) time, but never exceeds the limit. */
static size_t
grown_capacity(const struct herald_buffer *buffer, size_t needed)
{
	size_t capacity = FIRST_BYTES;

	if (buffer->capacity > SIZE_MAX / 2)
		capacity = SIZE_MAX;
	else if (buffer->capacity * 2 > capacity)
		capacity = buffer->capacity * 2;
	if (capacity < needed)
		capacity = needed;
	return capacity < buffer->max_bytes ? capacity : buffer->max_bytes;
}

enum herald_status
herald_buffer_reserve(struct herald_buffer *buffer, size_t bytes)
{
	if (bytes <= buffer->capacity - buffer->bytes)
		return HERALD_OK;
	if (bytes > buffer->max_bytes - buffer->bytes)
		return HERALD_TOO_LARGE;

	size_t capacity = grown_capacity(buffer, buffer->bytes + bytes);
	char *data = herald_memory_reallocate(&buffer->allocator, buffer->data, buffer->capacity,
					      capacity);
	if (!data)
		return HERALD_NO_MEMORY;
	buffer->data = data;
	buffer->capacity = capacity;
	return HERALD_OK;
}

enum herald_status
herald_buffer_append(struct herald_buffer *buffer, const char *data, size_t bytes)
{
	enum herald_status status = herald_buffer_reserve(buffer, bytes);

	if (status != HERALD_OK)
		return status;
	if (bytes)
		memcpy(buffer->data + buffer->bytes, data, bytes);
	buffer->bytes += bytes;
	return HERALD_OK;
}
