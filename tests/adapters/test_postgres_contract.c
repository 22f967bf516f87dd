/*
 * The database on PostgreSQL, by the contract of all databases.
 */
#include "support/postgres_place.h"

int
main(void)
{
	struct postgres_server server;

	if (!postgres_server_exists())
		return postgres_server_left_out("postgres_contract");
	postgres_server_start(&server);
	postgres_places = (struct postgres_places){.server = &server, .dsn = server.dsn};
	int failed = contract_store_main(&postgres_contract);
	postgres_server_stop(&server);
	return failed;
}
