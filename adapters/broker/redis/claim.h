/*
 * Claims entries that come again.
 */
#ifndef HERALD_REDIS_CLAIM_H
#define HERALD_REDIS_CLAIM_H

#include "subscriber.h"

/* Ask for entries that are due, if it is time and there is room. */
void herald__redis_claim(struct redis_subscriber *subscriber, size_t room, uint64_t now_ms);
/* When it is time. */
uint64_t herald__redis_claim_ms(const struct redis_subscriber *subscriber);
/* Claim this one then. */
void herald__redis_claim_later(struct redis_subscriber *subscriber, const struct redis_id *id,
			       uint64_t due_ms);
/* The answer to a record of the kind CLAIM, ENTRY, COUNT or SCORE. */
void herald__redis_claim_answer(struct redis_subscriber *subscriber,
				const struct herald__redis_record *record, const redisReply *reply);

#endif
