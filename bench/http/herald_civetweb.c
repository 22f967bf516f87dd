/*
 * Herald on CivetWeb, which has a thread for each connection that it serves: as many as the loaded case
 * has connections. It serves until it is killed.
 *
 *	server_herald_civetweb PORT
 */
#include <stdio.h>
#include <unistd.h>

#include <herald/civetweb.h>

#include "events.h"

int
main(int argc, char **argv)
{
	struct herald_service *service = NULL;
	struct herald_http *http = NULL;
	struct herald_civetweb *events = NULL;
	struct herald_error error;
	char address[32];
	/* More threads than connections: one is taken by the check that it answers at all. */
	const char *options[] = {"listening_ports",
				 address,
				 "enable_keep_alive",
				 "yes",
				 "num_threads",
				 "72",
				 "tcp_nodelay",
				 "1",
				 NULL};

	if (bench_service_create(&service, &error) != HERALD_OK ||
	    herald_http_create(service, NULL, &http, &error) != HERALD_OK) {
		herald_error_print(stderr, "server_herald_civetweb", &error);
		return 1;
	}
	snprintf(address, sizeof(address), "127.0.0.1:%u", bench_port(argc, argv));
	const struct mg_callbacks callbacks = {.begin_request = herald_civetweb_begin_request};
	struct mg_context *context = mg_start(&callbacks, NULL, options);
	if (!context) {
		fputs("server_herald_civetweb: it does not start\n", stderr);
		return 1;
	}
	if (herald_civetweb_attach(context, "/event", http, &events, &error) != HERALD_OK) {
		herald_error_print(stderr, "server_herald_civetweb", &error);
		return 1;
	}
	for (;;)
		pause();
}
