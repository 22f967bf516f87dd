/*
 * The publisher: an idempotent producer, whose messages are confirmed by all replicas in sync. The
 * library connects again by itself and keeps messages for a while; when no broker is left, the
 * connection counts as lost. When messages are sent again is the producer's matter.
 */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/publisher.h>
#include <herald/adapter/text.h>
#include <herald/kafka.h>

#include "message.h"
#include "options.h"
#include "reach.h"
#include "sender.h"

#define MAX_TEXTS 1000000
/* Between two lines of the log. */
#define TELL_PAUSE_MS 10000

struct kafka_publisher {
	struct herald_publisher base;
	struct herald_allocator allocator;
	struct herald_arena *texts;
	struct kafka_access access;
	int wake_fd;
	atomic_bool is_woken;

	struct kafka_sender sender;
	/* Without a report. `place` of a message is the one before it. */
	struct herald_outgoing_list sent;
	struct herald_outgoing_list ended; /* for run() */
	bool has_failed;                   /* and why: */
	struct herald_error error;
	uint64_t tell_ms; /* when an error is told again */
};

static struct kafka_publisher *
of(struct herald_publisher *publisher)
{
	return (struct kafka_publisher *)publisher;
}

/* Messages without a report. */

static void
add_sent(struct kafka_publisher *publisher, struct herald_outgoing *message)
{
	message->place = publisher->sent.last;
	herald_outgoing_list_add(&publisher->sent, message);
}

static void
remove_sent(struct kafka_publisher *publisher, struct herald_outgoing *message)
{
	struct herald_outgoing_list *sent = &publisher->sent;
	struct herald_outgoing *before = message->place, *after = message->next;

	*(before ? &before->next : &sent->first) = after;
	*(after ? (struct herald_outgoing **)&after->place : &sent->last) = before;
	sent->count--;
}

/* Ends. */

/* An error that the operator can mend, such as a missing right. Not told for each message. */
static void
tell(struct kafka_publisher *publisher, const struct herald_outgoing *message)
{
	const uint64_t now_ms = kafka_now_ms();
	const struct herald_log_field fields[] = {
		{.key = "broker", .text = publisher->base.ops->name},
		{.key = "topic", .text = message->topic},
		{.key = "error", .text = message->reason},
	};

	if (now_ms < publisher->tell_ms)
		return;
	publisher->tell_ms = now_ms + TELL_PAUSE_MS;
	herald_log_write(&publisher->access.log, HERALD_LOG_WARNING,
			 "the broker does not take a message", fields,
			 sizeof(fields) / sizeof(*fields));
}

/* What an error means for the message. */
static enum herald_status
status_of(rd_kafka_resp_err_t code, bool may_have_arrived)
{
	switch (code) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		return HERALD_OK;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
		return HERALD_TOO_LARGE;
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
		return HERALD_BAD_VALUE;
	default:
		return may_have_arrived ? HERALD_UNKNOWN_OUTCOME : HERALD_UNAVAILABLE;
	}
}

