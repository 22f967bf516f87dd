/*
 * Lines that count for one value of a tag only: cases of several members, in a union without a
 * name.
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "command", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"op": "set", "name": "x", "values": [1, 2]}}'
 *	=> 200 {"status":"success"}
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "command", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"radius": 3, "op": "draw"}}'
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

/* {"op": "set", "name": "x", "values": [1, 2]}, or {"op": "draw", "radius": 3} */
struct command {
	const char *op;
	union {
		struct {
			const char *name;
			const int32_t *values;
			size_t values_count;
		};
		struct circle circle;
	};
};

HERALD_SCHEMA(command,
	HERALD_FIELD(command, op, .required = true),
	HERALD_FIELD(command, name, .required = true, HERALD_WHEN(op, "set")),
	HERALD_VALUES(command, values, .required = true, HERALD_WHEN(op, "set")),
	HERALD_STRUCT(command, circle, circle, .flat = true, HERALD_WHEN(op, "draw")));

static enum herald_verdict
on_command(struct herald_context *ctx, const struct command *command)
{
	(void)ctx;
	if (strcmp(command->op, "set") == 0)
		printf("%s has %zu values\n", command->name, command->values_count);
	else
		printf("circle of %d\n", command->circle.radius);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_command, command);

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "commands: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("command", command, on_command, NULL),
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
		herald_error_print(stderr, "commands", &error);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
