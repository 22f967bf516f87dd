/*
 * Dead letters, for an operator: takes them off their queue without acknowledging them, so that the
 * server puts them back, in their places, when the connection is closed. Owns the connection, and
 * the messages that it has read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>
#include <herald/rabbitmq.h>

#include "message.h"
#include "resend.h"

/* A server that is busy, or has not found yet that its memory suffices again, must not end the
 * command of an operator. */
#define ANSWER_MS 30000

/* How long a server may take to put back what was read, and between two looks. */
#define RETURN_MS 2000
#define RETURN_LOOK_MS 10

struct rabbitmq_dead_letters {
	struct herald_dead_letters base;
	struct rabbitmq *options; /* a subscriber that is never opened: names, URL, allocator */
	struct rabbitmq_link link;
	uint32_t answer_ms; /* how long an answer is waited for */
	char place[300];    /* for base */
	uint64_t left;      /* that were there at open() and were not read yet */
	uint64_t number;    /* of the last copy that was sent */
	uint64_t held;      /* that were read on this connection, and are still there */
	bool has_failed;    /* the connection is of no use any more */
};

static struct rabbitmq_dead_letters *
of(struct herald_dead_letters *letters)
{
	return (struct rabbitmq_dead_letters *)letters;
}

static uint32_t
timeout_ms(const struct rabbitmq_dead_letters *letters)
{
	return letters->answer_ms;
}

static enum herald_status
lost(struct rabbitmq_dead_letters *letters, const char *why, struct herald_error *error)
{
	letters->has_failed = true;
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"the connection is lost: %s", why);
}

/* Opening. */

/* How many messages are ready in a queue. *exists is false, and the channel closed, if there is no
 * such queue. */
static enum herald_status
count_messages(struct rabbitmq_dead_letters *letters, const char *queue, uint64_t *out,
	       bool *exists, struct herald_error *error)
{
	const amqp_connection_state_t conn = letters->link.conn;
	const amqp_queue_declare_ok_t *found = amqp_queue_declare(
		conn, RABBITMQ_CHANNEL, amqp_cstring_bytes(queue), 1, 0, 0, 0, amqp_empty_table);
	const amqp_rpc_reply_t reply = amqp_get_rpc_reply(conn);

	*exists = found;
	*out = found ? found->message_count : 0;
	if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION &&
	    reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD &&
	    ((const amqp_channel_close_t *)reply.reply.decoded)->reply_code == AMQP_NOT_FOUND)
		return HERALD_OK;
	return herald__rabbitmq_reply(reply, "cannot look up the queue", error);
}

static enum herald_status
connect_link(struct rabbitmq_dead_letters *letters, struct herald_error *error)
{
	struct rabbitmq_link_settings settings = letters->options->link_settings;

	/* A pause between batches may be long. */
	settings.heartbeat_s = 0;
	letters->has_failed = false;
	letters->number = 0;
	enum herald_status status = herald__rabbitmq_link_open(&letters->link, &settings, error);
	if (status == HERALD_BAD_OPTION && error)
		herald_text_write(error->path, sizeof(error->path), "url");
	if (status == HERALD_OK)
		herald__rabbitmq_link_limit(&letters->link, letters->answer_ms);
	return status;
}

/* There are no dead letters yet, or the name is wrong. */
static enum herald_status
check_origin(struct rabbitmq_dead_letters *letters, struct herald_error *error)
{
	uint64_t count;
	bool exists = false;

	herald__rabbitmq_link_close(&letters->link, timeout_ms(letters));
	enum herald_status status = connect_link(letters, error);
	if (status == HERALD_OK)
		status = count_messages(letters, letters->options->queue, &count, &exists, error);
	if (status != HERALD_OK || exists)
		return status;
	return herald_error_set(error, HERALD_MISSING, HERALD_NO_OFFSET,
				"the server has neither the queue %s nor the queue %s",
				letters->options->queue, letters->options->dead_queue);
}

/* What was read goes back, which the server does some time later. It is waited for, so that the
 * next command finds it; not for long, as others may take it. Returns false on errors. */
