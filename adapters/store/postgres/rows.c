/*
 * Rows of a result. Owns nothing.
 */
#include "rows.h"

#include "times.h"

static uint64_t
number(const PGresult *result, int row, int column, int bytes)
{
	const unsigned char *data = (const unsigned char *)PQgetvalue(result, row, column);
	uint64_t value = 0;

	if (PQgetlength(result, row, column) < bytes)
		return 0; /* NULL */
	for (int i = 0; i < bytes; i++)
		value = value << 8 | data[i];
	return value;
}

int64_t
herald__postgres_row_int8(const PGresult *result, int row, int column)
{
	return (int64_t)number(result, row, column, 8);
}

int32_t
herald__postgres_row_int4(const PGresult *result, int row, int column)
{
	return (int32_t)number(result, row, column, 4);
}

bool
herald__postgres_row_bool(const PGresult *result, int row, int column)
{
	return number(result, row, column, 1);
}

int64_t
herald__postgres_row_when(const PGresult *result, int row, int column)
{
	return herald__postgres_time_ms(herald__postgres_row_int8(result, row, column));
}

const char *
herald__postgres_row_text(const PGresult *result, int row, int column)
{
	return PQgetvalue(result, row, column);
}

struct herald_text
herald__postgres_row_bytes(const PGresult *result, int row, int column)
{
	return (struct herald_text){PQgetvalue(result, row, column),
				    (size_t)PQgetlength(result, row, column)};
}
