/*
 * Payloads that are not objects: a map of objects, a map of numbers, and a list of lists.
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "counted", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"stocks": {"A-1": {"count": 3, "shelf": "4b"}, "A-2": {"count": 0}},
 *			"prices": {"A-1": 250}}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "measured", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": [[1, 2], [], [4]]}'
 *	=> 200 {"status":"success"}
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>
#include <herald/server.h>

struct stock {
	const char *sku; /* the name in JSON */
	int32_t count;
	const char *shelf;
};

HERALD_SCHEMA(stock,
	HERALD_KEY(stock, sku),
	HERALD_FIELD(stock, count, .required = true),
	HERALD_FIELD(stock, shelf));

/* "A-1": 250 */
struct price {
	const char *sku;
	int64_t cents;
};

HERALD_SCHEMA_WITH(price, (.transparent = true),
	HERALD_KEY(price, sku),
	HERALD_FIELD(price, cents));

struct warehouse {
	const struct stock *stocks;
	size_t stocks_count;
	const struct price *prices;
	size_t prices_count;
};

HERALD_SCHEMA(warehouse,
	HERALD_MAP(warehouse, stocks, stock, .max_count = 1000),
	HERALD_MAP(warehouse, prices, price));

/* [1, 2] */
struct row {
	const int64_t *cells;
	size_t cells_count;
};

HERALD_SCHEMA_WITH(row, (.transparent = true), HERALD_VALUES(row, cells));

/* [[1, 2], [4]] */
struct grid {
	const struct row *rows;
	size_t rows_count;
};

HERALD_SCHEMA_WITH(grid, (.transparent = true), HERALD_LIST(grid, rows, row));

static enum herald_verdict
on_counted(struct herald_context *ctx, const struct warehouse *warehouse)
{
	(void)ctx;
	for (size_t i = 0; i < warehouse->stocks_count; i++) {
		const struct stock *stock = &warehouse->stocks[i];
		const char *shelf = stock->shelf ? stock->shelf : "no shelf";
		printf("%s: %" PRId32 " on %s\n", stock->sku, stock->count, shelf);
	}
	for (const struct price *price = warehouse->prices;
	     price < warehouse->prices + warehouse->prices_count; price++)
		printf("%s: %" PRId64 " cents\n", price->sku, price->cents);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_counted, warehouse);

static enum herald_verdict
on_measured(struct herald_context *ctx, const struct grid *grid)
{
	size_t cells_count = 0;

	(void)ctx;
	for (size_t i = 0; i < grid->rows_count; i++)
		cells_count += grid->rows[i].cells_count;
	printf("%zu rows, %zu cells\n", grid->rows_count, cells_count);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_measured, grid);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "shapes: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("counted", warehouse, on_counted, NULL),
		HERALD_ROUTE("measured", grid, on_measured, NULL),
	};
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;
	struct herald_service *service = NULL;
	struct herald_error error;

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service, &error);
	if (status == HERALD_OK)
		status = herald_serve(service, &HERALD_SERVER_OPTIONS(.port = port), &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "shapes", &error);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