static bool
put_back(struct rabbitmq_dead_letters *letters)
{
	const char *queue = letters->options->dead_queue;
	const struct timespec look = {.tv_nsec = RETURN_LOOK_MS * 1000000L};
	uint64_t before, count;
	bool exists, is_ok;

	is_ok = count_messages(letters, queue, &before, &exists, NULL) == HERALD_OK && exists &&
		amqp_basic_nack(letters->link.conn, RABBITMQ_CHANNEL, 0, 1, 1) == AMQP_STATUS_OK;
	for (unsigned ms = 0; is_ok; ms += RETURN_LOOK_MS) {
		is_ok = count_messages(letters, queue, &count, &exists, NULL) == HERALD_OK &&
			exists;
		if (count >= before + letters->held || ms >= RETURN_MS)
			break;
		nanosleep(&look, NULL);
	}
	return is_ok;
}

static void
close_letters(struct herald_dead_letters *base)
{
	struct rabbitmq_dead_letters *letters = of(base);

	/* A server that does not answer is not asked again. */
	if (letters->link.conn && letters->held > 0 && !letters->has_failed)
		letters->has_failed = !put_back(letters);
	letters->held = 0;
	herald__rabbitmq_link_close(&letters->link, letters->has_failed ? 0 : timeout_ms(letters));
}

/* The id is found by reading all. */
static enum herald_status
open_letters(struct herald_dead_letters *base, const char *id, struct herald_error *error)
{
	struct rabbitmq_dead_letters *letters = of(base);
	enum herald_status status = connect_link(letters, error);
	bool exists = false;

	(void)id;
	letters->left = 0;
	if (status == HERALD_OK)
		status = count_messages(letters, letters->options->dead_queue, &letters->left,
					&exists, error);
	if (status == HERALD_OK && !exists)
		status = check_origin(letters, error);
	if (status == HERALD_OK && exists) {
		amqp_confirm_select(letters->link.conn, RABBITMQ_CHANNEL);
		status = herald__rabbitmq_reply(amqp_get_rpc_reply(letters->link.conn),
						"cannot have copies confirmed", error);
	}
	if (status != HERALD_OK) {
		letters->has_failed = true;
		close_letters(base);
	}
	return status;
}

/* Reading. */

/* The content type, and the attributes of the message. */
static bool
set_attributes(struct rabbitmq_dead_message *message, const struct herald_allocator *allocator)
{
	static const char name[] = "content-type";
	const struct herald_received *received = &message->message->base;
	const char *type = received->content_type;
	const size_t type_bytes = type ? sizeof(name) + strlen(type) + 1 : 0;

	message->attributes_bytes = type_bytes + received->attributes.bytes;
	message->attributes = herald_memory_allocate(allocator, message->attributes_bytes);
	if (!message->attributes)
		return false;
	if (type) {
		memcpy(message->attributes, name, sizeof(name));
		memcpy(message->attributes + sizeof(name), type, strlen(type) + 1);
	}
	memcpy(message->attributes + type_bytes, received->attributes.data,
	       received->attributes.bytes);
	return true;
}

static void
free_message(struct rabbitmq_dead_letters *letters, struct rabbitmq_dead_message *message)
{
	const struct herald_allocator *allocator = &letters->options->own_allocator;

	if (message->message)
		herald__rabbitmq_message_free(letters->options, message->message);
	herald_memory_release(allocator, message->attributes, message->attributes_bytes);
	herald_memory_release(allocator, message, sizeof(*message));
}

static struct rabbitmq_dead_message *
create_message(struct rabbitmq_dead_letters *letters, const amqp_basic_deliver_t *delivery,
	       const amqp_frame_t *header)
{
	struct rabbitmq_dead_message *message = herald_memory_allocate_zeroed(
		&letters->options->own_allocator, 1, sizeof(*message));

	if (!message)
		return NULL;
	message->message = herald__rabbitmq_message_create(letters->options, delivery, header);
	if (message->message && set_attributes(message, &letters->options->own_allocator))
		return message;
	free_message(letters, message);
	return NULL;
}

/* The server may say in between that it is short of memory. */
static int
next_frame(struct rabbitmq_dead_letters *letters, amqp_frame_t *frame)
{
	const uint32_t ms = timeout_ms(letters);
	const struct timeval timeout = {ms / 1000, (long)(ms % 1000) * 1000};
	int status;

	do
		status = amqp_simple_wait_frame_noblock(letters->link.conn, frame, &timeout);
	while (status == AMQP_STATUS_OK && frame->channel != RABBITMQ_CHANNEL &&
	       frame->payload.method.id != AMQP_CONNECTION_CLOSE_METHOD);
	return status;
}

