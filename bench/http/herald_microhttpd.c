/*
 * Herald on libmicrohttpd, on one thread as the other servers; the timeout is that of a benchmark that
 * holds connections without asking anything.
 *
 *	server_herald_microhttpd PORT
 */
#include <stdio.h>

#include <herald/microhttpd.h>

#include "events.h"

int
main(int argc, char **argv)
{
	struct herald_service *service = NULL;
	struct herald_error error;

	enum herald_status status = bench_service_create(&service, &error);
	if (status == HERALD_OK)
		status = herald_serve(service,
				      &HERALD_SERVER_OPTIONS(.port = bench_port(argc, argv),
							     .threads = 1, .max_connections = 12000,
							     .header_timeout_ms = 600000),
				      &error);
	if (status != HERALD_OK)
		herald_error_print(stderr, "server_herald_microhttpd", &error);
	herald_service_destroy(service);
	return status == HERALD_OK ? 0 : 1;
}
