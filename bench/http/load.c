/*
 * The load generator of the http cases: one thread, one epoll, connections kept alive, one request in
 * flight on each, the same raw bytes every time. It checks that each answer is a 200 with its whole body,
 * and owns the latencies.
 *
 *	load run PORT CONNECTIONS SECONDS FILE   prints events, seconds, p50 and p99 in microseconds
 *	load idle PORT CONNECTIONS FILE          one request on each, prints "idle", holds them until stdin ends
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct connection {
	int socket;
	uint64_t sent_ns;
	size_t bytes; /* of the answer, so far */
	char answer[4096];
};

/* Latencies in buckets of 1/32 of a power of two: 3 % exact, from 1 ns to minutes. */
#define STEPS 32
static uint64_t histogram[64 * STEPS];

static char request[65536];
static size_t request_bytes;
static struct connection *connections;
static size_t connections_count;
static int poller;

static void
fail(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
note_latency(uint64_t ns)
{
	unsigned power = 63u - (unsigned)__builtin_clzll(ns | STEPS);

	histogram[power * STEPS + (ns >> (power - 5)) % STEPS]++;
}

static double
percentile_us(double part, uint64_t events)
{
	uint64_t left = (uint64_t)(part * (double)events);

	for (size_t i = 0; i < sizeof(histogram) / sizeof(histogram[0]); i++) {
		if (histogram[i] > left) {
			uint64_t step = (1ull << (i / STEPS)) / STEPS;
			return (double)((STEPS + i % STEPS) * step) / 1000.0;
		}
		left -= histogram[i];
	}
	return 0;
}

/* The request's file is its body. */
static void
load_request(const char *path)
{
	static char body[32768];
	FILE *file = fopen(path, "rb");
	if (!file)
		fail(path);
	size_t body_bytes = fread(body, 1, sizeof(body), file);
	fclose(file);
	int head = snprintf(request, sizeof(request),
			    "POST /event HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
			    body_bytes);
	memcpy(request + head, body, body_bytes);
	request_bytes = (size_t)head + body_bytes;
}

static void
send_request(struct connection *connection)
{
	connection->bytes = 0;
	connection->sent_ns = now_ns();
	if (send(connection->socket, request, request_bytes, MSG_NOSIGNAL) !=
	    (ssize_t)request_bytes)
		fail("send");
}

static void
open_connection(struct connection *connection, uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int on = 1;

	connection->socket = socket(AF_INET, SOCK_STREAM, 0);
	if (connection->socket < 0)
		fail("socket");
	if (connect(connection->socket, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail("connect");
	setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (epoll_ctl(poller, EPOLL_CTL_ADD, connection->socket,
		      &(struct epoll_event){.events = EPOLLIN, .data.ptr = connection}) != 0)
		fail("epoll_ctl");
}

static void
raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void
open_connections(size_t count, uint16_t port)
{
	raise_limit();
	poller = epoll_create1(0);
	connections_count = count;
	connections = calloc(count, sizeof(*connections));
	if (!connections || poller < 0)
		fail("epoll_create1");
	for (size_t i = 0; i < count; i++)
		open_connection(&connections[i], port);
}

/* Whether the whole answer is there. */
static bool
is_complete(const struct connection *connection)
{
	const char *end = strstr(connection->answer, "\r\n\r\n");
	if (!end)
		return false;
	if (strncmp(connection->answer, "HTTP/1.1 200", 12) != 0) {
		fprintf(stderr, "load: not a 200: %s\n", connection->answer);
		exit(1);
	}
	const char *length = strcasestr(connection->answer, "content-length:");
	if (!length || length > end)
		fail("an answer without Content-Length");
	size_t bytes = (size_t)(end + 4 - connection->answer) + strtoul(length + 15, NULL, 10);
	return connection->bytes >= bytes;
}

static bool
receive(struct connection *connection)
{
	ssize_t got = recv(connection->socket, connection->answer + connection->bytes,
			   sizeof(connection->answer) - 1 - connection->bytes, MSG_DONTWAIT);
	if (got == 0 || (got < 0 && errno != EAGAIN))
		fail("an answer was cut off");
	if (got < 0)
		return false;
	connection->bytes += (size_t)got;
	connection->answer[connection->bytes] = '\0';
	return is_complete(connection);
}

/* Answer and ask again until the time is over. Returns the number of events. */
static uint64_t
run_until(uint64_t end_ns, bool note)
{
	struct epoll_event ready[256];
	uint64_t events = 0, now;

	do {
		int count = epoll_wait(poller, ready, 256, 1000);
		if (count <= 0)
			fail("no answer within a second");
		for (int i = 0; i < count; i++) {
			struct connection *connection = ready[i].data.ptr;
			if (!receive(connection))
				continue;
			events++;
			if (note)
				note_latency(now_ns() - connection->sent_ns);
			send_request(connection);
		}
		now = now_ns();
	} while (now < end_ns);
	return events;
}

static void
run(double seconds)
{
	for (size_t i = 0; i < connections_count; i++)
		send_request(&connections[i]);
	run_until(now_ns() + 200000000u, false);
	/* The driver reads the server's CPU time between these two lines. */
	puts("begin");
	fflush(stdout);
	getchar();
	uint64_t start = now_ns();
	uint64_t events = run_until(start + (uint64_t)(seconds * 1e9), true);
	double took = (double)(now_ns() - start) / 1e9;
	printf("%llu %.6f %.2f %.2f\n", (unsigned long long)events, took,
	       percentile_us(0.5, events), percentile_us(0.99, events));
	fflush(stdout);
	getchar();
}

static void
hold(void)
{
	for (size_t i = 0; i < connections_count; i++) {
		send_request(&connections[i]);
		struct epoll_event ready;
		do {
			if (epoll_wait(poller, &ready, 1, 5000) != 1)
				fail("no answer within five seconds");
		} while (!receive(ready.data.ptr));
	}
	puts("idle");
	fflush(stdout);
	while (getchar() != EOF)
		;
}

int
main(int argc, char **argv)
{
	bool idle = argc == 5 && strcmp(argv[1], "idle") == 0;

	if (!idle && (argc != 6 || strcmp(argv[1], "run") != 0)) {
		fputs("usage: load run PORT CONNECTIONS SECONDS FILE\n"
		      "       load idle PORT CONNECTIONS FILE\n",
		      stderr);
		return 2;
	}
	load_request(argv[argc - 1]);
	open_connections(strtoul(argv[3], NULL, 10), (uint16_t)strtoul(argv[2], NULL, 10));
	if (idle)
		hold();
	else
		run(strtod(argv[4], NULL));
	return 0;
}
