/*
 * Parameters of a statement. Owns the format; the buffer is a part of the struct, and is kept from
 * one statement to the next.
 */
#include "parameters.h"

#include <limits.h>
#include <string.h>

#include "times.h"

void
herald__postgres_parameters_begin(struct postgres_parameters *parameters)
{
	parameters->buffer.bytes = 0;
	parameters->count = 0;
	parameters->status = HERALD_OK;
}

/* Room for `bytes` bytes, which belong to the current parameter; NULL after an error. */
static char *
extend(struct postgres_parameters *parameters, size_t bytes)
{
	struct herald_buffer *buffer = &parameters->buffer;

	if (parameters->status == HERALD_OK && buffer->capacity - buffer->bytes < bytes)
		parameters->status = herald_buffer_reserve(buffer, bytes);
	if (parameters->status != HERALD_OK)
		return NULL;
	char *room = buffer->data + buffer->bytes;
	buffer->bytes += bytes;
	return room;
}

static void
put_number(struct postgres_parameters *parameters, uint64_t value, size_t bytes)
{
	char *room = extend(parameters, bytes);

	for (size_t i = 0; room && i < bytes; i++)
		room[i] = (char)(value >> (bytes - 1 - i) * 8);
}

static void
put_data(struct postgres_parameters *parameters, const char *data, size_t bytes)
{
	char *room = bytes > 0 ? extend(parameters, bytes) : NULL;

	if (room)
		memcpy(room, data, bytes);
}

/* A new parameter begins; its length is known when the next one does. */
static void
next(struct postgres_parameters *parameters)
{
	size_t at = parameters->count++;

	parameters->begins[at] = parameters->buffer.bytes;
	parameters->lengths[at] = 0;
}

/* Elements of arrays. */

static void
put_element(struct postgres_parameters *parameters, uint64_t value, size_t bytes)
{
	put_number(parameters, bytes, 4);
	put_number(parameters, value, bytes);
}

void
herald__postgres_array(struct postgres_parameters *parameters, enum postgres_type type,
		       size_t count)
{
	next(parameters);
	put_number(parameters, count > 0, 4); /* dimensions */
	put_number(parameters, 1, 4);         /* may have NULLs */
	put_number(parameters, type, 4);
	if (count == 0)
		return;
	put_number(parameters, count, 4);
	put_number(parameters, 1, 4); /* the first index */
}

void
herald__postgres_put_int8(struct postgres_parameters *parameters, int64_t value)
{
	put_element(parameters, (uint64_t)value, 8);
}

void
herald__postgres_put_int4(struct postgres_parameters *parameters, int32_t value)
{
	put_element(parameters, (uint32_t)value, 4);
}

void
herald__postgres_put_bool(struct postgres_parameters *parameters, bool value)
{
	put_element(parameters, value, 1);
}

void
herald__postgres_put_when(struct postgres_parameters *parameters, int64_t ms)
{
	put_element(parameters, (uint64_t)herald__postgres_time(ms), 8);
}

void
herald__postgres_put_bytes(struct postgres_parameters *parameters, const char *data, size_t bytes)
{
	if (bytes > INT_MAX && parameters->status == HERALD_OK)
		parameters->status = HERALD_TOO_LARGE;
	put_number(parameters, bytes, 4);
	put_data(parameters, data, bytes);
}

void
herald__postgres_put_text(struct postgres_parameters *parameters, const char *text)
{
	if (text)
		herald__postgres_put_bytes(parameters, text, strlen(text));
	else
		herald__postgres_put_null(parameters);
}

void
herald__postgres_put_null(struct postgres_parameters *parameters)
{
	put_number(parameters, UINT32_MAX, 4);
}

/* Single values. */

void
herald__postgres_int8(struct postgres_parameters *parameters, int64_t value)
{
	next(parameters);
	put_number(parameters, (uint64_t)value, 8);
}

void
herald__postgres_int4(struct postgres_parameters *parameters, int32_t value)
{
	next(parameters);
	put_number(parameters, (uint32_t)value, 4);
}

void
herald__postgres_bool(struct postgres_parameters *parameters, bool value)
{
	next(parameters);
	put_number(parameters, value, 1);
}

void
herald__postgres_when(struct postgres_parameters *parameters, int64_t ms)
{
	herald__postgres_int8(parameters, herald__postgres_time(ms));
}

void
herald__postgres_bytes(struct postgres_parameters *parameters, const char *data, size_t bytes)
{
	next(parameters);
	put_data(parameters, data, bytes);
}

void
herald__postgres_text(struct postgres_parameters *parameters, const char *text)
{
	if (text)
		herald__postgres_bytes(parameters, text, strlen(text));
	else
		herald__postgres_null(parameters);
}

void
herald__postgres_null(struct postgres_parameters *parameters)
{
	next(parameters);
	parameters->lengths[parameters->count - 1] = -1;
}

enum herald_status
herald__postgres_parameters_end(struct postgres_parameters *parameters)
{
	size_t end = parameters->buffer.bytes;

	for (size_t i = parameters->count; parameters->status == HERALD_OK && i-- > 0;) {
		size_t begin = parameters->begins[i];

		if (end - begin > INT_MAX)
			parameters->status = HERALD_TOO_LARGE;
		parameters->formats[i] = 1;
		if (parameters->lengths[i] < 0) {
			parameters->values[i] = NULL;
			continue;
		}
		parameters->lengths[i] = (int)(end - begin);
		/* "" is a value, also where nothing has been allocated. */
		parameters->values[i] = begin < end ? parameters->buffer.data + begin : "";
		end = begin;
	}
	return parameters->status;
}
