/*
 * The constructor: reads the options and owns their texts. Does not connect: that is in
 * operations.c.
 */
#include <herald/rabbitmq.h>

#include <stdio.h>
#include <string.h>

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "operations.h"
#include "state.h"

#define MAX_QUEUE_BYTES 200

static void
destroy(struct herald_subscriber *base)
{
	struct rabbitmq *rabbitmq = (struct rabbitmq *)base;
	const struct herald_allocator allocator = rabbitmq->own_allocator;

	if (rabbitmq->wake_fd >= 0)
		close(rabbitmq->wake_fd);
	pthread_mutex_destroy(&rabbitmq->opening.mutex);
	herald_arena_destroy(rabbitmq->texts);
	herald_memory_release(&allocator, rabbitmq, sizeof(*rabbitmq));
}

static bool
is_stopping(const void *state)
{
	return herald_subscriber_is_stopping(state);
}

/* The server counts a message that was given back as delivered; it does not deliver a message again
 * while the connection lasts. */
static const struct herald_subscriber_ops operations = {
	.name = "rabbitmq",
	.counts_releases = true,
	.open = herald__rabbitmq_open,
	.receive = herald__rabbitmq_receive,
	.settle = herald__rabbitmq_settle,
	.unsettled = herald__rabbitmq_unsettled,
	.flush = herald__rabbitmq_flush,
	.close = herald__rabbitmq_close,
	.wake = herald__rabbitmq_wake,
	.destroy = destroy,
};

/* Options. */

static enum herald_status
check_queue(const char *option, const char *name, size_t max_bytes, struct herald_error *error)
{
	if (!name || *name == '\0')
		return herald_option_refuse(error, option, "must be set");
	if (strlen(name) > max_bytes)
		return herald_option_refuse(error, option, "must have at most %zu bytes, not %zu",
					    max_bytes, strlen(name));
	if (strncmp(name, "amq.", 4) == 0)
		return herald_option_refuse(error, option,
					    "must not begin with \"amq.\", which RabbitMQ "
					    "reserves: \"%s\"",
					    name);
	return HERALD_OK;
}

static enum herald_status
read_options(const struct herald_rabbitmq_subscriber_options *given,
	     struct herald_rabbitmq_subscriber_options *out, struct herald_error *error)
{
	enum herald_status status = herald_options_read(
		given, out, sizeof(*out), "HERALD_RABBITMQ_SUBSCRIBER_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&out->allocator, error);
	if (status == HERALD_OK)
		status = check_queue("queue", out->queue, MAX_QUEUE_BYTES, error);
	if (status == HERALD_OK && out->dead_queue)
		status = check_queue("dead_queue", out->dead_queue, RABBITMQ_NAME_BYTES - 1, error);
	if (status == HERALD_OK && out->dead_queue && strcmp(out->dead_queue, out->queue) == 0)
		status = herald_option_refuse(error, "dead_queue", "must not be the queue itself");
	if (out->connect_timeout_ms == 0)
		out->connect_timeout_ms = 5000;
	if (out->heartbeat_s == 0)
		out->heartbeat_s = 30;
	if (!out->connection_name)
		out->connection_name = "herald";

	const struct herald_option_range ranges[] = {
		{"connect_timeout_ms", out->connect_timeout_ms, 1, 600000},
		{"heartbeat_s", out->heartbeat_s, 1, 3600},
	};
	return status == HERALD_OK ? herald_option_ranges_check(ranges, 2, error) : status;
}

/* A text of up to 600 bytes in the arena; NULL when out of memory. */
static const char *
text(struct herald_arena *arena, const char *first, const char *second)
{
	const size_t bytes = strlen(first) + strlen(second);
	char *copy = herald_arena_alloc(arena, bytes + 1);

	if (copy)
		snprintf(copy, bytes + 1, "%s%s", first, second);
	return copy;
}

static enum herald_status
set_texts(struct rabbitmq *rabbitmq, const struct herald_rabbitmq_subscriber_options *options,
	  struct herald_error *error)
{
	struct rabbitmq_link_settings *to = &rabbitmq->link_settings;
	char source[1024];

	if (herald_arena_create(&rabbitmq->own_allocator, SIZE_MAX, &rabbitmq->texts) != HERALD_OK)
		return herald_out_of_memory(error);
	enum herald_status status =
		herald__rabbitmq_url_read(options->url, rabbitmq->texts, &to->url, error);
	if (status == HERALD_OK)
		status = herald__broker_tls_configure(
			&(struct broker_tls_files){options->ca_file, options->certificate_file,
						   options->key_file},
			to->url.is_secure, "amqps://", &to->tls, error);
	if (status != HERALD_OK)
		return status;
	snprintf(source, sizeof(source), "%s:%u %s %s", to->url.host, to->url.port, to->url.vhost,
		 options->queue);
	rabbitmq->base.source = text(rabbitmq->texts, source, "");
	rabbitmq->queue = text(rabbitmq->texts, options->queue, "");
	rabbitmq->dead_queue = options->dead_queue ? text(rabbitmq->texts, options->dead_queue, "")
						   : text(rabbitmq->texts, options->queue, ".dead");
	to->name = text(rabbitmq->texts, options->connection_name, "");
	if (!rabbitmq->base.source || !rabbitmq->queue || !rabbitmq->dead_queue || !to->name)
		return herald_out_of_memory(error);
	return HERALD_OK;
}

enum herald_status
herald_rabbitmq_subscriber_create(const struct herald_rabbitmq_subscriber_options *given,
				  struct herald_subscriber **out, struct herald_error *error)
{
	struct herald_rabbitmq_subscriber_options options;
	enum herald_status status = read_options(given, &options, error);

	if (status != HERALD_OK)
		return status;
	const struct herald_allocator allocator = herald_allocator_or_libc(&options.allocator);
	struct rabbitmq *rabbitmq = herald_memory_allocate_zeroed(&allocator, 1, sizeof(*rabbitmq));
	if (!rabbitmq)
		return herald_out_of_memory(error);
	int failed = pthread_mutex_init(&rabbitmq->opening.mutex, NULL);
	if (failed != 0) {
		herald_memory_release(&allocator, rabbitmq, sizeof(*rabbitmq));
		return herald_system_error(error, "cannot create a mutex", failed);
	}
	rabbitmq->opening.must_end = is_stopping;
	rabbitmq->opening.state = &rabbitmq->base;
	rabbitmq->link_settings.opening = &rabbitmq->opening;
	rabbitmq->base.ops = &operations;
	rabbitmq->own_allocator = allocator;
	rabbitmq->link_settings.timeout_ms = options.connect_timeout_ms;
	rabbitmq->link_settings.heartbeat_s = options.heartbeat_s;
	rabbitmq->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	status = rabbitmq->wake_fd < 0
			 ? herald_system_error(error, "cannot create an eventfd", errno)
			 : set_texts(rabbitmq, &options, error);
	if (status == HERALD_OK)
		*out = &rabbitmq->base;
	else
		destroy(&rabbitmq->base);
	return status;
}
