/*
 * Prints the schemas of the quickstart's events, for their senders: the service as AsyncAPI, or the
 * payload of one event as JSON Schema.
 *
 *	schemas asyncapi | grep -o '"name": ".*"'
 *	=> "name": "user_created"
 *	   "name": "order_placed"
 *	schemas order_placed | grep '"required"'
 *	=>   "required": ["order_id", "total_cents", "lines"],
 *	         "required": ["sku", "quantity"]
 */
#include <stdio.h>
#include <string.h>

#include <herald/herald.h>

struct user_created {
	const char *user_id;
	const char *username;
};

struct order_line {
	const char *sku;
	int32_t quantity;
};

struct order_placed {
	const char *order_id;
	int64_t total_cents;
	const struct order_line *lines;
	size_t lines_count;
};

HERALD_SCHEMA_WITH(user_created, (.doc = "A user signed up."),
	HERALD_FIELD(user_created, user_id, .required = true, .min_bytes = 1),
	HERALD_FIELD(user_created, username, .required = true, .min_bytes = 1, .doc = "Unique."));

HERALD_SCHEMA(order_line,
	HERALD_FIELD(order_line, sku, .required = true, .min_bytes = 1, .doc = "The article."),
	HERALD_FIELD(order_line, quantity, .required = true, HERALD_RANGE(1, 999)));

HERALD_SCHEMA_WITH(order_placed, (.doc = "A customer ordered."),
	HERALD_FIELD(order_placed, order_id, .required = true, .min_bytes = 1),
	HERALD_FIELD(order_placed, total_cents, .required = true, HERALD_MIN(0),
		     .doc = "The price of all lines, in cents."),
	HERALD_LIST(order_placed, lines, order_line, .required = true, .min_count = 1,
		    .max_count = 100));

static enum herald_verdict
on_user_created(struct herald_context *ctx, const struct user_created *user)
{
	(void)ctx;
	(void)user;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user_created, user_created);

static enum herald_verdict
on_order_placed(struct herald_context *ctx, const struct order_placed *order)
{
	(void)ctx;
	(void)order;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_order_placed, order_placed);

static enum herald_status
export_service(struct herald_buffer *out, struct herald_error *error)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, NULL),
		HERALD_ROUTE("order_placed", order_placed, on_order_placed, NULL, .version = "2",
			     .doc = "Ships the order."),
	};
	struct herald_service *service = NULL;
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service, error);

	if (status == HERALD_OK)
		status = herald_service_asyncapi(
			service, &HERALD_ASYNCAPI_OPTIONS(.title = "Shop", .indent = 2), out,
			error);
	herald_service_destroy(service);
	return status;
}

int
main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";
	struct herald_buffer out;
	struct herald_error error;
	enum herald_status status;

	herald_buffer_init(&out, NULL, 0);
	if (strcmp(what, "asyncapi") == 0) {
		status = export_service(&out, &error);
	} else if (strcmp(what, "order_placed") == 0) {
		status = herald_schema_json(&order_placed_schema,
					    &HERALD_JSON_SCHEMA_OPTIONS(.indent = 2), &out, &error);
	} else {
		fprintf(stderr, "usage: schemas asyncapi | order_placed\n");
		return 2;
	}
	if (status == HERALD_OK)
		printf("%.*s\n", (int)out.bytes, out.data);
	else
		herald_error_print(stderr, "schemas", &error);
	herald_buffer_finish(&out);
	return status == HERALD_OK ? 0 : 1;
}
