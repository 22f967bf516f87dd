/*
 * Sends copies of dead letters: with mandatory, so that a queue that does not exist is noticed, and
 * with confirmation. Waits for the socket and for the server, but not without a limit. Owns no
 * connection.
 */
#include "resend.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include <herald/adapter/text.h>

#include "epoch.h"
#include "message.h"

#define POOL_BYTES 4096
/* A short string (AMQP 0-9-1 section 4.2.5.3). */
#define MAX_NAME_BYTES 255

struct resend {
	struct rabbitmq_link *link;
	uint32_t timeout_ms;
	struct herald_dead_message_list *list;
	const char *target;
	uint64_t *number;  /* of the last copy that was sent */
	size_t open;       /* without a confirmation */
	bool is_returning; /* the properties of a returned copy come next */
	bool is_blocked;
};

void
herald__rabbitmq_conclude(struct herald_dead_message *message, enum herald_status status,
			  const char *reason)
{
	message->status = status;
	herald_text_write(message->reason, sizeof(message->reason), "%s", reason);
}

/* Sending. */

/* librabbitmq waits for the socket without a limit. A signal does not end the wait: what has begun
 * is sent to its end. */
static bool
wait_for_space(const struct resend *resend)
{
	const uint64_t until_ms = herald__rabbitmq_now_ms() + resend->timeout_ms;
	struct pollfd poll_fd = {.fd = resend->link->fd, .events = POLLOUT};
	uint64_t now_ms;
	int count;

	do {
		now_ms = herald__rabbitmq_now_ms();
		count = poll(&poll_fd, 1, until_ms > now_ms ? (int)(until_ms - now_ms) : 0);
	} while (count < 0 && errno == EINTR);
	return count == 1 && (poll_fd.revents & POLLOUT);
}

static int
send_frame(const struct resend *resend, const amqp_frame_t *frame)
{
	if (!wait_for_space(resend))
		return AMQP_STATUS_TIMEOUT;
	return amqp_send_frame(resend->link->conn, frame);
}

/* The properties of the dead letter, but the ones of the server and of Herald. */
static amqp_basic_properties_t *
make_properties(const struct rabbitmq_dead_message *message, amqp_pool_t *pool, char number[24])
{
	void *decoded;

	if (amqp_decode_properties(AMQP_BASIC_CLASS, pool, message->message->properties, &decoded) <
	    0)
		return NULL;
	amqp_basic_properties_t *properties = decoded;
	amqp_table_t *headers = &properties->headers;
	properties->_flags &= ~(amqp_flags_t)(AMQP_BASIC_EXPIRATION_FLAG | AMQP_BASIC_USER_ID_FLAG);
	properties->_flags |= AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CLUSTER_ID_FLAG;
	properties->delivery_mode = AMQP_DELIVERY_PERSISTENT;
	/* The server returns it with these. */
	snprintf(number, 24, "%llu", (unsigned long long)message->number);
	properties->cluster_id = amqp_cstring_bytes(number);
	if (!(properties->_flags & AMQP_BASIC_HEADERS_FLAG))
		return properties;
	int kept = 0;
	for (int i = 0; i < headers->num_entries; i++)
		if (!herald__rabbitmq_header_stays(headers->entries[i].key))
			headers->entries[kept++] = headers->entries[i];
	headers->num_entries = kept;
	return properties;
}

static int
send_body(const struct resend *resend, struct herald_text data)
{
	amqp_frame_t body = {.frame_type = AMQP_FRAME_BODY, .channel = RABBITMQ_CHANNEL};
	const size_t most = herald__rabbitmq_link_body_bytes(resend->link);
	int status = AMQP_STATUS_OK;

	for (size_t sent = 0; sent < data.bytes && status == AMQP_STATUS_OK;) {
		const size_t rest = data.bytes - sent;

		body.payload.body_fragment.bytes = (char *)(uintptr_t)data.data + sent;
		body.payload.body_fragment.len = rest < most ? rest : most;
		sent += body.payload.body_fragment.len;
		status = send_frame(resend, &body);
	}
	return status;
}

