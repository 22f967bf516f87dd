/*
 * A program that uses only the core. It handles one event, and fails if that does not work, or if
 * the library's version differs from the headers'.
 */
#include <stdio.h>

#include <herald/herald.h>

#if HERALD_VERSION_NUMBER < 0x000100
#error "the headers of another version"
#endif

struct greeting {
	const char *name;
};

HERALD_SCHEMA(greeting, HERALD_FIELD(greeting, name, .required = true));

struct greeter {
	unsigned greeted;
};

static enum herald_verdict
on_greeting(struct herald_context *ctx, const struct greeting *greeting, struct greeter *greeter)
{
	(void)ctx;
	greeter->greeted++;
	printf("hello %s\n", greeting->name);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_greeting, greeting, greeter);

int
main(void)
{
	char event[] = "{\"event_type\":\"greeted\",\"timestamp\":\"2024-08-20T05:21:19Z\","
		       "\"payload\":{\"name\":\"Ada\"}}";
	struct greeter greeter = {0};
	const struct herald_route routes[] = {
		HERALD_ROUTE("greeted", greeting, on_greeting, &greeter),
	};
	struct herald_service *service = NULL;
	struct herald_result result;
	struct herald_error error;

	if (herald_version_number() != HERALD_VERSION_NUMBER ||
	    herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service,
				  &error) != HERALD_OK)
		return 1;
	herald_service_handle(service, event, sizeof(event) - 1, &result);
	herald_service_destroy(service);
	return result.verdict == HERALD_DONE && greeter.greeted == 1 ? 0 : 1;
}
