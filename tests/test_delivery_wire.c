/*
 * An attempt is one request on the wire, whatever the receiver does: receivers that close connections at
 * random at the worst moments count what they see of each delivery. And HTTP/2, where streams are
 * refused, and authentication that would take two requests.
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

/* The receiver: one thread. What it does depends on the seed, the connection, and the request on it. */

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

/* A request has begun to arrive: its beginning is here, headers and all. */
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

/* The next request is here, as a whole: they are small. */
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

/* Those whose time has come; returns whether there are some to come. */
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

static int
listen_on_a_port(uint16_t *port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t bytes = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(fd, 128), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &bytes), 0);
	*port = ntohs(name.sin_port);
	return fd;
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

/* Each attempt came once at most; one that failed had all its attempts: whatever happens may pass. */
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

/* Submit, with pauses in which connections are idle. */
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
	assert_int_equal(herald__deliverer_create(&options, &clock.clock, NULL, &deliverer, NULL),
			 HERALD_OK);
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
	const char *text = getenv("HERALD_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 10) : (uint64_t)time(NULL);

	(void)state;
	fprintf(stderr, "HERALD_SEED=%llu\n", (unsigned long long)seed);
	for (unsigned round = 0; round < 20; round++)
		deliver_at_random(mix(seed * 1000 + round));
}

/* One case at a time. */

static void
create(struct delivery_fixture *fixture, struct herald_deliverer_options options)
{
	options.addresses = HERALD_ADDRESSES_ANY;
	options.on_attempt = record_attempt;
	options.on_outcome = record_outcome;
	options.state = &fixture->recorder;
	assert_int_equal(herald__deliverer_create(&options, &fixture->clock.clock, NULL,
						  &fixture->deliverer, NULL),
			 HERALD_OK);
}

/* Submit to a path, `at_once` times, and wait for all outcomes. */
static void
deliver(struct delivery_fixture *fixture, const char *path, size_t at_once)
{
	char url[128];
	const struct herald_delivery delivery = {.url = url};
	size_t outcomes = fixture->recorder.outcomes;

	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", fixture->server.port, path);
	for (size_t i = 0; i < at_once; i++)
		assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL),
				 HERALD_OK);
	recorder_wait(&fixture->recorder, outcomes + at_once);
}

/* Five connections are kept; each would be good for another request of libcurl's own. */
static void
check_kept_connections(struct delivery_fixture *fixture, enum herald_delivery_method method)
{
	enum { KEPT = 5 };
	const struct recorded_report *report = &fixture->recorder.outcome_reports[KEPT];

	fixture->server.delay_ms = 50;
	misbehaving_server_start(&fixture->server);
	create(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 1, .method = method));
	deliver(fixture, "/slow", KEPT);
	assert_int_equal(misbehaving_server_connections(&fixture->server), KEPT);
	deliver(fixture, "/close", 1);
	assert_int_equal(misbehaving_server_requests(&fixture->server), KEPT + 1);
	assert_int_equal(report->outcome, HERALD_DELIVERY_FAILED);
	assert_int_equal(report->attempt, 1);
	assert_string_equal(report->error, "the connection was closed before an answer");
	/* Nor is there a connection that nobody used. */
	assert_int_equal(misbehaving_server_connections(&fixture->server), KEPT);
}

static void
test_get_on_kept_connections(void **state)
{
	check_kept_connections(*state, HERALD_DELIVERY_GET);
}

static void
test_post_on_kept_connections(void **state)
{
	check_kept_connections(*state, HERALD_DELIVERY_POST);
}

/* The attempt that fails on a connection that was kept is made up for on a new one. */
static void
test_next_attempt_opens_a_connection(void **state)
{
	struct delivery_fixture *fixture = *state;

	fixture->server.delay_ms = 50;
	misbehaving_server_start(&fixture->server);
	create(fixture, HERALD_DELIVERER_OPTIONS(.attempts = 2));
	deliver(fixture, "/slow", 3);
	deliver(fixture, "/close,200", 1);
	assert_int_equal(fixture->recorder.delivered, 4);
	assert_int_equal(fixture->recorder.outcome_reports[3].attempt, 2);
	assert_int_equal(misbehaving_server_requests(&fixture->server), 5);
	assert_int_equal(misbehaving_server_connections(&fixture->server), 4);

	/* After an answer, whatever it was, connections are used again. */
	deliver(fixture, "/503,200", 1);
	assert_int_equal(fixture->recorder.delivered, 5);
	assert_int_equal(misbehaving_server_requests(&fixture->server), 7);
	assert_int_equal(misbehaving_server_connections(&fixture->server), 4);
}

static bool
ask_for_digest(CURL *easy, void *state)
{
	(void)state;
	return curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERPWD, "user:secret") == CURLE_OK;
}

