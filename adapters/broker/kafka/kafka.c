/*
 * The subscriber: its memory, its states, and the table of its functions. The other files have the
 * parts.
 */
#include <herald/kafka.h>

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "assignment.h"
#include "client.h"
#include "commit.h"
#include "copies.h"
#include "message.h"
#include "options.h"
#include "partition.h"
#include "receive.h"
#include "topics.h"

#define MAX_TEXTS 1000000

/* The clients stay: they connect again. If that does not take long, the group does not notice. */
static bool
suspend(struct kafka *kafka)
{
	kafka->has_failed = false;
	herald__kafka_sender_purge(&kafka->sender);
	return herald__kafka_assignment_suspend(kafka);
}

static void
end(struct kafka *kafka)
{
	herald__kafka_assignment_lose(kafka);
	herald__kafka_client_destroy(kafka);
	herald__kafka_copies_drop(kafka);
	kafka->has_failed = kafka->is_away = kafka->is_committing = false;
	kafka->commit_ms = UINT64_MAX;
}

static void
kafka_close(struct herald_subscriber *subscriber, uint32_t timeout_ms)
{
	struct kafka *kafka = kafka_of(subscriber);
	const uint64_t until_ms = kafka_now_ms() + timeout_ms;

	if (!kafka->consumer || (kafka->is_away && suspend(kafka)))
		return;
	if (!kafka->has_failed)
		(void)herald__kafka_commit_all(kafka, until_ms - timeout_ms / 2);
	end(kafka);
}

static enum herald_status
resume(struct kafka *kafka, struct herald_error *error)
{
	enum herald_status status = herald__kafka_topics_await(kafka, error);

	if (status != HERALD_OK)
		return status;
	kafka->is_away = false;
	kafka->commit_sent_ms = kafka_now_ms();
	if (herald__kafka_assignment_resume(kafka, error))
		return HERALD_OK;
	kafka->has_failed = true;
	end(kafka);
	return HERALD_UNAVAILABLE;
}

static enum herald_status
kafka_open(struct herald_subscriber *subscriber, const struct herald_subscriber_settings *settings,
	   struct herald_error *error)
{
	struct kafka *kafka = kafka_of(subscriber);

	if (kafka->consumer)
		return resume(kafka, error);
	kafka->settings = *settings;
	kafka->access.log = settings->log; /* threads of clients read it */
	enum herald_status status = herald__kafka_client_create(kafka, error);
	if (status == HERALD_OK)
		status = herald__kafka_topics_open(kafka, error);
	if (status != HERALD_OK) {
		kafka->has_failed = true;
		end(kafka);
	}
	return status;
}

static void
settle_one(struct kafka *kafka, const struct herald_settlement *settlement)
{
	struct kafka_message *message = (struct kafka_message *)settlement->message;

	if (!message->partition)
		herald__kafka_message_free(kafka, message);
	else if (settlement->kind == HERALD_SETTLE_DONE)
		herald__kafka_partition_finish(kafka, message);
	else if (settlement->kind == HERALD_SETTLE_RELEASE)
		herald__kafka_partition_keep(kafka, message);
	else
		herald__kafka_copy_start(kafka, settlement);
}

static void
kafka_settle(struct herald_subscriber *subscriber, const struct herald_settlement *settlements,
	     size_t count)
{
	for (size_t i = 0; i < count; i++)
		settle_one(kafka_of(subscriber), &settlements[i]);
}

static void
kafka_wake(struct herald_subscriber *subscriber)
{
	struct kafka *kafka = kafka_of(subscriber);
	const uint64_t one = 1;

	atomic_store(&kafka->is_woken, true);
	/* It fails only if the counter is full, and then receive() wakes as well. */
	(void)!write(kafka->wake_fd, &one, sizeof(one));
}

static void
kafka_destroy(struct herald_subscriber *subscriber)
{
	struct kafka *kafka = kafka_of(subscriber);
	const struct herald_allocator allocator = kafka->options.allocator;

	kafka->has_failed = true;
	end(kafka);
	if (kafka->wake_fd >= 0)
		close(kafka->wake_fd);
	herald_arena_destroy(kafka->texts);
	herald_memory_release(&allocator, kafka, sizeof(*kafka));
}

/* Brokers do not count deliveries: the metadata of offsets does, as far as it is committed. */
static const struct herald_subscriber_ops kafka_ops = {
	.name = "kafka",
	.counts_late = true,
	.renames_retries = true,
	.open = kafka_open,
	.receive = herald__kafka_receive,
	.settle = kafka_settle,
	.unsettled = herald__kafka_unsettled,
	.flush = herald__kafka_flush,
	.close = kafka_close,
	.wake = kafka_wake,
	.destroy = kafka_destroy,
};

enum herald_status
herald_kafka_subscriber_create(const struct herald_kafka_subscriber_options *given,
			       struct herald_subscriber **out, struct herald_error *error)
{
	struct herald_kafka_subscriber_options options;
	enum herald_status status = herald__kafka_options_read(given, &options, error);

	if (status != HERALD_OK)
		return status;
	struct kafka *kafka = herald_memory_allocate_zeroed(&options.allocator, 1, sizeof(*kafka));
	if (!kafka)
		return herald_out_of_memory(error);
	kafka->options = options;
	kafka->base.ops = &kafka_ops;
	kafka->commit_ms = kafka->send_ms = UINT64_MAX;
	kafka->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (kafka->wake_fd < 0)
		status = herald_system_error(error, "cannot create an eventfd", errno);
	else if (herald_arena_create(&options.allocator, MAX_TEXTS, &kafka->texts) != HERALD_OK)
		status = herald_out_of_memory(error);
	else
		status = herald__kafka_options_copy(kafka, error);
	if (status == HERALD_OK)
		*out = &kafka->base;
	else
		kafka_destroy(&kafka->base);
	return status;
}

void
herald_kafka_subscriber_destroy(struct herald_subscriber *subscriber)
{
	if (subscriber)
		subscriber->ops->destroy(subscriber);
}
