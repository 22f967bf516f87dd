/*
 * Events in each format, through PostgreSQL.
 */
#include "support/postgres_place.h"
#include "support/stored_formats.h"

static void
formats_come_out_as_they_went_in(void **state)
{
	(void)state;
	stored_formats_check(&postgres_contract);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(formats_come_out_as_they_went_in)};
	struct postgres_server server;

	if (!postgres_server_exists())
		return postgres_server_left_out("postgres_formats");
	postgres_server_start(&server);
	postgres_places = (struct postgres_places){.server = &server, .dsn = server.dsn};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	postgres_server_stop(&server);
	return failed;
}
