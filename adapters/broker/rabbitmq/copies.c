/*
 * Copies for retries and of dead letters: published, confirmed by the server, and only then is the
 * message acknowledged. Never waits for the socket: a copy goes on when there is space. Which
 * queues there are is the matter of queues.c.
 */
#include "copies.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/log.h>

#include "epoch.h"
#include "message.h"
#include "queues.h"

/* After the server could not store a copy. */
#define AGAIN_MS 1000
/* Between looks at the connection, if nothing is expected. */
#define LOOK_MS 1000
/* Until it is reported that a copy is not confirmed. */
#define SILENT_MS 10000
/* If it is killed, RabbitMQ forgets queues that it made in the last second, with what it has
 * confirmed since. (The names are in a file of dets, with auto_save 500: it is written when
 * nothing has used it between two looks. Seen with 3.10.8.) */
#define NEW_QUEUE_MS 2000
#define POOL_BYTES 4096
/* Of the frame of the properties, besides the original ones. */
#define ADDED_BYTES 4096
/* Of the number that set_number() adds to the properties. */
#define NUMBER_BYTES 21
/* The server takes no frames of less than 4096 bytes; these and Herald's headers fit into it. */
#define NEEDED_PROPERTIES                                                                          \
	(amqp_flags_t)(AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG |                    \
		       AMQP_BASIC_CONTENT_ENCODING_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG |             \
		       AMQP_BASIC_TIMESTAMP_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |                 \
		       AMQP_BASIC_EXPIRATION_FLAG | AMQP_BASIC_PRIORITY_FLAG)

static void
list_add(struct rabbitmq_copies *list, struct rabbitmq_message *message)
{
	message->copy.next = NULL;
	if (list->last)
		list->last->copy.next = message;
	else
		list->first = message;
	list->last = message;
}

static struct rabbitmq_message *
list_take(struct rabbitmq_copies *list)
{
	struct rabbitmq_message *message = list->first;

	list->first = message->copy.next;
	if (!list->first)
		list->last = NULL;
	return message;
}

/* Properties. */

static amqp_bytes_t
pool_text(amqp_pool_t *pool, const char *text)
{
	amqp_bytes_t copy;

	amqp_pool_alloc_bytes(pool, strlen(text), &copy);
	if (copy.bytes)
		memcpy(copy.bytes, text, copy.len);
	return copy;
}

static bool
add_header(struct rabbitmq_copy *copy, const char *name, const char *value)
{
	amqp_table_t *headers = &copy->properties->headers;
	const amqp_bytes_t key = pool_text(&copy->pool, name);
	const amqp_bytes_t text = pool_text(&copy->pool, value);

	if (!key.bytes || !text.bytes)
		return false;
	headers->entries[headers->num_entries++] = (amqp_table_entry_t){
		.key = key,
		.value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = text},
	};
	return true;
}

static bool
add_own_headers(struct rabbitmq *rabbitmq, struct rabbitmq_copy *copy,
		const struct herald_settlement *settlement)
{
	struct herald_dead_letter_headers letter;
	char number[24];

	if (settlement->kind == HERALD_SETTLE_RETRY) {
		snprintf(number, sizeof(number), "%u", settlement->attempts);
		return add_header(copy, HERALD_ATTEMPT_HEADER, number);
	}
	herald_dead_letter_describe(settlement, rabbitmq->queue, &letter);
	for (size_t i = 0; i < letter.count; i++)
		if (!add_header(copy, letter.headers[i].key, letter.headers[i].value))
			return false;
	return true;
}

/* Whether the properties fit into one frame, as they must. */
static bool
fit(const struct rabbitmq *rabbitmq, struct rabbitmq_copy *copy, size_t original_bytes)
{
	const size_t most = herald__rabbitmq_link_properties_bytes(&rabbitmq->publisher);
	amqp_bytes_t encoded;

	amqp_pool_alloc_bytes(&copy->pool, original_bytes + ADDED_BYTES, &encoded);
	if (!encoded.bytes)
		return false;
	const int bytes = amqp_encode_properties(AMQP_BASIC_CLASS, copy->properties, encoded);
	return bytes >= 0 && (size_t)bytes + NUMBER_BYTES <= most;
}

/* Herald's headers come first: without space for all, the others are left out, and then those
 * properties that nothing needs to read the message. */
