/*
 * Redis Streams with hiredis: a read of BATCH entries, and one XACK for all of them, which is sent
 * together with the next read.
 */
#include "broker.h"

#include <stdio.h>
#include <string.h>

#include <hiredis/hiredis.h>

#include <herald/redis.h>

#define GROUP "bench"
#define ID_BYTES 64

static redisContext *
connect_to(const struct place *place)
{
	const struct address address = address_of(place->url);
	redisContext *redis = redisConnect(address.host, address.port);

	if (!redis || redis->err)
		die("redisConnect", redis ? redis->errstr : "out of memory");
	return redis;
}

static redisReply *
read_reply(redisContext *redis)
{
	void *reply;

	if (redisGetReply(redis, &reply) != REDIS_OK)
		die("redisGetReply", redis->errstr);
	redisReply *answer = reply;
	if (answer->type == REDIS_REPLY_ERROR)
		die("Redis", answer->str);
	return answer;
}

static void
drop_replies(redisContext *redis, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		freeReplyObject(read_reply(redis));
}

void
broker_fill(const struct place *place, const char *source, uint64_t count)
{
	redisContext *redis = connect_to(place);

	redisAppendCommand(redis, "DEL %s", source);
	redisAppendCommand(redis, "XGROUP CREATE %s " GROUP " 0 MKSTREAM", source);
	drop_replies(redis, 2);
	for (uint64_t i = 0; i < count; i += BATCH) {
		const uint64_t part = count - i < BATCH ? count - i : BATCH;

		for (uint64_t j = 0; j < part; j++)
			redisAppendCommand(redis, "XADD %s * data %b", source, place->event,
					   place->event_bytes);
		drop_replies(redis, part);
	}
	redisFree(redis);
}

/* The ids that are to be acknowledged. */
struct acknowledgement {
	const char *words[3 + BATCH];
	size_t bytes[3 + BATCH];
	char ids[BATCH][ID_BYTES];
	size_t count;
};

static void
add_id(struct acknowledgement *ack, const redisReply *id)
{
	char *copy = ack->ids[ack->count];

	snprintf(copy, ID_BYTES, "%s", id->str);
	ack->words[3 + ack->count] = copy;
	ack->bytes[3 + ack->count] = id->len;
	ack->count++;
}

/* Returns the number of entries. */
static size_t
run_entries(const redisReply *reply, struct acknowledgement *ack, on_message *function, void *state)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1)
		return 0;
	const redisReply *entries = reply->element[0]->element[1];
	for (size_t i = 0; i < entries->elements; i++) {
		const redisReply *entry = entries->element[i],
				 *data = entry->element[1]->element[1];

		function(data->str, data->len, state);
		add_id(ack, entry->element[0]);
	}
	return entries->elements;
}

void
broker_consume(const struct place *place, const char *source, uint64_t count, on_message *function,
	       void *state)
{
	redisContext *redis = connect_to(place);
	static struct acknowledgement ack;
	uint64_t received = 0;

	ack.words[0] = "XACK";
	ack.words[1] = source;
	ack.words[2] = GROUP;
	for (size_t i = 0; i < 3; i++)
		ack.bytes[i] = strlen(ack.words[i]);
	while (received < count || ack.count > 0) {
		const bool acks = ack.count > 0;

		if (acks)
			redisAppendCommandArgv(redis, (int)(3 + ack.count), ack.words, ack.bytes);
		ack.count = 0;
		if (received < count)
			redisAppendCommand(redis,
					   "XREADGROUP GROUP " GROUP " one COUNT %d BLOCK 1000 "
					   "STREAMS %s >",
					   BATCH, source);
		drop_replies(redis, acks);
		if (received == count)
			break;
		redisReply *reply = read_reply(redis);
		received += run_entries(reply, &ack, function, state);
		freeReplyObject(reply);
	}
	redisFree(redis);
}

enum herald_status
broker_subscribe(const struct place *place, const char *source, struct herald_subscriber **out,
		 struct herald_error *error)
{
	return herald_redis_subscriber_create(&HERALD_REDIS_SUBSCRIBER_OPTIONS(.url = place->url,
									       .stream = source,
									       .group = GROUP),
					      out, error);
}
