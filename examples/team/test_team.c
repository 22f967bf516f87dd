/*
 * A unit test of a business function: events as bytes, no server and no network. Exits with 1 if
 * a case fails.
 */
#include <stdio.h>
#include <string.h>

#include <herald/herald.h>

#include "team.h"

HERALD_FUNCTION(on_team, team, directory);

static const struct test_case {
	const char *payload;
	enum herald_verdict verdict;
	enum herald_status status; /* HERALD_OK: the function ran */
	const char *path, *message;
	size_t people;
} cases[] = {
	{"{\"name\": \"core\", \"members\": [{\"name\": \"Ada\"}, {\"name\": \"Brian\","
	 " \"leads\": {\"name\": \"docs\", \"members\": [{\"name\": \"Chris\"}]}}]}",
	 HERALD_DONE, HERALD_OK, "", "", 3},
	{"{\"name\": \"core\"}", HERALD_FAIL, HERALD_OK, "", "team core has no members", 0},
	{"{\"name\": \"core\", \"members\": [{}]}", HERALD_FAIL, HERALD_MISSING,
	 "/payload/members/0/name", "name is required, but missing", 0},
};

/* Decoding changes the bytes of the event, so each case gets its own. */
static void
handle(struct herald_service *service, const char *payload, struct herald_result *result)
{
	char event[512];
	int bytes = snprintf(event, sizeof(event),
			     "{\"event_type\": \"team\", \"timestamp\": \"2024-08-20T05:21:19Z\","
			     " \"payload\": %s}",
			     payload);

	herald_service_handle(service, event, (size_t)bytes, result);
}

static int
run(const struct test_case *test)
{
	struct directory directory = {0};
	const struct herald_route routes[] = {HERALD_ROUTE("team", team, on_team, &directory)};
	struct herald_service *service;
	struct herald_result result;
	struct herald_error error;

	if (herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service,
				  &error) != HERALD_OK) {
		herald_error_print(stderr, "test_team", &error);
		return 1;
	}
	handle(service, test->payload, &result);
	herald_service_destroy(service);

	if (result.verdict == test->verdict && result.status == test->status &&
	    strcmp(result.error.path, test->path) == 0 &&
	    strcmp(result.error.message, test->message) == 0 && directory.people == test->people)
		return 0;
	herald_error_print(stderr, test->payload, &result.error);
	return 1;
}

int
main(void)
{
	int failed = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		failed += run(&cases[i]);
	printf("%d failed\n", failed);
	return failed > 0;
}
