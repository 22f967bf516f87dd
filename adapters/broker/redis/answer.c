/*
 * What the answers of the settler say. Each belongs to the oldest record.
 */
#include "answer.h"

#include <herald/adapter/log.h>

#include "claim.h"

/* The entry stays with the group, and comes again. */
static void
log_failure(const struct redis_subscriber *subscriber, const struct herald__redis_record *record,
	    const redisReply *reply)
{
	const bool is_dead = record->asked == REDIS_ASKED_DEAD;
	const struct herald_log_field fields[] = {
		{is_dead ? "stream" : "key", is_dead ? subscriber->dead : subscriber->delayed, 0},
		{"entry", record->id.text, 0},
		{"error", reply->str, 0},
	};

	herald_log_write(&subscriber->settings.log, HERALD_LOG_ERROR,
			 is_dead ? "cannot write a dead letter; the event comes again"
				 : "cannot write a long delay; the event comes again early",
			 fields, 3);
}

static void
answer_error(struct redis_subscriber *subscriber, const struct herald__redis_record *record,
	     const redisReply *reply)
{
	if (record->asked == REDIS_ASKED_DEAD || record->asked == REDIS_ASKED_DELAY) {
		log_failure(subscriber, record, reply);
		return;
	}
	/* This record was the last one with the entry. */
	if (record->asked == REDIS_ASKED_SCORE)
		herald__redis_entry_destroy(&subscriber->options.allocator, record->entry);
	herald__redis_connection_fail(&subscriber->settler, reply->str);
}

static void
answer(struct redis_subscriber *subscriber, const struct herald__redis_record *record,
       const redisReply *reply)
{
	subscriber->unsettled -= record->is_end;
	if (reply->type == REDIS_REPLY_ERROR) {
		answer_error(subscriber, record, reply);
		return;
	}
	switch (record->asked) {
	case REDIS_ASKED_ACK:
		herald__redis_array_drop(&subscriber->done, record->count);
		subscriber->done_sent -= record->count;
		break;
	case REDIS_ASKED_WAIT:
	case REDIS_ASKED_DELAY:
		herald__redis_claim_later(subscriber, &record->id,
					  herald__redis_now_ms() + record->delay_ms + 1);
		break;
	case REDIS_ASKED_CLAIM:
	case REDIS_ASKED_ENTRY:
	case REDIS_ASKED_COUNT:
	case REDIS_ASKED_SCORE:
		herald__redis_claim_answer(subscriber, record, reply);
		break;
	case REDIS_ASKED_NOTHING:
	case REDIS_ASKED_DEAD:
		break;
	}
}

void
herald__redis_settler_answers(struct redis_subscriber *subscriber)
{
	struct redis_array *records = &subscriber->records;

	for (redisReply *reply;
	     records->count > 0 && (reply = herald__redis_take(&subscriber->settler));) {
		const struct herald__redis_record record =
			((struct herald__redis_record *)records->items)[records->first];

		herald__redis_array_drop(records, 1);
		answer(subscriber, &record, reply);
		freeReplyObject(reply);
	}
}
