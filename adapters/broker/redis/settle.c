/*
 * How entries end, as commands of the settler. The answers are read in answer.c.
 *
 *	done      XACK of many at once, and XDEL
 *	retry     XCLAIM with an idle time that reaches the visibility after the delay. For a longer
 *	          delay, a script: ZADD to a sorted set, XCLAIM
 *	release   the same without delay, and with the count of deliveries set back
 *	dead      a script: XADD, XACK, XDEL. MULTI would go on after an XADD that fails
 */
#include "settle.h"

#include <string.h>

#include <herald/adapter/log.h>

#include "record.h"

/* The server's Lua can pass 8,000 arguments to a command. */
#define DEAD_FIELDS_MAX 3000

/* After an error of ZADD, nothing has changed: the entry is claimable after the visibility. */
static const char delay_script[] =
	"if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[3], ARGV[3], 1) == 0 then return 0 end "
	"redis.call('ZADD', KEYS[2], ARGV[4], ARGV[3]) "
	"redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[3], 'IDLE', 0, "
	"'RETRYCOUNT', ARGV[5], 'JUSTID') "
	"return 1";

/* Longer than the visibility. The set has the time by the server's clock. */
static void
delay(struct redis_subscriber *subscriber, const struct redis_entry *entry, uint64_t delay_ms,
      unsigned deliveries)
{
	const struct herald_redis_subscriber_options *options = &subscriber->options;
	const uint64_t due_ms = herald__redis_now_ms() + subscriber->clock_offset_ms + delay_ms;

	REDIS_COMMAND(&subscriber->settler, "EVAL", delay_script, "2", options->stream,
		      subscriber->delayed, options->group, subscriber->consumer, entry->id.text,
		      herald__redis_number(due_ms).text, herald__redis_number(deliveries).text);
	herald__redis_record(subscriber,
			     (struct herald__redis_record){.asked = REDIS_ASKED_DELAY,
							   .is_end = true,
							   .delay_ms = options->visibility_ms,
							   .id = entry->id});
}

static void
retry(struct redis_subscriber *subscriber, const struct redis_entry *entry, uint64_t delay_ms,
      unsigned attempts)
{
	/* From now on, the count of deliveries is the number of runs. */
	const unsigned deliveries =
		attempts > entry->base.attempts ? attempts - entry->base.attempts : 0;

	if (delay_ms > subscriber->options.visibility_ms)
		delay(subscriber, entry, delay_ms, deliveries);
	else
		herald__redis_put_off(subscriber, entry, delay_ms, deliveries, true);
}

static const char dead_script[] =
	"if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1) == 0 then return 0 end "
	"redis.call('XADD', KEYS[2], '*', unpack(ARGV, 4)) "
	"redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) "
	"if ARGV[3] == '1' then redis.call('XDEL', KEYS[1], ARGV[2]) end "
	"return 1";

/* Calls for each attribute that a dead letter keeps. Returns their number. */
static size_t
add_attributes(struct redis_connection *settler, struct herald_text attributes)
{
	const char *const end = attributes.data + attributes.bytes;
	size_t count = 0;

	for (const char *name = attributes.data; name < end && count < DEAD_FIELDS_MAX;) {
		const char *value = name + strlen(name) + 1;

		if (!herald_header_is_own(name)) {
			count++;
			if (settler) {
				herald__redis_add_text(settler, name);
				herald__redis_add_text(settler, value);
			}
		}
		name = value + strlen(value) + 1;
	}
	return count;
}

static void
make_dead(struct redis_subscriber *subscriber, const struct redis_entry *entry,
	  const struct herald_settlement *settlement)
{
	struct redis_connection *settler = &subscriber->settler;
	const struct herald_redis_subscriber_options *options = &subscriber->options;
	struct herald_dead_letter_headers letter;

	herald_dead_letter_describe(settlement, options->stream, &letter);
	const size_t fields = add_attributes(NULL, entry->base.attributes) + letter.count;
	REDIS_BEGIN(settler, 1 + 2 * fields, "EVAL", dead_script, "2", options->stream,
		    subscriber->dead, options->group, entry->id.text,
		    options->delete_done ? "1" : "0", "data");
	herald__redis_add(settler, entry->base.data.data, entry->base.data.bytes);
	add_attributes(settler, entry->base.attributes);
	for (size_t i = 0; i < letter.count; i++) {
		herald__redis_add_text(settler, letter.headers[i].key);
		herald__redis_add_text(settler, letter.headers[i].value);
	}
	herald__redis_record(subscriber, (struct herald__redis_record){.asked = REDIS_ASKED_DEAD,
								       .is_end = true,
								       .id = entry->id});
}

