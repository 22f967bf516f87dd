/*
 * The publisher: messages on a connection of its own, confirmed by the server. Never waits for the
 * socket: a message goes on when there is space, as librabbitmq would wait without a limit. The
 * server confirms by number, which is the order of sending. A message that no queue takes comes
 * back before it is confirmed. When messages are sent again is the producer's matter.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/publisher.h>
#include <herald/adapter/text.h>
#include <herald/arena.h>
#include <herald/rabbitmq.h>

#include "epoch.h"
#include "link.h"
#include "refusals.h"

/* Bodies that wait for the socket. A message that is larger waits alone. */
#define BUFFER_BYTES 1048576
/* What a header adds to its name and value, at most. */
#define HEADER_ADDS 16
/* The properties besides the headers: delivery mode, time, flags and sizes. */
#define PROPERTIES_ADD 32
#define MAX_SHORT_BYTES 255
#define MAX_NAME_BYTES 240
#define POOL_BYTES 4096
/* For an orderly end of the connection. */
#define CLOSE_MS 200

struct rabbitmq_publisher {
	struct herald_publisher base;
	struct herald_allocator allocator;
	struct herald_arena *texts;
	struct rabbitmq_link_settings link_settings;
	const char *exchange;
	int wake_fd;
	struct rabbitmq_opening opening;

	struct herald_log log;
	struct rabbitmq_link link;
	struct herald_outgoing_list waiting; /* the first one may have begun */
	bool has_begun;                      /* the frames before its body are sent */
	size_t sent_bytes;                   /* of its body */
	size_t waiting_bytes;                /* of the bodies of all */
	struct herald_outgoing_list sent;    /* by number */
	uint64_t last_number;
	bool is_full;      /* send() has said so */
	bool is_blocked;   /* the server takes nothing now */
	bool is_returning; /* the properties of a returned message come next; it was sent to: */
	char returned_to[MAX_SHORT_BYTES + 1];
	bool has_failed; /* and why: */
	struct herald_error error;
};

static struct rabbitmq_publisher *
of(struct herald_publisher *publisher)
{
	return (struct rabbitmq_publisher *)publisher;
}

static void
set_reason(struct herald_outgoing *message, const char *what, const char *name)
{
	herald_text_write(message->reason, sizeof(message->reason), "%s%s", what, name);
}

static void
fail(struct rabbitmq_publisher *publisher, int status, const char *what)
{
	herald_error_set(&publisher->error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "%s: %s", what,
			 amqp_error_string2(status));
	publisher->has_failed = true;
}

/* Taking over. */

static bool
has_room(const struct rabbitmq_publisher *publisher)
{
	return publisher->waiting_bytes < BUFFER_BYTES;
}

/* Whether the server takes it for a list of further routing keys. It closes the channel if that is
 * a text, as headers of a producer are. */
static bool
is_list_of_routes(const char *name)
{
	return strcmp(name, "CC") == 0 || strcmp(name, "BCC") == 0;
}

/* What the server refuses by ending the channel or the connection, each time that it is sent. */
static enum herald_status
check(const struct rabbitmq_publisher *publisher, struct herald_outgoing *message)
{
	const size_t id_bytes = strlen(message->id);
	const char *value, *name = NULL;
	size_t bytes = PROPERTIES_ADD + id_bytes;

	bytes += message->content_type ? strlen(message->content_type) + 1 : 0;
	bytes += strlen(HERALD_MESSAGE_ID_HEADER) + id_bytes + HEADER_ADDS;
	bytes += strlen(HERALD_KEY_HEADER) + message->key.bytes + HEADER_ADDS;

	while ((name = herald_outgoing_header(message, name, &value))) {
		bytes += strlen(name) + strlen(value) + HEADER_ADDS;
		if (strlen(name) > MAX_NAME_BYTES) {
			set_reason(message, "a name of a header is too long for AMQP: ", name);
			return HERALD_BAD_LENGTH;
		}
		if (is_list_of_routes(name)) {
			set_reason(message, "RabbitMQ does not take a text as the header ", name);
			return HERALD_BAD_VALUE;
		}
	}
	if (bytes <= herald__rabbitmq_link_properties_bytes(&publisher->link))
		return HERALD_OK;
	herald_text_write(message->reason, sizeof(message->reason),
			  "the headers do not fit into a frame of the server, which has %zu bytes",
			  publisher->link.frame_bytes);
	return HERALD_TOO_LARGE;
}

