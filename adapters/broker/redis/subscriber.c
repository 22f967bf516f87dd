/*
 * The subscriber: its options, its memory, and the table of its functions. The functions' code
 * is in the other files.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/random.h>

#include "handshake.h"
#include "receive.h"
#include "record.h"
#include "settle.h"
#include "subscriber.h"

#define NAME_BYTES_MAX 1024

static struct redis_subscriber *
of(const struct herald_subscriber *subscriber)
{
	return (struct redis_subscriber *)subscriber;
}

/* Options. */

static enum herald_status
check_name(const char *option, const char *name, struct herald_error *error)
{
	if (!name || *name == '\0')
		return herald_option_refuse(error, option, "must be set");
	if (strlen(name) > NAME_BYTES_MAX)
		return herald_option_refuse(error, option, "must have at most %d bytes, not %zu",
					    NAME_BYTES_MAX, strlen(name));
	return HERALD_OK;
}

static enum herald_status
check_times(struct herald_redis_subscriber_options *options, struct herald_error *error)
{
	if (options->visibility_ms == 0)
		options->visibility_ms = 30000;
	if (options->connect_timeout_ms == 0)
		options->connect_timeout_ms = 2000;
	if (options->reply_timeout_ms == 0)
		options->reply_timeout_ms =
			options->visibility_ms < 15000 ? options->visibility_ms / 3 : 5000;
	const struct herald_option_range ranges[] = {
		{"visibility_ms", options->visibility_ms, 1000, 86400000},
		{"connect_timeout_ms", options->connect_timeout_ms, 1, 60000},
		{"reply_timeout_ms", options->reply_timeout_ms, 1, options->visibility_ms / 2},
	};

	return herald_option_ranges_check(ranges, sizeof(ranges) / sizeof(*ranges), error);
}

static enum herald_status
read_options(const struct herald_redis_subscriber_options *given,
	     struct redis_subscriber *subscriber, struct herald_error *error)
{
	struct herald_redis_subscriber_options *options = &subscriber->options;
	enum herald_status status = herald_options_read(given, options, sizeof(*options),
							"HERALD_REDIS_SUBSCRIBER_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&options->allocator, error);
	if (status == HERALD_OK)
		status = herald__redis_url_parse(options->url, &subscriber->url, error);
	if (status == HERALD_OK)
		status = herald__broker_tls_configure(
			&(struct broker_tls_files){options->ca_file, options->certificate_file,
						   options->key_file},
			subscriber->url.is_secure, "rediss://", &subscriber->url.tls, error);
	if (status == HERALD_OK)
		status = check_name("stream", options->stream, error);
	if (status == HERALD_OK)
		status = check_name("group", options->group, error);
	if (status == HERALD_OK)
		status = check_times(options, error);
	options->allocator = herald_allocator_or_libc(&options->allocator);
	options->url = options->ca_file = options->certificate_file = options->key_file = NULL;
	return status;
}

/* Creation. */

/* A text of three parts. NULL: out of memory. */
static char *
join(const struct herald_allocator *allocator, const char *stream, const char *group,
     const char *end)
{
	const size_t bytes = strlen(stream) + strlen(group) + strlen(end) + 2;
	char *text = herald_memory_allocate(allocator, bytes);

	if (text)
		snprintf(text, bytes, "%s%s%s%s", stream, *group ? "." : "", group, end);
	return text;
}

static void
release_text(const struct herald_allocator *allocator, const char *text)
{
	if (text)
		herald_memory_release(allocator, (void *)(uintptr_t)text, strlen(text) + 1);
}

/* Returns false when out of memory. */
static bool
make_names(struct redis_subscriber *subscriber)
{
	struct herald_redis_subscriber_options *options = &subscriber->options;
	const struct herald_allocator *allocator = &options->allocator;
	const char *stream = options->stream, *group = options->group;
	char host[48] = "";

	options->stream = join(allocator, stream, "", "");
	options->group = join(allocator, "", "", group);
	subscriber->dead = join(allocator, stream, "", ".dead");
	subscriber->delayed = join(allocator, stream, group, ".delayed");
	snprintf(subscriber->source, sizeof(subscriber->source), "%s:%d/%d %s %s",
		 subscriber->url.host, subscriber->url.port, subscriber->url.database, stream,
		 group);
	subscriber->base.source = subscriber->source;
	gethostname(host, sizeof(host) - 1);
	snprintf(subscriber->consumer, sizeof(subscriber->consumer), "herald-%s-%ld-%016llx", host,
		 (long)getpid(), (unsigned long long)herald_random_seed());
	return options->stream && options->group && subscriber->dead && subscriber->delayed;
}

static void
destroy(struct herald_subscriber *base)
{
	struct redis_subscriber *subscriber = of(base);
	const struct herald_allocator allocator = subscriber->options.allocator;

	if (subscriber->wake_fd >= 0)
		close(subscriber->wake_fd);
	release_text(&allocator, subscriber->options.stream);
	release_text(&allocator, subscriber->options.group);
	release_text(&allocator, subscriber->dead);
	release_text(&allocator, subscriber->delayed);
	herald__redis_array_finish(&subscriber->records, sizeof(struct herald__redis_record),
				   &allocator);
	herald__redis_array_finish(&subscriber->done, sizeof(struct redis_id), &allocator);
	herald__redis_array_finish(&subscriber->due, sizeof(struct redis_due), &allocator);
	herald_memory_release(&allocator, subscriber, sizeof(*subscriber));
}

/* The table of functions. */

static enum herald_status
open_connections(struct herald_subscriber *subscriber,
		 const struct herald_subscriber_settings *settings, struct herald_error *error)
{
	of(subscriber)->settings = *settings;
	return herald__redis_open(of(subscriber), error);
}

static enum herald_status
receive(struct herald_subscriber *subscriber, size_t room, size_t room_bytes, uint32_t timeout_ms,
	struct herald_received_list *out, struct herald_error *error)
{
	return herald__redis_receive(of(subscriber), room, room_bytes, timeout_ms, out, error);
}

static void
settle(struct herald_subscriber *subscriber, const struct herald_settlement *settlements,
       size_t count)
{
	for (size_t i = 0; i < count; i++)
		herald__redis_settle(of(subscriber), &settlements[i]);
	/* At once: the next event may end the process. */
	herald__redis_acknowledge(of(subscriber));
}

static void
extend(struct herald_subscriber *base, struct herald_received *const *messages, size_t count)
{
	struct redis_subscriber *subscriber = of(base);
	const uint64_t now_ms = herald__redis_now_ms();
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (herald__redis_is_stale(subscriber, (struct redis_entry *)messages[i], now_ms))
			herald_received_lose(base, messages[i]);
		else
			kept++;
	}
	if (kept == 0 || !subscriber->settler.context)
		return;
	herald__redis_keep_begin(subscriber, kept);
	for (size_t i = 0; i < count; i++)
		if (!herald__redis_is_stale(subscriber, (struct redis_entry *)messages[i], now_ms))
			herald__redis_keep_add(subscriber, (struct redis_entry *)messages[i],
					       now_ms);
	herald__redis_keep_end(subscriber);
}