/* The frames of a copy. */
static int
send_frames(const struct resend *resend, const struct rabbitmq_dead_message *message,
	    amqp_basic_properties_t *properties)
{
	amqp_basic_publish_t publish = {
		.routing_key = amqp_cstring_bytes(resend->target),
		.mandatory = 1,
	};
	amqp_frame_t method = {.frame_type = AMQP_FRAME_METHOD, .channel = RABBITMQ_CHANNEL};
	amqp_frame_t header = {.frame_type = AMQP_FRAME_HEADER, .channel = RABBITMQ_CHANNEL};

	method.payload.method.id = AMQP_BASIC_PUBLISH_METHOD;
	method.payload.method.decoded = &publish;
	header.payload.properties.class_id = AMQP_BASIC_CLASS;
	header.payload.properties.body_size = message->base.data.bytes;
	header.payload.properties.decoded = properties;
	int status = send_frame(resend, &method);
	if (status == AMQP_STATUS_OK)
		status = send_frame(resend, &header);
	return status == AMQP_STATUS_OK ? send_body(resend, message->base.data) : status;
}

/* Properties that cannot be sent would end the connection. */
static enum herald_status
check_properties(const struct resend *resend, amqp_basic_properties_t *properties,
		 amqp_pool_t *pool)
{
	amqp_bytes_t encoded;

	if (!properties)
		return HERALD_BAD_VALUE;
	amqp_pool_alloc_bytes(pool, herald__rabbitmq_link_properties_bytes(resend->link), &encoded);
	if (!encoded.bytes)
		return HERALD_NO_MEMORY;
	return amqp_encode_properties(AMQP_BASIC_CLASS, properties, encoded) >= 0
		       ? HERALD_OK
		       : HERALD_TOO_LARGE;
}

static const char *
reason_of(enum herald_status status)
{
	if (status == HERALD_TOO_LARGE)
		return "its headers do not fit into a frame of the server";
	return status == HERALD_BAD_VALUE ? "its properties cannot be read" : "out of memory";
}

/* A dead letter that cannot be sent has its outcome at once, and the others are sent. */
static int
send_copy(struct resend *resend, struct rabbitmq_dead_message *message)
{
	char number[24];
	amqp_pool_t pool;
	int status = AMQP_STATUS_OK;

	init_amqp_pool(&pool, POOL_BYTES);
	message->number = *resend->number + 1;
	amqp_basic_properties_t *properties = make_properties(message, &pool, number);
	const enum herald_status checked = check_properties(resend, properties, &pool);
	if (checked == HERALD_OK) {
		*resend->number = message->number;
		resend->open++;
		message->is_confirmed = false;
		status = send_frames(resend, message, properties);
	} else {
		message->number = 0;
		herald__rabbitmq_conclude(&message->base, checked, reason_of(checked));
	}
	empty_amqp_pool(&pool);
	return status;
}

/* Confirmations. */

static void
confirm(struct resend *resend, uint64_t number, bool multiple, bool is_stored)
{
	for (struct herald_dead_message *base = resend->list->first; base; base = base->next) {
		struct rabbitmq_dead_message *message = herald__rabbitmq_dead_message(base);

		if (message->is_confirmed ||
		    !(message->number == number || (multiple && message->number < number)))
			continue;
		message->is_confirmed = true;
		resend->open--;
		if (base->status == HERALD_UNKNOWN_OUTCOME && is_stored)
			herald__rabbitmq_conclude(base, HERALD_OK, "");
		else if (base->status == HERALD_UNKNOWN_OUTCOME)
			herald__rabbitmq_conclude(base, HERALD_UNAVAILABLE,
						  "the server could not store its copy");
	}
}

/* It is confirmed as well, afterwards. */
static void
take_returned(struct resend *resend, const amqp_basic_properties_t *properties)
{
	const amqp_bytes_t text = properties->cluster_id;

	resend->is_returning = false;
	for (struct herald_dead_message *message = resend->list->first; message;
	     message = message->next) {
		char number[24];

		snprintf(number, sizeof(number), "%llu",
			 (unsigned long long)herald__rabbitmq_dead_message(message)->number);
		if (text.len != strlen(number) || memcmp(text.bytes, number, text.len) != 0)
			continue;
		message->status = HERALD_BAD_OPTION;
		herald_text_write(message->reason, sizeof(message->reason), "there is no queue %s",
				  resend->target);
	}
}

