/*
 * Entries that come again: retries, and entries of processes that have died. Owns the
 * heap of what this process has put off, and the sweep through all that the group has pending.
 *
 * An entry is claimable when it has been idle for the visibility. XAUTOCLAIM gives us its id,
 * without counting a delivery: if the process dies before the consumer has the entry, it has lost
 * no attempt. XRANGE gives us the entry, XPENDING says how often it was delivered, and the sorted
 * set whether it has a longer delay. The delivery is counted when the entry is handed over.
 */
#include "claim.h"

#include <string.h>

#include <herald/adapter/log.h>
#include <herald/adapter/text.h>

#include "record.h"

/* Entries that are put off and claimed when due. The sweep claims all others. */
#define DUE_MAX 65536
#define CLAIMS_MAX 64
/* Between two parts of the sweep. */
#define MIN_PAUSE_MS 20
#define MAX_PAUSE_MS 500

static struct redis_due *
heap(struct redis_subscriber *subscriber)
{
	return subscriber->due.items;
}

void
herald__redis_claim_later(struct redis_subscriber *subscriber, const struct redis_id *id,
			  uint64_t due_ms)
{
	if (subscriber->due.count == DUE_MAX ||
	    !herald__redis_array_add(&subscriber->due, sizeof(struct redis_due),
				     &subscriber->options.allocator))
		return;
	size_t at = subscriber->due.count - 1;
	for (; at > 0 && heap(subscriber)[(at - 1) / 2].due_ms > due_ms; at = (at - 1) / 2)
		heap(subscriber)[at] = heap(subscriber)[(at - 1) / 2];
	heap(subscriber)[at] = (struct redis_due){due_ms, *id};
}

static struct redis_id
take_due(struct redis_subscriber *subscriber)
{
	const struct redis_id id = heap(subscriber)[0].id;
	const size_t count = --subscriber->due.count;
	const struct redis_due last = heap(subscriber)[count];
	size_t at = 0;

	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count &&
		    heap(subscriber)[child + 1].due_ms < heap(subscriber)[child].due_ms)
			child++;
		if (heap(subscriber)[child].due_ms >= last.due_ms)
			break;
		heap(subscriber)[at] = heap(subscriber)[child];
	}
	heap(subscriber)[at] = last;
	return id;
}

uint64_t
herald__redis_claim_ms(const struct redis_subscriber *subscriber)
{
	const struct redis_due *due = subscriber->due.items;
	const uint64_t sweep_ms = subscriber->is_sweeping ? UINT64_MAX : subscriber->sweep_ms;

	return subscriber->due.count > 0 && due[0].due_ms < sweep_ms ? due[0].due_ms : sweep_ms;
}

static void
ask(struct redis_subscriber *subscriber, const struct redis_id *id, size_t count, bool is_sweep)
{
	const struct herald_redis_subscriber_options *options = &subscriber->options;

	REDIS_COMMAND(&subscriber->settler, "XAUTOCLAIM", options->stream, options->group,
		      subscriber->consumer, herald__redis_number(options->visibility_ms).text,
		      id->text, "COUNT", herald__redis_number(count).text, "JUSTID");
	herald__redis_record(subscriber, (struct herald__redis_record){.asked = REDIS_ASKED_CLAIM,
								       .is_sweep = is_sweep});
	subscriber->claiming++;
}

void
herald__redis_claim(struct redis_subscriber *subscriber, size_t room, uint64_t now_ms)
{
	const size_t taken = subscriber->claiming + subscriber->ready.count;

	room = room > taken ? room - taken : 0;
	for (; room > 0 && subscriber->due.count > 0 && heap(subscriber)[0].due_ms <= now_ms;
	     room--) {
		const struct redis_id id = take_due(subscriber);

		ask(subscriber, &id, 1, false);
	}
	if (room > 0 && now_ms >= subscriber->sweep_ms && !subscriber->is_sweeping) {
		ask(subscriber, &subscriber->cursor, room < CLAIMS_MAX ? room : CLAIMS_MAX, true);
		subscriber->is_sweeping = true;
	}
}

