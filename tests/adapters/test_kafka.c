/*
 * The subscriber of Kafka, without a broker, and on librdkafka's mock cluster.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/subscriber.h>
#include <herald/cloudevents.h>
#include <herald/consumer.h>
#include <herald/herald.h>
#include <herald/kafka.h>

#include "../../adapters/broker/kafka/copies.h"
#include "../../adapters/broker/kafka/message.h"
#include "../../adapters/broker/kafka/offsets.h"
#include "../../adapters/broker/kafka/partition.h"
#include "../../adapters/broker/kafka/receive.h"
#include "../support/draw.h"
#include "../support/failing_allocator.h"
#include "../support/kafka_server.h"
#include "../support/option_error.h"

#define WAIT_MS 30000

/* Options. */

#define URL_TEXT "expected kafka://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]...]; "

static const struct herald_pair unknown[] = {{"no.such.thing", "1"}};
static const struct herald_pair own[] = {{"group.id", "x"}};

static const struct {
	struct herald_kafka_subscriber_options options;
	const char *path, *text;
} refused[] = {
	{{.topic = "t", .group = "g"}, "url", "must be set"},
	{{.url = "http://a", .topic = "t", .group = "g"},
	 "url",
	 URL_TEXT "it must begin with kafka://"},
	{{.url = "kafka://", .topic = "t", .group = "g"}, "url", URL_TEXT "HOST is missing"},
	{{.url = "kafka://a,", .topic = "t", .group = "g"}, "url", URL_TEXT "HOST is missing"},
	{{.url = "kafka://a:0", .topic = "t", .group = "g"},
	 "url",
	 URL_TEXT "PORT must be a number from 1 to 65535"},
	{{.url = "kafka://a/b", .topic = "t", .group = "g"},
	 "url",
	 URL_TEXT "HOST must be a name or an address, and nothing follows PORT"},
	{{.url = "kafka://[::1", .topic = "t", .group = "g"},
	 "url",
	 URL_TEXT "an IPv6 address is in square brackets"},
	{{.url = "kafka://secret@a", .topic = "t", .group = "g"},
	 "url",
	 URL_TEXT "the password is missing (USER:PASSWORD@)"},
	{{.url = "kafka://u:%zz@a", .topic = "t", .group = "g"},
	 "url",
	 URL_TEXT "PASSWORD must be percent-encoded"},
	{{.url = "kafka://a", .group = "g"}, "topic", "must be set"},
	{{.url = "kafka://a", .topic = "a b", .group = "g"},
	 "topic",
	 "must have letters, digits, '.', '_' and '-' only: \"a b\""},
	{{.url = "kafka://a", .topic = "t"}, "group", "must be set"},
	{{.url = "kafka://a", .topic = "t", .group = "g", .dead_topic = "t"},
	 "dead_topic",
	 "must not be the topic itself"},
	{{.url = "kafka://a", .topic = "t", .group = "g", .partitions = 10001},
	 "partitions",
	 "must be at most 10000, not 10001"},
	{{.url = "kafka://a", .topic = "t", .group = "g", HERALD_KAFKA_PROPERTIES(unknown)},
	 "properties",
	 "No such configuration property: \"no.such.thing\""},
	{{.url = "kafka://a", .topic = "t", .group = "g", HERALD_KAFKA_PROPERTIES(own)},
	 "properties",
	 "\"group.id\" is set by Herald"},
};

/* spring-kafka#1923: a dead letter goes to its own topic, without an end. */
static void
test_refused_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct herald_kafka_subscriber_options options = refused[i].options;
		struct herald_subscriber *subscriber = NULL;
		struct herald_error error;

		options.struct_size = sizeof(options);
		assert_int_equal(herald_kafka_subscriber_create(&options, &subscriber, &error),
				 HERALD_BAD_OPTION);
		assert_null(subscriber);
		assert_null(strstr(error.message, "secret"));
		assert_option_error(&error, refused[i].path, refused[i].text);
	}
}

