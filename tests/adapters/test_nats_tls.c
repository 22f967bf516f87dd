/*
 * NATS over TLS: a real server with certificates made here, and a proxy that stops within a record.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <herald/adapter/subscriber.h>
#include <herald/nats.h>
#include <herald/producer.h>
#include <nats/nats.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "support/certificates.h"
#include "support/nats_server.h"

#define TIMEOUT_MS 30000
/* Less than any record of TLS has. */
#define PART_BYTES 10
#define BODY_BYTES 100000

static struct folder folder;
static struct identity ca, other_ca, certified, client;
static struct nats_server server;
static char settings[512], ca_file[128], other_ca_file[128], client_file[128], client_key[128];
static char url[64]; /* its host is in the certificate */

/* One connection at a time, to the server. */
static struct proxy {
	int listener;
	uint16_t port;
	pthread_t thread;
	atomic_bool ends, cuts;
	atomic_int allowed; /* bytes for the client; -1: all */
} proxy;

static bool
forward(int from, int to, int most)
{
	char bytes[16384];
	const size_t wanted =
		most >= 0 && (size_t)most < sizeof(bytes) ? (size_t)most : sizeof(bytes);
	const ssize_t got = recv(from, bytes, wanted, 0);

	if (got <= 0 || send(to, bytes, (size_t)got, MSG_NOSIGNAL) != got)
		return false;
	if (most >= 0)
		atomic_fetch_sub(&proxy.allowed, (int)got);
	return true;
}

static void
serve(int near, int far)
{
	while (!atomic_load(&proxy.ends) && !atomic_exchange(&proxy.cuts, false)) {
		const int allowed = atomic_load(&proxy.allowed);
		struct pollfd fds[] = {{.fd = near, .events = POLLIN},
				       {.fd = allowed != 0 ? far : -1, .events = POLLIN}};

		poll(fds, 2, 10);
		if ((fds[0].revents && !forward(near, far, -1)) ||
		    (fds[1].revents && !forward(far, near, allowed)))
			return;
	}
}

static void *
proxy_run(void *state)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = htons(server.port),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	while (!atomic_load(&proxy.ends)) {
		struct pollfd listener = {.fd = proxy.listener, .events = POLLIN};

		if (poll(&listener, 1, 10) <= 0)
			continue;
		const int near = accept(proxy.listener, NULL, NULL);
		const int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (near >= 0 && far >= 0 &&
		    connect(far, (const struct sockaddr *)&address, sizeof(address)) == 0)
			serve(near, far);
		close(near);
		close(far);
	}
	return state;
}

static void
proxy_start(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof(address);

	atomic_store(&proxy.allowed, -1);
	atomic_store(&proxy.ends, false);
	proxy.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(proxy.listener, (struct sockaddr *)&address, bytes), 0);
	assert_int_equal(listen(proxy.listener, 8), 0);
	assert_int_equal(getsockname(proxy.listener, (struct sockaddr *)&address, &bytes), 0);
	proxy.port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&proxy.thread, NULL, proxy_run, NULL), 0);
}

static void
proxy_stop(void)
{
	atomic_store(&proxy.ends, true);
	assert_int_equal(pthread_join(proxy.thread, NULL), 0);
	close(proxy.listener);
}

/* Only a part of a record has come. */
static void
await_part(void)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	while (atomic_load(&proxy.allowed) > 0)
		nanosleep(&pause, NULL);
}

/* The server, and clients. */

static int
start(void **state)
{
	(void)state;
	folder_create(&folder);
	ca = identity_create(&(struct identity_request){.name = "Test CA", .is_ca = true});
	other_ca = identity_create(&(struct identity_request){.name = "Other CA", .is_ca = true});
	certified = identity_create(&(struct identity_request){
		.name = "localhost", .alternative = "DNS:localhost", .issuer = &ca});
	client = identity_create(
		&(struct identity_request){.name = "shop", .usage = "clientAuth", .issuer = &ca});
	snprintf(ca_file, sizeof(ca_file), "%s",
		 folder_write_certificates(&folder, "ca.pem", &ca, NULL));
	snprintf(other_ca_file, sizeof(other_ca_file), "%s",
		 folder_write_certificates(&folder, "other.pem", &other_ca, NULL));
	snprintf(client_file, sizeof(client_file), "%s",
		 folder_write_certificates(&folder, "client.pem", &client, NULL));
	snprintf(client_key, sizeof(client_key), "%s",
		 folder_write_key(&folder, "client.key", &client, NULL));
	snprintf(settings, sizeof(settings),
		 "tls { cert_file: \"%s\", key_file: \"%s\", ca_file: \"%s\", verify: true }",
		 folder_write_certificates(&folder, "server.pem", &certified, NULL),
		 folder_write_key(&folder, "server.key", &certified, NULL), ca_file);
	server.settings = settings;
	nats_server_start(&server);
	snprintf(url, sizeof(url), "tls://localhost:%u", server.port);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	nats_server_stop(&server);
	identity_destroy(&ca);
	identity_destroy(&other_ca);
	identity_destroy(&certified);
	identity_destroy(&client);
	folder_remove(&folder);
	/* No nats_Close(): it frees a table of OpenSSL's, which is freed again at exit. */
	return 0;
}