/* Answers. */

/* The next part of the sweep: at once if this one has found something, or else after a pause. */
static void
go_on(struct redis_subscriber *subscriber, const redisReply *reply)
{
	const redisReply *cursor = reply->element[0];
	uint64_t pause_ms = redis_part(subscriber, 10);

	subscriber->is_sweeping = false;
	if (cursor->type == REDIS_REPLY_STRING && cursor->len < sizeof(subscriber->cursor))
		memcpy(subscriber->cursor.text, cursor->str, cursor->len + 1);
	if (pause_ms > MAX_PAUSE_MS)
		pause_ms = MAX_PAUSE_MS;
	if (strcmp(subscriber->cursor.text, "0-0") != 0)
		pause_ms /= 8;
	if (pause_ms < MIN_PAUSE_MS)
		pause_ms = MIN_PAUSE_MS;
	if (reply->element[1]->elements > 0)
		pause_ms = 0;
	subscriber->sweep_ms = herald__redis_now_ms() + pause_ms;
}

static void
count_trimmed(struct redis_subscriber *subscriber, const redisReply *ids)
{
	const struct herald_log_field fields[] = {
		{"stream", subscriber->options.stream, 0},
		{"group", subscriber->options.group, 0},
		{"entries", NULL, (int64_t)ids->elements},
		{"first", ids->elements > 0 ? ids->element[0]->str : "", 0},
	};

	if (ids->elements == 0)
		return;
	atomic_fetch_add(&subscriber->trimmed, ids->elements);
	herald_log_write(&subscriber->settings.log, HERALD_LOG_ERROR,
			 "entries were removed from a stream before they were done; they are lost",
			 fields, 4);
}

static void
ask_about(struct redis_subscriber *subscriber, struct redis_entry *entry)
{
	struct redis_connection *settler = &subscriber->settler;

	REDIS_COMMAND(settler, "XPENDING", subscriber->options.stream, subscriber->options.group,
		      entry->id.text, entry->id.text, "1");
	herald__redis_record(subscriber, (struct herald__redis_record){.asked = REDIS_ASKED_COUNT,
								       .entry = entry});
	REDIS_COMMAND(settler, "ZSCORE", subscriber->delayed, entry->id.text);
	if (!herald__redis_record(
		    subscriber,
		    (struct herald__redis_record){.asked = REDIS_ASKED_SCORE, .entry = entry})) {
		herald__redis_entry_destroy(&subscriber->options.allocator, entry);
		return;
	}
	subscriber->claiming++;
}

/* An entry that the consumer has was not kept in time, but no other process has it. So it is ours
 * again. */
static bool
is_held(struct redis_subscriber *subscriber, const char *id, uint64_t sent_ms)
{
	struct redis_entry *entry = herald__redis_list_find(&subscriber->held, id);

	if (!entry)
		entry = herald__redis_list_find(&subscriber->ready, id);
	if (entry)
		entry->kept_ms = sent_ms;
	return entry;
}

static void
ask_for(struct redis_subscriber *subscriber, const char *id, uint64_t kept_ms)
{
	REDIS_COMMAND(&subscriber->settler, "XRANGE", subscriber->options.stream, id, id);
	herald__redis_record(subscriber, (struct herald__redis_record){.asked = REDIS_ASKED_ENTRY,
								       .kept_ms = kept_ms});
	subscriber->claiming++;
}

static void
claimed(struct redis_subscriber *subscriber, const struct herald__redis_record *record,
	const redisReply *reply)
{
	subscriber->claiming--;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 3)
		return;
	for (size_t i = 0; i < reply->element[1]->elements; i++) {
		const redisReply *id = reply->element[1]->element[i];

		if (id->type == REDIS_REPLY_STRING &&
		    !is_held(subscriber, id->str, record->sent_ms))
			ask_for(subscriber, id->str, record->sent_ms);
	}
	count_trimmed(subscriber, reply->element[2]);
	if (record->is_sweep)
		go_on(subscriber, reply);
}