static enum herald_status
publisher_send(struct herald_publisher *base, struct herald_outgoing *message)
{
	struct rabbitmq_publisher *publisher = of(base);
	const enum herald_status status = check(publisher, message);

	if (status != HERALD_OK)
		return status;
	publisher->is_full = publisher->has_failed || !has_room(publisher);
	if (publisher->is_full)
		return HERALD_LIMIT;
	message->status = HERALD_OK;
	publisher->waiting_bytes += message->data.bytes;
	herald_outgoing_list_add(&publisher->waiting, message);
	return HERALD_OK;
}

/* Properties. */

/* Attributes of CloudEvents are percent-encoded in headers of HTTP, but not in AMQP. A NUL stays
 * encoded. */
static void
decode(amqp_bytes_t *text)
{
	char *data = text->bytes;
	size_t bytes = 0;

	for (size_t i = 0; i < text->len; i++) {
		const bool may_be_escape = data[i] == '%' && text->len - i > 2;
		const int high = may_be_escape ? herald_ascii_hex_value(data[i + 1]) : -1;
		const int low = high >= 0 ? herald_ascii_hex_value(data[i + 2]) : -1;
		const int byte = low >= 0 ? high * 16 + low : 0;

		if (byte > 0)
			i += 2;
		data[bytes++] = byte > 0 ? (char)byte : data[i];
	}
	text->len = bytes;
}

/* Copied, as librabbitmq does not promise to leave it unchanged. */
static bool
copy_text(amqp_pool_t *pool, const char *before, const char *text, size_t bytes, amqp_bytes_t *out)
{
	const size_t before_bytes = strlen(before);

	amqp_pool_alloc_bytes(pool, before_bytes + bytes, out);
	if (!out->bytes)
		return false;
	memcpy(out->bytes, before, before_bytes);
	if (bytes > 0)
		memcpy((char *)out->bytes + before_bytes, text, bytes);
	return true;
}

/* Returns false when out of memory. */
static bool
add_header(amqp_pool_t *pool, amqp_table_t *headers, const char *name, struct herald_text value)
{
	const bool is_event = strlen(name) > 3 && herald_ascii_same_bytes(name, "ce-", 3);
	amqp_table_entry_t *entry = &headers->entries[headers->num_entries++];

	name += is_event ? 3 : 0;
	entry->value.kind = AMQP_FIELD_KIND_UTF8;
	if (!copy_text(pool, is_event ? "cloudEvents_" : "", name, strlen(name), &entry->key) ||
	    !copy_text(pool, "", value.data, value.bytes, &entry->value.value.bytes))
		return false;
	if (is_event)
		decode(&entry->value.value.bytes);
	return true;
}

static bool
set_headers(amqp_pool_t *pool, const struct herald_outgoing *message, amqp_table_t *headers)
{
	const char *value, *name = NULL;
	size_t count = 2;

	while ((name = herald_outgoing_header(message, name, &value)))
		count++;
	headers->entries = amqp_pool_alloc(pool, count * sizeof(*headers->entries));
	bool is_set = headers->entries;
	while (is_set && (name = herald_outgoing_header(message, name, &value)))
		is_set =
			add_header(pool, headers, name, (struct herald_text){value, strlen(value)});
	if (is_set)
		is_set = add_header(pool, headers, HERALD_MESSAGE_ID_HEADER,
				    (struct herald_text){message->id, strlen(message->id)});
	if (is_set && message->key.data)
		is_set = add_header(pool, headers, HERALD_KEY_HEADER, message->key);
	return is_set;
}

static bool
set_properties(amqp_pool_t *pool, const struct herald_outgoing *message,
	       amqp_basic_properties_t *out)
{
	*out = (amqp_basic_properties_t){
		._flags = AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
			  AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG,
		.delivery_mode = AMQP_DELIVERY_PERSISTENT,
		.message_id = amqp_cstring_bytes(message->id),
		.timestamp = (uint64_t)time(NULL),
	};
	if (message->content_type) {
		out->_flags |= AMQP_BASIC_CONTENT_TYPE_FLAG;
		out->content_type = amqp_cstring_bytes(message->content_type);
	}
	return set_headers(pool, message, &out->headers);
}

/* Sending. */

