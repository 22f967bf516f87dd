/*
 * Herald on Ulfius, which has a thread for each connection. It serves until it is killed.
 *
 *	server_herald_ulfius PORT
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#include <herald/ulfius.h>

#include "events.h"

int
main(int argc, char **argv)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(bench_port(argc, argv)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct _u_instance instance;
	struct herald_ulfius *events = NULL;
	struct herald_service *service = NULL;
	struct herald_endpoint *endpoint = NULL;
	struct herald_error error = {.message = "it does not start"};

	if (ulfius_init_instance(&instance, bench_port(argc, argv), &address, NULL) != U_OK ||
	    bench_service_create(&service, &error) != HERALD_OK ||
	    herald_endpoint_create(service, NULL, &endpoint, &error) != HERALD_OK)
		goto fail;
	instance.max_post_body_size = herald_endpoint_max_body_bytes(endpoint) + 1;
	if (herald_ulfius_create(endpoint, &instance, NULL, &events, &error) != HERALD_OK ||
	    ulfius_start_framework(&instance) != U_OK)
		goto fail;
	for (;;)
		pause();

fail:
	herald_error_print(stderr, "server_herald_ulfius", &error);
	return 1;
}
