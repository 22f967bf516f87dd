/*
 * The publisher of Kafka on librdkafka's mock cluster: what is particular about it. The cases of
 * all brokers are in test_kafka_publisher.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/kafka.h>
#include <herald/producer.h>

#include "support/kafka_server.h"
#include "support/option_error.h"

#define WAIT_MS 60000
/* The request's number in Kafka's protocol. */
#define PRODUCE 0

static struct kafka_server server;

/* Clients of librdkafka that can be created, on any thread. */
#define CLIENTS 1000000
static atomic_int left_clients = CLIENTS;

/* The linker replaces the function by this one, and has its own name for it. */
rd_kafka_t *
__real_rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *why, size_t bytes);
rd_kafka_t *
__wrap_rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *why, size_t bytes);

rd_kafka_t *
__wrap_rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *why, size_t bytes)
{
	if (atomic_fetch_sub(&left_clients, 1) > 0)
		return __real_rd_kafka_new(type, conf, why, bytes);
	snprintf(why, bytes, "no resources");
	return NULL;
}

static int
start(void **state)
{
	(void)state;
	kafka_server_start_mock(&server);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	kafka_server_stop(&server);
	return 0;
}

static struct herald_producer *
create(void)
{
	struct herald_publisher *publisher = NULL;
	struct herald_producer *producer = NULL;
	struct herald_error error;

	if (herald_kafka_publisher_create(&HERALD_KAFKA_PUBLISHER_OPTIONS(.url = server.url),
					  &publisher, &error) != HERALD_OK ||
	    herald_producer_create(
		    &HERALD_PRODUCER_OPTIONS(.publisher = publisher, .timeout_ms = WAIT_MS),
		    &producer, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return producer;
}

static void
assert_header(rd_kafka_headers_t *headers, const char *name, const char *expected)
{
	const void *value;
	size_t bytes;

	if (rd_kafka_header_get_last(headers, name, &value, &bytes))
		fail_msg("the header %s is missing", name);
	assert_int_equal(bytes, strlen(expected));
	assert_memory_equal(value, expected, bytes);
}

/* The binding of CloudEvents: names with "_", values as they are. */
static void
test_the_message_on_the_wire(void **state)
{
	static const char *const lines[] = {"x-a: 1%20", "ce-subject: %C3%A9 %25%zz", "ce-id: 5%00",
					    "ce-: x"};
	struct herald_producer *producer = create();
	rd_kafka_headers_t *headers = NULL;
	struct herald_error error;

	(void)state;
	kafka_server_make_topic(&server, "wire", 1);
	if (herald_producer_publish(producer,
				    &(struct herald_publication){.topic = "wire",
								 .id = "m-1",
								 .key = "k",
								 HERALD_BODY("body", 4),
								 .content_type = "text/plain",
								 HERALD_HEADERS(lines)},
				    &error) != HERALD_OK)
		fail_msg("%s", error.message);
	rd_kafka_message_t *message = kafka_server_read(&server, "wire", 0);
	assert_int_equal(message->len, 4);
	assert_memory_equal(message->payload, "body", 4);
	assert_int_equal(message->key_len, 1);
	assert_memory_equal(message->key, "k", 1);
	assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
	assert_int_equal(rd_kafka_header_cnt(headers), 7);
	assert_header(headers, "x-a", "1%20");
	assert_header(headers, "ce_subject", "\xc3\xa9 %%zz");
	assert_header(headers, "ce_id", "5%00");
	assert_header(headers, "ce-", "x");
	assert_header(headers, "herald-message-id", "m-1");
	assert_header(headers, "herald-key", "k");
	assert_header(headers, "content-type", "text/plain");
	rd_kafka_message_destroy(message);
	herald_producer_destroy(producer);
}

/* An empty body is not a NULL, which deletes a key in a compacted topic. */
static void
test_an_empty_body_deletes_nothing(void **state)
{
	struct herald_producer *producer = create();

	(void)state;
	kafka_server_make_topic(&server, "empty", 1);
	assert_int_equal(herald_producer_publish(
				 producer,
				 &(struct herald_publication){.topic = "empty",
							      .key = "k",
							      HERALD_BODY(HERALD_EMPTY_BODY, 0)},
				 NULL),
			 HERALD_OK);
	rd_kafka_message_t *message = kafka_server_read(&server, "empty", 0);
	assert_non_null(message->payload);
	assert_int_equal(message->len, 0);
	rd_kafka_message_destroy(message);
	herald_producer_destroy(producer);
}

struct ends {
	size_t confirmed, refused;
	char reason[256];
};

/* On the producer's thread, before herald_producer_flush() returns. */
static void
on_end(enum herald_status status, const char *reason, void *state)
{
	struct ends *ends = state;

	ends->confirmed += status == HERALD_OK;
	if (status != HERALD_TOO_LARGE && status != HERALD_BAD_VALUE)
		return;
	ends->refused++;
	snprintf(ends->reason, sizeof(ends->reason), "%s", reason);
}

static void
publish(struct herald_producer *producer, const char *topic)
{
	assert_int_equal(herald_producer_publish(
				 producer,
				 &(struct herald_publication){.topic = topic, HERALD_BODY("x", 1)},
				 NULL),
			 HERALD_OK);
}

static void
submit(struct herald_producer *producer, const char *topic, size_t count, struct ends *ends)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(
			herald_producer_submit(
				producer,
				&(struct herald_publication){.topic = topic, HERALD_BODY("x", 1)},
				on_end, ends, NULL),
			HERALD_OK);
}

/* Send messages in one batch, of which the broker refuses the first requests. */
static struct ends
send_some(const char *topic, size_t count, rd_kafka_resp_err_t code, size_t times)
{
	const rd_kafka_resp_err_t codes[] = {code, code};
	struct herald_producer *producer = create();
	struct ends ends = {0};

	kafka_server_make_topic(&server, topic, 1);
	kafka_server_make_topic(&server, "other", 1);
	publish(producer, topic);
	kafka_server_block(&server, topic);
	submit(producer, topic, count, &ends);
	/* The publisher has got all of them before this one, in the order of submission. */
	publish(producer, "other");
	rd_kafka_mock_push_request_errors_array(server.mock, PRODUCE, times, codes);
	kafka_server_unblock(&server, topic);
	assert_int_equal(herald_producer_flush(producer, WAIT_MS), 0);
	herald_producer_destroy(producer);
	assert_int_equal(ends.confirmed + ends.refused, count);
	assert_int_equal(kafka_server_count(&server, topic), ends.confirmed + 1);
	return ends;
}

/* A batch was refused, and each of its messages is taken. */
static void
test_a_refused_batch_is_sent_one_by_one(void **state)
{
	(void)state;
	assert_int_equal(
		send_some("batch-1", 10, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1).confirmed, 10);
	assert_int_equal(send_some("batch-2", 10, RD_KAFKA_RESP_ERR_INVALID_RECORD, 1).confirmed,
			 10);
}

/* A message is refused in a batch, here of one, and then alone: it fails at once. */
static void
test_a_message_is_refused_alone(void **state)
{
	(void)state;
	struct ends ends = send_some("batch-3", 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 2);
	assert_int_equal(ends.refused, 1);
	assert_string_equal(ends.reason, "batch-3: the message is larger than max.message.bytes of "
					 "the topic");
	ends = send_some("batch-4", 1, RD_KAFKA_RESP_ERR_INVALID_RECORD, 2);
	assert_int_equal(ends.refused, 1);
}

/* One of ten is refused, in the batch and then alone: the other nine are stored. */
static void
test_a_message_is_refused_among_others(void **state)
{
	(void)state;
	const struct ends ends = send_some("batch-6", 10, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 2);
	assert_int_equal(ends.refused, 1);
	assert_int_equal(ends.confirmed, 9);
}

/* The test's client was created before: the first new one is for batches, and the second one for
 * messages that are alone. */
static void
test_no_resources_for_the_second_client(void **state)
{
	(void)state;
	atomic_store(&left_clients, 1);
	const struct ends ends = send_some("batch-5", 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1);
	assert_true(atomic_load(&left_clients) < 0);
	atomic_store(&left_clients, CLIENTS);
	assert_int_equal(ends.confirmed, 1);
}

/* A missing right does not fail it: the operator may give it. */
static void
test_a_missing_right_is_waited_for(void **state)
{
	(void)state;
	assert_int_equal(
		send_some("right", 10, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 2).confirmed,
		10);
}

/* Each answer takes longer than the publisher waits at once. */
static void
test_brokers_that_are_far(void **state)
{
	(void)state;
	kafka_server_make_topic(&server, "far", 1);
	assert_int_equal(rd_kafka_mock_broker_set_rtt(server.mock, 1, 250), 0);
	struct herald_producer *producer = create();
	assert_int_equal(herald_producer_publish(
				 producer,
				 &(struct herald_publication){.topic = "far", HERALD_BODY("x", 1)},
				 NULL),
			 HERALD_OK);
	herald_producer_destroy(producer);
	assert_int_equal(rd_kafka_mock_broker_set_rtt(server.mock, 1, 0), 0);
}

static void
test_names_that_are_no_topics(void **state)
{
	struct herald_producer *producer = create();
	struct herald_error error;
	char name[251] = "";

	(void)state;
	memset(name, 'x', 250);
	const char *const names[] = {"a b", "a/b", ".", "..", "\xc3\xa9", name};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(
			herald_producer_publish(producer,
						&(struct herald_publication){.topic = names[i],
									     HERALD_BODY("x", 1)},
						&error),
			HERALD_BAD_VALUE);
		assert_non_null(strstr(error.message, "a topic has up to 249 letters"));
	}
	herald_producer_destroy(producer);
}