static void
test_source_has_no_password(void **state)
{
	struct herald_subscriber *subscriber = NULL;

	(void)state;
	assert_int_equal(
		herald_kafka_subscriber_create(
			&HERALD_KAFKA_SUBSCRIBER_OPTIONS(.url = "kafka://u:p%40w@a:1,[::1]:2",
							 .topic = "orders", .group = "shop"),
			&subscriber, NULL),
		HERALD_OK);
	assert_string_equal(subscriber->source, "a:1,[::1]:2 orders shop");
	herald_kafka_subscriber_destroy(subscriber);
	herald_kafka_subscriber_destroy(NULL);
}

/* Offsets. */

/* Random open messages; those that fit are found again, and all others but finished ones, too. */
static void
check_offsets(uint64_t *seed)
{
	static unsigned deliveries[20000]; /* 0: finished; else their number plus 1 */
	const int64_t first = (int64_t)draw_below(seed, 1u << 30) << draw_below(seed, 30);
	const size_t count = draw_below(seed, 2000) + 1, spread = draw_below(seed, 40) + 1;
	struct kafka_offsets_writer writer;
	struct kafka_offsets offsets;
	char text[KAFKA_METADATA_BYTES];
	unsigned found;

	herald__kafka_offsets_begin(&writer, text, first);
	for (size_t i = 0; i < count; i++) {
		deliveries[i] = i > 0 && draw_below(seed, spread) > 0 ? 0 : 1;
		if (deliveries[i] > 0 && draw_one_in(seed, 4))
			deliveries[i] += (unsigned)draw_below(seed, 1u << draw_below(seed, 19));
		if (deliveries[i] > 0)
			herald__kafka_offsets_add(&writer, first + (int64_t)i, deliveries[i] - 1);
	}
	const size_t bytes = herald__kafka_offsets_end(&writer, first + (int64_t)count);
	assert_in_range(bytes, 1, KAFKA_METADATA_BYTES);
	assert_true(
		herald__kafka_offsets_read(&offsets, &herald_allocator_libc, first, text, bytes));
	const int64_t limit = writer.cut >= 0 ? writer.cut : first + (int64_t)count;
	assert_int_equal(offsets.limit, limit);
	for (size_t i = 0; i < count; i++) {
		const bool is_known = first + (int64_t)i < limit;

		assert_int_equal(herald__kafka_offsets_find(&offsets, first + (int64_t)i, &found),
				 is_known && deliveries[i] == 0);
		assert_int_equal(found, is_known && deliveries[i] > 0 ? deliveries[i] - 1 : 0);
	}
	herald__kafka_offsets_free(&offsets, &herald_allocator_libc);
}

/* parallel-consumer#647: they do not fit, and consuming stops. */
static void
test_open_offsets_are_written_and_read(void **state)
{
	uint64_t seed = draw_seed();

	(void)state;
	for (int i = 0; i < 500; i++)
		check_offsets(&seed);
}

/* Nothing is taken for finished. */
static void
test_unknown_metadata_is_ignored(void **state)
{
	static const char *const texts[] = {"",     "h",     "h2AB;C", "h1",      "h1AB",
					    "h1A;", "h1*;A", "h1A!;B", "h1;9999", "h1*ggggBA;C"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct kafka_offsets offsets;
		unsigned deliveries;

		assert_true(herald__kafka_offsets_read(&offsets, &herald_allocator_libc, 5,
						       texts[i], strlen(texts[i])));
		assert_false(herald__kafka_offsets_find(&offsets, 6, &deliveries));
		assert_int_equal(deliveries, 0);
		herald__kafka_offsets_free(&offsets, &herald_allocator_libc);
	}
}

static void
test_nothing_is_known_before_the_first_offset(void **state)
{
	struct kafka_offsets_writer writer;
	struct kafka_offsets offsets;
	char text[KAFKA_METADATA_BYTES];
	unsigned deliveries;

	(void)state;
	herald__kafka_offsets_begin(&writer, text, 5000);
	const size_t bytes = herald__kafka_offsets_end(&writer, 5010);
	assert_true(
		herald__kafka_offsets_read(&offsets, &herald_allocator_libc, 5000, text, bytes));
	assert_false(herald__kafka_offsets_find(&offsets, 0, &deliveries));
	assert_false(herald__kafka_offsets_find(&offsets, 4999, &deliveries));
	assert_true(herald__kafka_offsets_find(&offsets, 5000, &deliveries));
	herald__kafka_offsets_free(&offsets, &herald_allocator_libc);
}