static int
read_body(struct rabbitmq_dead_letters *letters, struct rabbitmq_dead_message *message)
{
	const struct herald_text data = message->message->base.data;
	int status = AMQP_STATUS_OK;

	for (size_t bytes = 0; bytes < data.bytes && status == AMQP_STATUS_OK;) {
		amqp_frame_t frame;

		status = next_frame(letters, &frame);
		if (status != AMQP_STATUS_OK)
			break;
		const amqp_bytes_t part = frame.payload.body_fragment;
		if (frame.frame_type != AMQP_FRAME_BODY || part.len > data.bytes - bytes)
			return AMQP_STATUS_WRONG_METHOD;
		memcpy((char *)(uintptr_t)data.data + bytes, part.bytes, part.len);
		bytes += part.len;
	}
	return status;
}

static void
complete(struct rabbitmq_dead_message *message)
{
	struct herald_received *received = &message->message->base;

	herald__rabbitmq_message_complete(message->message);
	snprintf(message->id, sizeof(message->id), "%016llx",
		 (unsigned long long)received->identity);
	message->base.id = message->id;
	message->base.data = received->data;
	message->base.attributes =
		(struct herald_text){message->attributes, message->attributes_bytes};
	message->base.stored_ms = received->created_ms;
}

/* The content of a message that was announced. */
static enum herald_status
read_content(struct rabbitmq_dead_letters *letters, const amqp_basic_get_ok_t *got,
	     struct herald_dead_message_list *out, struct herald_error *error)
{
	const amqp_basic_deliver_t delivery = {.delivery_tag = got->delivery_tag,
					       .redelivered = got->redelivered,
					       .exchange = got->exchange,
					       .routing_key = got->routing_key};
	amqp_frame_t frame;
	int status = next_frame(letters, &frame);

	if (status == AMQP_STATUS_OK && frame.frame_type != AMQP_FRAME_HEADER)
		status = AMQP_STATUS_WRONG_METHOD;
	if (status != AMQP_STATUS_OK)
		return lost(letters, amqp_error_string2(status), error);
	struct rabbitmq_dead_message *message = create_message(letters, &delivery, &frame);
	if (!message) {
		letters->has_failed = true;
		return herald_out_of_memory(error);
	}
	status = read_body(letters, message);
	if (status != AMQP_STATUS_OK) {
		free_message(letters, message);
		return lost(letters, amqp_error_string2(status), error);
	}
	complete(message);
	herald_dead_message_list_add(out, &message->base);
	return HERALD_OK;
}

static enum herald_status
read_letters(struct herald_dead_letters *base, size_t room, size_t room_bytes,
	     struct herald_dead_message_list *out, struct herald_error *error)
{
	struct rabbitmq_dead_letters *letters = of(base);
	enum herald_status status = HERALD_OK;

	for (size_t bytes = 0;
	     letters->left > 0 && out->count < room && bytes < room_bytes && status == HERALD_OK;) {
		const amqp_rpc_reply_t reply =
			amqp_basic_get(letters->link.conn, RABBITMQ_CHANNEL,
				       amqp_cstring_bytes(letters->options->dead_queue), 0);

		if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
			return lost(letters, amqp_error_string2(reply.library_error), error);
		status = herald__rabbitmq_reply(reply, "cannot read dead letters", error);
		letters->has_failed = status != HERALD_OK;
		if (status != HERALD_OK || reply.reply.id != AMQP_BASIC_GET_OK_METHOD) {
			letters->left = 0;
			break;
		}
		letters->held++;
		status = read_content(letters, reply.reply.decoded, out, error);
		herald__rabbitmq_link_release(&letters->link);
		letters->left--;
		if (status == HERALD_OK)
			bytes += out->last->data.bytes + out->last->attributes.bytes;
	}
	return status;
}

/* Replay and removal. */

/* Acknowledge those that are HERALD_OK, and have the server answer after that: it does not confirm
 * acknowledgements. */
static enum herald_status
acknowledge(struct rabbitmq_dead_letters *letters, struct herald_dead_message_list *list,
	    struct herald_error *error)
{
	int status = AMQP_STATUS_OK;

	for (struct herald_dead_message *message = list->first; message && status == AMQP_STATUS_OK;
	     message = message->next)
		if (message->status == HERALD_OK) {
			status = amqp_basic_ack(
				letters->link.conn, RABBITMQ_CHANNEL,
				herald__rabbitmq_dead_message(message)->message->tag, 0);
			letters->held--;
		}
	if (status == AMQP_STATUS_OK) {
		amqp_basic_qos(letters->link.conn, RABBITMQ_CHANNEL, 0, 0, 0);
		if (amqp_get_rpc_reply(letters->link.conn).reply_type == AMQP_RESPONSE_NORMAL)
			return HERALD_OK;
		status = AMQP_STATUS_CONNECTION_CLOSED;
	}
	for (struct herald_dead_message *message = list->first; message; message = message->next)
		if (message->status == HERALD_OK)
			herald__rabbitmq_conclude(message, HERALD_UNKNOWN_OUTCOME,
						  "it may still be there");
	return lost(letters, amqp_error_string2(status), error);
}

