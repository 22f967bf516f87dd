/*
 * The cases of TLS, for any adapter of a broker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker_tls.h"

#include <herald/adapter/subscriber.h>
#include <herald/producer.h>

/* Longer than a record of TLS, and than sockets take at once. */
#define BODY_BYTES 1000000
#define TIMEOUT_MS 30000

struct tls_files tls_files;
struct tls_broker tls_broker;

/* Files. */

static void
keep(char out[128], const char *path)
{
	snprintf(out, 128, "%s", path);
}

void
tls_files_certify(const char *alternative, long ends_s)
{
	struct tls_files *f = &tls_files;

	identity_destroy(&f->certified);
	f->certified = identity_create(&(struct identity_request){
		.name = "broker", .alternative = alternative, .issuer = &f->ca, .ends_s = ends_s});
	keep(f->server_file,
	     folder_write_certificates(&f->folder, "server.pem", &f->certified, NULL));
	keep(f->server_key, folder_write_key(&f->folder, "server.key", &f->certified, NULL));
}

void
tls_files_create(void)
{
	struct tls_files *f = &tls_files;

	folder_create(&f->folder);
	f->ca = identity_create(&(struct identity_request){.name = "Test CA", .is_ca = true});
	f->other_ca =
		identity_create(&(struct identity_request){.name = "Other CA", .is_ca = true});
	f->client = identity_create(&(struct identity_request){
		.name = "shop", .usage = "clientAuth", .issuer = &f->ca});
	keep(f->ca_file, folder_write_certificates(&f->folder, "ca.pem", &f->ca, NULL));
	keep(f->other_ca_file,
	     folder_write_certificates(&f->folder, "other.pem", &f->other_ca, NULL));
	keep(f->client_file, folder_write_certificates(&f->folder, "client.pem", &f->client, NULL));
	keep(f->client_key, folder_write_key(&f->folder, "client.key", &f->client, NULL));
	tls_files_certify("DNS:localhost", 0);
}

void
tls_files_remove(void)
{
	identity_destroy(&tls_files.ca);
	identity_destroy(&tls_files.other_ca);
	identity_destroy(&tls_files.certified);
	identity_destroy(&tls_files.client);
	folder_remove(&tls_files.folder);
}

/* Clients. */

struct tls_options
tls_good(const char *host, const char *source)
{
	static char url[128];

	snprintf(url, sizeof(url), "%s%s%s:%u", tls_broker.scheme, tls_broker.login, host,
		 tls_broker.port);
	return (struct tls_options){url, source, tls_files.ca_file, tls_files.client_file,
				    tls_files.client_key};
}

static enum herald_status
create_producer(const struct tls_options *options, uint32_t timeout_ms,
		struct herald_producer **out, struct herald_error *error)
{
	struct herald_publisher *publisher = NULL;

	if (tls_broker.create_publisher(options, &publisher, error) != HERALD_OK)
		fail_msg("%s", error->message);
	return herald_producer_create(
		&HERALD_PRODUCER_OPTIONS(.publisher = publisher, .timeout_ms = timeout_ms), out,
		error);
}

static enum herald_status
open_subscriber(const struct tls_options *options, struct herald_subscriber **out,
		struct herald_error *error)
{
	const struct herald_subscriber_settings settings = {
		.allocator = herald_allocator_libc,
		.max_in_flight = 100,
		.max_in_flight_bytes = 16 << 20,
		.max_delay_ms = 1000,
	};

	if (tls_broker.create_subscriber(options, out, error) != HERALD_OK)
		fail_msg("%s", error->message);
	return (*out)->ops->open(*out, &settings, error);
}

static void
close_subscriber(struct herald_subscriber *subscriber)
{
	subscriber->ops->close(subscriber, 1000);
	subscriber->ops->destroy(subscriber);
}

static void
fill(char *body)
{
	for (size_t i = 0; i < BODY_BYTES; i++)
		body[i] = (char)('a' + i % 26);
}

static void
publish(struct herald_producer *producer, const char *topic)
{
	static char body[BODY_BYTES];
	struct herald_error error = {0};

	fill(body);
	if (herald_producer_publish(
		    producer,
		    &(struct herald_publication){.topic = topic, HERALD_BODY(body, BODY_BYTES)},
		    &error) != HERALD_OK)
		fail_msg("%s", error.message);
}

/* Receive one message, and end it. */
static void
consume(struct herald_subscriber *subscriber)
{
	static char body[BODY_BYTES];
	struct herald_received_list list = {0};
	struct herald_error error = {0};

	fill(body);
	while (list.count == 0) {
		list = (struct herald_received_list){0};
		if (subscriber->ops->receive(subscriber, 10, 16 << 20, 100, &list, &error) !=
		    HERALD_OK)
			fail_msg("%s", error.message);
	}
	assert_int_equal(list.first->data.bytes, BODY_BYTES);
	assert_memory_equal(list.first->data.data, body, BODY_BYTES);
	subscriber->ops->settle(subscriber,
				&(struct herald_settlement){.message = list.first,
							    .kind = HERALD_SETTLE_DONE,
							    .event_id = ""},
				1);
	assert_int_equal(subscriber->ops->flush(subscriber, TIMEOUT_MS), 0);
}