/* Partitions. */

#define MESSAGES 6

/* A partition, without a subscriber: an earlier owner has finished all messages but those with even
 * offsets, which were delivered 3 times. */
struct bench {
	struct kafka_server server;
	struct failing_allocator memory;
	struct herald_subscriber_ops ops;
	struct kafka kafka;
	struct kafka_partition partition;
	rd_kafka_message_t *from[MESSAGES];
	char topic[8];
	char log[256];
};

static void
note_log(const struct herald_log_record *record, void *state)
{
	struct bench *bench = state;

	snprintf(bench->log, sizeof(bench->log), "%s", record->message);
}

static void
begin_bench(struct bench *bench, enum failing_mode mode, size_t fail_at, int64_t first)
{
	struct kafka_offsets_writer writer;
	char text[KAFKA_METADATA_BYTES];

	kafka_server_start_mock(&bench->server);
	kafka_server_make_topic(&bench->server, "mock", 1);
	for (size_t i = 0; i < MESSAGES; i++)
		kafka_server_send(&bench->server, "mock", "x", 1, NULL, 0);
	kafka_server_await(&bench->server);
	for (size_t i = 0; i < MESSAGES; i++)
		bench->from[i] = kafka_server_read(&bench->server, "mock", i);
	bench->ops.name = "kafka";
	bench->kafka.base.ops = &bench->ops;
	bench->kafka.commit_ms = UINT64_MAX;
	bench->kafka.settings.log = (struct herald_log){.write = note_log, .state = bench};
	bench->kafka.partitions = &bench->partition;
	bench->partition.topic = strcpy(bench->topic, "mock");
	bench->partition.taken = first;
	herald__kafka_offsets_begin(&writer, text, first);
	for (int64_t i = first; i < MESSAGES; i += 2)
		herald__kafka_offsets_add(&writer, i, 3);
	const size_t bytes = herald__kafka_offsets_end(&writer, MESSAGES);
	failing_allocator_init(&bench->memory, FAIL_NEVER, 0);
	assert_true(herald__kafka_offsets_read(&bench->partition.known, &bench->memory.allocator,
					       first, text, bytes));
	bench->memory.calls = 0;
	bench->memory.mode = mode;
	bench->memory.fail_at = fail_at;
	bench->kafka.settings.allocator = bench->memory.allocator;
}

static void
end_bench(struct bench *bench)
{
	struct kafka_message *message;

	while ((message = bench->partition.oldest)) {
		bench->partition.oldest = message->newer;
		herald__kafka_message_free(&bench->kafka, message);
	}
	herald__kafka_offsets_free(&bench->partition.known, &bench->memory.allocator);
	assert_all_released(&bench->memory);
	for (size_t i = 0; i < MESSAGES; i++)
		rd_kafka_message_destroy(bench->from[i]);
	kafka_server_stop(&bench->server);
}

/* A message for which there was no memory does not count as finished when it is tried again. */
static void
test_no_message_is_lost_with_an_allocation(void **state)
{
	(void)state;
	for (size_t n = 1; n <= MESSAGES / 2; n++) {
		struct bench bench = {0};
		unsigned taken = 0, failed = 0;

		begin_bench(&bench, FAIL_ONLY, n, 0);
		for (size_t i = 0; i < MESSAGES; i++) {
			struct kafka_message *message;
			bool has_memory;

			message = herald__kafka_partition_take(&bench.kafka, &bench.partition,
							       bench.from[i], &has_memory);
			if (!has_memory) {
				failed++;
				message = herald__kafka_partition_take(
					&bench.kafka, &bench.partition, bench.from[i], &has_memory);
			}
			assert_true(has_memory);
			assert_int_equal(!message, i % 2);
			if (message)
				assert_int_equal(message->base.deliveries, 4);
			taken += message != NULL;
		}
		assert_int_equal(failed, 1);
		assert_int_equal(taken, MESSAGES / 2);
		end_bench(&bench);
	}
}

/* Brokers that lose what they had stored begin with other messages. librdkafka#2782: offsets go
 * back in a rebalance, and nothing says so. */
