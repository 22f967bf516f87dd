/*
 * Rows of a result, in PostgreSQL's binary format. Texts are borrowed from the result.
 */
#ifndef HERALD_POSTGRES_ROWS_H
#define HERALD_POSTGRES_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include <herald/value.h>

int64_t herald__postgres_row_int8(const PGresult *result, int row, int column);
int32_t herald__postgres_row_int4(const PGresult *result, int row, int column);
bool herald__postgres_row_bool(const PGresult *result, int row, int column);
/* In milliseconds. */
int64_t herald__postgres_row_when(const PGresult *result, int row, int column);
/* "" for NULL. */
const char *herald__postgres_row_text(const PGresult *result, int row, int column);
struct herald_text herald__postgres_row_bytes(const PGresult *result, int row, int column);

#endif
