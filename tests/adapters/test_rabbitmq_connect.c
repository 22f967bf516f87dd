/*
 * Consumers and producers of RabbitMQ that connect: they can be ended, and try all addresses. No
 * server is needed: nothing answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/consumer.h>
#include <herald/herald.h>
#include <herald/producer.h>
#include <herald/rabbitmq.h>

#include "support/ports.h"

#define CONNECT_TIMEOUT_MS 60000
#define MAX_STOP_MS 10000
#define MAX_FILLERS 8

/* A port whose connections the kernel does not complete. */
struct silent_port {
	struct sockaddr_in address;
	int listener;
	int fillers[MAX_FILLERS];
	size_t fillers_count;
};

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Until silent_port_fill(), connections are refused. */
static void
silent_port_take(struct silent_port *port)
{
	*port = (struct silent_port){
		.address = {.sin_family = AF_INET,
			    .sin_port = htons(ports_take()),
			    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)},
		.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
	};
	assert_true(port->listener >= 0);
	assert_int_equal(bind(port->listener, (const struct sockaddr *)&port->address,
			      sizeof(port->address)),
			 0);
}

static bool
is_connected(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};

	return poll(&poll_fd, 1, 200) == 1;
}

/* Nobody accepts, and when the queue is full, the kernel drops what comes. */
static void
silent_port_fill(struct silent_port *port)
{
	bool is_full = false;

	assert_int_equal(listen(port->listener, 0), 0);
	while (!is_full) {
		const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		assert_true(fd >= 0 && port->fillers_count < MAX_FILLERS);
		(void)connect(fd, (const struct sockaddr *)&port->address, sizeof(port->address));
		is_full = !is_connected(fd);
		if (is_full)
			close(fd);
		else
			port->fillers[port->fillers_count++] = fd;
	}
}

static void
silent_port_close(struct silent_port *port)
{
	for (size_t i = 0; i < port->fillers_count; i++)
		close(port->fillers[i]);
	close(port->listener);
}

/* Sockets on this machine that are connected or connecting to it. */
static size_t
count_clients(const struct silent_port *port)
{
	FILE *file = fopen("/proc/net/tcp", "r");
	unsigned remote, state;
	size_t count = 0;
	char line[256];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += sscanf(line, " %*[0-9]: %*[0-9A-F]:%*[0-9A-F] %*[0-9A-F]:%x %x", &remote,
				&state) == 2 &&
			 remote == ntohs(port->address.sin_port) && (state == 1 || state == 2);
	fclose(file);
	return count;
}

static void
wait_for_client(const struct silent_port *port)
{
	while (count_clients(port) <= port->fillers_count)
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* The host "two.test" is 127.0.0.1 and 127.0.0.2. */

int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		       struct addrinfo **out);

int
__wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		   struct addrinfo **out)
{
	struct addrinfo *second;

	if (strcmp(host, "two.test") != 0)
		return __real_getaddrinfo(host, service, hints, out);
	assert_int_equal(__real_getaddrinfo("127.0.0.1", service, hints, out), 0);
	assert_int_equal(__real_getaddrinfo("127.0.0.2", service, hints, &second), 0);
	assert_null((*out)->ai_next);
	(*out)->ai_next = second;
	return 0;
}

struct thing {
	int32_t number;
};

HERALD_SCHEMA(thing, HERALD_FIELD(thing, number, .required = true));

static enum herald_verdict
on_thing(struct herald_context *ctx, const struct thing *thing)
{
	(void)ctx;
	(void)thing;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_thing, thing);