static enum herald_status
remove_letters(struct herald_dead_letters *base, struct herald_dead_message_list *list,
	       struct herald_error *error)
{
	for (struct herald_dead_message *message = list->first; message; message = message->next)
		herald__rabbitmq_conclude(message, HERALD_OK, "");
	return acknowledge(of(base), list, error);
}

static enum herald_status
replay(struct herald_dead_letters *base, struct herald_dead_message_list *list, const char *target,
       struct herald_error *error)
{
	struct rabbitmq_dead_letters *letters = of(base);

	if (strcmp(target, letters->options->dead_queue) == 0) {
		for (struct herald_dead_message *message = list->first; message;
		     message = message->next)
			herald__rabbitmq_conclude(
				message, HERALD_BAD_OPTION,
				"it would be sent to the dead letters themselves");
		return HERALD_OK;
	}
	enum herald_status status = herald__rabbitmq_resend(&letters->link, timeout_ms(letters),
							    list, target, &letters->number, error);
	if (status == HERALD_OK)
		return acknowledge(letters, list, error);
	/* Copies of these are stored, but the dead letters are still there. */
	letters->has_failed = true;
	for (struct herald_dead_message *message = list->first; message; message = message->next)
		if (message->status == HERALD_OK)
			herald__rabbitmq_conclude(message, HERALD_UNKNOWN_OUTCOME,
						  "it is still there");
	return status;
}

/* The end. */

static void
release(struct herald_dead_letters *base, struct herald_dead_message_list *list)
{
	for (struct herald_dead_message *message; (message = herald_dead_message_list_take(list));)
		free_message(of(base), herald__rabbitmq_dead_message(message));
}

static void
destroy(struct herald_dead_letters *base)
{
	struct rabbitmq_dead_letters *letters = of(base);
	const struct herald_allocator allocator = letters->options->own_allocator;

	close_letters(base);
	letters->options->base.ops->destroy(&letters->options->base);
	herald_memory_release(&allocator, letters, sizeof(*letters));
}

static const struct herald_dead_letters_ops ops = {
	.name = "rabbitmq",
	.open = open_letters,
	.read = read_letters,
	.replay = replay,
	.remove = remove_letters,
	.release = release,
	.close = close_letters,
	.destroy = destroy,
};

/* Creation. */

enum herald_status
herald_rabbitmq_dead_letters_create(const struct herald_rabbitmq_dead_letters_options *given,
				    struct herald_dead_letters **out, struct herald_error *error)
{
	struct herald_rabbitmq_dead_letters_options options;
	struct herald_subscriber *subscriber;
	enum herald_status status = herald_options_read(
		given, &options, sizeof(options), "HERALD_RABBITMQ_DEAD_LETTERS_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_rabbitmq_subscriber_create(
			&HERALD_RABBITMQ_SUBSCRIBER_OPTIONS(.url = options.url,
							    .queue = options.queue,
							    .dead_queue = options.dead_queue,
							    .connect_timeout_ms =
								    options.connect_timeout_ms,
							    .connection_name = "herald broker dead",
							    .ca_file = options.ca_file,
							    .certificate_file =
								    options.certificate_file,
							    .key_file = options.key_file,
							    .allocator = options.allocator),
			&subscriber, error);
	if (status != HERALD_OK)
		return status;
	struct rabbitmq *names = (struct rabbitmq *)subscriber;
	struct rabbitmq_dead_letters *letters =
		herald_memory_allocate_zeroed(&names->own_allocator, 1, sizeof(*letters));
	if (!letters) {
		subscriber->ops->destroy(subscriber);
		return herald_out_of_memory(error);
	}
	letters->options = names;
	names->settings.allocator = names->own_allocator;
	letters->base.ops = &ops;
	letters->answer_ms =
		options.connect_timeout_ms > 0 ? options.connect_timeout_ms : ANSWER_MS;
	snprintf(letters->place, sizeof(letters->place), "queue %s", names->dead_queue);
	letters->base.place = letters->place;
	*out = &letters->base;
	return HERALD_OK;
}