static const struct herald_pair own[] = {{"acks", "1"}};

static const struct {
	struct herald_kafka_publisher_options options;
	const char *path, *text;
} refused[] = {
	{{0}, "url", "must be set"},
	{{.url = "kafka://secret@a"},
	 "url",
	 "expected kafka://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]...]; the password is missing "
	 "(USER:PASSWORD@)"},
	{{.url = "kafka://a", .timeout_ms = 999}, "timeout_ms", "must be at least 1000, not 999"},
	{{.url = "kafka://a", HERALD_KAFKA_PROPERTIES(own)},
	 "properties",
	 "\"acks\" is set by Herald"},
};

static void
test_options(void **state)
{
	struct herald_publisher *publisher = NULL;
	struct herald_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct herald_kafka_publisher_options options = refused[i].options;

		options.struct_size = sizeof(options);
		assert_int_equal(herald_kafka_publisher_create(&options, &publisher, &error),
				 HERALD_BAD_OPTION);
		assert_null(publisher);
		assert_option_error(&error, refused[i].path, refused[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_message_on_the_wire),
		cmocka_unit_test(test_an_empty_body_deletes_nothing),
		cmocka_unit_test(test_a_refused_batch_is_sent_one_by_one),
		cmocka_unit_test(test_a_message_is_refused_alone),
		cmocka_unit_test(test_a_message_is_refused_among_others),
		cmocka_unit_test(test_no_resources_for_the_second_client),
		cmocka_unit_test(test_a_missing_right_is_waited_for),
		cmocka_unit_test(test_brokers_that_are_far),
		cmocka_unit_test(test_names_that_are_no_topics),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
