/*
 * Herald on libevent's evhttp: the function is short, so it runs on the loop's thread and there is
 * no pool. It serves until it is killed.
 *
 *	server_herald_libevent PORT
 */
#include <stdio.h>

#include <event2/event.h>
#include <event2/http.h>

#include <herald/libevent.h>

#include "events.h"

int
main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct evhttp *server = base ? evhttp_new(base) : NULL;
	struct herald_libevent *adapter = NULL;
	struct herald_service *service = NULL;
	struct herald_endpoint *endpoint = NULL;
	struct herald_error error = {.message = "cannot listen"};

	if (!server || evhttp_bind_socket(server, "127.0.0.1", bench_port(argc, argv)) != 0 ||
	    bench_service_create(&service, &error) != HERALD_OK ||
	    herald_endpoint_create(service, NULL, &endpoint, &error) != HERALD_OK ||
	    herald_libevent_create(endpoint, base, server,
				   &HERALD_LIBEVENT_OPTIONS(.limit_server = true), &adapter,
				   &error) != HERALD_OK) {
		herald_error_print(stderr, "server_herald_libevent", &error);
		return 1;
	}
	return event_base_dispatch(base);
}
