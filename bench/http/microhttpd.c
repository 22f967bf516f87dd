/*
 * libmicrohttpd as its users write it, without events: one thread, the body collected, a constant
 * answer.
 *
 *	server_microhttpd PORT
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <microhttpd.h>

static struct MHD_Response *success;

struct body {
	size_t bytes;
	char data[4096];
};

/* As Herald's server has it by default. */
#define CONNECTION_BYTES (8192 + 8192 / 2 + 2048)

static enum MHD_Result
handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *upload_data, size_t *upload_data_size, void **con_cls)
{
	struct body *body = *con_cls;

	(void)cls, (void)version;
	if (!body) {
		if (strcmp(url, "/event") != 0 || strcmp(method, "POST") != 0)
			return MHD_NO;
		*con_cls = body = malloc(sizeof(*body));
		if (!body)
			return MHD_NO;
		body->bytes = 0;
		return MHD_YES;
	}
	if (*upload_data_size > 0) {
		if (*upload_data_size > sizeof(body->data) - body->bytes)
			return MHD_NO;
		memcpy(body->data + body->bytes, upload_data, *upload_data_size);
		body->bytes += *upload_data_size;
		*upload_data_size = 0;
		return MHD_YES;
	}
	return MHD_queue_response(connection, MHD_HTTP_OK, success);
}

static void
completed(void *cls, struct MHD_Connection *connection, void **con_cls,
	  enum MHD_RequestTerminationCode toe)
{
	(void)cls, (void)connection, (void)toe;
	free(*con_cls);
}

int
main(int argc, char **argv)
{
	static char text[] = "{\"status\":\"success\"}";
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	success = MHD_create_response_from_buffer(sizeof(text) - 1, text, MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(success, "Content-Type", "application/json");
	struct MHD_Daemon *daemon = MHD_start_daemon(
		MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ERROR_LOG, 0, NULL, NULL, handle, NULL,
		MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
		MHD_OPTION_CONNECTION_LIMIT, 12000u, MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096u,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES, MHD_OPTION_END);
	if (!daemon) {
		fputs("server_microhttpd: it does not start\n", stderr);
		return 1;
	}
	for (;;)
		pause();
}