static enum herald_status
take_method(struct resend *resend, const amqp_method_t *method, struct herald_error *error)
{
	const amqp_basic_ack_t *ack = method->decoded;
	const amqp_basic_nack_t *nack = method->decoded;

	switch (method->id) {
	case AMQP_BASIC_ACK_METHOD:
		confirm(resend, ack->delivery_tag, ack->multiple, true);
		break;
	case AMQP_BASIC_NACK_METHOD:
		confirm(resend, nack->delivery_tag, nack->multiple, false);
		break;
	case AMQP_BASIC_RETURN_METHOD:
		resend->is_returning = true;
		break;
	case AMQP_CONNECTION_BLOCKED_METHOD:
	case AMQP_CONNECTION_UNBLOCKED_METHOD:
		resend->is_blocked = method->id == AMQP_CONNECTION_BLOCKED_METHOD;
		break;
	case AMQP_CHANNEL_CLOSE_METHOD:
	case AMQP_CONNECTION_CLOSE_METHOD:
		(void)herald__rabbitmq_closed(method, "cannot publish", error);
		return HERALD_UNAVAILABLE;
	default:
		break;
	}
	return HERALD_OK;
}

static enum herald_status
take_frame(struct resend *resend, const amqp_frame_t *frame, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	if (frame->frame_type == AMQP_FRAME_METHOD)
		status = take_method(resend, &frame->payload.method, error);
	else if (frame->frame_type == AMQP_FRAME_HEADER && resend->is_returning)
		take_returned(resend, frame->payload.properties.decoded);
	herald__rabbitmq_link_release(resend->link);
	return status;
}

static enum herald_status
lost(const struct resend *resend, int status, struct herald_error *error)
{
	const char *why = amqp_error_string2(status);

	if (status == AMQP_STATUS_TIMEOUT)
		why = resend->is_blocked
			      ? "the server takes no messages, as it is short of memory or disk"
			      : "no answer in time";
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"the connection is lost: %s", why);
}

/* Sending has failed. Why is in what the server has said before. */
static enum herald_status
cannot_send(struct resend *resend, int status, struct herald_error *error)
{
	amqp_frame_t frame;

	while (herald__rabbitmq_link_next(resend->link, &frame) == AMQP_STATUS_OK)
		if (take_frame(resend, &frame, error) != HERALD_OK)
			return HERALD_UNAVAILABLE;
	return lost(resend, status, error);
}

static enum herald_status
send_all(struct resend *resend, struct herald_error *error)
{
	int status = AMQP_STATUS_OK;

	for (struct herald_dead_message *message = resend->list->first;
	     message && status == AMQP_STATUS_OK; message = message->next)
		status = send_copy(resend, herald__rabbitmq_dead_message(message));
	return status == AMQP_STATUS_OK ? HERALD_OK : cannot_send(resend, status, error);
}

/* Until all are confirmed. */
static enum herald_status
take_confirmations(struct resend *resend, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	while (resend->open > 0 && status == HERALD_OK) {
		const struct timeval timeout = {resend->timeout_ms / 1000,
						(long)(resend->timeout_ms % 1000) * 1000};
		amqp_frame_t frame;
		int read = amqp_simple_wait_frame_noblock(resend->link->conn, &frame, &timeout);

		if (read != AMQP_STATUS_OK)
			return lost(resend, read, error);
		status = take_frame(resend, &frame, error);
	}
	return status;
}

/* AMQP has no way to say such a name. */
static void
refuse_target(struct herald_dead_message_list *list, const char *target)
{
	for (struct herald_dead_message *message = list->first; message; message = message->next) {
		message->status = HERALD_BAD_OPTION;
		herald_text_write(message->reason, sizeof(message->reason),
				  "the name of its queue has more than %d bytes: %s",
				  MAX_NAME_BYTES, target);
	}
}

enum herald_status
herald__rabbitmq_resend(struct rabbitmq_link *link, uint32_t timeout_ms,
			struct herald_dead_message_list *list, const char *target, uint64_t *number,
			struct herald_error *error)
{
	struct resend resend = {.link = link,
				.timeout_ms = timeout_ms,
				.list = list,
				.target = target,
				.number = number};

	if (strlen(target) > MAX_NAME_BYTES) {
		refuse_target(list, target);
		return HERALD_OK;
	}
	for (struct herald_dead_message *message = list->first; message; message = message->next) {
		herald__rabbitmq_dead_message(message)->number = 0;
		herald__rabbitmq_dead_message(message)->is_confirmed = true;
		herald__rabbitmq_conclude(message, HERALD_UNKNOWN_OUTCOME,
					  "its copy may have been stored");
	}
	enum herald_status status = send_all(&resend, error);
	return status == HERALD_OK ? take_confirmations(&resend, error) : status;
}
