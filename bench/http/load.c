/*
 * The load generator of the http cases: one thread, one epoll, connections kept alive, one request
 * in flight on each or several, the same raw bytes every time. It checks that each answer has the
 * status expected and its whole body, and owns the latencies.
 *
 *	load run PORT CONNECTIONS SECONDS FILE [DEPTH]
 *		prints events, seconds, p50 and p99 in microseconds. DEPTH requests are written
 *		together, by default one; their latency ends with the last answer.
 *	load ordered|random PORT CONNECTIONS SECONDS FILE
 *		likewise, but each request has an Idempotency-Key of its own, a UUID in order of
 *		time (version 7) or at random (version 4), and is answered with 202
 *	load idle PORT CONNECTIONS FILE
 *		one request on each, prints "idle", holds them until stdin ends
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
	size_t answered; /* of the requests in flight */
	size_t bytes;    /* of the next answer, so far */
	char answer[8192];
};

/* Latencies in buckets of 1/32 of a power of two: 3 % exact, from 1 ns to minutes. */
#define STEPS 32
static uint64_t histogram[64 * STEPS];

#define MAX_DEPTH 64

/* `depth` requests, one after the other. */
static char request[1 << 20];
static size_t request_bytes;
static size_t depth = 1;

/* Where the id of a request is in it, if each has its own. */
enum ids { IDS_NONE, IDS_ORDERED, IDS_RANDOM };
static enum ids ids;
static char *request_id;
#define ID_BYTES 36

static const char *status_line = "HTTP/1.1 200";
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

#define ID_HEADER "Idempotency-Key: 00000000-0000-0000-0000-000000000000"

/* xorshift64* by Vigna, from the time: ids must not come again in later runs. */
static uint64_t
random_bits(void)
{
	static uint64_t state;

	if (state == 0)
		state = now_ns() | 1;
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1du;
}

static void
write_id(void)
{
	static uint64_t count;
	struct timespec now;
	char text[ID_BYTES + 1];
	uint64_t high = random_bits(), low = random_bits();

	if (ids == IDS_ORDERED) {
		clock_gettime(CLOCK_REALTIME, &now);
		uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
		/* RFC 9562 section 6.2: a counter behind the time keeps the order within it. */
		high = ms << 16 | (count >> 14 & 0xfff);
		low = (count++ & 0x3fff) << 48 | (low & 0xffffffffffff);
	}
	snprintf(text, sizeof(text), "%08x-%04x-%c%03x-%04x-%012llx", (unsigned)(high >> 32),
		 (unsigned)(high >> 16 & 0xffff), ids == IDS_ORDERED ? '7' : '4',
		 (unsigned)(high & 0xfff), (unsigned)(low >> 48 & 0x3fff) | 0x8000u,
		 (unsigned long long)(low & 0xffffffffffff));
	memcpy(request_id, text, ID_BYTES);
}

/* The request's file is its body. */
static void
load_request(const char *path)
{
	static char body[8192];
	FILE *file = fopen(path, "rb");
	if (!file)
		fail(path);
	size_t body_bytes = fread(body, 1, sizeof(body), file);
	fclose(file);
	int head = snprintf(request, sizeof(request),
			    "POST /event HTTP/1.1\r\nHost: 127.0.0.1\r\n"
			    "Content-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n",
			    ids == IDS_NONE ? "" : ID_HEADER "\r\n", body_bytes);
	request_id = strstr(request, ID_HEADER);
	if (request_id)
		request_id += strlen(ID_HEADER) - ID_BYTES;
	memcpy(request + head, body, body_bytes);
	size_t one_bytes = (size_t)head + body_bytes;
	for (size_t i = 1; i < depth; i++)
		memcpy(request + i * one_bytes, request, one_bytes);
	request_bytes = depth * one_bytes;
}

static void
send_request(struct connection *connection)
{
	connection->answered = 0;
	connection->bytes = 0;
	if (request_id)
		write_id();
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

/* The bytes of the first answer, or 0 if not all of it is there. */
static size_t
answer_bytes(const struct connection *connection)
{
	const char *end = strstr(connection->answer, "\r\n\r\n");
	if (!end)
		return 0;
	if (strncmp(connection->answer, status_line, strlen(status_line)) != 0) {
		fprintf(stderr, "load: not %s: %s\n", status_line, connection->answer);
		exit(1);
	}
	const char *length = strcasestr(connection->answer, "content-length:");
	if (!length || length > end)
		fail("an answer without Content-Length");
	size_t bytes = (size_t)(end + 4 - connection->answer) + strtoul(length + 15, NULL, 10);
	return connection->bytes >= bytes ? bytes : 0;
}

/* Whether all answers are there. */
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
	for (size_t bytes; (bytes = answer_bytes(connection)) > 0; connection->answered++) {
		connection->bytes -= bytes;
		/* With the NUL. */
		memmove(connection->answer, connection->answer + bytes, connection->bytes + 1);
	}
	return connection->answered == depth;
}

/* Answer and ask again until the time is over. Returns the number of events. */
static uint64_t
run_until(uint64_t end_ns, bool note)
{
	struct epoll_event ready[256];
	uint64_t events = 0, now;

	do {
		int count = epoll_wait(poller, ready, 256, 5000);
		if (count <= 0)
			fail("no answer within five seconds");
		for (int i = 0; i < count; i++) {
			struct connection *connection = ready[i].data.ptr;
			if (!receive(connection))
				continue;
			events += depth;
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
	       percentile_us(0.5, events / depth), percentile_us(0.99, events / depth));
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

/* The mode; also which ids it has, and the status that it expects. */
static bool
parse_mode(const char *mode, bool *is_idle)
{
	*is_idle = strcmp(mode, "idle") == 0;
	if (strcmp(mode, "ordered") == 0)
		ids = IDS_ORDERED;
	else if (strcmp(mode, "random") == 0)
		ids = IDS_RANDOM;
	else
		return *is_idle || strcmp(mode, "run") == 0;
	status_line = "HTTP/1.1 202";
	return true;
}

int
main(int argc, char **argv)
{
	bool is_idle = false;
	bool is_valid = argc > 1 && parse_mode(argv[1], &is_idle);

	bool has_depth = argc == 7 && ids == IDS_NONE && !is_idle;

	if (has_depth)
		depth = strtoul(argv[6], NULL, 10);
	if (!is_valid || (!has_depth && argc != (is_idle ? 5 : 6)) || depth == 0 ||
	    depth > MAX_DEPTH) {
		fputs("usage: load run PORT CONNECTIONS SECONDS FILE [DEPTH]\n"
		      "       load ordered|random PORT CONNECTIONS SECONDS FILE\n"
		      "       load idle PORT CONNECTIONS FILE\n",
		      stderr);
		return 2;
	}
	load_request(argv[is_idle ? 4 : 5]);
	open_connections(strtoul(argv[3], NULL, 10), (uint16_t)strtoul(argv[2], NULL, 10));
	if (is_idle)
		hold();
	else
		run(strtod(argv[4], NULL));
	return 0;
}
