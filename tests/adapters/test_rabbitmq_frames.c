/*
 * RabbitMQ with small frames (frame_max): what is sent fits into them, wherever it is sent.
 * With a larger body, some versions of librabbitmq write past their buffer: AddressSanitizer tells.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/dead_letters.h>
#include <herald/adapter/subscriber.h>
#include <herald/producer.h>
#include <herald/rabbitmq.h>

#include "support/rabbitmq_server.h"

#define FRAME_BYTES 8192
#define MAX_BODY_BYTES 1000000
#define QUEUE "frames"
#define DEAD QUEUE ".dead"
/* Receiving waits for 20 ms each time. */
#define TRIES 500

static struct rabbitmq_server server;
static struct rabbitmq_client client;
static struct herald_subscriber *subscriber;
static int warnings_logged;

static void
count_warnings(const struct herald_log_record *record, void *state)
{
	(void)state;
	warnings_logged += record->level == HERALD_LOG_WARNING;
}

static void
open_subscriber(void)
{
	const struct herald_subscriber_settings settings = {
		.log = {.write = count_warnings, .level = HERALD_LOG_INFO},
		.allocator = herald_allocator_libc,
		.max_in_flight = 10,
		.max_in_flight_bytes = 4 * MAX_BODY_BYTES,
		.max_delay_ms = 3600000,
	};
	struct herald_error error;

	warnings_logged = 0;
	if (herald_rabbitmq_subscriber_create(
		    &HERALD_RABBITMQ_SUBSCRIBER_OPTIONS(.url = server.url, .queue = QUEUE),
		    &subscriber, &error) != HERALD_OK ||
	    subscriber->ops->open(subscriber, &settings, &error) != HERALD_OK)
		fail_msg("%s", error.message);
}

static void
destroy_subscriber(void)
{
	assert_int_equal(subscriber->ops->flush(subscriber, 5000), 0);
	subscriber->ops->close(subscriber, 1000);
	subscriber->ops->destroy(subscriber);
}

static struct herald_received *
receive(void)
{
	struct herald_received_list list = {0};
	struct herald_error error;

	for (int i = 0; i < TRIES && !list.first; i++)
		if (subscriber->ops->receive(subscriber, 1, MAX_BODY_BYTES, 20, &list, &error) !=
		    HERALD_OK)
			fail_msg("%s", error.message);
	assert_non_null(list.first);
	return list.first;
}

/* And wait until the server has its end. */
static void
settle(struct herald_received *message, enum herald_settlement_kind kind)
{
	const struct herald_error why = {.status = HERALD_BAD_TYPE, .message = "not now"};
	const struct herald_settlement settlement = {
		.message = message, .kind = kind, .delay_ms = 10, .attempts = 1, .error = &why};
	struct herald_received_list list = {0};
	struct herald_error error;

	subscriber->ops->settle(subscriber, &settlement, 1);
	for (int i = 0; i < TRIES && subscriber->ops->unsettled(subscriber) > 0; i++)
		if (subscriber->ops->receive(subscriber, 0, 0, 20, &list, &error) != HERALD_OK)
			fail_msg("%s", error.message);
	assert_int_equal(subscriber->ops->unsettled(subscriber), 0);
}

