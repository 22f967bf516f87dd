/*
 * An attempt is one request on the wire, whatever the receiver does. Receivers close connections at
 * random at the worst moments and count the requests of each delivery.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/delivery.h>

#include "support/delivering.h"
#include "support/misbehaving_server.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

/* The receiver: one thread. What it does depends on the seed, the connection, and the request on
 * it. */

enum act {
	ANSWER, /* and keep the connection; more often than the rest */
	ANSWER_AND_CLOSE,
	ANSWER_AND_CLOSE_LATER, /* while the connection is idle, or in use again */
	REFUSE,                 /* 503 */
	CLOSE_AFTER_READING,
	RESET_AFTER_READING,
	CLOSE_AFTER_HALF,
	CLOSE_BEFORE_READING,
	CLOSE_WITHIN_STATUS_LINE,
	CLOSE_WITHIN_HEAD,
	CLOSE_WITHIN_BODY,
	CLOSE_AFTER_INTERIM,
	ACTS,
};

#define MAX_DELIVERIES 512
#define MAX_ATTEMPTS 4

struct peer {
	int fd;
	unsigned number;
	unsigned requests;
	uint64_t close_ns; /* 0: it is not to be closed */
};

struct receiver {
	uint64_t seed;
	int listen_fd;
	int stop_fds[2];
	uint16_t port;
	pthread_t thread;
	struct peer peers[64];
	size_t peers_count;
	unsigned connections;

	/* To be read after the stop. */
	size_t requests;
	unsigned seen[MAX_DELIVERIES][MAX_ATTEMPTS + 1]; /* by delivery and attempt */
	bool answered[MAX_DELIVERIES];                   /* with 200 */
};

static uint64_t
mix(uint64_t bits)
{
	bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9U;
	bits = (bits ^ bits >> 27) * 0x94d049bb133111ebU;
	return bits ^ bits >> 31;
}

static uint64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static enum act
choose(const struct receiver *receiver, const struct peer *peer)
{
	uint64_t bits = mix(receiver->seed + peer->number * 1000003u + peer->requests);

	return bits % 2 == 0 ? ANSWER : (enum act)(bits / 2 % ACTS);
}

static void
close_peer(struct peer *peer, bool resets)
{
	const struct linger at_once = {.l_onoff = 1};

	if (resets)
		setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(peer->fd);
	peer->fd = -1;
}

static void
say(struct peer *peer, const char *text)
{
	(void)!send(peer->fd, text, strlen(text), MSG_NOSIGNAL);
}

/* Count a request whose head has arrived. */
static unsigned
count_request(struct receiver *receiver, const char *text)
{
	unsigned delivery, attempt;

	if (sscanf(text, "%*s /%u", &delivery) != 1 || !strstr(text, "\r\nHerald-Attempt: ") ||
	    sscanf(strstr(text, "\r\nHerald-Attempt: "), " Herald-Attempt: %u", &attempt) != 1 ||
	    delivery >= MAX_DELIVERIES || attempt > MAX_ATTEMPTS) {
		fprintf(stderr, "a request that begins with: %s\n", text);
		abort();
	}
	receiver->requests++;
	receiver->seen[delivery][attempt]++;
	return delivery;
}

