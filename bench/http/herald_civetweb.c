/*
 * Herald on CivetWeb, which has a thread for each connection that it serves: as many as the loaded
 * case has connections. It serves until it is killed.
 *
 *	server_herald_civetweb PORT
 */
#include <stdio.h>
#include <unistd.h>

#include <herald/civetweb.h>

#include "events.h"

static void
on_init(const struct mg_context *context)
{
	herald_civetweb_attach(mg_get_user_data(context), context);
}

int
main(int argc, char **argv)
{
	struct herald_service *service = NULL;
	struct herald_endpoint *endpoint = NULL;
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
	    herald_endpoint_create(service, NULL, &endpoint, &error) != HERALD_OK ||
	    herald_civetweb_create(endpoint, NULL, &events, &error) != HERALD_OK) {
		herald_error_print(stderr, "server_herald_civetweb", &error);
		return 1;
	}
	snprintf(address, sizeof(address), "127.0.0.1:%u", bench_port(argc, argv));
	const struct mg_callbacks callbacks = {.begin_request = herald_civetweb_begin_request,
					       .init_context = on_init};
	if (!mg_start(&callbacks, events, options)) {
		fputs("server_herald_civetweb: it does not start\n", stderr);
		return 1;
	}
	for (;;)
		pause();
}