/* [entry]; empty: it was removed from the stream meanwhile, and the next sweep says so. */
static void
found(struct redis_subscriber *subscriber, uint64_t kept_ms, const redisReply *reply)
{
	subscriber->claiming--;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1 ||
	    !herald__redis_is_entry(reply->element[0]))
		return;
	struct redis_entry *entry = herald__redis_entry_create(&subscriber->options.allocator,
							       reply->element[0], kept_ms);
	if (!entry) {
		herald__redis_connection_fail(&subscriber->settler, "out of memory");
		return;
	}
	const size_t average = subscriber->average_bytes;
	subscriber->average_bytes =
		average > 0 ? average - average / 8 + entry->bytes / 8 : entry->bytes;
	ask_about(subscriber, entry);
}

static void
counted(struct redis_entry *entry, const redisReply *reply)
{
	/* [[id, consumer, idle, count]], and this delivery; empty: it was acknowledged. */
	entry->base.deliveries = 0;
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1 &&
	    reply->element[0]->elements == 4)
		entry->base.deliveries = (unsigned)reply->element[0]->element[3]->integer + 1;
}

/* The entry is about to be handed over. */
static void
count_delivery(struct redis_subscriber *subscriber, struct redis_entry *entry)
{
	const struct herald_redis_subscriber_options *options = &subscriber->options;

	REDIS_COMMAND(&subscriber->settler, "XCLAIM", options->stream, options->group,
		      subscriber->consumer, "0", entry->id.text, "RETRYCOUNT",
		      herald__redis_number(entry->base.deliveries).text, "JUSTID");
	herald__redis_record(subscriber,
			     (struct herald__redis_record){.asked = REDIS_ASKED_NOTHING});
}

static void
forget_delay(struct redis_subscriber *subscriber, const struct redis_entry *entry)
{
	REDIS_COMMAND(&subscriber->settler, "ZREM", subscriber->delayed, entry->id.text);
	herald__redis_record(subscriber,
			     (struct herald__redis_record){.asked = REDIS_ASKED_NOTHING});
}

/* The end of a claim: the entry is delivered, put off once more, or dropped. */
static void
scored(struct redis_subscriber *subscriber, struct redis_entry *entry, const redisReply *reply)
{
	const uint64_t visibility_ms = subscriber->options.visibility_ms;
	const uint64_t now_ms = herald__redis_now_ms() + subscriber->clock_offset_ms;
	const bool has_delay = reply->type == REDIS_REPLY_STRING;
	uint64_t due_ms = 0;

	subscriber->claiming--;
	if (has_delay && herald_ascii_number(reply->str, INT64_MAX, &due_ms) && due_ms != 0)
		due_ms += subscriber->clock_error_ms;
	if (entry->base.deliveries > 0 && due_ms <= now_ms) {
		herald__redis_list_add(&subscriber->ready, entry);
		count_delivery(subscriber, entry);
		if (has_delay)
			forget_delay(subscriber, entry);
		return;
	}
	if (entry->base.deliveries > 0)
		herald__redis_put_off(subscriber, entry,
				      due_ms - now_ms < visibility_ms ? due_ms - now_ms
								      : visibility_ms,
				      entry->base.deliveries - 1, false);
	herald__redis_entry_destroy(&subscriber->options.allocator, entry);
}

void
herald__redis_claim_answer(struct redis_subscriber *subscriber,
			   const struct herald__redis_record *record, const redisReply *reply)
{
	if (record->asked == REDIS_ASKED_CLAIM)
		claimed(subscriber, record, reply);
	else if (record->asked == REDIS_ASKED_ENTRY)
		found(subscriber, record->kept_ms, reply);
	else if (record->asked == REDIS_ASKED_COUNT)
		counted(record->entry, reply);
	else
		scored(subscriber, record->entry, reply);
}