static struct herald_nats_subscriber_options
good(const char *stream)
{
	return HERALD_NATS_SUBSCRIBER_OPTIONS(.url = url, .stream = stream, .group = "billing",
					      .timeout_ms = TIMEOUT_MS, .ca_file = ca_file,
					      .certificate_file = client_file,
					      .key_file = client_key);
}

static enum herald_status
open_subscriber(const struct herald_nats_subscriber_options *options,
		struct herald_subscriber **out, struct herald_error *error)
{
	const struct herald_subscriber_settings subscriber_settings = {
		.allocator = herald_allocator_libc,
		.max_in_flight = 100,
		.max_in_flight_bytes = 1 << 20,
		.max_delay_ms = 1000,
	};

	assert_int_equal(herald_nats_subscriber_create(options, out, error), HERALD_OK);
	return (*out)->ops->open(*out, &subscriber_settings, error);
}

static void
close_subscriber(struct herald_subscriber *subscriber)
{
	subscriber->ops->close(subscriber, 1000);
	subscriber->ops->destroy(subscriber);
}

static enum herald_status
create_producer(const struct herald_nats_subscriber_options *options, struct herald_producer **out,
		struct herald_error *error)
{
	const struct herald_nats_publisher_options publisher_options =
		HERALD_NATS_PUBLISHER_OPTIONS(.url = options->url,
					      .timeout_ms = options->timeout_ms,
					      .ca_file = options->ca_file,
					      .certificate_file = options->certificate_file,
					      .key_file = options->key_file);
	struct herald_publisher *publisher = NULL;

	assert_int_equal(herald_nats_publisher_create(&publisher_options, &publisher, error),
			 HERALD_OK);
	return herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = publisher), out, error);
}

static void
fill(char body[BODY_BYTES])
{
	for (size_t i = 0; i < BODY_BYTES; i++)
		body[i] = (char)('a' + i % 26);
}