/* The frames before the body. */
static int
send_head(struct rabbitmq_publisher *publisher, struct herald_outgoing *message)
{
	amqp_basic_properties_t properties;
	amqp_basic_publish_t method = {
		.exchange = amqp_cstring_bytes(publisher->exchange),
		.routing_key = amqp_cstring_bytes(message->topic),
		.mandatory = 1,
	};
	amqp_frame_t header = {.frame_type = AMQP_FRAME_HEADER, .channel = RABBITMQ_CHANNEL};
	amqp_pool_t pool;
	int status = AMQP_STATUS_NO_MEMORY;

	init_amqp_pool(&pool, POOL_BYTES);
	if (set_properties(&pool, message, &properties))
		status = amqp_send_method(publisher->link.conn, RABBITMQ_CHANNEL,
					  AMQP_BASIC_PUBLISH_METHOD, &method);
	header.payload.properties.class_id = AMQP_BASIC_CLASS;
	header.payload.properties.body_size = message->data.bytes;
	header.payload.properties.decoded = &properties;
	if (status == AMQP_STATUS_OK)
		status = amqp_send_frame(publisher->link.conn, &header);
	empty_amqp_pool(&pool);
	message->number = ++publisher->last_number;
	publisher->has_begun = true;
	publisher->sent_bytes = 0;
	return status;
}

static int
send_chunk(struct rabbitmq_publisher *publisher, const struct herald_outgoing *message)
{
	const size_t rest = message->data.bytes - publisher->sent_bytes;
	const size_t most = herald__rabbitmq_link_body_bytes(&publisher->link);
	amqp_frame_t body = {.frame_type = AMQP_FRAME_BODY, .channel = RABBITMQ_CHANNEL};

	body.payload.body_fragment.bytes =
		(char *)(uintptr_t)message->data.data + publisher->sent_bytes;
	body.payload.body_fragment.len = rest < most ? rest : most;
	publisher->sent_bytes += body.payload.body_fragment.len;
	return amqp_send_frame(publisher->link.conn, &body);
}

/* Whether something waits that the socket could take. */
static bool
wants_to_send(const struct rabbitmq_publisher *publisher)
{
	return publisher->waiting.first && (publisher->has_begun || !publisher->is_blocked);
}

static void
send_waiting(struct rabbitmq_publisher *publisher)
{
	while (wants_to_send(publisher) && herald__rabbitmq_link_has_space(&publisher->link)) {
		struct herald_outgoing *message = publisher->waiting.first;
		const int status = publisher->has_begun ? send_chunk(publisher, message)
							: send_head(publisher, message);

		if (status != AMQP_STATUS_OK) {
			fail(publisher, status, "cannot publish");
			return;
		}
		if (publisher->sent_bytes < message->data.bytes)
			continue;
		publisher->has_begun = false;
		publisher->waiting_bytes -= message->data.bytes;
		herald_outgoing_list_add(&publisher->sent,
					 herald_outgoing_list_take(&publisher->waiting));
	}
}

/* What the server says. */

/* Its status is another one than HERALD_OK if it has come back. */
static void
finish(struct herald_outgoing *message, bool is_stored, struct herald_outgoing_list *finished)
{
	if (message->status == HERALD_OK && !is_stored) {
		message->status = HERALD_UNAVAILABLE;
		set_reason(message, "the server could not store it: ", message->topic);
	}
	herald_outgoing_list_add(finished, message);
}

/* Numbers ascend in the list. Without `multiple`, those before are not confirmed yet. */
static void
confirm(struct rabbitmq_publisher *publisher, uint64_t number, bool multiple, bool is_stored,
	struct herald_outgoing_list *finished)
{
	struct herald_outgoing_list *sent = &publisher->sent, before = {0};
	struct herald_outgoing *message;

	while (sent->first && sent->first->number <= number) {
		message = herald_outgoing_list_take(sent);
		if (multiple || message->number == number)
			finish(message, is_stored, finished);
		else
			herald_outgoing_list_add(&before, message);
	}
	if (!before.first)
		return;
	before.last->next = sent->first;
	sent->first = before.first;
	sent->last = sent->last ? sent->last : before.last;
	sent->count += before.count;
}

/* No queue takes a message. Which one it was is in the properties, which come next. */
static void
returned(struct rabbitmq_publisher *publisher, const amqp_basic_return_t *method)
{
	publisher->is_returning = true;
	herald_text_write(publisher->returned_to, sizeof(publisher->returned_to), "%.*s",
			  (int)method->routing_key.len, (const char *)method->routing_key.bytes);
}

/* The server confirms it next, but does not say that it has stored nothing. Of messages with the
 * same id and topic, rather all are sent again than the wrong one. */
