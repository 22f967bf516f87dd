/*
 * The publisher: an XADD for each message, many on their way at once, over a connection of its own.
 * Answers come in the order of the commands, so the messages that wait for one are a list. A
 * connection on which an answer did not come in time is of no use any more. When messages are sent
 * again is the producer's matter.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/publisher.h>
#include <herald/adapter/text.h>
#include <herald/redis.h>

#include "connection.h"
#include "server.h"

/* What waits for the socket. A message that is larger is sent alone. */
#define BUFFER_BYTES 1048576
/* proto-max-bulk-len of the server by default. */
#define MAX_BODY_BYTES 536870912
/* Between two lines of the log. */
#define TELL_PAUSE_MS 10000

struct redis_publisher {
	struct herald_publisher base;
	struct herald_redis_publisher_options options; /* without the URL */
	struct redis_url url;
	int wake_fd; /* an eventfd */
	struct redis_interrupt interrupt;

	struct redis_connection connection;
	struct redis_place place;
	struct herald_outgoing_list sent; /* without an answer, the oldest first */
	uint64_t progress_ms;             /* the socket took a part of what waits for it */
	bool is_full;                     /* send() has said so since the last run() */
	struct herald_log log;            /* the producer's */
	uint64_t tell_ms;                 /* when an error is told again */
};

static struct redis_publisher *
of(struct herald_publisher *publisher)
{
	return (struct redis_publisher *)publisher;
}

/* Sending. */

static bool
has_room(const struct redis_publisher *publisher)
{
	return publisher->connection.out.bytes - publisher->connection.sent < BUFFER_BYTES;
}

/* Why it can never be sent; NULL: it can. */
static const char *
problem_of(const struct herald_outgoing *message)
{
	const char *value, *name = NULL;

	if (message->data.bytes > MAX_BODY_BYTES)
		return "the body has more than 512 MiB, the limit of Redis";
	while ((name = herald_outgoing_header(message, name, &value)))
		if (strcmp(name, "data") == 0)
			return "a header is named \"data\", which on Redis is the field of the "
			       "body";
	return NULL;
}

/* Calls for each field but the body. Returns their number. */
static size_t
add_fields(struct redis_connection *connection, const struct herald_outgoing *message)
{
	const char *value, *name = NULL;
	size_t count = 1;

	while ((name = herald_outgoing_header(message, name, &value))) {
		count++;
		if (connection) {
			herald__redis_add_text(connection, name);
			herald__redis_add_text(connection, value);
		}
	}
	if (connection) {
		herald__redis_add_text(connection, HERALD_MESSAGE_ID_HEADER);
		herald__redis_add_text(connection, message->id);
	}
	if (message->content_type) {
		count++;
		if (connection) {
			herald__redis_add_text(connection, "content-type");
			herald__redis_add_text(connection, message->content_type);
		}
	}
	if (message->key.data) {
		count++;
		if (connection) {
			herald__redis_add_text(connection, HERALD_KEY_HEADER);
			herald__redis_add(connection, message->key.data, message->key.bytes);
		}
	}
	return count;
}

static enum herald_status
publisher_send(struct herald_publisher *base, struct herald_outgoing *message)
{
	struct redis_publisher *publisher = of(base);
	struct redis_connection *connection = &publisher->connection;
	const size_t more = 2 * add_fields(NULL, message) + 1;
	const char *problem = problem_of(message);

	if (problem) {
		herald_text_write(message->reason, sizeof(message->reason), "%s", problem);
		return message->data.bytes > MAX_BODY_BYTES ? HERALD_TOO_LARGE : HERALD_BAD_VALUE;
	}
	publisher->is_full = connection->is_broken || !has_room(publisher);
	if (publisher->is_full)
		return HERALD_LIMIT;
	if (publisher->options.must_exist)
		REDIS_BEGIN(connection, more, "XADD", message->topic, "NOMKSTREAM", "*", "data");
	else
		REDIS_BEGIN(connection, more, "XADD", message->topic, "*", "data");
	herald__redis_add(connection, message->data.data, message->data.bytes);
	add_fields(connection, message);
	herald_outgoing_list_add(&publisher->sent, message);
	return HERALD_OK;
}

