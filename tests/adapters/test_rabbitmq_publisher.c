/*
 * The publisher of RabbitMQ on a real server: what is particular about it. The cases of all brokers
 * are in tests/contract/publisher/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/producer.h>
#include <herald/rabbitmq.h>

#include "support/option_error.h"
#include "support/rabbitmq_server.h"

static struct rabbitmq_server server;
static struct rabbitmq_client client;
static uint32_t timeout_ms = 4000; /* of producers */

static int
start(void **state)
{
	(void)state;
	rabbitmq_server_start(&server);
	rabbitmq_client_open(&client, &server);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	rabbitmq_client_close(&client);
	rabbitmq_server_stop(&server);
	return 0;
}

static enum herald_status
try_create(const struct herald_rabbitmq_publisher_options *options, struct herald_producer **out,
	   struct herald_error *error)
{
	struct herald_publisher *publisher = NULL;
	enum herald_status status = herald_rabbitmq_publisher_create(options, &publisher, error);

	return status == HERALD_OK
		       ? herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = publisher,
									 .timeout_ms = timeout_ms),
						out, error)
		       : status;
}

static struct herald_producer *
create(const char *exchange)
{
	struct herald_producer *producer = NULL;
	struct herald_error error;

	if (try_create(&HERALD_RABBITMQ_PUBLISHER_OPTIONS(.url = server.url, .exchange = exchange),
		       &producer, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return producer;
}

static enum herald_status
publish(struct herald_producer *producer, const char *topic, struct herald_error *error)
{
	return herald_producer_publish(
		producer, &(struct herald_publication){.topic = topic, HERALD_BODY("x", 1)}, error);
}

static void
assert_text(amqp_bytes_t text, const char *expected)
{
	assert_int_equal(text.len, strlen(expected));
	assert_memory_equal(text.bytes, expected, text.len);
}

/* As another client sees it. */
static void
test_properties_and_headers(void **state)
{
	static const char *const headers[] = {"x-a: 1", "ce-subject: %C3%A9 %", "CE-id: 5%00"};
	struct herald_producer *producer = create(NULL);
	amqp_message_t message;

	(void)state;
	rabbitmq_client_declare(&client, "properties", NULL, NULL);
	assert_int_equal(
		herald_producer_publish(producer,
					&(struct herald_publication){.topic = "properties",
								     .id = "m-1",
								     .key = "k",
								     HERALD_BODY("body", 4),
								     .content_type = "text/plain",
								     HERALD_HEADERS(headers)},
					NULL),
		HERALD_OK);
	assert_true(rabbitmq_client_get(&client, "properties", 5000, &message));
	const amqp_basic_properties_t *properties = &message.properties;
	assert_text(message.body, "body");
	assert_text(properties->message_id, "m-1");
	assert_text(properties->content_type, "text/plain");
	assert_int_equal(properties->delivery_mode, AMQP_DELIVERY_PERSISTENT);
	assert_true(properties->_flags & AMQP_BASIC_TIMESTAMP_FLAG);
	assert_int_equal(properties->headers.num_entries, 5);
	assert_string_equal(rabbitmq_header(&message, "x-a"), "1");
	assert_string_equal(rabbitmq_header(&message, "cloudEvents_subject"), "\xc3\xa9 %");
	assert_string_equal(rabbitmq_header(&message, "cloudEvents_id"), "5%00");
	assert_string_equal(rabbitmq_header(&message, "herald-message-id"), "m-1");
	assert_string_equal(rabbitmq_header(&message, "herald-key"), "k");
	amqp_destroy_message(&message);
	herald_producer_destroy(producer);
}

/* A queue that is full refuses, and others take what is theirs. (The server says "nack".) */
static void
test_a_full_queue(void **state)
{
	struct herald_producer *producer = create(NULL);
	struct herald_error error;
	enum herald_status status;

	(void)state;
	rabbitmq_client_declare(&client, "full", "x-queue-type", "quorum");
	rabbitmq_client_declare(&client, "empty", "x-queue-type", "quorum");
	rabbitmq_server_set_full(&server, "full", true);
	/* It takes some until the policy holds. */
	do
		status = publish(producer, "full", &error);
	while (status == HERALD_OK || status == HERALD_UNKNOWN_OUTCOME);
	assert_int_equal(status, HERALD_UNAVAILABLE);
	assert_string_equal(error.message, "not confirmed by rabbitmq within 4000 ms: the server "
					   "could not store it: full");
	assert_int_equal(publish(producer, "empty", &error), HERALD_OK);
	rabbitmq_server_set_full(&server, "full", false);
	herald_producer_destroy(producer);
}

/* At the end of the time it is either waiting to be sent again, or being sent. */
static void
assert_not_taken(enum herald_status status)
{
	if (status != HERALD_UNKNOWN_OUTCOME)
		assert_int_equal(status, HERALD_UNAVAILABLE);
}

/* Returned messages are told apart, also if they have the same id. */
static void
test_messages_that_no_queue_takes(void **state)
{
	struct herald_producer *producer = create(NULL);
	struct herald_producer_statistics counts;
	struct herald_error error;

	(void)state;
	rabbitmq_client_declare(&client, "there", NULL, NULL);
	for (int i = 0; i < 300; i++)
		assert_int_equal(
			herald_producer_submit(
				producer,
				&(struct herald_publication){.topic = i % 3 ? "there" : "not-there",
							     .id = "same",
							     HERALD_BODY("x", 1)},
				NULL, NULL, NULL),
			HERALD_OK);
	assert_int_equal(herald_producer_flush(producer, 10000), 0);
	herald_producer_statistics_read(producer, &counts);
	assert_int_equal(counts.confirmed, 200);
	assert_int_equal(counts.failed, 100);
	assert_int_equal(rabbitmq_client_count(&client, "there"), 200);
	assert_not_taken(publish(producer, "not-there", &error));
	assert_string_equal(error.message, "not confirmed by rabbitmq within 4000 ms: no queue "
					   "takes it: not-there");
	herald_producer_destroy(producer);
}

static void
test_an_exchange(void **state)
{
	struct herald_producer *producer = create("amq.direct");
	struct herald_error error;

	(void)state;
	rabbitmq_client_declare(&client, "bound", NULL, NULL);
	assert_not_taken(publish(producer, "route", &error));
	amqp_queue_bind(client.conn, 1, amqp_cstring_bytes("bound"),
			amqp_cstring_bytes("amq.direct"), amqp_cstring_bytes("route"),
			amqp_empty_table);
	assert_int_equal(amqp_get_rpc_reply(client.conn).reply_type, AMQP_RESPONSE_NORMAL);
	assert_int_equal(publish(producer, "route", &error), HERALD_OK);
	assert_int_equal(rabbitmq_client_count(&client, "bound"), 1);
	herald_producer_destroy(producer);

	/* It may come later. */
	producer = create("none");
	assert_int_equal(herald_producer_health(producer, &error), HERALD_UNAVAILABLE);
	assert_non_null(strstr(error.message, "cannot find the exchange"));
	herald_producer_destroy(producer);
}

static void
test_headers_that_do_not_fit(void **state)
{
	static char lines[40][4000], name[300];
	const char *headers[40], *names[] = {name};
	struct herald_producer *producer = create(NULL);
	struct herald_publication publication = {
		.topic = "there", HERALD_BODY("x", 1), .headers = headers, .headers_count = 40};
	struct herald_error error;

	(void)state;
	for (int i = 0; i < 40; i++) {
		memset(lines[i], 'x', sizeof(lines[i]) - 1);
		memcpy(lines[i], "name: ", 6);
		headers[i] = lines[i];
	}
	assert_int_equal(herald_producer_publish(producer, &publication, &error), HERALD_TOO_LARGE);
	assert_string_equal(error.message,
			    "the headers do not fit into a frame of the server, which has "
			    "131072 bytes");
	publication.headers_count = 29;
	if (herald_producer_publish(producer, &publication, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	memset(name, 'n', 241);
	strcpy(name + 241, ": x");
	publication.headers = names;
	publication.headers_count = 1;
	assert_int_equal(herald_producer_publish(producer, &publication, &error),
			 HERALD_BAD_LENGTH);
	memmove(name, name + 1, sizeof(name) - 1);
	if (herald_producer_publish(producer, &publication, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	herald_producer_destroy(producer);
}

/* The server would close the channel, and each next one, and others would wait. It matches case. */
static void
test_headers_that_name_further_queues(void **state)
{
	static const char *const refused[][1] = {{"CC: others"}, {"BCC: others"}};
	static const char *const taken[] = {"cc: x", "Bcc: x", "CCC: x", "ce-CC: x"};
	struct herald_publication publication = {.topic = "carbon", HERALD_BODY("x", 1)};
	struct herald_producer_statistics counts;
	struct herald_producer *producer;
	struct herald_error error;

	(void)state;
	timeout_ms = 30000;
	producer = create(NULL);
	rabbitmq_client_declare(&client, "carbon", NULL, NULL);
	publication.headers_count = 1;
	for (size_t i = 0; i < 2; i++) {
		const char *expected[] = {"RabbitMQ does not take a text as the header CC",
					  "RabbitMQ does not take a text as the header BCC"};

		publication.headers = refused[i];
		assert_int_equal(herald_producer_publish(producer, &publication, &error),
				 HERALD_BAD_VALUE);
		assert_string_equal(error.message, expected[i]);
	}
	publication.headers = taken;
	publication.headers_count = sizeof(taken) / sizeof(*taken);
	if (herald_producer_publish(producer, &publication, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	herald_producer_statistics_read(producer, &counts);
	assert_int_equal(counts.connections, 1);
	assert_int_equal(rabbitmq_client_count(&client, "carbon"), 1);
	herald_producer_destroy(producer);
	timeout_ms = 4000;
}

/* What guest may write on a topic exchange, or another user on all: a pattern. */
static void
permit(const char *function, const char *user, const char *exchange, const char *pattern)
{
	char program[256];

	snprintf(program, sizeof(program),
		 "rabbit_auth_backend_internal:%s(<<\"%s\">>, <<\"/\">>, <<\"%s\">>, <<\"%s\">>, "
		 "<<\".*\">>, <<\"test\">>).",
		 function, user, exchange, pattern);
	rabbitmq_server_control(&server, "eval", program, NULL);
}

/* Messages fail at once, and not when they are too old, until the user has the right. */
static void
test_a_user_who_must_not_write(void **state)
{
	struct herald_producer *producer = NULL;
	struct herald_producer_statistics counts;
	struct herald_error error;
	char url[96];

	(void)state;
	timeout_ms = 30000;
	rabbitmq_client_declare(&client, "denied", NULL, NULL);
	rabbitmq_server_control(&server, "add_user", "reader", "secret");
	permit("set_permissions", "reader", "^$", "^$");
	snprintf(url, sizeof(url), "amqp://reader:secret@127.0.0.1:%u/", server.port);
	if (try_create(&HERALD_RABBITMQ_PUBLISHER_OPTIONS(.url = url), &producer, &error) !=
	    HERALD_OK)
		fail_msg("%s", error.message);
	assert_int_equal(publish(producer, "denied", &error), HERALD_BAD_OPTION);
	assert_string_equal(error.message, "ACCESS_REFUSED - access to exchange 'amq.default' in "
					   "vhost '/' refused for user 'reader'");
	for (int i = 0; i < 50; i++)
		assert_int_equal(
			herald_producer_submit(producer,
					       &(struct herald_publication){.topic = "denied",
									    HERALD_BODY("x", 1)},
					       NULL, NULL, NULL),
			HERALD_OK);
	assert_int_equal(herald_producer_flush(producer, 10000), 0);
	herald_producer_statistics_read(producer, &counts);
	assert_int_equal(counts.failed, 51);
	assert_int_equal(counts.confirmed, 0);
	permit("set_permissions", "reader", "^$", ".*");
	if (publish(producer, "denied", &error) != HERALD_OK)
		fail_msg("%s", error.message);
	assert_int_equal(rabbitmq_client_count(&client, "denied"), 1);
	herald_producer_destroy(producer);
	timeout_ms = 4000;
}

/* One topic of an exchange: messages of the others arrive, though the channel is closed. */
static void
test_a_topic_that_a_user_must_not_write(void **state)
{
	struct herald_producer *producer;
	struct herald_producer_statistics counts;
	struct herald_error error;

	(void)state;
	timeout_ms = 30000;
	producer = create("amq.topic");
	rabbitmq_client_declare(&client, "topics", NULL, NULL);
	amqp_queue_bind(client.conn, 1, amqp_cstring_bytes("topics"),
			amqp_cstring_bytes("amq.topic"), amqp_cstring_bytes("#"), amqp_empty_table);
	assert_int_equal(amqp_get_rpc_reply(client.conn).reply_type, AMQP_RESPONSE_NORMAL);
	permit("set_topic_permissions", "guest", "amq.topic", "^ours");
	assert_int_equal(publish(producer, "theirs.1", &error), HERALD_BAD_OPTION);
	assert_non_null(strstr(error.message, "access to topic 'theirs.1' in exchange"));
	for (int i = 0; i < 100; i++)
		assert_int_equal(
			herald_producer_submit(producer,
					       &(struct herald_publication){
						       .topic = i % 10 == 5 ? "theirs.1" : "ours.1",
						       HERALD_BODY("x", 1)},
					       NULL, NULL, NULL),
			HERALD_OK);
	assert_int_equal(herald_producer_flush(producer, 10000), 0);
	herald_producer_statistics_read(producer, &counts);
	assert_int_equal(counts.failed, 11);
	assert_int_equal(counts.confirmed, 90);
	herald_producer_destroy(producer);
	timeout_ms = 4000;
}

static void
bad(const struct herald_rabbitmq_publisher_options *options, const char *path, const char *text)
{
	struct herald_producer *producer = NULL;
	struct herald_error error = {0};

	assert_int_equal(try_create(options, &producer, &error), HERALD_BAD_OPTION);
	assert_null(producer);
	if (path)
		assert_option_error(&error, path, text);
	else
		assert_non_null(strstr(error.message, text));
}

static void
test_options(void **state)
{
	char url[96], exchange[258];

	(void)state;
	memset(exchange, 'x', sizeof(exchange) - 1);
	exchange[256] = '\0';
	bad(&HERALD_RABBITMQ_PUBLISHER_OPTIONS(.url = "http://x"), "url",
	    "expected amqp://USER:PASSWORD@HOST:PORT/VHOST; it must begin with amqp:// or "
	    "amqps://");
	bad(&HERALD_RABBITMQ_PUBLISHER_OPTIONS(.url = server.url, .exchange = exchange), "exchange",
	    "must have at most 255 bytes");
	bad(&HERALD_RABBITMQ_PUBLISHER_OPTIONS(.url = server.url, .heartbeat_s = 3601),
	    "heartbeat_s", "must be at most 3600, not 3601");
	snprintf(url, sizeof(url), "amqp://guest:wrong@127.0.0.1:%u/", server.port);
	bad(&HERALD_RABBITMQ_PUBLISHER_OPTIONS(.url = url), NULL, "cannot log in");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_properties_and_headers),
		cmocka_unit_test(test_a_full_queue),
		cmocka_unit_test(test_messages_that_no_queue_takes),
		cmocka_unit_test(test_an_exchange),
		cmocka_unit_test(test_headers_that_do_not_fit),
		cmocka_unit_test(test_headers_that_name_further_queues),
		cmocka_unit_test(test_a_user_who_must_not_write),
		cmocka_unit_test(test_a_topic_that_a_user_must_not_write),
		cmocka_unit_test(test_options),
	};

	return rabbitmq_server_exists() ? cmocka_run_group_tests(tests, start, stop)
					: rabbitmq_server_left_out("rabbitmq_publisher");
}