static void
take_returned(struct rabbitmq_publisher *publisher, const amqp_basic_properties_t *properties)
{
	const amqp_bytes_t id = properties->message_id;

	publisher->is_returning = false;
	for (struct herald_outgoing *at = publisher->sent.first; at; at = at->next) {
		if (strlen(at->id) != id.len || memcmp(at->id, id.bytes, id.len) != 0 ||
		    strcmp(at->topic, publisher->returned_to) != 0)
			continue;
		at->status = HERALD_UNAVAILABLE;
		set_reason(at, "no queue takes it: ", at->topic);
	}
}

static void
set_blocked(struct rabbitmq_publisher *publisher, bool is_blocked)
{
	publisher->is_blocked = is_blocked;
	herald_log_write(&publisher->log, is_blocked ? HERALD_LOG_WARNING : HERALD_LOG_INFO,
			 is_blocked ? "the server takes no messages now: they wait"
				    : "the server takes messages again",
			 NULL, 0);
}

static void
closed(struct rabbitmq_publisher *publisher, const amqp_method_t *method)
{
	(void)herald__rabbitmq_closed(method, "cannot publish", &publisher->error);
	publisher->error.status = HERALD_UNAVAILABLE;
	publisher->has_failed = true;
	herald__rabbitmq_refusals_find(method, publisher->sent.first, publisher->waiting.first);
}

static void
take_method(struct rabbitmq_publisher *publisher, const amqp_method_t *method,
	    struct herald_outgoing_list *finished)
{
	const amqp_basic_ack_t *ack = method->decoded;
	const amqp_basic_nack_t *nack = method->decoded;

	switch (method->id) {
	case AMQP_BASIC_ACK_METHOD:
		confirm(publisher, ack->delivery_tag, ack->multiple, true, finished);
		break;
	case AMQP_BASIC_NACK_METHOD:
		confirm(publisher, nack->delivery_tag, nack->multiple, false, finished);
		break;
	case AMQP_BASIC_RETURN_METHOD:
		returned(publisher, method->decoded);
		break;
	case AMQP_CONNECTION_BLOCKED_METHOD:
	case AMQP_CONNECTION_UNBLOCKED_METHOD:
		set_blocked(publisher, method->id == AMQP_CONNECTION_BLOCKED_METHOD);
		break;
	case AMQP_CHANNEL_CLOSE_METHOD:
	case AMQP_CONNECTION_CLOSE_METHOD:
		closed(publisher, method);
		break;
	default:
		break;
	}
}

static void
read_all(struct rabbitmq_publisher *publisher, struct herald_outgoing_list *finished)
{
	amqp_frame_t frame;
	int status = AMQP_STATUS_OK;

	while (!publisher->has_failed &&
	       (status = herald__rabbitmq_link_next(&publisher->link, &frame)) == AMQP_STATUS_OK) {
		if (frame.frame_type == AMQP_FRAME_METHOD)
			take_method(publisher, &frame.payload.method, finished);
		else if (frame.frame_type == AMQP_FRAME_HEADER && publisher->is_returning)
			take_returned(publisher, frame.payload.properties.decoded);
		herald__rabbitmq_link_release(&publisher->link);
	}
	if (!publisher->has_failed && status != AMQP_STATUS_TIMEOUT)
		fail(publisher, status, "the connection is lost");
}

/* Wait for the socket, or for wake(). Returns true if that was called. Not for long: heartbeats
 * are sent by read_all(). */