static void
act(struct receiver *receiver, struct peer *peer, enum act what, unsigned delivery)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

	if (what <= ANSWER_AND_CLOSE_LATER) {
		receiver->answered[delivery] = true;
		say(peer, ok);
	}
	switch (what) {
	case ANSWER_AND_CLOSE_LATER:
		peer->close_ns = clock_ns() + mix(peer->number) % 500000;
		return;
	case REFUSE:
		say(peer, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
		return;
	case RESET_AFTER_READING:
		close_peer(peer, true);
		return;
	case CLOSE_WITHIN_STATUS_LINE:
		say(peer, "HTTP/1.1 2");
		break;
	case CLOSE_WITHIN_HEAD:
		say(peer, "HTTP/1.1 200 OK\r\nContent-Len");
		break;
	case CLOSE_WITHIN_BODY:
		say(peer, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
		break;
	case CLOSE_AFTER_INTERIM:
		say(peer, "HTTP/1.1 100 Continue\r\n\r\n");
		break;
	case ANSWER:
		return;
	default:
		break;
	}
	close_peer(peer, false);
}

/* Handle the next request; requests are small enough to arrive as a whole. */
static void
serve(struct receiver *receiver, struct peer *peer)
{
	char text[4096];
	ssize_t bytes = recv(peer->fd, text, sizeof(text) - 1, MSG_PEEK);

	if (bytes <= 0) {
		close_peer(peer, false);
		return;
	}
	text[bytes] = '\0';
	const char *end = strstr(text, "\r\n\r\n");
	const char *length = strcasestr(text, "\r\nContent-Length: ");
	if (!end || (length && text + bytes - (end + 4) < atoi(length + 18)))
		return; /* The rest is on its way. */

	enum act what = choose(receiver, peer);
	unsigned delivery = count_request(receiver, text);
	peer->requests++;
	if (what != CLOSE_BEFORE_READING)
		(void)!recv(peer->fd, text,
			    what == CLOSE_AFTER_HALF ? (size_t)bytes / 2 : sizeof(text), 0);
	act(receiver, peer, what, delivery);
}

static void
accept_peer(struct receiver *receiver)
{
	const int on = 1;
	int fd = accept4(receiver->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	assert_true(fd >= 0 && receiver->peers_count < COUNT(receiver->peers));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	receiver->peers[receiver->peers_count++] =
		(struct peer){.fd = fd, .number = receiver->connections++};
}

/* Close the connections that are due. Returns whether others are still to come. */
static bool
close_late(struct receiver *receiver)
{
	uint64_t now = clock_ns();
	bool is_waiting = false;

	for (size_t i = 0; i < receiver->peers_count; i++) {
		struct peer *peer = &receiver->peers[i];

		if (peer->fd >= 0 && peer->close_ns != 0 && peer->close_ns <= now)
			close_peer(peer, false);
		is_waiting |= peer->fd >= 0 && peer->close_ns != 0;
	}
	size_t kept = 0;
	for (size_t i = 0; i < receiver->peers_count; i++)
		if (receiver->peers[i].fd >= 0)
			receiver->peers[kept++] = receiver->peers[i];
	receiver->peers_count = kept;
	return is_waiting;
}

static void *
receiver_run(void *state)
{
	struct receiver *receiver = state;
	struct pollfd polled[COUNT(receiver->peers) + 2];

	for (;;) {
		bool is_waiting = close_late(receiver);
		size_t count = receiver->peers_count;

		polled[0] = (struct pollfd){.fd = receiver->stop_fds[0], .events = POLLIN};
		polled[1] = (struct pollfd){.fd = receiver->listen_fd, .events = POLLIN};
		for (size_t i = 0; i < count; i++)
			polled[i + 2] =
				(struct pollfd){.fd = receiver->peers[i].fd, .events = POLLIN};
		poll(polled, count + 2, is_waiting ? 0 : -1);
		if (polled[0].revents)
			break;
		for (size_t i = 0; i < count; i++)
			if (polled[i + 2].revents)
				serve(receiver, &receiver->peers[i]);
		if (polled[1].revents)
			accept_peer(receiver);
	}
	for (size_t i = 0; i < receiver->peers_count; i++)
		if (receiver->peers[i].fd >= 0)
			close(receiver->peers[i].fd);
	return NULL;
}

static void
receiver_start(struct receiver *receiver, uint64_t seed)
{
	receiver->seed = seed;
	receiver->listen_fd = listen_on_a_port(&receiver->port);
	assert_int_equal(pipe(receiver->stop_fds), 0);
	assert_int_equal(pthread_create(&receiver->thread, NULL, receiver_run, receiver), 0);
}

static void
receiver_stop(struct receiver *receiver)
{
	assert_int_equal(write(receiver->stop_fds[1], "", 1), 1);
	pthread_join(receiver->thread, NULL);
	close(receiver->stop_fds[0]);
	close(receiver->stop_fds[1]);
	close(receiver->listen_fd);
}

/* Random deliveries. */

struct outcomes {
	struct recorder recorder;
	struct {
		unsigned attempts;
		bool is_delivered;
	} of[MAX_DELIVERIES];
};

static unsigned
number_of(const struct herald_delivery *delivery)
{
	return (unsigned)strtoul(strrchr(delivery->url, '/') + 1, NULL, 10);
}

static void
note_attempt(const struct herald_delivery_report *report, void *state)
{
	record_attempt(report, &((struct outcomes *)state)->recorder);
}

static void
note_outcome(const struct herald_delivery_report *report, void *state)
{
	struct outcomes *outcomes = state;
	unsigned delivery = number_of(report->delivery);

	outcomes->of[delivery].attempts = report->attempt;
	outcomes->of[delivery].is_delivered = report->outcome == HERALD_DELIVERY_DELIVERED;
	record_outcome(report, &outcomes->recorder);
}

static void
submit_to(struct herald_deliverer *deliverer, uint16_t port, unsigned delivery)
{
	char url[64];
	const struct herald_delivery what = {.url = url, .event_type = "t"};

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/%u", port, delivery);
	assert_int_equal(herald_deliverer_submit(deliverer, &what, NULL), HERALD_OK);
}

/* Each attempt came once at most; one that failed had all its attempts: whatever happens may
 * pass. */
static void
check_delivery(const struct receiver *receiver, const struct outcomes *outcomes, unsigned delivery,
	       unsigned attempts)
{
	unsigned begun = outcomes->of[delivery].attempts;

	for (unsigned attempt = 1; attempt <= MAX_ATTEMPTS; attempt++)
		if (receiver->seen[delivery][attempt] > (attempt <= begun))
			fail_msg("delivery %u, attempt %u of %u: came %u times", delivery, attempt,
				 begun, receiver->seen[delivery][attempt]);
	if (outcomes->of[delivery].is_delivered)
		assert_true(receiver->answered[delivery]);
	else
		assert_int_equal(begun, attempts);
}

/* Submit all, with pauses in which connections are idle. */
static void
submit_all(struct herald_deliverer *deliverer, const struct receiver *receiver,
	   struct outcomes *outcomes, unsigned deliveries, unsigned at_once)
{
	for (unsigned i = 0; i < deliveries; i++) {
		const struct timespec idle = {.tv_nsec =
						      (long)(mix(receiver->seed + 3 + i) % 300000)};

		submit_to(deliverer, receiver->port, i);
		if ((i + 1) % at_once != 0)
			continue;
		recorder_wait(&outcomes->recorder, i + 1);
		nanosleep(&idle, NULL);
	}
	recorder_wait(&outcomes->recorder, deliveries);
}

static void
deliver_at_random(uint64_t seed)
{
	enum { DELIVERIES = 200 };
	struct receiver *receiver = calloc(1, sizeof(*receiver));
	struct outcomes *outcomes = calloc(1, sizeof(*outcomes));
	struct test_clock clock;
	struct herald_deliverer *deliverer;
	struct herald_delivery_statistics counts;
	unsigned attempts = 1 + (unsigned)(mix(seed) % MAX_ATTEMPTS);
	unsigned at_once = 1 + (unsigned)(mix(seed + 1) % 8);
	const struct herald_deliverer_options options =
		HERALD_DELIVERER_OPTIONS(.addresses = HERALD_ADDRESSES_ANY, .attempts = attempts,
					 .slots = 16, .on_attempt = note_attempt,
					 .on_outcome = note_outcome, .state = outcomes,
					 .method = mix(seed + 2) % 2 ? HERALD_DELIVERY_GET
								     : HERALD_DELIVERY_POST);

	receiver_start(receiver, seed);
	test_clock_init(&clock);
	recorder_init(&outcomes->recorder);
	assert_int_equal(create_deliverer(&options, &clock.clock, &deliverer, NULL), HERALD_OK);
	submit_all(deliverer, receiver, outcomes, DELIVERIES, at_once);
	herald_deliverer_stop(deliverer, 0);
	herald_deliverer_statistics(deliverer, &counts);
	receiver_stop(receiver);
	assert_all_settled(deliverer);
	assert_true(receiver->requests <= counts.attempts);
	/* The test is of use only if connections are used again. */
	assert_true(receiver->connections < receiver->requests);
	for (unsigned i = 0; i < DELIVERIES; i++)
		check_delivery(receiver, outcomes, i, attempts);
	herald_deliverer_destroy(deliverer);
	recorder_finish(&outcomes->recorder);
	free(outcomes);
	free(receiver);
}

static void
test_one_request_an_attempt_at_random(void **state)
{
	const char *text = getenv("HERALD_TEST_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);

	(void)state;
	fprintf(stderr, "HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (unsigned round = 0; round < 20; round++)
		deliver_at_random(mix(seed * 1000 + round));
}

/* One case at a time. */

static void
create(struct delivery_fixture *fixture, struct herald_deliverer_options options)
{
	options.addresses = HERALD_ADDRESSES_ANY;
	delivery_fixture_deliver(fixture, options);
}

/* If an attempt fails on a reused connection, the next one opens a new connection. */
static void
test_next_attempt_opens_a_connection(void **state)
{
	struct delivery_fixture *fixture = *state;

	fixture->server.delay_ms = 50;
	misbehaving_server_start(&fixture->server);
	create(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 2));
	delivery_fixture_await(fixture, "/slow", 3);
	delivery_fixture_await(fixture, "/close,200", 1);
	assert_int_equal(fixture->recorder.delivered, 4);
	assert_int_equal(fixture->recorder.outcome_reports[3].attempt, 2);
	assert_int_equal(misbehaving_server_requests(&fixture->server), 5);
	assert_int_equal(misbehaving_server_connections(&fixture->server), 4);

	/* After any response, connections are reused. */
	delivery_fixture_await(fixture, "/503,200", 1);
	assert_int_equal(fixture->recorder.delivered, 5);
	assert_int_equal(misbehaving_server_requests(&fixture->server), 7);
	assert_int_equal(misbehaving_server_connections(&fixture->server), 4);
}

int
main(void)
{
#define TEST(NAME)                                                                                 \
	cmocka_unit_test_setup_teardown(NAME, delivery_fixture_setup, delivery_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_next_attempt_opens_a_connection),
		cmocka_unit_test(test_one_request_an_attempt_at_random),
	};

	return cmocka_run_group_tests_name("delivery_wire", tests, NULL, NULL);
}
