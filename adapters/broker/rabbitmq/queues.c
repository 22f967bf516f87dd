/*
 * The queues: which there are, and with which arguments. Owns no connection.
 */
#include "queues.h"

#include <string.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "epoch.h"

#define MAX_ARGUMENTS 7

/* Tiers. */

static uint64_t
tier_ms(int tier)
{
	static const unsigned digits[] = {1, 2, 5};
	uint64_t ms = 10;

	if (tier == RABBITMQ_TIERS - 1)
		return UINT32_MAX; /* the longest that the server takes */
	for (int i = tier / 3; i > 0; i--)
		ms *= 10;
	return ms * digits[tier % 3];
}

int
herald__rabbitmq_tier_of(uint64_t delay_ms)
{
	int tier = 0;

	while (tier < RABBITMQ_TIERS - 1 && tier_ms(tier) < delay_ms)
		tier++;
	return tier;
}

void
herald__rabbitmq_tier_name(const struct rabbitmq *rabbitmq, int tier, char out[RABBITMQ_NAME_BYTES])
{
	herald_text_write(out, RABBITMQ_NAME_BYTES, "%s.herald.retry.%llu", rabbitmq->queue,
			  (unsigned long long)tier_ms(tier));
}

/* Arguments. */

static void
add_text(amqp_table_t *table, const char *name, const char *text)
{
	table->entries[table->num_entries++] = (amqp_table_entry_t){
		.key = amqp_cstring_bytes(name),
		.value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(text)},
	};
}

static void
add_number(amqp_table_t *table, const char *name, int64_t number)
{
	table->entries[table->num_entries++] = (amqp_table_entry_t){
		.key = amqp_cstring_bytes(name),
		.value = {.kind = AMQP_FIELD_KIND_I64, .value.i64 = number},
	};
}

/* From 4.0 on, the server drops a message at the 20th delivery by default. */
static bool
limits_deliveries(const struct rabbitmq *rabbitmq)
{
	const amqp_table_t *properties = amqp_get_server_properties(rabbitmq->consumer.conn);

	for (int i = 0; i < properties->num_entries; i++) {
		const amqp_table_entry_t *entry = &properties->entries[i];
		const amqp_bytes_t text = entry->value.value.bytes;

		if (entry->key.len == 7 && memcmp(entry->key.bytes, "version", 7) == 0 &&
		    entry->value.kind == AMQP_FIELD_KIND_UTF8 && text.len >= 2)
			return memcmp(text.bytes, "4", 1) >= 0 ||
			       ((const char *)text.bytes)[1] != '.';
	}
	return false;
}

/* The arguments of a tier, or of another queue (-1). A message that has waited goes back to the
 * queue, and leaves the tier when it is stored there. */
static void
set_arguments(const struct rabbitmq *rabbitmq, int tier, amqp_table_t *out)
{
	add_text(out, "x-queue-type", "quorum");
	if (tier < 0) {
		if (limits_deliveries(rabbitmq))
			add_number(out, "x-delivery-limit", -1);
		return;
	}
	add_number(out, "x-message-ttl", (int64_t)tier_ms(tier));
	add_text(out, "x-dead-letter-exchange", "");
	add_text(out, "x-dead-letter-routing-key", rabbitmq->queue);
	add_text(out, "x-dead-letter-strategy", "at-least-once");
	add_text(out, "x-overflow", "reject-publish");
}

/* Declaring. */

static enum herald_status
explain(enum herald_status status, const char *option, const char *name, struct herald_error *error)
{
	char reason[sizeof(error->message)];

	if (status != HERALD_BAD_OPTION || !error)
		return status;
	memcpy(reason, error->message, sizeof(reason));
	return herald_option_refuse(error, option,
				    "\"%s\" cannot be used. If it exists with other arguments, "
				    "delete it when it is empty, or use another name (%s)",
				    name, reason);
}

static enum herald_status
declare(struct rabbitmq *rabbitmq, const char *name, int tier, const char *option,
	struct herald_error *error)
{
	amqp_table_entry_t entries[MAX_ARGUMENTS];
	amqp_table_t arguments = {0, entries};

	set_arguments(rabbitmq, tier, &arguments);
	amqp_queue_declare(rabbitmq->consumer.conn, RABBITMQ_CHANNEL, amqp_cstring_bytes(name), 0,
			   1, 0, 0, arguments);
	return explain(herald__rabbitmq_reply(amqp_get_rpc_reply(rabbitmq->consumer.conn),
					      "cannot declare", error),
		       option, name, error);
}

enum herald_status
herald__rabbitmq_declare_all(struct rabbitmq *rabbitmq, struct herald_error *error)
{
	enum herald_status status = declare(rabbitmq, rabbitmq->queue, -1, "queue", error);

	if (status == HERALD_OK)
		status = declare(rabbitmq, rabbitmq->dead_queue, -1, "dead_queue", error);
	/* The server may have forgotten it since the last connection. */
	if (status == HERALD_OK)
		rabbitmq->declared[RABBITMQ_TIERS].known_ms = herald__rabbitmq_now_ms();
	for (int tier = 0; tier < RABBITMQ_TIERS && status == HERALD_OK; tier++) {
		char name[RABBITMQ_NAME_BYTES];

		rabbitmq->is_declared[tier] = rabbitmq->tiers_used[tier];
		if (!rabbitmq->tiers_used[tier])
			continue;
		herald__rabbitmq_tier_name(rabbitmq, tier, name);
		status = declare(rabbitmq, name, tier, "queue", error);
		rabbitmq->declared[tier].known_ms = herald__rabbitmq_now_ms();
	}
	return status;
}

int
herald__rabbitmq_declare_again(struct rabbitmq *rabbitmq, const struct rabbitmq_copy *copy)
{
	amqp_table_entry_t entries[MAX_ARGUMENTS];
	amqp_queue_declare_t method = {
		.queue = amqp_cstring_bytes(copy->queue),
		.durable = 1,
		.nowait = 1,
		.arguments = {0, entries},
	};

	set_arguments(rabbitmq, copy->tier, &method.arguments);
	return amqp_send_method(rabbitmq->publisher.conn, RABBITMQ_CHANNEL,
				AMQP_QUEUE_DECLARE_METHOD, &method);
}