/* It is acknowledged with others, also if the connection is lost in between. */
static void
add_done(struct redis_subscriber *subscriber, const struct redis_entry *entry)
{
	struct redis_id *id = herald__redis_array_add(&subscriber->done, sizeof(*id),
						      &subscriber->options.allocator);

	if (id)
		*id = entry->id;
}

/* Whether the entry is of an old connection, or another process may have it. Its count of
 * deliveries is then no longer ours. */
static bool
is_too_late(const struct redis_subscriber *subscriber, const struct redis_entry *entry)
{
	return !subscriber->settler.context || herald_received_is_lost(&entry->base) ||
	       herald__redis_is_stale(subscriber, entry, herald__redis_now_ms());
}

static void
drop(struct redis_subscriber *subscriber, struct redis_entry *entry,
     enum herald_settlement_kind kind)
{
	const struct herald_log_field fields[] = {
		{"stream", subscriber->options.stream, 0},
		{"entry", entry->id.text, 0},
	};

	herald_received_lose(&subscriber->base, &entry->base);
	if (kind == HERALD_SETTLE_RETRY || kind == HERALD_SETTLE_DEAD)
		herald_log_write(&subscriber->settings.log, HERALD_LOG_WARNING,
				 kind == HERALD_SETTLE_RETRY
					 ? "a retry came too late; the event comes again"
					 : "a dead letter came too late; the event comes again",
				 fields, 2);
}

void
herald__redis_settle(struct redis_subscriber *subscriber,
		     const struct herald_settlement *settlement)
{
	struct redis_entry *entry = (struct redis_entry *)settlement->message;

	/* To acknowledge an entry that another one has does no harm. */
	if (settlement->kind == HERALD_SETTLE_DONE)
		add_done(subscriber, entry);
	else if (is_too_late(subscriber, entry))
		drop(subscriber, entry, settlement->kind);
	else if (settlement->kind == HERALD_SETTLE_RETRY)
		retry(subscriber, entry, settlement->delay_ms, settlement->attempts);
	else if (settlement->kind == HERALD_SETTLE_DEAD)
		make_dead(subscriber, entry, settlement);
	else
		herald__redis_give_back(subscriber, entry, true);
	herald__redis_list_remove(&subscriber->held, entry);
	herald__redis_entry_destroy(&subscriber->options.allocator, entry);
}

static void
add_ids(struct redis_subscriber *subscriber, const struct redis_id *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		herald__redis_add_text(&subscriber->settler, ids[i].text);
}

static void
add_acknowledgement(struct redis_subscriber *subscriber, size_t count)
{
	const struct redis_array *done = &subscriber->done;
	struct redis_connection *settler = &subscriber->settler;
	const struct redis_id *ids =
		(const struct redis_id *)done->items + done->first + subscriber->done_sent;
	REDIS_BEGIN(settler, count, "XACK", subscriber->options.stream, subscriber->options.group);
	add_ids(subscriber, ids, count);
	herald__redis_record(subscriber,
			     (struct herald__redis_record){.asked = subscriber->options.delete_done
									    ? REDIS_ASKED_NOTHING
									    : REDIS_ASKED_ACK,
							   .count = count});
	if (subscriber->options.delete_done) {
		REDIS_BEGIN(settler, count, "XDEL", subscriber->options.stream);
		add_ids(subscriber, ids, count);
		herald__redis_record(subscriber, (struct herald__redis_record){
							 .asked = REDIS_ASKED_ACK, .count = count});
	}
	subscriber->done_sent += count;
}

void
herald__redis_acknowledge(struct redis_subscriber *subscriber)
{
	struct redis_connection *settler = &subscriber->settler;
	const size_t count = subscriber->done.count - subscriber->done_sent;

	if (!settler->context)
		return;
	if (count > 0)
		add_acknowledgement(subscriber, count);
	herald__redis_send(settler);
}