static void
test_offsets_that_go_back(void **state)
{
	struct bench bench = {0};
	struct kafka_message *message, *lost;
	bool has_memory;

	(void)state;
	begin_bench(&bench, FAIL_NEVER, 0, 4);
	lost = herald__kafka_partition_take(&bench.kafka, &bench.partition, bench.from[4],
					    &has_memory);
	assert_non_null(lost);
	herald__kafka_partition_hand(&bench.kafka, lost);
	assert_string_equal(bench.log, "");
	for (size_t i = 0; i < MESSAGES; i++) {
		message = herald__kafka_partition_take(&bench.kafka, &bench.partition,
						       bench.from[i], &has_memory);
		assert_non_null(message);
		assert_int_equal(message->base.deliveries, 1);
		herald__kafka_partition_hand(&bench.kafka, message);
	}
	assert_string_equal(bench.log, "offsets went back, all messages from there run again");
	assert_true(lost->base.is_lost);
	assert_null(lost->partition);
	herald__kafka_message_free(&bench.kafka, lost);
	assert_int_equal(bench.partition.unfinished, MESSAGES);
	assert_int_equal(bench.partition.oldest->offset, 0);
	assert_int_equal(bench.kafka.held, MESSAGES);
	end_bench(&bench);
}

static void
connect_bench(struct bench *bench)
{
	struct kafka *kafka = &bench->kafka;

	kafka->consumer = bench->server.reader;
	kafka->sender.clients[0] = bench->server.producer;
	kafka->control = rd_kafka_queue_new(kafka->consumer);
	kafka->arrived = rd_kafka_queue_new(kafka->consumer);
	kafka->replies = rd_kafka_queue_new(kafka->consumer);
	kafka->sender.reports[0] = rd_kafka_queue_new(kafka->sender.clients[0]);
	kafka->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	kafka->send_ms = UINT64_MAX;
	kafka->options.timeout_ms = WAIT_MS;
	kafka->settings.max_in_flight = 100;
}

static void
disconnect_bench(struct bench *bench)
{
	rd_kafka_queue_destroy(bench->kafka.control);
	rd_kafka_queue_destroy(bench->kafka.arrived);
	rd_kafka_queue_destroy(bench->kafka.replies);
	rd_kafka_queue_destroy(bench->kafka.sender.reports[0]);
	close(bench->kafka.wake_fd);
}

/* The new owner of its partition runs it meanwhile. */
static void
test_a_lost_message_is_not_copied_again(void **state)
{
	struct bench bench = {0};
	bool has_memory;

	(void)state;
	begin_bench(&bench, FAIL_NEVER, 0, 0);
	connect_bench(&bench);
	struct kafka_message *message = herald__kafka_partition_take(&bench.kafka, &bench.partition,
								     bench.from[0], &has_memory);
	assert_non_null(message);
	herald__kafka_partition_hand(&bench.kafka, message);
	message->state = KAFKA_COPY;
	message->copy.topic = "mock.dead";
	message->copy.headers = rd_kafka_headers_new(1);
	message->copy.send_ms = bench.kafka.send_ms = 1000; /* the brokers did not take it */
	bench.kafka.held--;
	bench.kafka.copies = message;
	bench.kafka.copies_count = 1;
	assert_true(herald__kafka_partition_rewind(&bench.kafka, &bench.partition));
	assert_null(message->partition);
	herald__kafka_copies_turn(&bench.kafka, 999);
	assert_int_equal(bench.kafka.copies_count, 1);
	herald__kafka_copies_turn(&bench.kafka, 1000);
	assert_int_equal(bench.kafka.copies_count, 0);
	assert_null(bench.kafka.copies);
	assert_int_equal(bench.kafka.send_ms, UINT64_MAX);
	assert_int_equal(rd_kafka_outq_len(bench.kafka.sender.clients[0]), 0);
	disconnect_bench(&bench);
	end_bench(&bench);
}

#define RECEIVE_MS 300