static void
make_fit(struct rabbitmq *rabbitmq, struct rabbitmq_message *message, int own_headers)
{
	struct rabbitmq_copy *copy = &message->copy;

	if (fit(rabbitmq, copy, message->properties.len))
		return;
	copy->properties->headers.num_entries = own_headers;
	if (!fit(rabbitmq, copy, message->properties.len))
		copy->properties->_flags &= NEEDED_PROPERTIES;
	herald_log_write(&rabbitmq->settings.log, HERALD_LOG_WARNING,
			 "headers left out of a copy: they do not fit into a frame", NULL, 0);
}

static bool
set_headers(struct rabbitmq *rabbitmq, struct rabbitmq_message *message,
	    const struct herald_settlement *settlement)
{
	struct rabbitmq_copy *copy = &message->copy;
	amqp_basic_properties_t *properties = copy->properties;
	const amqp_table_t old = properties->_flags & AMQP_BASIC_HEADERS_FLAG
					 ? properties->headers
					 : (amqp_table_t){0, NULL};
	const size_t count = (size_t)old.num_entries + HERALD_DEAD_LETTER_HEADERS + 1;

	properties->headers =
		(amqp_table_t){0, amqp_pool_alloc(&copy->pool, count * sizeof(amqp_table_entry_t))};
	properties->_flags |= AMQP_BASIC_HEADERS_FLAG;
	if (!properties->headers.entries || !add_own_headers(rabbitmq, copy, settlement))
		return false;
	const int own = properties->headers.num_entries;
	for (int i = 0; i < old.num_entries; i++)
		if (!herald__rabbitmq_header_stays(old.entries[i].key))
			properties->headers.entries[properties->headers.num_entries++] =
				old.entries[i];
	make_fit(rabbitmq, message, own);
	return true;
}

static bool
set_properties(struct rabbitmq *rabbitmq, struct rabbitmq_message *message,
	       const struct herald_settlement *settlement)
{
	struct rabbitmq_copy *copy = &message->copy;
	void *decoded;
	char expiration[24], name[RABBITMQ_NAME_BYTES];

	if (amqp_decode_properties(AMQP_BASIC_CLASS, &copy->pool, message->properties, &decoded) <
	    0)
		return false;
	copy->properties = decoded;
	/* A dead letter does not expire, and the server refuses the name of another user. */
	copy->properties->_flags &=
		~(amqp_flags_t)(AMQP_BASIC_EXPIRATION_FLAG | AMQP_BASIC_USER_ID_FLAG |
				AMQP_BASIC_CLUSTER_ID_FLAG);
	copy->properties->_flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
	copy->properties->delivery_mode = AMQP_DELIVERY_PERSISTENT;
	copy->tier = -1;
	snprintf(name, sizeof(name), "%s", rabbitmq->dead_queue);
	if (settlement->kind == HERALD_SETTLE_RETRY) {
		copy->tier = herald__rabbitmq_tier_of(settlement->delay_ms);
		herald__rabbitmq_tier_name(rabbitmq, copy->tier, name);
		snprintf(expiration, sizeof(expiration), "%llu",
			 (unsigned long long)settlement->delay_ms);
		copy->properties->_flags |= AMQP_BASIC_EXPIRATION_FLAG;
		copy->properties->expiration = pool_text(&copy->pool, expiration);
	}
	copy->queue = amqp_pool_alloc(&copy->pool, strlen(name) + 1);
	if (!copy->queue ||
	    (settlement->kind == HERALD_SETTLE_RETRY && !copy->properties->expiration.bytes))
		return false;
	memcpy(copy->queue, name, strlen(name) + 1);
	return set_headers(rabbitmq, message, settlement);
}

bool
herald__rabbitmq_copy_begin(struct rabbitmq *rabbitmq, struct rabbitmq_message *message,
			    const struct herald_settlement *settlement)
{
	message->copy = (struct rabbitmq_copy){0};
	init_amqp_pool(&message->copy.pool, POOL_BYTES);
	if (!set_properties(rabbitmq, message, settlement)) {
		empty_amqp_pool(&message->copy.pool);
		return false;
	}
	message->state = RABBITMQ_COPY;
	list_add(&rabbitmq->waiting, message);
	rabbitmq->copies++;
	return true;
}

/* Sending. */

static struct rabbitmq_declared *
declared(struct rabbitmq *rabbitmq, const struct rabbitmq_copy *copy)
{
	return &rabbitmq->declared[copy->tier >= 0 ? copy->tier : RABBITMQ_TIERS];
}

