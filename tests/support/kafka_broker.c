/*
 * How the cases of the contract speak to Kafka, and to librdkafka's mock cluster. Owns the
 * program's server.
 */
#include "kafka_broker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/kafka.h>

#include "kafka_server.h"

#define PARTITIONS 4
#define TIMEOUT_MS 1500
#define SESSION_MS 4000
#define REBALANCE_MS 5000

static struct kafka_server server;

static void
start(void)
{
	kafka_server_start(&server);
}

static void
start_mock(void)
{
	kafka_server_start_mock(&server);
}

static bool
mock_exists(void)
{
	return true;
}

static void
stop(void)
{
	kafka_server_stop(&server);
}

static void
kill_it(void)
{
	kafka_server_kill(&server);
}

static void
restart(void)
{
	kafka_server_restart(&server);
}

static void
pause_it(void)
{
	kafka_server_pause(&server);
}

static void
go_on(void)
{
	kafka_server_go_on(&server);
}

static enum herald_status
subscribe(const char *source, const char *group, uint32_t visibility_ms,
	  struct herald_subscriber **out, struct herald_error *error)
{
	(void)visibility_ms;
	/* A group of the mock cluster begins after three seconds, for which a request waits. */
	if (server.mock)
		return herald_kafka_subscriber_create(
			&HERALD_KAFKA_SUBSCRIBER_OPTIONS(.url = server.url, .topic = source,
							 .group = group),
			out, error);
	return herald_kafka_subscriber_create(
		&HERALD_KAFKA_SUBSCRIBER_OPTIONS(.url = server.url, .topic = source, .group = group,
						 .partitions = PARTITIONS,
						 .session_timeout_ms = SESSION_MS,
						 .rebalance_timeout_ms = REBALANCE_MS,
						 .timeout_ms = TIMEOUT_MS),
		out, error);
}

static void
publish(const char *source, const char *data, size_t bytes, const struct herald_pair *headers,
	size_t headers_count)
{
	kafka_server_make_topic(&server, source, PARTITIONS);
	kafka_server_send(&server, source, data, bytes, headers, headers_count);
	kafka_server_await(&server);
}

static void
publish_all(const char *source, const char *const *data, size_t count)
{
	kafka_server_make_topic(&server, source, PARTITIONS);
	for (size_t i = 0; i < count; i++)
		kafka_server_send(&server, source, data[i], strlen(data[i]), NULL, 0);
	kafka_server_await(&server);
}

static size_t
left(const char *source, const char *group)
{
	return kafka_server_left(&server, source, group);
}

static void
name_dead(const char *source, char out[96])
{
	snprintf(out, 96, "%s.dead", source);
}

static size_t
dead_count(const char *source)
{
	char name[96];

	name_dead(source, name);
	return kafka_server_count(&server, name);
}

static char *
copy(const void *data, size_t bytes)
{
	char *text = malloc(bytes + 1);

	assert_non_null(text);
	if (bytes > 0)
		memcpy(text, data, bytes);
	text[bytes] = '\0';
	return text;
}

static void
dead(const char *source, size_t index, struct contract_dead *out)
{
	rd_kafka_headers_t *headers = NULL;
	const char *key;
	const void *value;
	size_t bytes;
	char name[96];

	name_dead(source, name);
	rd_kafka_message_t *message = kafka_server_read(&server, name, index);
	out->data = copy(message->payload, message->len);
	out->bytes = message->len;
	out->headers_count = 0;
	assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
	while (rd_kafka_header_get_all(headers, out->headers_count, &key, &value, &bytes) == 0) {
		assert_true(out->headers_count < 32);
		out->headers[out->headers_count++] =
			(struct herald_pair){copy(key, strlen(key)), copy(value, bytes)};
	}
	rd_kafka_message_destroy(message);
}

static void
break_dead(const char *source)
{
	char name[96];

	name_dead(source, name);
	kafka_server_limit(&server, name, "1");
}

static void
mend_dead(const char *source)
{
	char name[96];

	name_dead(source, name);
	kafka_server_limit(&server, name, "4000000");
}

static void
delete_source(const char *source)
{
	kafka_server_delete_topic(&server, source);
}

static enum herald_status
publisher(uint32_t silence_ms, struct herald_publisher **out, struct herald_error *error)
{
	return herald_kafka_publisher_create(
		&HERALD_KAFKA_PUBLISHER_OPTIONS(.url = server.url, .timeout_ms = silence_ms), out,
		error);
}

/* Messages without keys are in order if there is one partition. */
static void
make_topic(const char *topic)
{
	kafka_server_make_topic(&server, topic, 1);
}

static void
block(const char *topic)
{
	kafka_server_block(&server, topic);
}

static void
unblock(const char *topic)
{
	kafka_server_unblock(&server, topic);
}

/* A single broker never lacks replicas, so it cannot be made to take nothing. */
const struct contract_broker kafka_broker = {
	.name = "kafka_contract",
	.has_threads = true,
	.holds_dead = true,
	.may_miss_deletion = true,
	.exists = kafka_server_exists,
	.start = start,
	.stop = stop,
	.kill = kill_it,
	.restart = restart,
	.pause = pause_it,
	.go_on = go_on,
	.subscribe = subscribe,
	.publish = publish,
	.publish_all = publish_all,
	.left = left,
	.dead_count = dead_count,
	.dead = dead,
	.break_dead = break_dead,
	.mend_dead = mend_dead,
	.delete_source = delete_source,
	.publisher = publisher,
	.too_large_bytes = 5000000,
	.make_topic = make_topic,
};

/* Its groups begin after three seconds, and it takes messages of any size. */
const struct contract_broker kafka_mock_broker = {
	.name = "kafka_publisher",
	.has_threads = true,
	.publishes_only = true,
	.drops_bytes = true,
	.exists = mock_exists,
	.start = start_mock,
	.stop = stop,
	.kill = kill_it,
	.restart = restart,
	.pause = pause_it,
	.go_on = go_on,
	.subscribe = subscribe,
	.publish = publish,
	.publish_all = publish_all,
	.left = left,
	.publisher = publisher,
	.creates_topics = true,
	.make_topic = make_topic,
	.block = block,
	.unblock = unblock,
};