/* Answers. */

static bool
begins_with(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strncmp(text, *words, strlen(*words)) == 0)
			return true;
	return false;
}

/* An error that the operator can mend, such as a missing right. Not told for each message. */
static void
tell(struct redis_publisher *publisher, const struct herald_outgoing *message)
{
	const uint64_t now_ms = herald__redis_now_ms();
	const struct herald_log_field fields[] = {
		{.key = "broker", .text = publisher->base.ops->name},
		{.key = "topic", .text = message->topic},
		{.key = "error", .text = message->reason},
	};

	if (now_ms < publisher->tell_ms)
		return;
	publisher->tell_ms = now_ms + TELL_PAUSE_MS;
	herald_log_write(&publisher->log, HERALD_LOG_WARNING, "the broker does not take a message",
			 fields, sizeof(fields) / sizeof(*fields));
}

/* What an error means. A few are the message's or the stream's; most pass, or the operator mends
 * them. With others, the server is not the one to publish to. */
static enum herald_status
status_of(struct redis_publisher *publisher, const char *text)
{
	static const char *const elsewhere[] = {"READONLY", "LOADING", "NOAUTH", "MASTERDOWN",
						NULL};
	static const char *const final[] = {"WRONGTYPE",
					    "ERR wrong number of arguments",
					    "ERR syntax error",
					    "ERR Invalid stream ID",
					    "ERR The ID specified in XADD",
					    "ERR The stream has exhausted",
					    "ERR Elements are too large",
					    NULL};

	if (begins_with(text, elsewhere))
		herald__redis_connection_fail(&publisher->connection, text);
	return begins_with(text, final) ? HERALD_BAD_VALUE : HERALD_UNAVAILABLE;
}

static void
finish(struct redis_publisher *publisher, struct herald_outgoing *message, const redisReply *reply)
{
	message->status = HERALD_OK;
	if (reply->type == REDIS_REPLY_ERROR) {
		message->status = status_of(publisher, reply->str);
		herald_text_write(message->reason, sizeof(message->reason), "XADD: %s", reply->str);
	} else if (reply->type == REDIS_REPLY_NIL) {
		message->status = HERALD_UNAVAILABLE;
		herald_text_write(message->reason, sizeof(message->reason),
				  "there is no stream \"%s\"", message->topic);
	}
	if (message->status == HERALD_UNAVAILABLE)
		tell(publisher, message);
}

static void
take_answers(struct redis_publisher *publisher, struct herald_outgoing_list *finished)
{
	redisReply *reply;

	while (publisher->sent.first && (reply = herald__redis_take(&publisher->connection))) {
		struct herald_outgoing *message = herald_outgoing_list_take(&publisher->sent);

		finish(publisher, message, reply);
		herald_outgoing_list_add(finished, message);
		freeReplyObject(reply);
	}
}

/* A large message takes long, but the socket takes some of it in the meantime. */
static void
send_some(struct redis_publisher *publisher)
{
	const size_t before = publisher->connection.sent;

	herald__redis_send(&publisher->connection);
	if (publisher->connection.sent > before)
		publisher->progress_ms = herald__redis_now_ms();
}

/* When the connection is given up, unless something comes. */
static uint64_t
silent_until_ms(const struct redis_publisher *publisher)
{
	const struct redis_connection *connection = &publisher->connection;
	const uint64_t since_ms = connection->asked_ms > publisher->progress_ms
					  ? connection->asked_ms
					  : publisher->progress_ms;

	return connection->awaited > 0 ? since_ms + publisher->options.reply_timeout_ms
				       : UINT64_MAX;
}

