/*
 * Tagged unions: a member of the JSON decides which struct another one is.
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "drawn", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"shapes": [{"kind":"circle","radius":2}, {"side":3,"kind":"square"}]}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "changed", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"type": "shape.added", "data": {"kind": "circle", "radius": 1}}}'
 *	=> 200 {"status":"success"}
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/herald.h>
#include <herald/server.h>

struct circle {
	int radius;
};
HERALD_SCHEMA(circle, HERALD_FIELD(circle, radius, .required = true));
struct square {
	int side;
};
HERALD_SCHEMA(square, HERALD_FIELD(square, side, .required = true));

/* {"kind": "circle", "radius": 2} */
enum shape_kind { CIRCLE, SQUARE };

static const struct herald_name shape_kinds[] = {{"circle", CIRCLE}, {"square", SQUARE}};

struct shape {
	enum shape_kind kind;
	union {
		struct circle circle;
		struct square square;
	} body;
};

HERALD_SCHEMA(shape,
	HERALD_ENUM(shape, kind, shape_kinds, .required = true),
	HERALD_FLAT_VARIANT(shape, body, kind,
		HERALD_CASE("circle", circle),
		HERALD_CASE("square", square)));

struct drawing {
	const struct shape *shapes;
	size_t shapes_count;
};
HERALD_SCHEMA(drawing, HERALD_LIST(drawing, shapes, shape));

/* {"type": "shape.added", "data": {"kind": ...}} */
struct change {
	const char *type;
	union {
		struct shape added;
		struct herald_json other;
	} data;
};

HERALD_SCHEMA(change,
	HERALD_FIELD(change, type, .required = true),
	HERALD_VARIANT(change, data, type,
		HERALD_CASE("shape.added", added, shape),
		HERALD_CASE_OTHER(other)));

static void
print_shape(const struct shape *shape)
{
	bool is_circle = shape->kind == CIRCLE;

	printf("%s of %d\n", is_circle ? "circle" : "square",
	       is_circle ? shape->body.circle.radius : shape->body.square.side);
}

static enum herald_verdict
on_drawn(struct herald_context *ctx, const struct drawing *drawing)
{
	(void)ctx;
	for (size_t i = 0; i < drawing->shapes_count; i++)
		print_shape(&drawing->shapes[i]);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_drawn, drawing);

static enum herald_verdict
on_changed(struct herald_context *ctx, const struct change *change)
{
	(void)ctx;
	if (strcmp(change->type, "shape.added") == 0)
		print_shape(&change->data.added);
	else
		puts(change->type);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_changed, change);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "unions: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("drawn", drawing, on_drawn, NULL),
		HERALD_ROUTE("changed", change, on_changed, NULL),
	};
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;
	struct herald_service *service = NULL;
	struct herald_error error;

	if (port == 0)
		return 2;
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service, &error);
	if (status == HERALD_OK)
		status = herald_serve(service, &HERALD_SERVER_OPTIONS(.port = port), &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "unions", &error);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