static uint32_t
extend_ms(const struct herald_subscriber *subscriber)
{
	return redis_part(of(subscriber), 4);
}

static size_t
unsettled(const struct herald_subscriber *subscriber)
{
	return redis_unsettled(of(subscriber));
}

static size_t
flush(struct herald_subscriber *subscriber, uint32_t timeout_ms)
{
	return of(subscriber)->settler.context ? herald__redis_flush(of(subscriber), timeout_ms)
					       : unsettled(subscriber);
}

static void
close_connections(struct herald_subscriber *base, uint32_t timeout_ms)
{
	struct redis_subscriber *subscriber = of(base);
	const struct herald_allocator *allocator = &subscriber->options.allocator;

	if (subscriber->settler.context && !subscriber->settler.is_broken &&
	    subscriber->reader.context && !subscriber->reader.is_broken) {
		herald__redis_flush(subscriber, timeout_ms / 2);
		herald__redis_clean(subscriber, subscriber->consumer);
		herald__redis_flush(subscriber, timeout_ms / 2);
	}
	herald__redis_connection_close(&subscriber->reader);
	herald__redis_connection_close(&subscriber->settler);
	subscriber->is_reading = false;
	/* The next connection acknowledges entries that are done. All others come again. */
	subscriber->done_sent = 0;
	subscriber->unsettled = 0;
	subscriber->claiming = 0;
	subscriber->is_sweeping = false;
	struct herald__redis_record *records = subscriber->records.items;
	for (size_t i = 0; i < subscriber->records.count; i++)
		if (records[subscriber->records.first + i].asked == REDIS_ASKED_SCORE)
			herald__redis_entry_destroy(allocator,
						    records[subscriber->records.first + i].entry);
	herald__redis_array_drop(&subscriber->records, subscriber->records.count);
	for (struct redis_entry *entry; (entry = subscriber->ready.first);) {
		herald__redis_list_remove(&subscriber->ready, entry);
		herald__redis_entry_destroy(allocator, entry);
	}
}

static void
wake(struct herald_subscriber *subscriber)
{
	const uint64_t one = 1;

	/* It fails only if the counter is full, and then receive() wakes as well. */
	if (write(of(subscriber)->wake_fd, &one, sizeof(one)) < 0)
		return;
}

static bool
is_stopping(const void *state)
{
	return herald_subscriber_is_stopping(state);
}

static const struct herald_subscriber_ops ops = {
	.name = "redis",
	.counts_releases = false,
	.open = open_connections,
	.receive = receive,
	.settle = settle,
	.extend = extend,
	.extend_ms = extend_ms,
	.unsettled = unsettled,
	.flush = flush,
	.close = close_connections,
	.wake = wake,
	.destroy = destroy,
};

enum herald_status
herald_redis_subscriber_create(const struct herald_redis_subscriber_options *options,
			       struct herald_subscriber **out, struct herald_error *error)
{
	struct redis_subscriber read = {.wake_fd = -1};
	enum herald_status status = read_options(options, &read, error);

	if (status != HERALD_OK)
		return status;
	const struct herald_allocator allocator = read.options.allocator;
	struct redis_subscriber *subscriber =
		herald_memory_allocate(&allocator, sizeof(*subscriber));
	if (!subscriber)
		return herald_out_of_memory(error);
	*subscriber = read;
	subscriber->base.ops = &ops;
	herald__redis_connection_init(&subscriber->reader, &allocator);
	herald__redis_connection_init(&subscriber->settler, &allocator);
	subscriber->cursor = (struct redis_id){"0-0"};
	if (!make_names(subscriber)) {
		destroy(&subscriber->base);
		return herald_out_of_memory(error);
	}
	subscriber->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (subscriber->wake_fd < 0) {
		status = herald_system_error(error, "cannot create an eventfd", errno);
		destroy(&subscriber->base);
		return status;
	}
	subscriber->interrupt =
		(struct redis_interrupt){subscriber->wake_fd, is_stopping, &subscriber->base};
	subscriber->reader.interrupt = subscriber->settler.interrupt = &subscriber->interrupt;
	*out = &subscriber->base;
	return HERALD_OK;
}

uint64_t
herald_redis_subscriber_trimmed(const struct herald_subscriber *subscriber)
{
	return atomic_load(&of(subscriber)->trimmed);
}