static int
declare_if_needed(struct rabbitmq *rabbitmq, const struct rabbitmq_copy *copy)
{
	const bool is_declared = copy->tier < 0 || rabbitmq->is_declared[copy->tier];
	struct rabbitmq_declared *queue = declared(rabbitmq, copy);

	if (is_declared && !copy->was_returned)
		return AMQP_STATUS_OK;
	if (copy->tier >= 0)
		rabbitmq->is_declared[copy->tier] = rabbitmq->tiers_used[copy->tier] = true;
	/* The answer is the first confirmation of a copy. */
	if (queue->known_ms > 0)
		*queue = (struct rabbitmq_declared){.after_number = rabbitmq->last_number};
	return herald__rabbitmq_declare_again(rabbitmq, copy);
}

/* The server returns a copy with its properties. RabbitMQ makes no use of cluster-id. */
static void
set_number(struct rabbitmq *rabbitmq, struct rabbitmq_copy *copy)
{
	copy->number = ++rabbitmq->last_number;
	snprintf(copy->number_text, sizeof(copy->number_text), "%llu",
		 (unsigned long long)copy->number);
	copy->properties->_flags |= AMQP_BASIC_CLUSTER_ID_FLAG;
	copy->properties->cluster_id = amqp_cstring_bytes(copy->number_text);
}

/* The frames before the body. */
static int
send_head(struct rabbitmq *rabbitmq, struct rabbitmq_message *message)
{
	struct rabbitmq_copy *copy = &message->copy;
	amqp_basic_publish_t method = {
		.routing_key = amqp_cstring_bytes(copy->queue),
		.mandatory = 1,
	};
	amqp_frame_t header = {.frame_type = AMQP_FRAME_HEADER, .channel = RABBITMQ_CHANNEL};
	int status = declare_if_needed(rabbitmq, copy);

	if (status == AMQP_STATUS_OK)
		status = amqp_send_method(rabbitmq->publisher.conn, RABBITMQ_CHANNEL,
					  AMQP_BASIC_PUBLISH_METHOD, &method);
	set_number(rabbitmq, copy);
	header.payload.properties.class_id = AMQP_BASIC_CLASS;
	header.payload.properties.body_size = message->base.data.bytes;
	header.payload.properties.decoded = copy->properties;
	if (status == AMQP_STATUS_OK)
		status = amqp_send_frame(rabbitmq->publisher.conn, &header);
	copy->has_begun = true;
	copy->was_returned = false;
	copy->sent_bytes = 0;
	copy->not_before_ms = herald__rabbitmq_now_ms() + SILENT_MS;
	return status;
}

static int
send_chunk(struct rabbitmq *rabbitmq, struct rabbitmq_message *message)
{
	const struct herald_text data = message->base.data;
	const size_t rest = data.bytes - message->copy.sent_bytes;
	const size_t most = herald__rabbitmq_link_body_bytes(&rabbitmq->publisher);
	amqp_frame_t body = {.frame_type = AMQP_FRAME_BODY, .channel = RABBITMQ_CHANNEL};

	body.payload.body_fragment.bytes = (char *)data.data + message->copy.sent_bytes;
	body.payload.body_fragment.len = rest < most ? rest : most;
	message->copy.sent_bytes += body.payload.body_fragment.len;
	return amqp_send_frame(rabbitmq->publisher.conn, &body);
}

/* The copy is safe. */
static void
finish(struct rabbitmq *rabbitmq, struct rabbitmq_message *message)
{
	empty_amqp_pool(&message->copy.pool);
	message->state = RABBITMQ_DONE;
	rabbitmq->copies--;
	rabbitmq->done++;
}

static void
finish_fresh(struct rabbitmq *rabbitmq)
{
	while (rabbitmq->fresh.first &&
	       rabbitmq->fresh.first->copy.not_before_ms <= herald__rabbitmq_now_ms())
		finish(rabbitmq, list_take(&rabbitmq->fresh));
}

/* Whether the first one can go on now. */
static bool
can_go_on(const struct rabbitmq *rabbitmq, const struct rabbitmq_copy *copy)
{
	if (!copy->has_begun &&
	    (rabbitmq->is_blocked ||
	     (copy->not_before_ms > 0 && copy->not_before_ms > herald__rabbitmq_now_ms())))
		return false;
	return herald__rabbitmq_link_has_space(&rabbitmq->publisher);
}

