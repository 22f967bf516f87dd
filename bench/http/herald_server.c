/*
 * Herald's own server, on one thread like the other servers unless told otherwise. The timeout is
 * for a benchmark that holds connections without requests.
 *
 *	server_herald_server PORT [THREADS]
 */
#include <stdio.h>
#include <stdlib.h>

#include <herald/herald.h>

#include "events.h"

int
main(int argc, char **argv)
{
	struct herald_service *service = NULL;
	struct herald_error error;
	unsigned threads = argc > 2 ? (unsigned)atoi(argv[2]) : 1;

	enum herald_status status = bench_service_create(&service, &error);
	if (status == HERALD_OK)
		status = herald_serve(service,
				      &HERALD_SERVER_OPTIONS(.port = bench_port(argc, argv),
							     .threads = threads,
							     .max_connections = 12000,
							     .header_timeout_ms = 600000,
							     .idle_timeout_ms = 600000),
				      &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "server_herald_server", &error);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