static void
set_reason(struct herald_outgoing *message, rd_kafka_resp_err_t code)
{
	const char *why = rd_kafka_err2str(code);

	if (code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
	    code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
		why = "the topic does not exist";
	else if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
		why = "the message is larger than max.message.bytes of the topic";
	else if (code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
		why = "the brokers of its partition have not confirmed it in time";
	herald_text_write(message->reason, sizeof(message->reason), "%s: %s", message->topic, why);
}

static void
end(struct kafka_publisher *publisher, struct herald_outgoing *message, rd_kafka_resp_err_t code,
    bool may_have_arrived)
{
	message->status = status_of(code, may_have_arrived);
	if (code)
		set_reason(message, code);
	if (message->status == HERALD_UNAVAILABLE && code != RD_KAFKA_RESP_ERR__PURGE_QUEUE)
		tell(publisher, message);
	herald_outgoing_list_add(&publisher->ended, message);
}

static void
take_report(void *state, const rd_kafka_message_t *report, rd_kafka_resp_err_t code)
{
	const bool was_refused = code != report->err;

	remove_sent(state, report->_private);
	end(state, report->_private, code,
	    !was_refused && rd_kafka_message_status(report) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED);
}

static void
take_failure(void *state, rd_kafka_resp_err_t code, const char *why)
{
	struct kafka_publisher *publisher = state;

	if (publisher->has_failed ||
	    (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN &&
	     code != RD_KAFKA_RESP_ERR__AUTHENTICATION && code != RD_KAFKA_RESP_ERR__FATAL))
		return; /* librdkafka tries again */
	publisher->has_failed = true;
	herald_error_set(&publisher->error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "Kafka: %s: %s",
			 rd_kafka_err2str(code), why);
}

/* Sending. */

static rd_kafka_headers_t *
headers_of(const struct herald_outgoing *message)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
	const char *value, *name = NULL;

	while ((name = herald_outgoing_header(message, name, &value)))
		herald__kafka_header_add(headers, name, value);
	(void)rd_kafka_header_add(headers, HERALD_MESSAGE_ID_HEADER, -1, message->id, -1);
	if (message->content_type)
		(void)rd_kafka_header_add(headers, "content-type", -1, message->content_type, -1);
	if (message->key.data)
		(void)rd_kafka_header_add(headers, HERALD_KEY_HEADER, -1, message->key.data,
					  (ssize_t)message->key.bytes);
	return headers;
}

static enum herald_status
publisher_send(struct herald_publisher *base, struct herald_outgoing *message)
{
	struct kafka_publisher *publisher = of(base);

	if (!herald__kafka_is_topic(message->topic)) {
		herald_text_write(message->reason, sizeof(message->reason),
				  "a topic has up to 249 letters, digits, '.', '_' and '-': %s",
				  message->topic);
		return HERALD_BAD_VALUE;
	}
	const struct kafka_parcel parcel = {
		.topic = message->topic,
		.key = message->key,
		/* Not NULL: that would delete the key in a compacted topic. */
		.data = {message->data.data ? message->data.data : "", message->data.bytes},
		.headers = headers_of(message),
		.owner = message,
	};
	const rd_kafka_resp_err_t error = herald__kafka_sender_send(&publisher->sender, &parcel);

	if (!error) {
		add_sent(publisher, message);
		return HERALD_OK;
	}
	rd_kafka_headers_destroy(parcel.headers);
	if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL)
		return HERALD_LIMIT;
	end(publisher, message, error, false);
	return HERALD_OK;
}

static void
hand_over(struct kafka_publisher *publisher, struct herald_outgoing_list *finished)
{
	struct herald_outgoing *message;

	while ((message = herald_outgoing_list_take(&publisher->ended)))
		herald_outgoing_list_add(finished, message);
}

/* Wait for a report, or for wake(). Returns true if that was called. */
static bool
wait_until(struct kafka_publisher *publisher, uint64_t until_ms, uint64_t now_ms)
{
	struct pollfd wake = {.fd = publisher->wake_fd, .events = POLLIN};
	const uint64_t wait_ms = until_ms - now_ms;
	uint64_t count;

	if (poll(&wake, 1, wait_ms < INT32_MAX ? (int)wait_ms : INT32_MAX) > 0)
		(void)!read(publisher->wake_fd, &count, sizeof(count));
	return atomic_exchange(&publisher->is_woken, false);
}

/* There is room again only when messages are finished. */
static enum herald_status
publisher_run(struct herald_publisher *base, uint32_t timeout_ms,
	      struct herald_outgoing_list *finished, struct herald_error *error)
{
	struct kafka_publisher *publisher = of(base);
	const uint64_t until_ms = kafka_now_ms() + timeout_ms;
	bool is_woken = false;

	for (;;) {
		herald__kafka_sender_turn(&publisher->sender, take_report, take_failure, publisher);
		hand_over(publisher, finished);
		if (publisher->has_failed) {
			if (error)
				*error = publisher->error;
			return HERALD_UNAVAILABLE;
		}
		const uint64_t now_ms = kafka_now_ms();
		if (is_woken || finished->count > 0 || now_ms >= until_ms)
			return HERALD_OK;
		is_woken = wait_until(publisher, until_ms, now_ms);
	}
}

static void
publisher_wake(struct herald_publisher *base)
{
	const uint64_t one = 1;

	atomic_store(&of(base)->is_woken, true);
	/* It fails only if the counter is full, and then run() ends as well. */
	(void)!write(of(base)->wake_fd, &one, sizeof(one));
}