static void
send_waiting(struct rabbitmq *rabbitmq)
{
	struct rabbitmq_message *message;

	while ((message = rabbitmq->waiting.first) && can_go_on(rabbitmq, &message->copy)) {
		int status = message->copy.has_begun ? send_chunk(rabbitmq, message)
						     : send_head(rabbitmq, message);

		if (status != AMQP_STATUS_OK) {
			herald__rabbitmq_fail_with(rabbitmq, status, "cannot publish");
			return;
		}
		if (message->copy.sent_bytes == message->base.data.bytes)
			list_add(&rabbitmq->sent, list_take(&rabbitmq->waiting));
	}
}

/* Confirmations. */

static void
wait_until(struct rabbitmq_copies *list, struct rabbitmq_message *message, uint64_t until_ms)
{
	message->copy.has_begun = false;
	message->copy.not_before_ms = until_ms;
	list_add(list, message);
}

/* The server may make a queue long after it was told to: how long it is new counts from the first
 * copy that is stored in it. */
static void
end_stored(struct rabbitmq *rabbitmq, struct rabbitmq_message *message)
{
	struct rabbitmq_declared *queue = declared(rabbitmq, &message->copy);
	const uint64_t now_ms = herald__rabbitmq_now_ms();

	if (queue->known_ms == 0 && message->copy.number > queue->after_number)
		queue->known_ms = now_ms;
	if (queue->known_ms + NEW_QUEUE_MS > now_ms)
		wait_until(&rabbitmq->fresh, message, queue->known_ms + NEW_QUEUE_MS);
	else
		finish(rabbitmq, message);
}

static void
end_copy(struct rabbitmq *rabbitmq, struct rabbitmq_message *message, bool is_stored)
{
	if (message->copy.was_returned)
		wait_until(&rabbitmq->waiting, message, 0);
	else if (!is_stored)
		wait_until(&rabbitmq->waiting, message, herald__rabbitmq_now_ms() + AGAIN_MS);
	else
		end_stored(rabbitmq, message);
}

/* Numbers ascend in the list. Without `multiple`, those before are not confirmed yet. */
static void
confirm(struct rabbitmq *rabbitmq, uint64_t number, bool multiple, bool is_stored)
{
	struct rabbitmq_copies *sent = &rabbitmq->sent;
	struct rabbitmq_copies before = {NULL, NULL};

	while (sent->first && sent->first->copy.number <= number) {
		struct rabbitmq_message *message = list_take(sent);

		if (multiple || message->copy.number == number)
			end_copy(rabbitmq, message, is_stored);
		else
			list_add(&before, message);
	}
	if (!before.first)
		return;
	before.last->copy.next = sent->first;
	sent->first = before.first;
	if (!sent->last)
		sent->last = before.last;
}

/* A queue does not exist any more. Which copy it was is in the properties, which come next. */
static void
returned(struct rabbitmq *rabbitmq, const amqp_basic_return_t *method)
{
	const amqp_bytes_t key = method->routing_key;
	char name[RABBITMQ_NAME_BYTES];
	const struct herald_log_field field = {"queue", name, 0};

	snprintf(name, sizeof(name), "%.*s", (int)key.len, (const char *)key.bytes);
	rabbitmq->is_returning = true;
	herald_log_write(&rabbitmq->settings.log, HERALD_LOG_ERROR,
			 "a queue of the consumer was deleted; it is made again", &field, 1);
}

/* The server confirms next, but does not say that it has stored nothing. What was sent to the queue
 * before is lost with it; what was sent after it was made again is not. */
static void
take_returned(struct rabbitmq *rabbitmq, const amqp_basic_properties_t *properties)
{
	const bool has_number = properties->_flags & AMQP_BASIC_CLUSTER_ID_FLAG;
	const struct rabbitmq_message *found = NULL;
	char text[24] = "";

	rabbitmq->is_returning = false;
	if (has_number)
		snprintf(text, sizeof(text), "%.*s", (int)properties->cluster_id.len,
			 (const char *)properties->cluster_id.bytes);
	for (struct rabbitmq_message *at = rabbitmq->sent.first; at && !found; at = at->copy.next)
		if (strcmp(at->copy.number_text, text) == 0)
			found = at;
	/* Rather two copies than none, if a server drops the number. */
	for (struct rabbitmq_message *at = rabbitmq->sent.first; at; at = at->copy.next)
		if (!has_number || (found && at->copy.number <= found->copy.number &&
				    strcmp(at->copy.queue, found->copy.queue) == 0))
			at->copy.was_returned = true;
}

