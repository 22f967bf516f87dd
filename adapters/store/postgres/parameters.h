/*
 * Parameters of a statement, in PostgreSQL's binary format: big-endian numbers, and arrays that are
 * columns of a batch. An error is remembered until the statement is run, so that callers need no
 * checks in between.
 */
#ifndef HERALD_POSTGRES_PARAMETERS_H
#define HERALD_POSTGRES_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/buffer.h>
#include <herald/status.h>
#include <herald/value.h>

#define POSTGRES_PARAMETERS_MAX 20

/* OIDs of types, which never change. */
enum postgres_type {
	POSTGRES_BOOL = 16,
	POSTGRES_BYTEA = 17,
	POSTGRES_INT8 = 20,
	POSTGRES_INT4 = 23,
	POSTGRES_TIMESTAMPTZ = 1184,
	POSTGRES_UUID = 2950,
};

struct postgres_parameters {
	struct herald_buffer buffer;
	size_t count;
	size_t begins[POSTGRES_PARAMETERS_MAX];
	int lengths[POSTGRES_PARAMETERS_MAX]; /* -1: NULL */
	enum herald_status status;            /* the first error */

	/* For libpq; set by herald__postgres_parameters_end(). */
	const char *values[POSTGRES_PARAMETERS_MAX];
	int formats[POSTGRES_PARAMETERS_MAX];
};

/* Begin the parameters of the next statement. */
void herald__postgres_parameters_begin(struct postgres_parameters *parameters);

/* The parameters $1, $2 and so on, in this order. A text that is NULL is SQL's NULL. */
void herald__postgres_int8(struct postgres_parameters *parameters, int64_t value);
void herald__postgres_int4(struct postgres_parameters *parameters, int32_t value);
void herald__postgres_bool(struct postgres_parameters *parameters, bool value);
void herald__postgres_when(struct postgres_parameters *parameters, int64_t ms);
void herald__postgres_bytes(struct postgres_parameters *parameters, const char *data, size_t bytes);
void herald__postgres_text(struct postgres_parameters *parameters, const char *text);
void herald__postgres_null(struct postgres_parameters *parameters);

/* A parameter that is an array of `count` elements, which follow. */
void herald__postgres_array(struct postgres_parameters *parameters, enum postgres_type type,
			    size_t count);
void herald__postgres_put_int8(struct postgres_parameters *parameters, int64_t value);
void herald__postgres_put_int4(struct postgres_parameters *parameters, int32_t value);
void herald__postgres_put_bool(struct postgres_parameters *parameters, bool value);
void herald__postgres_put_when(struct postgres_parameters *parameters, int64_t ms);
void
herald__postgres_put_bytes(struct postgres_parameters *parameters, const char *data, size_t bytes);
void herald__postgres_put_text(struct postgres_parameters *parameters, const char *text);
void herald__postgres_put_null(struct postgres_parameters *parameters);

/* Make values, lengths and formats. Returns the first error. */
enum herald_status herald__postgres_parameters_end(struct postgres_parameters *parameters);

#endif
