/*
 * The limit of the http cases: one thread that treats everything it reads as one request and writes
 * a constant answer. No HTTP server can be cheaper. It is the receiver of the callback cases as
 * well.
 *
 *	server_epoll PORT
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
			     "Content-Length: 20\r\n\r\n{\"status\":\"success\"}";

static int
listen_on(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int on = 1;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(listener, 4096) != 0) {
		perror("server_epoll");
		exit(1);
	}
	return listener;
}

static void
accept_from(int listener, int poller)
{
	int on = 1;
	int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	if (client < 0)
		return;
	setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	epoll_ctl(poller, EPOLL_CTL_ADD, client,
		  &(struct epoll_event){.events = EPOLLIN, .data.fd = client});
}

static void
answer_to(int client)
{
	static char request[65536];

	if (recv(client, request, sizeof(request), 0) <= 0 ||
	    send(client, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
		close(client);
}

int
main(int argc, char **argv)
{
	struct epoll_event ready[256];
	struct rlimit limit;
	int poller = epoll_create1(0);
	int listener = listen_on((uint16_t)(argc > 1 ? atoi(argv[1]) : 0));

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	epoll_ctl(poller, EPOLL_CTL_ADD, listener,
		  &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
	for (;;) {
		int count = epoll_wait(poller, ready, 256, -1);
		for (int i = 0; i < count; i++) {
			if (ready[i].data.fd == listener)
				accept_from(listener, poller);
			else
				answer_to(ready[i].data.fd);
		}
	}
}
