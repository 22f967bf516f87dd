/*
 * The database on PostgreSQL behind PgBouncer in transaction mode, by the contract of all
 * databases.
 */
#include <stdio.h>

#include "support/pgbouncer.h"
#include "support/postgres_place.h"

int
main(void)
{
	struct postgres_server server;
	struct pgbouncer pool;

	if (!postgres_server_exists())
		return postgres_server_left_out("postgres_pool");
	if (!pgbouncer_exists()) {
		printf("1..1\nok 1 - postgres_pool # SKIP PgBouncer is not here (Debian: "
		       "pgbouncer)\n");
		return 0;
	}
	postgres_server_start(&server);
	pgbouncer_start(&pool, &server);
	postgres_places =
		(struct postgres_places){.server = &server, .dsn = pool.dsn, .is_pooled = true};
	int failed = contract_store_main(&postgres_contract);
	pgbouncer_stop(&pool);
	postgres_server_stop(&server);
	return failed;
}