static void
publish(const char *topic)
{
	static char body[BODY_BYTES];
	const struct herald_nats_subscriber_options options = good(topic);
	struct herald_producer *producer = NULL;
	struct herald_error error = {0};

	fill(body);
	if (create_producer(&options, &producer, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	if (herald_producer_publish(
		    producer,
		    &(struct herald_publication){.topic = topic, HERALD_BODY(body, BODY_BYTES)},
		    &error) != HERALD_OK)
		fail_msg("%s", error.message);
	assert_int_equal(herald_producer_stop(producer, TIMEOUT_MS), 0);
	herald_producer_destroy(producer);
}

static enum herald_status
receive(struct herald_subscriber *subscriber, struct herald_received_list *list,
	struct herald_error *error)
{
	*list = (struct herald_received_list){0};
	return subscriber->ops->receive(subscriber, 10, 1 << 20, 100, list, error);
}

/* Receive one message, and end it. */
static void
consume(struct herald_subscriber *subscriber)
{
	static char body[BODY_BYTES];
	struct herald_received_list list = {0};
	struct herald_error error = {0};

	fill(body);
	while (list.count == 0)
		if (receive(subscriber, &list, &error) != HERALD_OK)
			fail_msg("%s", error.message);
	assert_int_equal(list.first->data.bytes, BODY_BYTES);
	assert_memory_equal(list.first->data.data, body, BODY_BYTES);
	subscriber->ops->settle(subscriber,
				&(struct herald_settlement){.message = list.first,
							    .kind = HERALD_SETTLE_DONE,
							    .event_id = ""},
				1);
	assert_int_equal(subscriber->ops->flush(subscriber, TIMEOUT_MS), 0);
}

/* Cases. */

static void
test_messages_pass(void **state)
{
	const struct herald_nats_subscriber_options options = good("orders");
	struct herald_subscriber *subscriber = NULL;
	struct herald_error error = {0};

	(void)state;
	if (open_subscriber(&options, &subscriber, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	for (int i = 0; i < 3; i++) {
		publish("orders");
		consume(subscriber);
	}
	close_subscriber(subscriber);
}

static void
assert_refused(const struct herald_nats_subscriber_options *options, const char *path,
	       const char *why)
{
	struct herald_subscriber *subscriber = NULL;
	struct herald_producer *producer = NULL;
	struct herald_error error = {0};

	assert_int_equal(open_subscriber(options, &subscriber, &error), HERALD_BAD_OPTION);
	close_subscriber(subscriber);
	assert_string_equal(error.path, path);
	if (!strstr(error.message, why))
		fail_msg("not \"%s\" in: %s", why, error.message);
	error = (struct herald_error){0};
	assert_int_equal(create_producer(options, &producer, &error), HERALD_BAD_OPTION);
	assert_string_equal(error.path, path);
	if (!strstr(error.message, why))
		fail_msg("not \"%s\" in: %s", why, error.message);
}

static void
test_a_server_that_is_not_trusted_is_refused(void **state)
{
	struct herald_nats_subscriber_options options = good("orders");

	(void)state;
	options.ca_file = other_ca_file;
	assert_refused(&options, "url", "certificate");
}

static void
test_a_certificate_of_another_host_is_refused(void **state)
{
	struct herald_nats_subscriber_options options = good("orders");
	char address[64];

	(void)state;
	snprintf(address, sizeof(address), "tls://127.0.0.1:%u", server.port);
	options.url = address;
	assert_refused(&options, "url", "mismatch");
}

/* The address does not say it, but the server does. */
static void
test_a_server_that_needs_tls_is_not_used_without(void **state)
{
	struct herald_nats_subscriber_options options = good("orders");

	(void)state;
	options.url = server.url;
	options.ca_file = options.certificate_file = options.key_file = NULL;
	assert_refused(&options, "url", "cannot connect to NATS");
}

static void
test_files_that_cannot_be_used_are_named(void **state)
{
	struct herald_nats_subscriber_options options = good("orders");

	(void)state;
	options.ca_file = "/nowhere/ca.pem";
	assert_refused(&options, "ca_file", "/nowhere/ca.pem: ");
	options = good("orders");
	options.certificate_file = "/nowhere/client.pem";
	assert_refused(&options, "certificate_file", "cannot use it, or its key: ");
	options = good("orders");
	options.key_file = ca_file;
	assert_refused(&options, "certificate_file", "cannot use it, or its key: ");
}

/* libnats would wait for the rest of the record. */
static void
test_a_part_of_a_record_holds_nothing_up(void **state)
{
	struct herald_nats_subscriber_options options = good("parts");
	struct herald_received_list list;
	struct herald_subscriber *subscriber = NULL;
	struct herald_error error = {0};
	char address[64];

	(void)state;
	proxy_start();
	snprintf(address, sizeof(address), "tls://localhost:%u", proxy.port);
	options.url = address;
	if (open_subscriber(&options, &subscriber, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	assert_int_equal(receive(subscriber, &list, &error), HERALD_OK);
	atomic_store(&proxy.allowed, PART_BYTES);
	publish("parts");
	await_part();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(receive(subscriber, &list, &error), HERALD_OK);
		assert_int_equal(list.count, 0);
	}
	atomic_store(&proxy.allowed, -1);
	consume(subscriber);
	/* A connection that ends within a record is lost. The server would be silent for long. */
	assert_int_equal(receive(subscriber, &list, &error), HERALD_OK);
	atomic_store(&proxy.allowed, PART_BYTES);
	publish("parts");
	await_part();
	atomic_store(&proxy.cuts, true);
	while (receive(subscriber, &list, &error) == HERALD_OK)
		assert_int_equal(list.count, 0);
	assert_string_equal(error.message, "NATS: the connection was lost");
	close_subscriber(subscriber);
	proxy_stop();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_pass),
		cmocka_unit_test(test_a_server_that_is_not_trusted_is_refused),
		cmocka_unit_test(test_a_certificate_of_another_host_is_refused),
		cmocka_unit_test(test_files_that_cannot_be_used_are_named),
		cmocka_unit_test(test_a_server_that_needs_tls_is_not_used_without),
		cmocka_unit_test(test_a_part_of_a_record_holds_nothing_up),
	};

	if (!nats_server_exists())
		return nats_server_left_out("nats_tls");
	return cmocka_run_group_tests(tests, start, stop);
}