static uint64_t
cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Receives nothing, and waits for it. */
static void
check_waiting(struct bench *bench, size_t room_bytes)
{
	struct herald_received_list out = {0};
	const uint64_t began_ms = cpu_ms();

	assert_int_equal(
		herald__kafka_receive(&bench->kafka.base, 10, room_bytes, RECEIVE_MS, &out, NULL),
		HERALD_OK);
	assert_int_equal(out.count, 0);
	assert_in_range(cpu_ms() - began_ms, 0, RECEIVE_MS / 15);
}

/* A retry that waits in this process makes room when it is due, and receive() returns. */
static void
check_end_of_wait(struct bench *bench, struct kafka_message *held)
{
	const uint64_t began_ms = kafka_now_ms();
	struct herald_received_list out = {0};

	bench->kafka.held--;
	herald__kafka_partition_retry(&bench->kafka, held, 1, kafka_wall_ms() + 100);
	bench->partition.is_dirty = false;
	bench->kafka.commit_ms = UINT64_MAX;
	assert_int_equal(herald__kafka_unsettled(&bench->kafka.base), 1);
	assert_int_equal(herald__kafka_receive(&bench->kafka.base, 0, 0, WAIT_MS, &out, NULL),
			 HERALD_OK);
	assert_null(out.first);
	assert_int_equal(herald__kafka_unsettled(&bench->kafka.base), 0);
	assert_true(kafka_now_ms() - began_ms < WAIT_MS);
}

/* While a message that is due cannot be handed over. */
static void
test_no_spinning(void **state)
{
	struct bench bench = {0};
	struct herald_received_list out = {0};
	bool has_memory;

	(void)state;
	begin_bench(&bench, FAIL_NEVER, 0, 0);
	connect_bench(&bench);
	struct kafka_message *held = herald__kafka_partition_take(&bench.kafka, &bench.partition,
								  bench.from[0], &has_memory);
	struct kafka_message *given_back = herald__kafka_partition_take(
		&bench.kafka, &bench.partition, bench.from[2], &has_memory);
	bench.partition.is_fresh = false;
	herald__kafka_partition_hand(&bench.kafka, held);
	herald__kafka_partition_hand(&bench.kafka, given_back);
	herald__kafka_partition_keep(&bench.kafka, given_back);
	bench.partition.is_dirty = false;
	bench.kafka.commit_ms = UINT64_MAX; /* the bench is in no group */

	check_waiting(&bench, 0);
	bench.kafka.is_leaving = true;
	bench.kafka.leave_ms = UINT64_MAX;
	check_waiting(&bench, 1000);
	bench.kafka.is_leaving = false;
	bench.kafka.pause_ms = kafka_now_ms() + RECEIVE_MS + WAIT_MS;
	check_waiting(&bench, 1000);
	const uint64_t pause_ms = bench.kafka.pause_ms = kafka_now_ms() + 100;
	assert_int_equal(herald__kafka_receive(&bench.kafka.base, 10, 1000, WAIT_MS, &out, NULL),
			 HERALD_OK);
	assert_ptr_equal(out.first, &given_back->base);
	assert_true(kafka_now_ms() >= pause_ms);
	herald__kafka_partition_keep(&bench.kafka, given_back);
	assert_true(bench.kafka.pause_ms > pause_ms);
	check_end_of_wait(&bench, held);
	disconnect_bench(&bench);
	end_bench(&bench);
}

/* The mock cluster. A group begins there after three seconds. */

struct count {
	int32_t number;
};

HERALD_SCHEMA(count, HERALD_FIELD(count, number, .required = true));

struct seen {
	unsigned runs[3]; /* done, retried, failed */
};

static enum herald_verdict
on_count(struct herald_context *ctx, const struct count *count, struct seen *seen)
{
	__atomic_fetch_add(&seen->runs[count->number % 3], 1, __ATOMIC_SEQ_CST);
	if (count->number % 3 == 1 && herald_context_attempt(ctx) < 3)
		return herald_retry(ctx, "again");
	if (count->number % 3 == 2)
		return herald_fail(ctx, "no");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_count, count, seen);

static void
publish(struct kafka_server *server, int number)
{
	const struct herald_pair headers[] = {
		{"ce_specversion", "1.0"},
		{"ce_id", "a b"},
		{"ce_source", "/s"},
		{"ce_type", "count"},
		{"content-type", "application/json"},
	};
	char data[32];

	snprintf(data, sizeof(data), "{\"number\":%d}", number);
	kafka_server_send(server, "mock", data, strlen(data), headers, 5);
}