static void
set_blocked(struct rabbitmq *rabbitmq, bool is_blocked)
{
	rabbitmq->is_blocked = is_blocked;
	herald_log_write(&rabbitmq->settings.log, is_blocked ? HERALD_LOG_WARNING : HERALD_LOG_INFO,
			 is_blocked
				 ? "the server takes no messages now: retries and dead letters wait"
				 : "the server takes messages again",
			 NULL, 0);
}

static void
take_method(struct rabbitmq *rabbitmq, const amqp_method_t *method)
{
	const amqp_basic_ack_t *ack = method->decoded;
	const amqp_basic_nack_t *nack = method->decoded;

	switch (method->id) {
	case AMQP_BASIC_ACK_METHOD:
		confirm(rabbitmq, ack->delivery_tag, ack->multiple, true);
		break;
	case AMQP_BASIC_NACK_METHOD:
		confirm(rabbitmq, nack->delivery_tag, nack->multiple, false);
		break;
	case AMQP_BASIC_RETURN_METHOD:
		returned(rabbitmq, method->decoded);
		break;
	case AMQP_CONNECTION_BLOCKED_METHOD:
	case AMQP_CONNECTION_UNBLOCKED_METHOD:
		set_blocked(rabbitmq, method->id == AMQP_CONNECTION_BLOCKED_METHOD);
		break;
	case AMQP_CHANNEL_CLOSE_METHOD:
	case AMQP_CONNECTION_CLOSE_METHOD:
		(void)herald__rabbitmq_closed(method, "cannot publish", &rabbitmq->error);
		herald__rabbitmq_fail(rabbitmq);
		break;
	default:
		break;
	}
}

/* A queue without a leader takes nothing, and says nothing. */
static void
report_silence(struct rabbitmq *rabbitmq)
{
	struct rabbitmq_message *first = rabbitmq->sent.first;

	if (!first || rabbitmq->is_blocked || first->copy.not_before_ms > herald__rabbitmq_now_ms())
		return;
	first->copy.not_before_ms = herald__rabbitmq_now_ms() + SILENT_MS;
	herald_log_write(&rabbitmq->settings.log, HERALD_LOG_ERROR,
			 "the server does not confirm what a queue of the consumer was sent",
			 &(struct herald_log_field){"queue", first->copy.queue, 0}, 1);
}

void
herald__rabbitmq_copies_turn(struct rabbitmq *rabbitmq)
{
	amqp_frame_t frame;
	int status = AMQP_STATUS_OK;

	finish_fresh(rabbitmq);
	send_waiting(rabbitmq);
	if (!rabbitmq->sent.first && rabbitmq->next_look_ms > herald__rabbitmq_now_ms())
		return;
	rabbitmq->next_look_ms = herald__rabbitmq_now_ms() + LOOK_MS;
	while (!rabbitmq->has_failed && (status = herald__rabbitmq_link_next(
						 &rabbitmq->publisher, &frame)) == AMQP_STATUS_OK) {
		if (frame.frame_type == AMQP_FRAME_METHOD)
			take_method(rabbitmq, &frame.payload.method);
		else if (frame.frame_type == AMQP_FRAME_HEADER && rabbitmq->is_returning)
			take_returned(rabbitmq, frame.payload.properties.decoded);
		herald__rabbitmq_link_release(&rabbitmq->publisher);
	}
	if (!rabbitmq->has_failed && status != AMQP_STATUS_TIMEOUT)
		herald__rabbitmq_fail_with(rabbitmq, status, "the connection to publish is lost");
	report_silence(rabbitmq);
}

void
herald__rabbitmq_copies_drop(struct rabbitmq *rabbitmq)
{
	rabbitmq->waiting = rabbitmq->sent = rabbitmq->fresh = (struct rabbitmq_copies){NULL, NULL};
	rabbitmq->copies = 0;
	rabbitmq->last_number = 0;
	rabbitmq->is_blocked = rabbitmq->is_returning = false;
	memset(rabbitmq->is_declared, 0, sizeof(rabbitmq->is_declared));
}

uint64_t
herald__rabbitmq_copies_due_ms(const struct rabbitmq *rabbitmq)
{
	const struct rabbitmq_message *waiting = rabbitmq->waiting.first;
	const struct rabbitmq_message *fresh = rabbitmq->fresh.first;
	uint64_t due_ms = fresh ? fresh->copy.not_before_ms : UINT64_MAX;

	/* What has begun waits for the socket only. */
	if (waiting && !waiting->copy.has_begun && !rabbitmq->is_blocked &&
	    waiting->copy.not_before_ms < due_ms)
		due_ms = waiting->copy.not_before_ms;
	return due_ms;
}
