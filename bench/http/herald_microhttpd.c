/*
 * Herald in a daemon of libmicrohttpd, with one thread, as the other servers.
 *
 *	server_herald_microhttpd PORT
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include <herald/microhttpd.h>

#include "events.h"

static enum MHD_Result
handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *upload_data, size_t *upload_data_size, void **con_cls)
{
	(void)url;
	return herald_microhttpd_handle(cls, connection, method, version, upload_data,
					upload_data_size, con_cls);
}

int
main(int argc, char **argv)
{
	struct herald_service *service = NULL;
	struct herald_endpoint *endpoint = NULL;
	struct herald_microhttpd *events = NULL;
	struct herald_error error;
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(bench_port(argc, argv)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	if (bench_service_create(&service, &error) != HERALD_OK ||
	    herald_endpoint_create(service, NULL, &endpoint, &error) != HERALD_OK ||
	    herald_microhttpd_create(endpoint, NULL, &events, &error) != HERALD_OK) {
		herald_error_print(stderr, "server_herald_microhttpd", &error);
		return 1;
	}
	if (!MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, events,
			      MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
			      MHD_OPTION_CONNECTION_LIMIT, 12000u, MHD_OPTION_NOTIFY_COMPLETED,
			      herald_microhttpd_completed, NULL, MHD_OPTION_END)) {
		fprintf(stderr, "server_herald_microhttpd: cannot start the daemon\n");
		return 1;
	}
	for (;;)
		pause();
}