static void
test_a_consumer_that_connects_can_be_stopped(void **state)
{
	const struct herald_route routes[] = {HERALD_ROUTE("thing", thing, on_thing, NULL)};
	struct herald_consumer_options options = HERALD_CONSUMER_OPTIONS(.lanes = 1);
	struct silent_port port;
	struct herald_consumer *consumer;
	struct herald_error error;
	char url[64];

	(void)state;
	silent_port_take(&port);
	snprintf(url, sizeof(url), "amqp://127.0.0.1:%u/", ntohs(port.address.sin_port));
	assert_int_equal(herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)),
					       &options.service, &error),
			 HERALD_OK);
	assert_int_equal(herald_rabbitmq_subscriber_create(
				 &HERALD_RABBITMQ_SUBSCRIBER_OPTIONS(.url = url, .queue = "q",
								     .connect_timeout_ms =
									     CONNECT_TIMEOUT_MS),
				 &options.subscriber, &error),
			 HERALD_OK);
	/* The first time it is refused. */
	if (herald_consumer_create(&options, &consumer, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	silent_port_fill(&port);
	wait_for_client(&port);
	const uint64_t began_ms = now_ms();
	herald_consumer_stop(consumer, 0);
	herald_consumer_destroy(consumer);
	assert_true(now_ms() - began_ms < MAX_STOP_MS);
	herald_service_destroy(options.service);
	silent_port_close(&port);
}

static void
test_a_producer_that_connects_can_be_destroyed(void **state)
{
	struct silent_port port;
	struct herald_publisher *publisher;
	struct herald_producer *producer;
	struct herald_error error;
	char url[64];

	(void)state;
	silent_port_take(&port);
	snprintf(url, sizeof(url), "amqp://127.0.0.1:%u/", ntohs(port.address.sin_port));
	assert_int_equal(
		herald_rabbitmq_publisher_create(
			&HERALD_RABBITMQ_PUBLISHER_OPTIONS(.url = url, .connect_timeout_ms =
									       CONNECT_TIMEOUT_MS),
			&publisher, &error),
		HERALD_OK);
	if (herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = publisher), &producer,
				   &error) != HERALD_OK)
		fail_msg("%s", error.message);
	silent_port_fill(&port);
	wait_for_client(&port);
	const uint64_t began_ms = now_ms();
	herald_producer_destroy(producer);
	assert_true(now_ms() - began_ms < MAX_STOP_MS);
	silent_port_close(&port);
}

/* A port of 127.0.0.2 that takes connections. */
static int
listen_at_second(const struct silent_port *port)
{
	struct sockaddr_in address = port->address;
	const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 10), 0);
	return listener;
}

/* An address that does not answer must not use up the time of the next one, and all of them have no
 * more than the time that was given. */
static void
test_the_addresses_of_a_host_share_the_time(void **state)
{
	const uint32_t timeout_ms = 2000;
	struct silent_port port;
	struct herald_publisher *publisher;
	struct herald_producer *producer;
	struct herald_error error;
	char url[64];

	(void)state;
	silent_port_take(&port);
	silent_port_fill(&port);
	const int second = listen_at_second(&port);
	snprintf(url, sizeof(url), "amqp://two.test:%u/", ntohs(port.address.sin_port));
	assert_int_equal(
		herald_rabbitmq_publisher_create(
			&HERALD_RABBITMQ_PUBLISHER_OPTIONS(.url = url,
							   .connect_timeout_ms = timeout_ms),
			&publisher, &error),
		HERALD_OK);
	const uint64_t began_ms = now_ms();
	/* It connects once before it returns. The second one does not log it in. */
	if (herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = publisher), &producer,
				   &error) != HERALD_OK)
		fail_msg("%s", error.message);
	assert_in_range(now_ms() - began_ms, timeout_ms / 2, 2 * timeout_ms + timeout_ms / 4);
	const int client = accept(second, NULL, NULL);
	assert_true(client >= 0);
	close(client);
	herald_producer_destroy(producer);
	close(second);
	silent_port_close(&port);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_consumer_that_connects_can_be_stopped),
		cmocka_unit_test(test_a_producer_that_connects_can_be_destroyed),
		cmocka_unit_test(test_the_addresses_of_a_host_share_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
