/*
 * How a subscriber of Kafka leaves its group, on librdkafka's mock cluster: each close() ends, also
 * one that has no time left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/subscriber.h>
#include <herald/herald.h>
#include <herald/kafka.h>

#include "support/kafka_server.h"

#define WAIT_MS 60000
/* The request's number in Kafka's protocol. */
#define LEAVE_GROUP 13

/* Set: a close begins to leave the group, and goes on when the library asks for an answer. */
static bool waits_for_rebalance;

rd_kafka_error_t *__real_rd_kafka_consumer_close_queue(rd_kafka_t *client, rd_kafka_queue_t *queue);
rd_kafka_error_t *__wrap_rd_kafka_consumer_close_queue(rd_kafka_t *client, rd_kafka_queue_t *queue);

rd_kafka_error_t *
__wrap_rd_kafka_consumer_close_queue(rd_kafka_t *client, rd_kafka_queue_t *queue)
{
	rd_kafka_error_t *error = __real_rd_kafka_consumer_close_queue(client, queue);

	while (waits_for_rebalance && rd_kafka_queue_length(queue) == 0)
		usleep(1000);
	return error;
}

static struct herald_subscriber *
open_subscriber(struct kafka_server *server)
{
	const struct herald_subscriber_settings settings = {
		.allocator = herald_allocator_libc,
		.max_in_flight = 10,
		.max_in_flight_bytes = 100000,
		.max_delay_ms = 500,
	};
	struct herald_subscriber *subscriber = NULL;
	struct herald_error error;

	if (herald_kafka_subscriber_create(&HERALD_KAFKA_SUBSCRIBER_OPTIONS(.url = server->url,
									    .topic = "mock",
									    .group = "group"),
					   &subscriber, &error) != HERALD_OK ||
	    subscriber->ops->open(subscriber, &settings, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return subscriber;
}

/* Its partition is assigned then. */
static struct herald_received *
receive_one(struct herald_subscriber *subscriber)
{
	struct herald_received_list out = {0};
	struct herald_error error;

	while (out.count == 0)
		if (subscriber->ops->receive(subscriber, 10, 100000, WAIT_MS, &out, &error) !=
		    HERALD_OK)
			fail_msg("%s", error.message);
	return out.first;
}

struct received {
	struct herald_subscriber *subscriber;
	struct herald_received *message;
};

static struct received
begin(struct kafka_server *server)
{
	kafka_server_start_mock(server);
	kafka_server_make_topic(server, "mock", 1);
	kafka_server_send(server, "mock", "{}", 2, NULL, 0);
	kafka_server_await(server);

	struct herald_subscriber *subscriber = open_subscriber(server);
	return (struct received){subscriber, receive_one(subscriber)};
}

/* Both of them hung in rd_kafka_destroy(), for good. */
static void
close_without_time(struct kafka_server *server, struct received received)
{
	struct herald_subscriber *subscriber = received.subscriber;

	alarm(WAIT_MS / 1000);
	subscriber->ops->close(subscriber, 0);
	alarm(0);
	subscriber->ops->settle(subscriber,
				&(struct herald_settlement){.message = received.message,
							    .kind = HERALD_SETTLE_RELEASE},
				1);
	subscriber->ops->destroy(subscriber);
	kafka_server_stop(server);
}

/* librdkafka#4884: rd_kafka_assign() hangs. */
static void
test_without_time_for_the_rebalance(void **state)
{
	struct kafka_server server = {0};
	struct received received = begin(&server);

	(void)state;
	waits_for_rebalance = true;
	close_without_time(&server, received);
	waits_for_rebalance = false;
}

/* The broker answers the request to leave a second later. backbeat#2819: the process is killed, as
 * it does not leave. */
static void
test_without_time_to_leave(void **state)
{
	struct kafka_server server = {0};
	struct received received = begin(&server);

	(void)state;
	assert_int_equal(rd_kafka_mock_broker_push_request_error_rtts(
				 server.mock, 1, LEAVE_GROUP, 1, RD_KAFKA_RESP_ERR_NO_ERROR, 1000),
			 RD_KAFKA_RESP_ERR_NO_ERROR);
	close_without_time(&server, received);
}

/* It waited for the answer to a commit, for good; in backbeat#2819 for a rebalance. */
static void
test_with_a_commit_that_is_not_answered(void **state)
{
	struct kafka_server server = {0};
	struct received received = begin(&server);
	struct herald_subscriber *subscriber = received.subscriber;

	(void)state;
	subscriber->ops->settle(subscriber,
				&(struct herald_settlement){.message = received.message,
							    .kind = HERALD_SETTLE_DONE},
				1);
	assert_int_equal(rd_kafka_mock_broker_set_rtt(server.mock, 1, 3600000),
			 RD_KAFKA_RESP_ERR_NO_ERROR);
	alarm(WAIT_MS / 1000);
	subscriber->ops->close(subscriber, 1000);
	alarm(0);
	subscriber->ops->destroy(subscriber);
	assert_int_equal(rd_kafka_mock_broker_set_rtt(server.mock, 1, 0),
			 RD_KAFKA_RESP_ERR_NO_ERROR);
	kafka_server_stop(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_time_for_the_rebalance),
		cmocka_unit_test(test_without_time_to_leave),
		cmocka_unit_test(test_with_a_commit_that_is_not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