/* Connections. */

static enum herald_status
publisher_open(struct herald_publisher *base, const struct herald_publisher_settings *settings,
	       struct herald_error *error)
{
	struct kafka_publisher *publisher = of(base);
	struct kafka_sender *sender = &publisher->sender;

	publisher->access.log = settings->log; /* the client's threads read it */
	enum herald_status status = herald__kafka_sender_create(
		sender, &publisher->access, publisher->wake_fd, settings->max_in_flight, error);
	if (status == HERALD_OK)
		status = herald__kafka_reach(sender->clients[0], sender->reports[0],
					     kafka_now_ms() + publisher->access.timeout_ms, base,
					     error);
	if (status != HERALD_OK)
		herald__kafka_sender_destroy(sender);
	return status;
}

static void
publisher_close(struct herald_publisher *base, uint32_t timeout_ms,
		struct herald_outgoing_list *finished)
{
	struct kafka_publisher *publisher = of(base);
	struct herald_outgoing *message;

	(void)timeout_ms; /* there is nothing to wait for */
	if (publisher->sender.clients[0]) {
		herald__kafka_sender_purge(&publisher->sender);
		herald__kafka_sender_turn(&publisher->sender, take_report, take_failure, publisher);
	}
	herald__kafka_sender_destroy(&publisher->sender);
	while ((message = herald_outgoing_list_take(&publisher->sent)))
		end(publisher, message, RD_KAFKA_RESP_ERR__DESTROY, true);
	hand_over(publisher, finished);
	publisher->has_failed = false;
}

static void
publisher_destroy(struct herald_publisher *base)
{
	struct kafka_publisher *publisher = of(base);
	const struct herald_allocator allocator = publisher->allocator;

	if (publisher->wake_fd >= 0)
		close(publisher->wake_fd);
	herald_arena_destroy(publisher->texts);
	herald_memory_release(&allocator, publisher, sizeof(*publisher));
}

static const struct herald_publisher_ops operations = {
	.name = "kafka",
	.open = publisher_open,
	.send = publisher_send,
	.run = publisher_run,
	.wake = publisher_wake,
	.close = publisher_close,
	.destroy = publisher_destroy,
};

/* Creation. */

static enum herald_status
read_options(const struct herald_kafka_publisher_options *given,
	     struct herald_kafka_publisher_options *out, struct herald_error *error)
{
	enum herald_status status = herald_options_read(given, out, sizeof(*out),
							"HERALD_KAFKA_PUBLISHER_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&out->allocator, error);
	if (out->timeout_ms == 0)
		out->timeout_ms = 5000;
	const struct herald_option_range range = {"timeout_ms", out->timeout_ms, 1000, 300000};
	if (status == HERALD_OK)
		status = herald_option_ranges_check(&range, 1, error);
	out->allocator = herald_allocator_or_libc(&out->allocator);
	return status;
}

static enum herald_status
set_access(struct kafka_publisher *publisher, const struct herald_kafka_publisher_options *options,
	   struct herald_error *error)
{
	if (herald_arena_create(&publisher->allocator, MAX_TEXTS, &publisher->texts) != HERALD_OK)
		return herald_out_of_memory(error);
	return herald__kafka_access_read(options->url, options->timeout_ms, options->properties,
					 options->properties_count, publisher->texts,
					 &publisher->access, error);
}

enum herald_status
herald_kafka_publisher_create(const struct herald_kafka_publisher_options *given,
			      struct herald_publisher **out, struct herald_error *error)
{
	struct herald_kafka_publisher_options options;
	enum herald_status status = read_options(given, &options, error);

	if (status != HERALD_OK)
		return status;
	struct kafka_publisher *publisher =
		herald_memory_allocate_zeroed(&options.allocator, 1, sizeof(*publisher));
	if (!publisher)
		return herald_out_of_memory(error);
	publisher->base.ops = &operations;
	publisher->allocator = options.allocator;
	publisher->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	status = publisher->wake_fd < 0
			 ? herald_system_error(error, "cannot create an eventfd", errno)
			 : set_access(publisher, &options, error);
	if (status == HERALD_OK)
		*out = &publisher->base;
	else
		publisher_destroy(&publisher->base);
	return status;
}