static struct herald_service *
create_service(struct seen *seen)
{
	const struct herald_route routes[] = {HERALD_ROUTE("count", count, on_count, seen)};
	const struct herald_format *const formats[] = {&herald_format_cloudevents};
	struct herald_service *service = NULL;

	assert_int_equal(herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes),
								       HERALD_FORMATS(formats)),
					       &service, NULL),
			 HERALD_OK);
	return service;
}

/* Done, retried and failed events, in CloudEvents' binary mode. */
static void
test_events_on_the_mock_cluster(void **state)
{
	struct kafka_server server = {0};
	struct seen seen = {{0}};
	struct herald_service *service = create_service(&seen);
	struct herald_consumer_options options =
		HERALD_CONSUMER_OPTIONS(.service = service, .lanes = 2, .first_delay_ms = 20,
					.backoff = HERALD_BACKOFF_NO_JITTER);
	struct herald_consumer *consumer = NULL;
	struct herald_error error;

	(void)state;
	kafka_server_start_mock(&server);
	kafka_server_make_topic(&server, "mock", 4);
	for (int i = 0; i < 30; i++)
		publish(&server, i);
	kafka_server_await(&server);
	if (herald_kafka_subscriber_create(&HERALD_KAFKA_SUBSCRIBER_OPTIONS(.url = server.url,
									    .topic = "mock",
									    .group = "group"),
					   &options.subscriber, &error) != HERALD_OK ||
	    herald_consumer_create(&options, &consumer, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	const time_t until = time(NULL) + WAIT_MS / 1000;
	while (kafka_server_left(&server, "mock", "group") > 0)
		assert_true(time(NULL) < until);
	assert_int_equal(herald_consumer_stop(consumer, WAIT_MS), 0);
	herald_consumer_destroy(consumer);
	herald_service_destroy(service);
	assert_int_equal(seen.runs[0], 10);
	assert_int_equal(seen.runs[1], 30);
	assert_int_equal(seen.runs[2], 10);
	assert_int_equal(kafka_server_count(&server, "mock.dead"), 10);
	kafka_server_stop(&server);
}

/* Each answer takes longer than open() waits at once. */
static void
test_brokers_that_are_far(void **state)
{
	const struct herald_subscriber_settings settings = {
		.allocator = herald_allocator_libc,
		.max_in_flight = 10,
		.max_in_flight_bytes = 100000,
		.max_delay_ms = 500,
	};
	struct kafka_server server = {0};
	struct herald_subscriber *subscriber = NULL;
	struct herald_error error;

	(void)state;
	kafka_server_start_mock(&server);
	kafka_server_make_topic(&server, "mock", 1);
	assert_int_equal(rd_kafka_mock_broker_set_rtt(server.mock, 1, 250), 0);
	assert_int_equal(
		herald_kafka_subscriber_create(
			&HERALD_KAFKA_SUBSCRIBER_OPTIONS(.url = server.url, .topic = "mock",
							 .group = "group", .timeout_ms = WAIT_MS),
			&subscriber, NULL),
		HERALD_OK);
	if (subscriber->ops->open(subscriber, &settings, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	assert_int_equal(rd_kafka_mock_broker_set_rtt(server.mock, 1, 0), 0);
	subscriber->ops->close(subscriber, 1000);
	subscriber->ops->destroy(subscriber);
	kafka_server_stop(&server);
}

/* The linker replaces the function by this one, and has its own name for it. */
rd_kafka_NewTopic_t *__real_rd_kafka_NewTopic_new(const char *topic, int partitions, int replicas,
						  char *why, size_t bytes);
rd_kafka_NewTopic_t *__wrap_rd_kafka_NewTopic_new(const char *topic, int partitions, int replicas,
						  char *why, size_t bytes);

static const char *refused_topic;

rd_kafka_NewTopic_t *
__wrap_rd_kafka_NewTopic_new(const char *topic, int partitions, int replicas, char *why,
			     size_t bytes)
{
	if (!refused_topic || strcmp(topic, refused_topic) != 0)
		return __real_rd_kafka_NewTopic_new(topic, partitions, replicas, why, bytes);
	snprintf(why, bytes, "not this one");
	return NULL;
}

/* The client's library refuses to make one of several topics. */
static void
test_a_topic_that_cannot_be_made(void **state)
{
	const struct herald_subscriber_settings settings = {
		.allocator = herald_allocator_libc,
		.max_in_flight = 10,
		.max_in_flight_bytes = 100000,
		.max_delay_ms = 500,
	};
	struct kafka_server server = {0};
	struct herald_subscriber *subscriber = NULL;
	struct herald_error error;

	(void)state;
	kafka_server_start_mock(&server);
	kafka_server_make_topic(&server, "mock", 1);
	for (size_t i = 0; i < 2; i++)
		rd_kafka_mock_topic_set_error(server.mock, i == 0 ? "mock" : "mock.dead",
					      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	assert_int_equal(
		herald_kafka_subscriber_create(&HERALD_KAFKA_SUBSCRIBER_OPTIONS(.url = server.url,
										.topic = "mock",
										.group = "group"),
					       &subscriber, NULL),
		HERALD_OK);
	refused_topic = "mock.dead";
	assert_int_equal(subscriber->ops->open(subscriber, &settings, &error), HERALD_BAD_OPTION);
	refused_topic = NULL;
	assert_option_error(&error, "topic", "not this one");
	subscriber->ops->close(subscriber, 1000);
	subscriber->ops->destroy(subscriber);
	kafka_server_stop(&server);
}

/* They were sent when max_delay_ms was greater. */
static void
test_retries_of_longer_delays(void **state)
{
	const struct herald_pair headers[] = {
		{"ce_specversion", "1.0"}, {"ce_id", "a"},
		{"ce_source", "/s"},       {"ce_type", "count"},
		{"herald-due", "1"},       {"content-type", "application/json"},
	};
	struct kafka_server server = {0};
	struct seen seen = {{0}};
	struct herald_service *service = create_service(&seen);
	struct herald_consumer_options options =
		HERALD_CONSUMER_OPTIONS(.service = service, .first_delay_ms = 20,
					.max_delay_ms = 500);
	struct herald_consumer *consumer = NULL;
	const uint64_t until_ms = kafka_now_ms() + WAIT_MS;

	(void)state;
	kafka_server_start_mock(&server);
	kafka_server_make_topic(&server, "mock", 1);
	kafka_server_make_topic(&server, "mock.group.retry.10m", 1);
	kafka_server_send(&server, "mock.group.retry.10m", "{\"number\":0}", 12, headers, 6);
	kafka_server_await(&server);
	assert_int_equal(
		herald_kafka_subscriber_create(&HERALD_KAFKA_SUBSCRIBER_OPTIONS(.url = server.url,
										.topic = "mock",
										.group = "group"),
					       &options.subscriber, NULL),
		HERALD_OK);
	assert_int_equal(herald_consumer_create(&options, &consumer, NULL), HERALD_OK);
	while (kafka_server_left(&server, "mock", "group") > 0 && kafka_now_ms() < until_ms)
		;
	assert_int_equal(herald_consumer_stop(consumer, WAIT_MS), 0);
	herald_consumer_destroy(consumer);
	herald_service_destroy(service);
	assert_int_equal(seen.runs[0], 1);
	kafka_server_stop(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_options),
		cmocka_unit_test(test_source_has_no_password),
		cmocka_unit_test(test_open_offsets_are_written_and_read),
		cmocka_unit_test(test_unknown_metadata_is_ignored),
		cmocka_unit_test(test_nothing_is_known_before_the_first_offset),
		cmocka_unit_test(test_no_message_is_lost_with_an_allocation),
		cmocka_unit_test(test_offsets_that_go_back),
		cmocka_unit_test(test_a_lost_message_is_not_copied_again),
		cmocka_unit_test(test_no_spinning),
		cmocka_unit_test(test_events_on_the_mock_cluster),
		cmocka_unit_test(test_brokers_that_are_far),
		cmocka_unit_test(test_a_topic_that_cannot_be_made),
		cmocka_unit_test(test_retries_of_longer_delays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