/* Wait for the socket, or for wake(). Returns true if that was called. */
static bool
wait_until(struct redis_publisher *publisher, uint64_t until_ms, uint64_t now_ms)
{
	struct redis_connection *connection = &publisher->connection;
	const uint64_t wait_ms = until_ms > now_ms ? until_ms - now_ms : 0;
	struct pollfd poll_fds[] = {
		{.fd = connection->context->fd, .events = POLLIN},
		{.fd = publisher->wake_fd, .events = POLLIN},
	};
	uint64_t count;

	if (connection->sent < connection->out.bytes)
		poll_fds[0].events |= POLLOUT;
	if (poll(poll_fds, 2, wait_ms < 1000 ? (int)wait_ms : 1000) <= 0)
		return false;
	if (poll_fds[0].revents & ~POLLOUT)
		herald__redis_read(connection);
	return (poll_fds[1].revents & POLLIN) &&
	       read(publisher->wake_fd, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

static enum herald_status
lost(const struct redis_publisher *publisher, struct herald_error *error)
{
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"the connection is lost: %s", publisher->connection.reason);
}

static enum herald_status
run_until(struct redis_publisher *publisher, uint64_t deadline_ms,
	  struct herald_outgoing_list *finished, struct herald_error *error)
{
	struct redis_connection *connection = &publisher->connection;
	bool is_woken = false;

	for (;;) {
		send_some(publisher);
		take_answers(publisher, finished);
		const uint64_t now_ms = herald__redis_now_ms();
		const uint64_t silent_ms = silent_until_ms(publisher);
		if (now_ms > silent_ms)
			herald__redis_connection_fail(connection, "no answer in time");
		if (connection->is_broken)
			return lost(publisher, error);
		if (is_woken || finished->count > 0 || now_ms >= deadline_ms ||
		    (publisher->is_full && has_room(publisher)))
			return HERALD_OK;
		is_woken = wait_until(
			publisher, deadline_ms < silent_ms ? deadline_ms : silent_ms + 1, now_ms);
	}
}

/* The message for which there was no room may have ended, and then send() is not called. */
static enum herald_status
publisher_run(struct herald_publisher *base, uint32_t timeout_ms,
	      struct herald_outgoing_list *finished, struct herald_error *error)
{
	struct redis_publisher *publisher = of(base);
	enum herald_status status =
		run_until(publisher, herald__redis_now_ms() + timeout_ms, finished, error);

	publisher->is_full = false;
	return status;
}

/* Connections. */

/* While it connects, the producer calls wake() only at its end. */
static bool
must_end_open(const void *state)
{
	(void)state;
	return true;
}

static enum herald_status
publisher_open(struct herald_publisher *base, const struct herald_publisher_settings *settings,
	       struct herald_error *error)
{
	struct redis_publisher *publisher = of(base);
	struct redis_connection *connection = &publisher->connection;
	const uint32_t reply_ms = publisher->options.reply_timeout_ms;
	enum herald_status status =
		herald__redis_connection_open(connection, &publisher->url, &publisher->place,
					      publisher->options.connect_timeout_ms, error);

	publisher->log = settings->log;
	publisher->is_full = false;
	if (status == HERALD_OK)
		status = herald__redis_log_in(connection, &publisher->url, reply_ms, error);
	if (status == HERALD_OK)
		status = herald__redis_check_server(connection, reply_ms, error);
	publisher->place.is_good = status == HERALD_OK;
	if (status != HERALD_OK)
		herald__redis_connection_close(connection);
	publisher->progress_ms = 0;
	return status;
}

static void
publisher_close(struct herald_publisher *base, uint32_t timeout_ms,
		struct herald_outgoing_list *finished)
{
	struct redis_publisher *publisher = of(base);
	struct herald_outgoing *message;
	uint64_t wakes;

	(void)timeout_ms; /* there is nothing to wait for */
	herald__redis_connection_close(&publisher->connection);
	/* A wake() for a message that was submitted meanwhile must not end the next open(). */
	if (read(publisher->wake_fd, &wakes, sizeof(wakes)) < 0)
		wakes = 0;
	while ((message = herald_outgoing_list_take(&publisher->sent))) {
		message->status = HERALD_UNKNOWN_OUTCOME;
		herald_text_write(message->reason, sizeof(message->reason), "%s",
				  "the connection was lost before the answer");
		herald_outgoing_list_add(finished, message);
	}
}

static void
publisher_wake(struct herald_publisher *base)
{
	const uint64_t one = 1;

	/* It fails only if the counter is full, and then run() ends as well. */
	if (write(of(base)->wake_fd, &one, sizeof(one)) < 0)
		return;
}

static void
publisher_destroy(struct herald_publisher *base)
{
	struct redis_publisher *publisher = of(base);
	const struct herald_allocator allocator = publisher->options.allocator;

	if (publisher->wake_fd >= 0)
		close(publisher->wake_fd);
	herald_memory_release(&allocator, publisher, sizeof(*publisher));
}

static const struct herald_publisher_ops operations = {
	.name = "redis",
	.open = publisher_open,
	.send = publisher_send,
	.run = publisher_run,
	.wake = publisher_wake,
	.close = publisher_close,
	.destroy = publisher_destroy,
};

/* Creation. */

static enum herald_status
read_options(const struct herald_redis_publisher_options *given, struct redis_publisher *publisher,
	     struct herald_error *error)
{
	struct herald_redis_publisher_options *options = &publisher->options;
	enum herald_status status = herald_options_read(given, options, sizeof(*options),
							"HERALD_REDIS_PUBLISHER_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&options->allocator, error);
	if (status == HERALD_OK)
		status = herald__redis_url_parse(options->url, &publisher->url, error);
	if (status == HERALD_OK)
		status = herald__broker_tls_configure(
			&(struct broker_tls_files){options->ca_file, options->certificate_file,
						   options->key_file},
			publisher->url.is_secure, "rediss://", &publisher->url.tls, error);
	if (options->connect_timeout_ms == 0)
		options->connect_timeout_ms = 2000;
	if (options->reply_timeout_ms == 0)
		options->reply_timeout_ms = 5000;
	const struct herald_option_range ranges[] = {
		{"connect_timeout_ms", options->connect_timeout_ms, 1, 60000},
		{"reply_timeout_ms", options->reply_timeout_ms, 1, 600000},
	};
	if (status == HERALD_OK)
		status =
			herald_option_ranges_check(ranges, sizeof(ranges) / sizeof(*ranges), error);
	options->allocator = herald_allocator_or_libc(&options->allocator);
	options->url = options->ca_file = options->certificate_file = options->key_file = NULL;
	return status;
}

enum herald_status
herald_redis_publisher_create(const struct herald_redis_publisher_options *options,
			      struct herald_publisher **out, struct herald_error *error)
{
	struct redis_publisher read = {.base = {.ops = &operations}};
	enum herald_status status = read_options(options, &read, error);

	if (status != HERALD_OK)
		return status;
	struct redis_publisher *publisher =
		herald_memory_allocate(&read.options.allocator, sizeof(*publisher));
	if (!publisher)
		return herald_out_of_memory(error);
	*publisher = read;
	herald__redis_connection_init(&publisher->connection, &publisher->options.allocator);
	publisher->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (publisher->wake_fd < 0) {
		status = herald_system_error(error, "cannot create an eventfd", errno);
		publisher_destroy(&publisher->base);
		return status;
	}
	publisher->interrupt =
		(struct redis_interrupt){.fd = publisher->wake_fd, .must_end = must_end_open};
	publisher->connection.interrupt = &publisher->interrupt;
	*out = &publisher->base;
	return HERALD_OK;
}
