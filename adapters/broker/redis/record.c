/*
 * What the settler was asked for, in the order of its commands, and the commands that several files
 * need: to keep an entry, and to make it claimable. Owns the queue of records.
 */
#include "record.h"

bool
herald__redis_record(struct redis_subscriber *subscriber, struct herald__redis_record record)
{
	struct herald__redis_record *place = herald__redis_array_add(
		&subscriber->records, sizeof(record), &subscriber->options.allocator);

	if (!place) {
		herald__redis_connection_fail(&subscriber->settler, "out of memory");
		return false;
	}
	record.sent_ms = herald__redis_now_ms();
	*place = record;
	subscriber->unsettled += record.is_end;
	return true;
}

bool
herald__redis_is_stale(const struct redis_subscriber *subscriber, const struct redis_entry *entry,
		       uint64_t now_ms)
{
	/* kept_ms is when a command was sent that perhaps never arrived. The one before it did, and
	 * was sent a quarter earlier, or little more. */
	return now_ms >= entry->kept_ms + (uint64_t)redis_part(subscriber, 3) * 2;
}

void
herald__redis_keep_begin(struct redis_subscriber *subscriber, size_t count)
{
	REDIS_BEGIN(&subscriber->settler, count + 1, "XCLAIM", subscriber->options.stream,
		    subscriber->options.group, subscriber->consumer, "0");
	herald__redis_record(subscriber,
			     (struct herald__redis_record){.asked = REDIS_ASKED_NOTHING});
}

void
herald__redis_keep_add(struct redis_subscriber *subscriber, struct redis_entry *entry,
		       uint64_t now_ms)
{
	herald__redis_add_text(&subscriber->settler, entry->id.text);
	entry->kept_ms = now_ms;
}

void
herald__redis_keep_end(struct redis_subscriber *subscriber)
{
	herald__redis_add_text(&subscriber->settler, "JUSTID");
}

void
herald__redis_put_off(struct redis_subscriber *subscriber, const struct redis_entry *entry,
		      uint64_t delay_ms, unsigned deliveries, bool is_end)
{
	const struct herald_redis_subscriber_options *options = &subscriber->options;

	REDIS_COMMAND(&subscriber->settler, "XCLAIM", options->stream, options->group,
		      subscriber->consumer, "0", entry->id.text, "IDLE",
		      herald__redis_number(options->visibility_ms - delay_ms).text, "RETRYCOUNT",
		      herald__redis_number(deliveries).text, "JUSTID");
	herald__redis_record(subscriber, (struct herald__redis_record){.asked = REDIS_ASKED_WAIT,
								       .is_end = is_end,
								       .delay_ms = delay_ms,
								       .id = entry->id});
}

void
herald__redis_give_back(struct redis_subscriber *subscriber, const struct redis_entry *entry,
			bool is_end)
{
	herald__redis_put_off(subscriber, entry, 0, entry->base.deliveries - 1, is_end);
}
