/*
 * The subscriber to Redis Streams on a real server. Its functions are called as a consumer calls
 * them. The cases of all brokers are in tests/contract/broker/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <time.h>

#include <cmocka.h>

#include <herald/adapter/subscriber.h>
#include <herald/redis.h>

#include "support/option_error.h"
#include "support/redis_server.h"

#define VISIBILITY_MS 1000
#define WAIT_MS 20000

static struct redis_server server;

/* A subscriber of its own stream, and what it has logged. */
struct peer {
	struct herald_subscriber *subscriber;
	const struct herald_subscriber_ops *ops;
	struct herald_subscriber_settings settings;
	char stream[32];
	char log[4096];
};

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
write_log(const struct herald_log_record *record, void *state)
{
	struct peer *peer = state;

	strncat(peer->log, record->message, sizeof(peer->log) - strlen(peer->log) - 2);
	strcat(peer->log, "\n");
}

static struct peer *
create(const char *stream, struct herald_redis_subscriber_options options)
{
	static unsigned number;
	struct peer *peer = test_calloc(1, sizeof(*peer));
	struct herald_error error;

	if (stream)
		strcpy(peer->stream, stream);
	else
		snprintf(peer->stream, sizeof(peer->stream), "stream-%u", number++);
	options.struct_size = sizeof(options);
	if (!options.url)
		options.url = server.url;
	options.stream = peer->stream;
	options.group = "group";
	if (options.visibility_ms == 0)
		options.visibility_ms = VISIBILITY_MS;
	if (herald_redis_subscriber_create(&options, &peer->subscriber, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	peer->ops = peer->subscriber->ops;
	peer->settings = (struct herald_subscriber_settings){
		.log = {write_log, peer, HERALD_LOG_DEBUG},
		.allocator = herald_allocator_libc,
		.max_in_flight = 1000,
		.max_in_flight_bytes = 1 << 20,
		.max_delay_ms = 3600000,
	};
	return peer;
}

static void
connect_peer(struct peer *peer)
{
	struct herald_error error;

	if (peer->ops->open(peer->subscriber, &peer->settings, &error) != HERALD_OK)
		fail_msg("%s", error.message);
}

#define START(...) start(NULL, (struct herald_redis_subscriber_options){__VA_ARGS__})
static struct peer *
start(const char *stream, struct herald_redis_subscriber_options options)
{
	struct peer *peer = create(stream, options);

	connect_peer(peer);
	return peer;
}

static void
stop(struct peer *peer)
{
	peer->ops->flush(peer->subscriber, WAIT_MS);
	peer->ops->close(peer->subscriber, 1000);
	peer->ops->destroy(peer->subscriber);
	test_free(peer);
}

/* Nothing is said to the server of what it has. */
static void
leave(struct peer *peer, struct herald_received *held, uint32_t timeout_ms)
{
	const struct herald_settlement settlement = {.message = held,
						     .kind = HERALD_SETTLE_RELEASE};

	peer->ops->close(peer->subscriber, timeout_ms);
	if (held)
		peer->ops->settle(peer->subscriber, &settlement, 1);
	peer->ops->destroy(peer->subscriber);
	test_free(peer);
}

/* As if the process had died: nothing is said to the server. */
static void
die(struct peer *peer, struct herald_received *held)
{
	redis_server_number(&server, "CLIENT KILL TYPE normal SKIPME yes");
	leave(peer, held, 0);
}

static void
publish(struct peer *peer, const char *data)
{
	redis_server_number(&server, "XADD %s * data %s", peer->stream, data);
}

/* Receive until a message has come, or the time is over. NULL: none has. */
static struct herald_received *
receive_within(struct peer *peer, uint32_t ms)
{
	const uint64_t deadline_ms = now_ms() + ms;

	for (;;) {
		struct herald_received_list list = {0};
		struct herald_error error;
		const uint64_t now = now_ms();

		if (peer->ops->receive(peer->subscriber, 1, 1 << 20,
				       now < deadline_ms ? (uint32_t)(deadline_ms - now) : 0, &list,
				       &error) != HERALD_OK)
			fail_msg("%s", error.message);
		if (list.count > 0 || now >= deadline_ms) {
			assert_true(list.count <= 1);
			return list.first;
		}
	}
}

static struct herald_received *
receive(struct peer *peer, const char *data, unsigned deliveries)
{
	struct herald_received *message = receive_within(peer, WAIT_MS);

	assert_non_null(message);
	assert_int_equal(message->data.bytes, strlen(data));
	assert_memory_equal(message->data.data, data, strlen(data));
	assert_int_equal(message->deliveries, deliveries);
	return message;
}

#define SETTLE(PEER, MESSAGE, KIND, ...)                                                           \
	settle(PEER, &(struct herald_settlement){                                                  \
			     .message = (MESSAGE), .kind = HERALD_SETTLE_##KIND, __VA_ARGS__})
#define DONE(PEER, MESSAGE) SETTLE(PEER, MESSAGE, DONE, .delay_ms = 0)
#define RELEASE(PEER, MESSAGE) SETTLE(PEER, MESSAGE, RELEASE, .delay_ms = 0)
static void
settle(struct peer *peer, const struct herald_settlement *settlement)
{
	struct herald_settlement given = *settlement;

	if (!given.event_id)
		given.event_id = "";
	peer->ops->settle(peer->subscriber, &given, 1);
	assert_int_equal(peer->ops->flush(peer->subscriber, WAIT_MS), 0);
	assert_int_equal(peer->ops->unsettled(peer->subscriber), 0);
}

static long long
pending(struct peer *peer)
{
	redisReply *reply = redis_server_command(&server, "XPENDING %s group", peer->stream);
	const long long count = reply->element[0]->integer;

	freeReplyObject(reply);
	return count;
}

static void
lose_connection(struct peer *peer)
{
	struct herald_received_list list = {0};
	struct herald_error error;
	const uint64_t deadline_ms = now_ms() + WAIT_MS;

	while (peer->ops->receive(peer->subscriber, 1, 1000, 100, &list, &error) == HERALD_OK) {
		assert_int_equal(list.count, 0);
		assert_true(now_ms() < deadline_ms);
	}
	peer->ops->close(peer->subscriber, 1000);
}

/* Receiving. */

static void
test_receives_fields(void **state)
{
	struct peer *peer = START(0);

	(void)state;
	redis_server_number(&server,
			    "XADD %s 1764438000123-7 content-type application/json data %b "
			    "ce-id 5 odd %b data second herald-attempt 3",
			    peer->stream, "a\0b", (size_t)3, "x\0y", (size_t)3);
	struct herald_received *message = receive_within(peer, WAIT_MS);
	assert_non_null(message);
	assert_int_equal(message->data.bytes, 3);
	assert_memory_equal(message->data.data, "a\0b", 3);
	assert_string_equal(message->content_type, "application/json");
	static const char attributes[] = "content-type\0application/json\0ce-id\0"
					 "5\0herald-attempt\0"
					 "3";
	assert_int_equal(message->attributes.bytes, sizeof(attributes));
	assert_memory_equal(message->attributes.data, attributes, sizeof(attributes));
	assert_int_equal(message->deliveries, 1);
	assert_int_equal(message->attempts, 3);
	assert_int_equal(message->created_ms, INT64_C(1764438000123));
	assert_true(message->identity != 0);
	assert_null(message->key.data);
	DONE(peer, message);
	assert_int_equal(pending(peer), 0);
	stop(peer);
}

static void
test_receives_nothing(void **state)
{
	struct peer *peer = START(0);

	(void)state;
	redis_server_number(&server, "XADD %s * other field", peer->stream);
	struct herald_received *message = receive(peer, "", 1);
	assert_null(message->content_type);
	DONE(peer, message);
	assert_null(receive_within(peer, 0));
	stop(peer);
}

static void
test_wakes(void **state)
{
	struct peer *peer = START(0);
	struct herald_received_list list = {0};
	struct herald_error error;
	const uint64_t begin_ms = now_ms();

	(void)state;
	peer->ops->wake(peer->subscriber);
	assert_int_equal(peer->ops->receive(peer->subscriber, 1, 1000, WAIT_MS, &list, &error),
			 HERALD_OK);
	assert_int_equal(list.count, 0);
	assert_true(now_ms() - begin_ms < WAIT_MS);
	/* What the server was asked for then comes with the next one. */
	publish(peer, "a");
	DONE(peer, receive(peer, "a", 1));
	stop(peer);
}

/* Without room, it returns when the server knows of an end: then there is room. */
static void
test_returns_when_there_is_room(void **state)
{
	struct peer *peer = START(0);
	struct herald_received_list list = {0};
	struct herald_error error;
	const uint64_t begin_ms = now_ms();

	(void)state;
	publish(peer, "a");
	struct herald_settlement done = {.message = receive(peer, "a", 1),
					 .kind = HERALD_SETTLE_DONE};
	peer->ops->settle(peer->subscriber, &done, 1);
	assert_int_equal(peer->ops->unsettled(peer->subscriber), 1);
	assert_int_equal(peer->ops->receive(peer->subscriber, 0, 0, WAIT_MS, &list, &error),
			 HERALD_OK);
	assert_int_equal(peer->ops->unsettled(peer->subscriber), 0);
	assert_true(now_ms() - begin_ms < WAIT_MS);
	stop(peer);
}

static void
test_hands_over_as_there_is_room(void **state)
{
	struct peer *peer = START(0);
	struct herald_received_list list = {0};
	struct herald_error error;
	char large[400];

	(void)state;
	memset(large, 'x', sizeof(large));
	for (int i = 0; i < 4; i++)
		redis_server_number(&server, "XADD %s * data %b", peer->stream, large,
				    sizeof(large));
	assert_int_equal(peer->ops->receive(peer->subscriber, 10, 1000, WAIT_MS, &list, &error),
			 HERALD_OK);
	/* The size of entries is not known to begin with, nor do two of these take all room. */
	assert_in_range(list.count, 1, 2);
	assert_true(list.bytes <= 1000);
	for (struct herald_received *next, *at = list.first; at; at = next) {
		next = at->next;
		DONE(peer, at);
	}
	/* Larger than all room, but alone. */
	peer->settings.max_in_flight_bytes = 300;
	peer->ops->close(peer->subscriber, 1000);
	connect_peer(peer);
	for (size_t left = 4 - list.count; left > 0; left--) {
		struct herald_received_list one = {0};

		assert_int_equal(
			peer->ops->receive(peer->subscriber, 10, 300, WAIT_MS, &one, &error),
			HERALD_OK);
		assert_int_equal(one.count, 1);
		DONE(peer, one.first);
	}
	stop(peer);
}

/* They could be large, and all of them are in memory. */
static void
test_asks_for_few_before_it_knows_their_size(void **state)
{
	struct peer *peer = START(0);
	struct herald_received_list list = {0};
	struct herald_error error;

	(void)state;
	for (int i = 0; i < 40; i++)
		publish(peer, "a");
	for (size_t received = 0; received < 40; received += list.count) {
		list = (struct herald_received_list){0};
		assert_int_equal(
			peer->ops->receive(peer->subscriber, 1000, 1 << 20, WAIT_MS, &list, &error),
			HERALD_OK);
		assert_int_equal(list.count, received == 0 ? 16 : 24);
		for (struct herald_received *next, *at = list.first; at; at = next) {
			next = at->next;
			DONE(peer, at);
		}
	}
	stop(peer);
}

/* Settling. */

static void
test_deletes_what_is_done(void **state)
{
	struct peer *peer = START(.delete_done = true);

	(void)state;
	publish(peer, "a");
	publish(peer, "b");
	DONE(peer, receive(peer, "a", 1));
	assert_int_equal(redis_server_number(&server, "XLEN %s", peer->stream), 1);
	DONE(peer, receive(peer, "b", 1));
	assert_int_equal(redis_server_number(&server, "XLEN %s", peer->stream), 0);
	stop(peer);
}

static void
test_retries_after_the_delay(void **state)
{
	struct peer *peer = START(0);

	(void)state;
	publish(peer, "a");
	struct herald_received *message = receive(peer, "a", 1);
	const uint64_t identity = message->identity;
	uint64_t begin_ms = now_ms();
	SETTLE(peer, message, RETRY, .attempts = 1, .delay_ms = 300);
	message = receive(peer, "a", 2);
	assert_true(now_ms() - begin_ms >= 300);
	assert_true(now_ms() - begin_ms < VISIBILITY_MS);
	assert_int_equal(message->identity, identity);
	SETTLE(peer, message, RETRY, .attempts = 2, .delay_ms = 0);
	DONE(peer, receive(peer, "a", 3));
	stop(peer);
}

/* Longer than the visibility, and another process than the one that has put it off. */
static void
test_retries_after_a_long_delay(void **state)
{
	struct peer *peer = START(.visibility_ms = 1000);
	struct peer *other = start(peer->stream,
				   (struct herald_redis_subscriber_options){.visibility_ms = 1000});

	(void)state;
	publish(peer, "a");
	struct herald_received *message = receive(peer, "a", 1);
	const uint64_t begin_ms = now_ms();
	SETTLE(peer, message, RETRY, .attempts = 1, .delay_ms = 2500);
	assert_int_equal(redis_server_number(&server, "ZCARD %s.group.delayed", peer->stream), 1);
	message = receive(other, "a", 2);
	assert_true(now_ms() - begin_ms >= 2500);
	DONE(other, message);
	assert_int_equal(redis_server_number(&server, "EXISTS %s.group.delayed", peer->stream), 0);
	stop(other);
	stop(peer);
}

/* The entry stays pending and the connection open; it comes again after the visibility. */
static void
test_keeps_what_cannot_be_delayed(void **state)
{
	struct peer *peer = START(0);

	(void)state;
	redis_server_number(&server, "SET %s.group.delayed text", peer->stream);
	publish(peer, "a");
	const uint64_t begin_ms = now_ms();
	SETTLE(peer, receive(peer, "a", 1), RETRY, .attempts = 1, .delay_ms = 60000);
	assert_non_null(strstr(peer->log, "cannot write a long delay"));
	assert_int_equal(pending(peer), 1);
	redis_server_number(&server, "DEL %s.group.delayed", peer->stream);
	struct herald_received *message = receive(peer, "a", 2);
	assert_true(now_ms() - begin_ms >= VISIBILITY_MS);
	DONE(peer, message);
	stop(peer);
}

/* It does not count, and anyone may have it at once. */
static void
test_releases(void **state)
{
	struct peer *peer = START(0);
	struct peer *other = start(peer->stream, (struct herald_redis_subscriber_options){0});

	(void)state;
	publish(peer, "a");
	for (int i = 0; i < 3; i++) {
		RELEASE(peer, receive(peer, "a", 1));
		RELEASE(other, receive(other, "a", 1));
	}
	SETTLE(peer, receive(peer, "a", 1), RETRY, .attempts = 1, .delay_ms = 0);
	RELEASE(peer, receive(peer, "a", 2));
	DONE(peer, receive(peer, "a", 2));
	stop(other);
	stop(peer);
}

static const char *
field(const redisReply *entry, const char *name)
{
	const redisReply *fields = entry->element[1];

	for (size_t i = 0; i < fields->elements; i += 2)
		if (strcmp(fields->element[i]->str, name) == 0)
			return fields->element[i + 1]->str;
	return "(none)";
}

static void
test_makes_dead_letters(void **state)
{
	struct peer *peer = START(.delete_done = true);
	struct herald_error error = {.status = HERALD_BAD_VALUE};

	(void)state;
	strcpy(error.message, "no such user");
	strcpy(error.path, "/payload/user");
	redis_server_number(&server,
			    "XADD %s * data %b tenant 7 herald-reason old herald-attempt 2",
			    peer->stream, "a\0b", (size_t)3);
	struct herald_received *message = receive_within(peer, WAIT_MS);
	assert_non_null(message);
	SETTLE(peer, message, DEAD, .error = &error, .attempts = 5, .http_status = 422,
	       .event_id = "e1", .failed_ms = 1764438000123);
	assert_int_equal(pending(peer), 0);
	assert_int_equal(redis_server_number(&server, "XLEN %s", peer->stream), 0);
	redisReply *dead = redis_server_command(&server, "XRANGE %s.dead - +", peer->stream);
	assert_int_equal(dead->elements, 1);
	const redisReply *entry = dead->element[0];
	assert_int_equal(entry->element[1]->element[1]->len, 3);
	assert_memory_equal(field(entry, "data"), "a\0b", 3);
	assert_string_equal(field(entry, "tenant"), "7");
	assert_string_equal(field(entry, "herald-reason"), "no such user");
	assert_string_equal(field(entry, "herald-path"), "/payload/user");
	assert_string_equal(field(entry, "herald-status"), "422");
	assert_string_equal(field(entry, "herald-attempts"), "5");
	assert_string_equal(field(entry, "herald-origin"), peer->stream);
	assert_string_equal(field(entry, "herald-id"), "e1");
	assert_string_equal(field(entry, "herald-failed-at"), "2025-11-29T17:40:00.123Z");
	assert_string_equal(field(entry, "herald-attempt"), "(none)");
	freeReplyObject(dead);
	stop(peer);
}

/* A dead letter that cannot be written: the entry is not acknowledged, and comes again later. */
static void
test_keeps_what_cannot_be_a_dead_letter(void **state)
{
	struct peer *peer = START(0);
	const struct herald_error error = {.status = HERALD_BAD_VALUE};

	(void)state;
	redis_server_number(&server, "SET %s.dead text", peer->stream);
	publish(peer, "a");
	const uint64_t begin_ms = now_ms();
	SETTLE(peer, receive(peer, "a", 1), DEAD, .error = &error);
	assert_int_equal(pending(peer), 1);
	assert_non_null(strstr(peer->log, "cannot write a dead letter"));
	redis_server_number(&server, "DEL %s.dead", peer->stream);
	struct herald_received *message = receive(peer, "a", 2);
	assert_true(now_ms() - begin_ms >= VISIBILITY_MS);
	SETTLE(peer, message, DEAD, .error = &error);
	assert_int_equal(redis_server_number(&server, "XLEN %s.dead", peer->stream), 1);
	assert_int_equal(pending(peer), 0);
	stop(peer);
}

/* Crashes. */

/* watermill-redisstream#24: what it had is lost. */
static void
test_takes_over_from_the_dead(void **state)
{
	struct peer *peer = START(0);
	struct peer *other = create(peer->stream, (struct herald_redis_subscriber_options){0});

	(void)state;
	publish(peer, "a");
	struct herald_received *message = receive(peer, "a", 1);
	const uint64_t begin_ms = now_ms();
	die(peer, message);
	connect_peer(other);
	message = receive(other, "a", 2);
	assert_true(now_ms() - begin_ms >= VISIBILITY_MS - 100);
	DONE(other, message);
	stop(other);
}

static void
test_claims_after_an_error(void **state)
{
	struct peer *peer = START(0);

	(void)state;
	publish(peer, "a");
	SETTLE(peer, receive(peer, "a", 1), RETRY, .attempts = 1, .delay_ms = 0);
	redis_server_number(&server, "SET %s.group.delayed text", peer->stream);
	lose_connection(peer);
	redis_server_number(&server, "DEL %s.group.delayed", peer->stream);
	connect_peer(peer);
	DONE(peer, receive(peer, "a", 2));
	stop(peer);
}

/* It is held for longer than the visibility, and extended: nobody else gets it. The adapter of
 * components-contrib#4599 delivers it again. */
static void
test_keeps_what_is_held(void **state)
{
	struct peer *peer = START(0);
	struct peer *other = start(peer->stream, (struct herald_redis_subscriber_options){0});
	const uint64_t until_ms = now_ms() + 2 * VISIBILITY_MS;

	(void)state;
	publish(peer, "a");
	struct herald_received *message = receive(peer, "a", 1);
	while (now_ms() < until_ms) {
		struct herald_received_list list = {0};
		struct herald_error error;

		peer->ops->extend(peer->subscriber, &message, 1);
		assert_int_equal(peer->ops->receive(peer->subscriber, 0, 0, 0, &list, &error),
				 HERALD_OK);
		assert_null(receive_within(other, peer->ops->extend_ms(peer->subscriber)));
	}
	assert_false(message->is_lost);
	DONE(peer, message);
	assert_int_equal(pending(peer), 0);
	stop(other);
	stop(peer);
}

/* It was not extended in time, and another process has it: it is lost, and its retry is dropped. */
static void
test_notices_what_is_lost(void **state)
{
	struct peer *peer = START(0);
	struct peer *other = start(peer->stream, (struct herald_redis_subscriber_options){0});

	(void)state;
	publish(peer, "a");
	struct herald_received *message = receive(peer, "a", 1);
	struct herald_received *again = receive(other, "a", 2);
	peer->ops->extend(peer->subscriber, &message, 1);
	assert_true(message->is_lost);
	SETTLE(peer, message, RETRY, .attempts = 1, .delay_ms = 0);
	assert_non_null(strstr(peer->log, "a retry came too late"));
	/* It is not taken away from the other one. */
	assert_null(receive_within(peer, 0));
	DONE(other, again);
	assert_int_equal(pending(peer), 0);
	stop(other);
	stop(peer);
}

/* Not extended in time, but nobody else has taken it: it is not delivered to its holder twice, as
 * in components-contrib#4599. */
static void
test_does_not_deliver_what_it_has(void **state)
{
	struct peer *peer = START(.visibility_ms = 1000);

	(void)state;
	publish(peer, "a");
	struct herald_received *message = receive(peer, "a", 1);
	assert_null(receive_within(peer, 2500));
	SETTLE(peer, message, RETRY, .attempts = 1, .delay_ms = 0);
	DONE(peer, receive(peer, "a", 2));
	stop(peer);
}

/* What was delivered and trimmed away is lost; it is counted and logged. redis#6199, #10198: it
 * stays pending, and is claimed as nothing. */
static void
test_counts_what_is_trimmed(void **state)
{
	struct peer *peer = START(0);
	struct peer *other = create(peer->stream, (struct herald_redis_subscriber_options){0});

	(void)state;
	publish(peer, "a");
	struct herald_received *message = receive(peer, "a", 1);
	die(peer, message);
	redis_server_number(&server, "XTRIM %s MAXLEN 0", other->stream);
	connect_peer(other);
	const uint64_t deadline_ms = now_ms() + WAIT_MS;
	while (herald_redis_subscriber_trimmed(other->subscriber) == 0 && now_ms() < deadline_ms)
		assert_null(receive_within(other, 50));
	assert_int_equal(herald_redis_subscriber_trimmed(other->subscriber), 1);
	assert_non_null(strstr(other->log, "entries were removed from a stream"));
	assert_int_equal(pending(other), 0);
	stop(other);
}

/* Connections. */

/* What is done while there is no connection is acknowledged by the next one. */
static void
test_acknowledges_after_reconnecting(void **state)
{
	struct peer *peer = START(0);

	(void)state;
	publish(peer, "a");
	struct herald_received *message = receive(peer, "a", 1);
	redis_server_number(&server, "CLIENT KILL TYPE normal SKIPME yes");
	lose_connection(peer);
	peer->ops->settle(
		peer->subscriber,
		&(struct herald_settlement){.message = message, .kind = HERALD_SETTLE_DONE}, 1);
	assert_int_equal(peer->ops->unsettled(peer->subscriber), 1);
	connect_peer(peer);
	assert_int_equal(peer->ops->flush(peer->subscriber, WAIT_MS), 0);
	assert_int_equal(pending(peer), 0);
	stop(peer);
}

/* The consumer has given up what it had, and the next connection may have it already: a retry does
 * not shorten its wait, and a dead letter is not written. */
static void
test_drops_ends_of_an_old_connection(void **state)
{
	struct peer *peer = START(0);
	const struct herald_error error = {.status = HERALD_BAD_VALUE};

	(void)state;
	publish(peer, "a");
	struct herald_received *message = receive(peer, "a", 1);
	for (unsigned i = 0; i < 3; i++) {
		redis_server_number(&server, "CLIENT KILL TYPE normal SKIPME yes");
		lose_connection(peer);
		herald_received_lose(peer->subscriber, message);
		connect_peer(peer);
		const uint64_t begin_ms = now_ms();
		if (i == 0)
			SETTLE(peer, message, RETRY, .attempts = 7, .delay_ms = 0);
		else if (i == 1)
			SETTLE(peer, message, DEAD, .error = &error);
		else
			RELEASE(peer, message);
		message = receive(peer, "a", i + 2);
		assert_true(now_ms() - begin_ms >= VISIBILITY_MS / 2);
	}
	DONE(peer, message);
	assert_non_null(strstr(peer->log, "a retry came too late"));
	assert_non_null(strstr(peer->log, "a dead letter came too late"));
	assert_int_equal(redis_server_number(&server, "EXISTS %s.dead", peer->stream), 0);
	stop(peer);
}

static void
test_survives_kill_and_restart(void **state)
{
	struct peer *peer = START(0);

	(void)state;
	publish(peer, "a");
	publish(peer, "b");
	DONE(peer, receive(peer, "a", 1));
	redis_server_kill(&server);
	lose_connection(peer);
	struct herald_error error;
	assert_int_equal(peer->ops->open(peer->subscriber, &peer->settings, &error),
			 HERALD_UNAVAILABLE);
	redis_server_restart(&server);
	connect_peer(peer);
	DONE(peer, receive(peer, "b", 1));
	assert_int_equal(pending(peer), 0);
	stop(peer);
}

/* A server that does not answer is not waited for, also if it was there before: hiredis#593. */
static void
test_drops_a_server_that_hangs(void **state)
{
	struct peer *peer = START(.reply_timeout_ms = 300);
	const uint64_t begin_ms = now_ms();

	(void)state;
	redis_server_pause(&server);
	lose_connection(peer);
	/* An XREADGROUP may wait for a quarter of the visibility. */
	assert_true(now_ms() - begin_ms >= 300);
	struct herald_error error;
	assert_int_equal(peer->ops->open(peer->subscriber, &peer->settings, &error),
			 HERALD_UNAVAILABLE);
	assert_non_null(strstr(error.message, "no answer in time"));
	redis_server_go_on(&server);
	connect_peer(peer);
	publish(peer, "a");
	DONE(peer, receive(peer, "a", 1));
	stop(peer);
}

/* components-contrib#3219: NOGROUP for ever. */
static void
test_creates_a_group_that_is_gone(void **state)
{
	struct peer *peer = START(0);

	(void)state;
	assert_null(receive_within(peer, 0));
	redis_server_number(&server, "DEL %s", peer->stream);
	lose_connection(peer);
	connect_peer(peer);
	assert_non_null(strstr(peer->log, "the group of a stream was gone"));
	publish(peer, "a");
	DONE(peer, receive(peer, "a", 1));
	stop(peer);
}

/* A subscriber that stops removes its consumer from the group. */
static void
test_removes_its_consumer(void **state)
{
	struct peer *peer = START(0);
	struct peer *other = start(peer->stream, (struct herald_redis_subscriber_options){0});

	(void)state;
	publish(peer, "a");
	DONE(peer, receive(peer, "a", 1));
	publish(peer, "b");
	DONE(other, receive(other, "b", 1));
	assert_int_equal(redis_server_number(&server, "XINFO CONSUMERS %s group", other->stream),
			 2);
	stop(peer);
	assert_int_equal(redis_server_number(&server, "XINFO CONSUMERS %s group", other->stream),
			 1);
	stop(other);
}

/* watermill-redisstream#24: the server would forget what was delivered to the consumer. */
static void
test_keeps_a_consumer_that_has_entries(void **state)
{
	struct peer *peer = START(0);
	struct peer *other = create(peer->stream, (struct herald_redis_subscriber_options){0});

	(void)state;
	publish(peer, "a");
	struct herald_received *message = receive(peer, "a", 1);
	leave(peer, message, 1000);
	assert_int_equal(redis_server_number(&server, "XINFO CONSUMERS %s group", other->stream),
			 1);
	connect_peer(other);
	DONE(other, receive(other, "a", 2));
	stop(other);
}

/* What open() refuses. */

static void
refuses(struct peer *peer, const char *message)
{
	struct herald_error error;

	assert_int_equal(peer->ops->open(peer->subscriber, &peer->settings, &error),
			 HERALD_BAD_OPTION);
	if (!strstr(error.message, message))
		fail_msg("\"%s\" is not in: %s", message, error.message);
	peer->ops->close(peer->subscriber, 0);
	peer->ops->destroy(peer->subscriber);
	test_free(peer);
}

#define CREATE(...) create(NULL, (struct herald_redis_subscriber_options){__VA_ARGS__})

static void
test_refuses_eviction(void **state)
{
	(void)state;
	redis_server_number(&server, "CONFIG SET maxmemory-policy allkeys-lru");
	refuses(CREATE(0), "(maxmemory-policy allkeys-lru); set it to noeviction");
	redis_server_number(&server, "CONFIG SET maxmemory-policy noeviction");
}

static void
test_refuses_trimming(void **state)
{
	struct peer *peer = START(0);
	struct peer *other = create(peer->stream, (struct herald_redis_subscriber_options){0});

	(void)state;
	for (int i = 0; i < 5; i++)
		redis_server_number(&server, "XADD %s MAXLEN 2 * data a", peer->stream);
	DONE(peer, receive(peer, "a", 1));
	stop(peer);
	for (int i = 0; i < 5; i++)
		redis_server_number(&server, "XADD %s MAXLEN 2 * data a", other->stream);
	refuses(other, "were removed (MAXLEN?) before the group \"group\" has read them");
}

static void
test_refuses_another_type(void **state)
{
	struct peer *peer = CREATE(0);

	(void)state;
	redis_server_number(&server, "SET %s text", peer->stream);
	refuses(peer, "XGROUP CREATE: WRONGTYPE");
}

static void
test_refuses_delays_of_another_type(void **state)
{
	struct peer *peer = CREATE(0);

	(void)state;
	redis_server_number(&server, "SET %s.group.delayed text", peer->stream);
	refuses(peer, ".group.delayed\" is not a sorted set");
}

static void
test_refuses_a_wrong_password(void **state)
{
	struct redis_server secured;
	const char *const wrong[] = {"redis://127.0.0.1:%u", "redis://:no@127.0.0.1:%u",
				     "redis://nobody:secret@127.0.0.1:%u"};
	char url[64];

	(void)state;
	redis_server_start_with(&secured, "--requirepass", "s:cret/");
	for (size_t i = 0; i < 4; i++) {
		struct herald_subscriber *subscriber;
		struct herald_error error;
		const struct herald_subscriber_settings settings = {0};

		snprintf(url, sizeof(url), i < 3 ? wrong[i] : "redis://:s%%3acret%%2F@127.0.0.1:%u",
			 secured.port);
		assert_int_equal(herald_redis_subscriber_create(
					 &HERALD_REDIS_SUBSCRIBER_OPTIONS(.url = url, .stream = "s",
									  .group = "g"),
					 &subscriber, &error),
				 HERALD_OK);
		assert_int_equal(subscriber->ops->open(subscriber, &settings, &error),
				 i < 3 ? HERALD_BAD_OPTION : HERALD_OK);
		subscriber->ops->close(subscriber, 100);
		subscriber->ops->destroy(subscriber);
	}
	redis_server_stop(&secured);
}

/* A user with the rights that docs/brokers.md lists. */
static void
test_needs_the_rights_of_the_manual(void **state)
{
	static const char *const user =
		"ACL SETUSER %s reset on >secret ~%s ~%s.dead ~%s.group.delayed "
		"+client|id +client|unblock +eval +info +ping +select +time +xack +xadd "
		"+xautoclaim +xclaim +xdel +xgroup|create +xgroup|delconsumer +xinfo|stream "
		"+xinfo|groups +xinfo|consumers +xpending +xrange +xreadgroup +zadd +zrem +zscore";
	const struct herald_error error = {.status = HERALD_BAD_VALUE};
	char url[64];

	(void)state;
	snprintf(url, sizeof(url), "redis://rights:secret@127.0.0.1:%u/1", server.port);
	struct peer *peer = CREATE(.url = url, .delete_done = true);
	const char *stream = peer->stream;
	redis_server_number(&server, user, "rights", stream, stream, stream);
	/* +OK; else it is a text that says what is missing. It needs a long silence. */
	assert_int_equal(redis_server_number(&server, "ACL DRYRUN rights PING"), 2);
	connect_peer(peer);
	redis_server_number(&server, "SELECT 1");
	publish(peer, "a");
	SETTLE(peer, receive(peer, "a", 1), RETRY, .attempts = 1, .delay_ms = VISIBILITY_MS + 100);
	SETTLE(peer, receive(peer, "a", 2), RETRY, .attempts = 2, .delay_ms = 0);
	RELEASE(peer, receive(peer, "a", 3));
	SETTLE(peer, receive(peer, "a", 3), DEAD, .error = &error);
	publish(peer, "b");
	struct herald_received *message = receive(peer, "b", 1);
	peer->ops->extend(peer->subscriber, &message, 1);
	DONE(peer, message);
	assert_int_equal(redis_server_number(&server, "XLEN %s.dead", peer->stream), 1);
	assert_int_equal(redis_server_number(&server, "XLEN %s", peer->stream), 0);
	assert_string_equal(peer->log, "");
	struct peer *other = start(stream, (struct herald_redis_subscriber_options){.url = url});
	stop(peer);
	assert_int_equal(redis_server_number(&server, "XINFO CONSUMERS %s group", other->stream),
			 0);
	redis_server_number(&server, "SELECT 0");
	stop(other);
}

/* Options. */

static void
test_refuses_options(void **state)
{
	static const struct {
		const char *url, *stream, *group;
		uint32_t visibility_ms, reply_timeout_ms;
		const char *path, *message;
	} cases[] = {
		{NULL, "s", "g", 0, 0, "url", "url: must be set"},
		{"http://h", "s", "g", 0, 0, "url",
		 "must begin with \"redis://\" or \"rediss://\""},
		{"redis://", "s", "g", 0, 0, "url", "must have a host name"},
		{"redis://:1", "s", "g", 0, 0, "url", "must have a host name"},
		{"redis://h h", "s", "g", 0, 0, "url", "must have a host name"},
		{"redis://[::1", "s", "g", 0, 0, "url", "must have a host name"},
		{"redis://[::1]x", "s", "g", 0, 0, "url", "the port"},
		{"redis://h:", "s", "g", 0, 0, "url", "the port"},
		{"redis://h:0", "s", "g", 0, 0, "url", "the port"},
		{"redis://h:65536", "s", "g", 0, 0, "url", "the port"},
		{"redis://h:1x", "s", "g", 0, 0, "url", "the port"},
		{"redis://h/x", "s", "g", 0, 0, "url", "the number of a database"},
		{"redis://h/1/", "s", "g", 0, 0, "url", "the number of a database"},
		{"redis://h/1?a=b", "s", "g", 0, 0, "url", "the number of a database"},
		{"redis://h?a=b", "s", "g", 0, 0, "url", "the number of a database"},
		{"redis://secret@h", "s", "g", 0, 0, "url", "before the '@'"},
		{"redis://u:@h", "s", "g", 0, 0, "url", "before the '@'"},
		{"redis://u:%4@h", "s", "g", 0, 0, "url", "before the '@'"},
		{"redis://u:%zz@h", "s", "g", 0, 0, "url", "before the '@'"},
		{"redis://u:%00@h", "s", "g", 0, 0, "url", "before the '@'"},
		{"redis://u:a@b@h", "s", "g", 0, 0, "url", "must have a host name"},
		{"redis://h", NULL, "g", 0, 0, "stream", "stream: must be set"},
		{"redis://h", "s", "", 0, 0, "group", "group: must be set"},
		{"redis://h", "s", "g", 999, 0, "visibility_ms", "must be at least 1000, not 999"},
		{"redis://h", "s", "g", 1000, 501, "reply_timeout_ms",
		 "must be at most 500, not 501"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct herald_subscriber *subscriber = NULL;
		struct herald_error error = {0};

		if (herald_redis_subscriber_create(
			    &HERALD_REDIS_SUBSCRIBER_OPTIONS(.url = cases[i].url,
							     .stream = cases[i].stream,
							     .group = cases[i].group,
							     .visibility_ms =
								     cases[i].visibility_ms,
							     .reply_timeout_ms =
								     cases[i].reply_timeout_ms),
			    &subscriber, &error) != HERALD_BAD_OPTION)
			fail_msg("case %zu is taken", i);
		assert_null(subscriber);
		assert_string_equal(error.path, cases[i].path);
		if (!strstr(error.message, cases[i].message))
			fail_msg("case %zu: %s", i, error.message);
		assert_null(strstr(error.message, "secret"));
	}
}

static void
test_takes_urls(void **state)
{
	static const char *const urls[] = {"redis://h", "redis://h/", "redis://h:1/15",
					   "redis://[::1]:6379", "redis://u:p%40@h_1.example"};

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(*urls); i++) {
		struct herald_subscriber *subscriber;
		struct herald_error error;

		assert_int_equal(
			herald_redis_subscriber_create(
				&HERALD_REDIS_SUBSCRIBER_OPTIONS(.url = urls[i], .stream = "s",
								 .group = "g"),
				&subscriber, &error),
			HERALD_OK);
		subscriber->ops->destroy(subscriber);
	}
}

static int
start_server(void **state)
{
	(void)state;
	redis_server_start(&server);
	return 0;
}

static int
stop_server(void **state)
{
	(void)state;
	redis_server_stop(&server);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receives_fields),
		cmocka_unit_test(test_receives_nothing),
		cmocka_unit_test(test_wakes),
		cmocka_unit_test(test_returns_when_there_is_room),
		cmocka_unit_test(test_hands_over_as_there_is_room),
		cmocka_unit_test(test_asks_for_few_before_it_knows_their_size),
		cmocka_unit_test(test_deletes_what_is_done),
		cmocka_unit_test(test_retries_after_the_delay),
		cmocka_unit_test(test_retries_after_a_long_delay),
		cmocka_unit_test(test_keeps_what_cannot_be_delayed),
		cmocka_unit_test(test_releases),
		cmocka_unit_test(test_makes_dead_letters),
		cmocka_unit_test(test_keeps_what_cannot_be_a_dead_letter),
		cmocka_unit_test(test_takes_over_from_the_dead),
		cmocka_unit_test(test_claims_after_an_error),
		cmocka_unit_test(test_keeps_what_is_held),
		cmocka_unit_test(test_notices_what_is_lost),
		cmocka_unit_test(test_does_not_deliver_what_it_has),
		cmocka_unit_test(test_counts_what_is_trimmed),
		cmocka_unit_test(test_acknowledges_after_reconnecting),
		cmocka_unit_test(test_drops_ends_of_an_old_connection),
		cmocka_unit_test(test_survives_kill_and_restart),
		cmocka_unit_test(test_drops_a_server_that_hangs),
		cmocka_unit_test(test_creates_a_group_that_is_gone),
		cmocka_unit_test(test_removes_its_consumer),
		cmocka_unit_test(test_keeps_a_consumer_that_has_entries),
		cmocka_unit_test(test_refuses_eviction),
		cmocka_unit_test(test_refuses_trimming),
		cmocka_unit_test(test_refuses_another_type),
		cmocka_unit_test(test_refuses_delays_of_another_type),
		cmocka_unit_test(test_refuses_a_wrong_password),
		cmocka_unit_test(test_needs_the_rights_of_the_manual),
		cmocka_unit_test(test_refuses_options),
		cmocka_unit_test(test_takes_urls),
	};

	if (!redis_server_exists())
		return redis_server_left_out("redis");
	return cmocka_run_group_tests_name("redis", tests, start_server, stop_server);
}