static void
test_authentication_in_two_requests(void **state)
{
	struct delivery_fixture *fixture = *state;

	fixture->server.raw = "HTTP/1.1 401 No\r\nContent-Length: 0\r\n"
			      "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\r\n";
	misbehaving_server_start(&fixture->server);
	create(fixture, HERALD_DELIVERER_OPTIONS(.setup = ask_for_digest));
	deliver(fixture, "/raw", 1);
	assert_int_equal(misbehaving_server_requests(&fixture->server), 1);
	assert_int_equal(fixture->recorder.outcome_reports[0].http_status, 401);
	assert_int_equal(fixture->recorder.attempts, 1);
}

/* HTTP/2: frames as of RFC 9113 section 4.1, as far as it takes to refuse every stream. */

struct refuser {
	int listen_fd;
	pthread_t thread;
	size_t requests;
};

static bool
receive_all(int fd, unsigned char *data, size_t bytes)
{
	return recv(fd, data, bytes, MSG_WAITALL) == (ssize_t)bytes;
}

static void
refuse_streams(struct refuser *refuser, int fd)
{
	static const unsigned char settings[] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
	unsigned char data[16384], head[9], reset[13] = {0, 0, 4, 3, [12] = 7};

	if (!receive_all(fd, data, 24)) /* The preface. */
		return;
	(void)!send(fd, settings, sizeof(settings), MSG_NOSIGNAL);
	while (receive_all(fd, head, sizeof(head))) {
		size_t bytes = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];

		if (bytes > sizeof(data) || (bytes > 0 && !receive_all(fd, data, bytes)))
			return;
		if (head[3] != 1) /* HEADERS */
			continue;
		refuser->requests++;
		memcpy(reset + 5, head + 5, 4); /* The stream. */
		(void)!send(fd, reset, sizeof(reset), MSG_NOSIGNAL);
	}
}

static void *
refuser_run(void *state)
{
	struct refuser *refuser = state;
	int fd;

	while ((fd = accept4(refuser->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		refuse_streams(refuser, fd);
		close(fd);
	}
	return NULL;
}

static bool
ask_for_http_2(CURL *easy, void *state)
{
	(void)state;
	return curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
				(long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE) == CURLE_OK;
}

static void
test_refused_stream_of_http_2(void **state)
{
	struct delivery_fixture *fixture = *state;
	struct refuser refuser = {0};
	uint16_t unused = fixture->server.port;

	if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP2))
		return;
	refuser.listen_fd = listen_on_a_port(&fixture->server.port);
	assert_int_equal(pthread_create(&refuser.thread, NULL, refuser_run, &refuser), 0);
	create(fixture, HERALD_DELIVERER_OPTIONS(.setup = ask_for_http_2, .attempts = 2));
	deliver(fixture, "/", 1);
	fixture->server.port = unused;
	herald_deliverer_destroy(fixture->deliverer);
	fixture->deliverer = NULL;
	shutdown(refuser.listen_fd, SHUT_RDWR);
	pthread_join(refuser.thread, NULL);
	close(refuser.listen_fd);
	assert_int_equal(refuser.requests, 2);
	assert_int_equal(fixture->recorder.attempts, 2);
	assert_int_equal(fixture->recorder.failed, 1);
}

/* libcurl looks the name up with handles of its own, which share the sockets' callback. */
static char doh_url[64];

static bool
look_up_by_https(CURL *easy, void *state)
{
	(void)state;
	return curl_easy_setopt(easy, CURLOPT_DOH_URL, doh_url) == CURLE_OK;
}

static void
test_name_lookup_by_https(void **state)
{
	struct delivery_fixture *fixture = *state;
	const struct herald_delivery delivery = {.url = "http://a.example/"};

	misbehaving_server_start(&fixture->server);
	snprintf(doh_url, sizeof(doh_url), "https://127.0.0.1:%u/dns", fixture->server.port);
	create(fixture, HERALD_DELIVERER_OPTIONS(.setup = look_up_by_https, .attempts = 2));
	assert_int_equal(herald_deliverer_submit(fixture->deliverer, &delivery, NULL), HERALD_OK);
	recorder_wait(&fixture->recorder, 1);
	assert_true(misbehaving_server_connections(&fixture->server) > 0);
	assert_int_equal(fixture->recorder.attempts, 2);
	assert_non_null(strstr(fixture->recorder.outcome_reports[0].error,
			       "the host's name cannot be resolved"));
	/* Its own requests go on as ever. */
	deliver(fixture, "/200", 1);
	assert_int_equal(fixture->recorder.delivered, 1);
}

int
main(void)
{
#define TEST(NAME)                                                                                 \
	cmocka_unit_test_setup_teardown(NAME, delivery_fixture_setup, delivery_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_get_on_kept_connections),
		TEST(test_post_on_kept_connections),
		TEST(test_next_attempt_opens_a_connection),
		TEST(test_authentication_in_two_requests),
		TEST(test_refused_stream_of_http_2),
		TEST(test_name_lookup_by_https),
		cmocka_unit_test(test_one_request_an_attempt_at_random),
	};

	return cmocka_run_group_tests_name("delivery_wire", tests, NULL, NULL);
}