static struct herald_dead_letters *
open_letters(void)
{
	struct herald_dead_letters *letters;
	struct herald_error error;

	if (herald_rabbitmq_dead_letters_create(
		    &HERALD_RABBITMQ_DEAD_LETTERS_OPTIONS(.url = server.url, .queue = QUEUE),
		    &letters, &error) != HERALD_OK ||
	    letters->ops->open(letters, NULL, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return letters;
}

/* Send all dead letters to the queue. */
static void
replay(void)
{
	struct herald_dead_letters *letters = open_letters();
	struct herald_dead_message_list list = {0};
	struct herald_error error;

	assert_int_equal(letters->ops->read(letters, 10, MAX_BODY_BYTES, &list, &error), HERALD_OK);
	assert_int_equal(list.count, 1);
	if (letters->ops->replay(letters, &list, QUEUE, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	assert_int_equal(list.first->status, HERALD_OK);
	letters->ops->release(letters, &list);
	letters->ops->destroy(letters);
}

static struct herald_producer *
create_producer(void)
{
	struct herald_publisher *publisher = NULL;
	struct herald_producer *producer = NULL;
	struct herald_error error;

	if (herald_rabbitmq_publisher_create(&HERALD_RABBITMQ_PUBLISHER_OPTIONS(.url = server.url),
					     &publisher, &error) != HERALD_OK ||
	    herald_producer_create(&HERALD_PRODUCER_OPTIONS(.publisher = publisher), &producer,
				   &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return producer;
}

/* Published, received, retried, dead, replayed. */
static void
test_bodies_of_several_frames(void **state)
{
	static const size_t sizes[] = {
		0,           1,    FRAME_BYTES - 9, FRAME_BYTES - 8, FRAME_BYTES - 7,
		FRAME_BYTES, 8193, 20000,           100000,          MAX_BODY_BYTES};
	static char body[MAX_BODY_BYTES];
	struct herald_producer *producer;
	struct herald_error error;

	(void)state;
	open_subscriber();
	producer = create_producer();
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)('a' + i / 7 % 26);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		const struct herald_publication publication = {.topic = QUEUE,
							       HERALD_BODY(body, sizes[i])};

		if (herald_producer_publish(producer, &publication, &error) != HERALD_OK)
			fail_msg("%s", error.message);
		settle(receive(), HERALD_SETTLE_RETRY);
		settle(receive(), HERALD_SETTLE_DEAD);
		replay();
		struct herald_received *message = receive();
		assert_int_equal(message->data.bytes, sizes[i]);
		assert_memory_equal(message->data.data, body, sizes[i]);
		settle(message, HERALD_SETTLE_DONE);
	}
	herald_producer_destroy(producer);
	destroy_subscriber();
}

/* The publisher refuses headers that do not fit, and then goes on. */
static void
test_headers_that_do_not_fit_are_refused(void **state)
{
	static char lines[2][4090];
	const char *headers[] = {lines[0], lines[1]};
	struct herald_publication publication = {
		.topic = QUEUE, HERALD_BODY("x", 1), .headers = headers, .headers_count = 2};
	struct herald_producer *producer;
	struct herald_error error;

	(void)state;
	open_subscriber();
	producer = create_producer();
	for (int i = 0; i < 2; i++)
		snprintf(lines[i], sizeof(lines[i]), "name-%d: %04079d", i, 0);
	assert_int_equal(herald_producer_publish(producer, &publication, &error), HERALD_TOO_LARGE);
	assert_string_equal(error.message, "the headers do not fit into a frame of the server, "
					   "which has 8192 bytes");
	lines[1][strlen(lines[1]) - 1400] = '\0';
	if (herald_producer_publish(producer, &publication, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	settle(receive(), HERALD_SETTLE_DONE);
	herald_producer_destroy(producer);
	destroy_subscriber();
}

/* Read it twice: the server adds to the headers what it delivers again. */
static void
take_dead_letter(void)
{
	amqp_message_t message;

	rabbitmq_client_peek(&server, DEAD, 0, &message);
	amqp_destroy_message(&message);
	assert_true(rabbitmq_client_get(&client, DEAD, 5000, &message));
	assert_string_equal(rabbitmq_header(&message, "herald-reason"), "not now");
	amqp_destroy_message(&message);
}

/* Properties that fill a frame, with headers of so many bytes. */
static void
publish_full(size_t header_bytes)
{
	static char large[FRAME_BYTES], text[256];
	const amqp_bytes_t full = {255, text};
	amqp_table_entry_t header = {
		.key = amqp_cstring_bytes("large"),
		.value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = {header_bytes, large}}};
	const amqp_basic_properties_t properties = {
		._flags = AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG |
			  AMQP_BASIC_CONTENT_ENCODING_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG |
			  AMQP_BASIC_REPLY_TO_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG |
			  AMQP_BASIC_TYPE_FLAG | AMQP_BASIC_APP_ID_FLAG,
		.headers = {1, &header},
		.content_type = full,
		.content_encoding = full,
		.correlation_id = full,
		.reply_to = full,
		.message_id = full,
		.type = full,
		.app_id = full,
	};

	memset(large, 'x', sizeof(large));
	memset(text, 'y', sizeof(text));
	rabbitmq_client_publish(&client, QUEUE, "body", 4, &properties);
}

/* A dead letter says why it is one, whatever the original has. */
static void
test_headers_that_fill_a_frame_do_not_stop_a_copy(void **state)
{
	(void)state;
	open_subscriber();
	for (size_t bytes = FRAME_BYTES - 3000; bytes < FRAME_BYTES - 1840; bytes += 40) {
		publish_full(bytes);
		settle(receive(), HERALD_SETTLE_DEAD);
		take_dead_letter();
	}
	assert_true(warnings_logged > 0);
	destroy_subscriber();
}

static int
start(void **state)
{
	(void)state;
	rabbitmq_server_start_with(&server, "frame_max = 8192\n", 0);
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

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bodies_of_several_frames),
		cmocka_unit_test(test_headers_that_do_not_fit_are_refused),
		cmocka_unit_test(test_headers_that_fill_a_frame_do_not_stop_a_copy),
	};

	return rabbitmq_server_exists() ? cmocka_run_group_tests(tests, start, stop)
					: rabbitmq_server_left_out("rabbitmq_frames");
}