void
tls_assert_passes(const struct tls_options *options)
{
	struct herald_subscriber *subscriber = NULL;
	struct herald_producer *producer = NULL;
	struct herald_error error = {0};

	if (open_subscriber(options, &subscriber, &error) != HERALD_OK ||
	    create_producer(options, TIMEOUT_MS, &producer, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	assert_int_equal(herald_producer_health(producer, &error), HERALD_OK);
	for (int i = 0; i < 3; i++) {
		publish(producer, options->source);
		consume(subscriber);
	}
	assert_int_equal(herald_producer_stop(producer, TIMEOUT_MS), 0);
	herald_producer_destroy(producer);
	close_subscriber(subscriber);
}

static void
assert_reason(const struct herald_error *error, const char *why)
{
	assert_string_equal(error->path, "url");
	if (!strstr(error->message, why))
		fail_msg("not \"%s\" in: %s", why, error->message);
}

void
tls_assert_refused(const struct tls_options *options, const char *why)
{
	struct herald_subscriber *subscriber = NULL;
	struct herald_producer *producer = NULL;
	struct herald_error error = {0};

	assert_int_equal(open_subscriber(options, &subscriber, &error), HERALD_BAD_OPTION);
	close_subscriber(subscriber);
	assert_reason(&error, why);
	error = (struct herald_error){0};
	assert_int_equal(create_producer(options, TIMEOUT_MS, &producer, &error),
			 HERALD_BAD_OPTION);
	assert_reason(&error, why);
}

/* Cases. */

void
test_tls_messages_pass(void **state)
{
	const struct tls_options options = tls_good("localhost", "orders");

	(void)state;
	tls_assert_passes(&options);
}

/* The producer connects anew, and sends the message again. */
void
test_tls_server_is_killed(void **state)
{
	const struct tls_options options = tls_good("localhost", "killed");
	struct herald_subscriber *subscriber = NULL;
	struct herald_producer *producer = NULL;
	struct herald_error error = {0};

	(void)state;
	assert_int_equal(open_subscriber(&options, &subscriber, &error), HERALD_OK);
	close_subscriber(subscriber);
	assert_int_equal(create_producer(&options, 60000, &producer, &error), HERALD_OK);
	publish(producer, "killed");
	tls_broker.kill();
	publish(producer, "killed");
	herald_producer_destroy(producer);
}

void
test_tls_what_is_refused(void **state)
{
	struct tls_options options = tls_good("localhost", "orders");
	struct herald_subscriber *subscriber = NULL;
	struct herald_error error = {0};
	char plain[64];

	(void)state;
	options.ca_file = tls_files.other_ca_file;
	/* OpenSSL's text depends on whether the server sends its CA. */
	tls_assert_refused(&options, "the certificate of localhost is not accepted: ");
	options.ca_file = NULL; /* the system's */
	tls_assert_refused(&options, "the certificate of localhost is not accepted: ");
	options = tls_good("127.0.0.1", "orders");
	tls_assert_refused(&options, "the certificate of 127.0.0.1 is not accepted: IP address "
				     "mismatch");
	/* A server that does not speak TLS: it closes the connection, waits, or says something. */
	options = tls_good("localhost", "orders");
	snprintf(plain, sizeof(plain), "%slocalhost:%u", tls_broker.scheme, tls_broker.plain_port);
	options.url = plain;
	assert_int_not_equal(open_subscriber(&options, &subscriber, &error), HERALD_OK);
	close_subscriber(subscriber);
	if (!strstr(error.message, "no TLS with localhost: "))
		fail_msg("%s", error.message);
}

/* The server refuses it after the handshake. */
void
test_tls_client_without_certificate(void **state)
{
	struct tls_options options = tls_good("localhost", "orders");
	struct herald_subscriber *subscriber = NULL;
	struct herald_error error = {0};

	(void)state;
	options.certificate_file = options.key_file = NULL;
	assert_int_equal(open_subscriber(&options, &subscriber, &error), HERALD_UNAVAILABLE);
	close_subscriber(subscriber);
	if (!strstr(error.message, "certificate required") &&
	    !strstr(error.message, "handshake failure"))
		fail_msg("%s", error.message);
}

void
test_tls_options(void **state)
{
	const struct tls_options good = tls_good("localhost", "orders");
	struct tls_options cases[5];
	const char *const paths[] = {"ca_file", "key_file", "certificate_file", "key_file",
				     "ca_file"};
	const char *const why[] = {
		"expected CA certificates in PEM format", "is missing: there is a certificate",
		"is missing: there is a key", "expected the private key of the certificate",
		"is set, but the URL does not begin with"};
	char plain[64];

	(void)state;
	for (size_t i = 0; i < 5; i++)
		cases[i] = good;
	snprintf(plain, sizeof(plain), "%.*s://localhost:1", (int)strlen(tls_broker.scheme) - 4,
		 tls_broker.scheme);
	cases[0].ca_file = tls_files.client_key;
	cases[1].key_file = NULL;
	cases[2].certificate_file = NULL;
	cases[3].key_file = tls_files.server_key;
	cases[4].url = plain;
	for (size_t i = 0; i < 5; i++) {
		struct herald_publisher *publisher = NULL;
		struct herald_subscriber *subscriber = NULL;
		struct herald_error error = {0};

		assert_int_equal(tls_broker.create_publisher(&cases[i], &publisher, &error),
				 HERALD_BAD_OPTION);
		assert_string_equal(error.path, paths[i]);
		if (!strstr(error.message, why[i]))
			fail_msg("not \"%s\" in: %s", why[i], error.message);
		assert_int_equal(tls_broker.create_subscriber(&cases[i], &subscriber, &error),
				 HERALD_BAD_OPTION);
	}
}