static bool
wait_until(struct rabbitmq_publisher *publisher, uint64_t until_ms, uint64_t now_ms)
{
	struct pollfd poll_fds[] = {
		{.fd = publisher->link.fd, .events = POLLIN},
		{.fd = publisher->wake_fd, .events = POLLIN},
	};
	const uint64_t wait_ms = until_ms - now_ms;
	uint64_t count;

	if (wants_to_send(publisher))
		poll_fds[0].events |= POLLOUT;
	if (poll(poll_fds, 2, wait_ms < 1000 ? (int)wait_ms : 1000) <= 0)
		return false;
	return (poll_fds[1].revents & POLLIN) &&
	       read(publisher->wake_fd, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

static enum herald_status
publisher_run(struct herald_publisher *base, uint32_t timeout_ms,
	      struct herald_outgoing_list *finished, struct herald_error *error)
{
	struct rabbitmq_publisher *publisher = of(base);
	const uint64_t until_ms = herald__rabbitmq_now_ms() + timeout_ms;
	bool is_woken = false;

	for (;;) {
		if (!publisher->has_failed)
			send_waiting(publisher);
		read_all(publisher, finished);
		if (publisher->has_failed) {
			if (error)
				*error = publisher->error;
			return HERALD_UNAVAILABLE;
		}
		const uint64_t now_ms = herald__rabbitmq_now_ms();
		if (is_woken || finished->count > 0 || now_ms >= until_ms ||
		    (publisher->is_full && has_room(publisher))) {
			/* The message that had no room may have ended, and then send() is not
			 * called. */
			publisher->is_full = false;
			return HERALD_OK;
		}
		is_woken = wait_until(publisher, until_ms, now_ms);
	}
}

/* Connections. */

static enum herald_status
begin_to_confirm(struct rabbitmq_publisher *publisher, struct herald_error *error)
{
	amqp_connection_state_t conn = publisher->link.conn;

	amqp_confirm_select(conn, RABBITMQ_CHANNEL);
	enum herald_status status = herald__rabbitmq_reply(amqp_get_rpc_reply(conn),
							   "cannot have messages confirmed", error);
	if (status != HERALD_OK || publisher->exchange[0] == '\0')
		return status;
	amqp_exchange_declare(conn, RABBITMQ_CHANNEL, amqp_cstring_bytes(publisher->exchange),
			      amqp_cstring_bytes("direct"), 1, 1, 0, 0, amqp_empty_table);
	return herald__rabbitmq_reply(amqp_get_rpc_reply(conn), "cannot find the exchange", error);
}

/* While it connects, the producer calls wake() only at its end. */
static bool
is_woken(const void *state)
{
	const struct rabbitmq_publisher *publisher = state;
	struct pollfd poll_fd = {.fd = publisher->wake_fd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) == 1;
}

/* A wake() for a message that was submitted meanwhile must not end the next open(). */
static void
forget_wakes(const struct rabbitmq_publisher *publisher)
{
	uint64_t count;

	(void)!read(publisher->wake_fd, &count, sizeof(count));
}

static enum herald_status
publisher_open(struct herald_publisher *base, const struct herald_publisher_settings *settings,
	       struct herald_error *error)
{
	struct rabbitmq_publisher *publisher = of(base);
	enum herald_status status =
		herald__rabbitmq_link_open(&publisher->link, &publisher->link_settings, error);

	publisher->log = settings->log;
	if (status == HERALD_OK)
		status = begin_to_confirm(publisher, error);
	herald__rabbitmq_opening_done(&publisher->opening);
	if (status != HERALD_OK) {
		herald__rabbitmq_link_close(&publisher->link, 0);
		forget_wakes(publisher);
	}
	return status;
}

static void
give_back(struct herald_outgoing_list *list, enum herald_status status,
	  struct herald_outgoing_list *finished)
{
	struct herald_outgoing *message;

	while ((message = herald_outgoing_list_take(list))) {
		if (message->status == HERALD_OK) {
			message->status = status;
			set_reason(message, "the connection was lost before the confirmation", "");
		}
		herald_outgoing_list_add(finished, message);
	}
}

static void
publisher_close(struct herald_publisher *base, uint32_t timeout_ms,
		struct herald_outgoing_list *finished)
{
	struct rabbitmq_publisher *publisher = of(base);
	const uint32_t wait_ms = timeout_ms < CLOSE_MS ? timeout_ms : CLOSE_MS;

	/* A message that is cut off would not be understood, nor would what follows. */
	herald__rabbitmq_link_close(&publisher->link,
				    publisher->has_failed || publisher->has_begun ? 0 : wait_ms);
	forget_wakes(publisher);
	give_back(&publisher->sent, HERALD_UNKNOWN_OUTCOME, finished);
	/* The server drops a message without its end. */
	give_back(&publisher->waiting, HERALD_UNAVAILABLE, finished);
	publisher->waiting_bytes = publisher->sent_bytes = 0;
	publisher->last_number = 0;
	publisher->has_begun = publisher->has_failed = publisher->is_full = false;
	publisher->is_blocked = publisher->is_returning = false;
}

static void
publisher_wake(struct herald_publisher *base)
{
	const uint64_t one = 1;

	/* It fails only if the counter is full, and then run() ends as well. */
	(void)!write(of(base)->wake_fd, &one, sizeof(one));
	herald__rabbitmq_opening_end(&of(base)->opening);
}

static void
publisher_destroy(struct herald_publisher *base)
{
	struct rabbitmq_publisher *publisher = of(base);
	const struct herald_allocator allocator = publisher->allocator;

	if (publisher->wake_fd >= 0)
		close(publisher->wake_fd);
	pthread_mutex_destroy(&publisher->opening.mutex);
	herald_arena_destroy(publisher->texts);
	herald_memory_release(&allocator, publisher, sizeof(*publisher));
}

static const struct herald_publisher_ops operations = {
	.name = "rabbitmq",
	.open = publisher_open,
	.send = publisher_send,
	.run = publisher_run,
	.wake = publisher_wake,
	.close = publisher_close,
	.destroy = publisher_destroy,
};

/* Creation. */

static enum herald_status
read_options(const struct herald_rabbitmq_publisher_options *given,
	     struct herald_rabbitmq_publisher_options *out, struct herald_error *error)
{
	enum herald_status status = herald_options_read(given, out, sizeof(*out),
							"HERALD_RABBITMQ_PUBLISHER_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&out->allocator, error);
	if (status == HERALD_OK && out->exchange && strlen(out->exchange) > MAX_SHORT_BYTES)
		status = herald_option_refuse(error, "exchange", "must have at most %d bytes",
					      MAX_SHORT_BYTES);
	out->connect_timeout_ms = out->connect_timeout_ms ? out->connect_timeout_ms : 5000;
	out->heartbeat_s = out->heartbeat_s ? out->heartbeat_s : 30;
	out->connection_name = out->connection_name ? out->connection_name : "herald";
	out->exchange = out->exchange ? out->exchange : "";

	const struct herald_option_range ranges[] = {
		{"connect_timeout_ms", out->connect_timeout_ms, 1, 600000},
		{"heartbeat_s", out->heartbeat_s, 1, 3600},
	};
	return status == HERALD_OK ? herald_option_ranges_check(ranges, 2, error) : status;
}

static enum herald_status
set_texts(struct rabbitmq_publisher *publisher,
	  const struct herald_rabbitmq_publisher_options *options, struct herald_error *error)
{
	struct rabbitmq_link_settings *to = &publisher->link_settings;

	if (herald_arena_create(&publisher->allocator, SIZE_MAX, &publisher->texts) != HERALD_OK)
		return herald_out_of_memory(error);
	to->name = herald_arena_copy(publisher->texts, options->connection_name,
				     strlen(options->connection_name));
	publisher->exchange =
		herald_arena_copy(publisher->texts, options->exchange, strlen(options->exchange));
	if (!to->name || !publisher->exchange)
		return herald_out_of_memory(error);
	enum herald_status status =
		herald__rabbitmq_url_read(options->url, publisher->texts, &to->url, error);
	if (status == HERALD_OK)
		status = herald__broker_tls_configure(
			&(struct broker_tls_files){options->ca_file, options->certificate_file,
						   options->key_file},
			to->url.is_secure, "amqps://", &to->tls, error);
	return status;
}

enum herald_status
herald_rabbitmq_publisher_create(const struct herald_rabbitmq_publisher_options *given,
				 struct herald_publisher **out, struct herald_error *error)
{
	struct herald_rabbitmq_publisher_options options;
	enum herald_status status = read_options(given, &options, error);

	if (status != HERALD_OK)
		return status;
	const struct herald_allocator allocator = herald_allocator_or_libc(&options.allocator);
	struct rabbitmq_publisher *publisher =
		herald_memory_allocate_zeroed(&allocator, 1, sizeof(*publisher));
	if (!publisher)
		return herald_out_of_memory(error);
	const int failed = pthread_mutex_init(&publisher->opening.mutex, NULL);
	if (failed != 0) {
		herald_memory_release(&allocator, publisher, sizeof(*publisher));
		return herald_system_error(error, "cannot create a mutex", failed);
	}
	publisher->opening.must_end = is_woken;
	publisher->opening.state = publisher;
	publisher->link_settings.opening = &publisher->opening;
	publisher->base.ops = &operations;
	publisher->allocator = allocator;
	publisher->link_settings.timeout_ms = options.connect_timeout_ms;
	publisher->link_settings.heartbeat_s = options.heartbeat_s;
	publisher->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	status = publisher->wake_fd < 0
			 ? herald_system_error(error, "cannot create an eventfd", errno)
			 : set_texts(publisher, &options, error);
	if (status == HERALD_OK)
		*out = &publisher->base;
	else
		publisher_destroy(&publisher->base);
	return status;
}
