/*
 * The publisher: messages with a reply subject in an inbox of the connection, and their answers.
 * js_PublishAsync() is of no use here, because a message without an answer stays pending for ever
 * (libnats 3.4.1). A number in the reply subject leads to the message's slot, which has a deadline.
 * Two sides meet under the mutex: the producer's thread, and a thread of libnats that brings the
 * answers. When messages are sent again is the producer's matter; the same Nats-Msg-Id lets the
 * stream drop what it has already.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/publisher.h>
#include <herald/adapter/text.h>
#include <herald/adapter/thread.h>

#include "address.h"
#include "answer.h"
#include "connection.h"
#include "failure.h"
#include "options.h"
#include "reach.h"
#include "subscriber.h"

#define ID_HEADER "Nats-Msg-Id"
/* Of messages without an answer. It is less than sockets take from a server that hangs, so that a
 * call of libnats does not wait for it. A message that is larger is sent alone. */
#define WINDOW_BYTES 524288

struct slot {
	struct herald_outgoing *message; /* NULL: free */
	size_t bytes;
	uint64_t until_ms; /* its answer must be there */
};

struct nats_publisher {
	struct herald_publisher base;
	struct herald_nats_publisher_options options; /* with defaults; texts are in the arena */
	struct herald_arena *texts;

	/* Of the producer's thread. */
	natsConnection *connection; /* NULL: there is none */
	natsSubscription *replies;
	char inbox[NATS_INBOX_BYTES];
	struct herald_allocator allocator; /* of the slots */
	size_t wanted;                     /* bytes for which send() had no room; 0: none */

	pthread_mutex_t mutex; /* protects the rest */
	pthread_cond_t changed;
	bool is_woken, is_lost, is_closing, has_thread;
	char problem[160];  /* why it is lost */
	struct slot *slots; /* a ring of a power of 2, by number */
	size_t slots_count;
	uint64_t next, oldest; /* numbers; those from `oldest` on may have a message */
	size_t bytes;          /* in slots */
	uint64_t heard_ms;     /* the last answer came */
	struct herald_outgoing_list finished;
};

static struct nats_publisher *
of(struct herald_publisher *publisher)
{
	return (struct nats_publisher *)publisher;
}

/* With the mutex held: slots. */

static struct slot *
slot_of(const struct nats_publisher *publisher, uint64_t number)
{
	return &publisher->slots[number & (publisher->slots_count - 1)];
}

static bool
has_room(const struct nats_publisher *publisher, size_t bytes)
{
	return publisher->next - publisher->oldest < publisher->slots_count &&
	       (publisher->bytes == 0 || publisher->bytes + bytes <= WINDOW_BYTES);
}

static void
lose(struct nats_publisher *publisher, const char *problem)
{
	if (!publisher->is_lost)
		herald_text_write(publisher->problem, sizeof(publisher->problem), "%s", problem);
	publisher->is_lost = true;
	pthread_cond_signal(&publisher->changed);
}

/* The message has its status. */
static void
finish(struct nats_publisher *publisher, struct slot *slot, enum herald_status status)
{
	slot->message->status = status;
	herald_outgoing_list_add(&publisher->finished, slot->message);
	publisher->bytes -= slot->bytes;
	slot->message = NULL;
	while (publisher->oldest < publisher->next &&
	       !slot_of(publisher, publisher->oldest)->message)
		publisher->oldest++;
}

/* Threads of libnats. */

static enum herald_status
status_of(const struct nats_answer *answer)
{
	switch (answer->code) {
	case 0:
		return answer->is_stored ? HERALD_OK : HERALD_UNAVAILABLE;
	case JSStreamMessageExceedsMaximumErr:
		return HERALD_TOO_LARGE;
	case JSStreamNotMatchErr:
	case JSStreamSequenceNotMatchErr:
	case JSStreamWrongLastMsgIDErr:
	case JSStreamWrongLastSequenceErr:
		return HERALD_BAD_VALUE;
	default:
		return HERALD_UNAVAILABLE;
	}
}

/* With the mutex held. */
static void
take_answer(struct nats_publisher *publisher, uint64_t number, natsMsg *msg)
{
	struct slot *slot = slot_of(publisher, number);
	struct nats_answer answer;

	publisher->heard_ms = nats_now_ms();
	if (!slot->message || slot->message->number != number)
		return; /* it came too late */
	herald__nats_answer_read(msg, &answer);
	const enum herald_status status = status_of(&answer);
	if (status != HERALD_OK)
		herald_text_write(slot->message->reason, sizeof(slot->message->reason), "%s: %s",
				  slot->message->topic, answer.problem);
	finish(publisher, slot, status);
	pthread_cond_signal(&publisher->changed);
}

static void
on_reply(natsConnection *connection, natsSubscription *subscription, natsMsg *msg, void *state)
{
	struct nats_publisher *publisher = state;
	const char *token = strrchr(natsMsg_GetSubject(msg), '.');

	(void)connection, (void)subscription;
	pthread_mutex_lock(&publisher->mutex);
	if (token)
		take_answer(publisher, nats_number(token + 1), msg);
	pthread_mutex_unlock(&publisher->mutex);
	natsMsg_Destroy(msg);
}

/* The subscription's thread calls no more: the connection is closed. */
static void
on_end(void *state)
{
	struct nats_publisher *publisher = state;

	pthread_mutex_lock(&publisher->mutex);
	publisher->has_thread = false;
	if (!publisher->is_closing)
		lose(publisher, "the connection was lost");
	pthread_cond_signal(&publisher->changed);
	pthread_mutex_unlock(&publisher->mutex);
}

/* Sending. */

static enum herald_status
refuse(struct herald_outgoing *message, enum herald_status status, const char *why)
{
	herald_text_write(message->reason, sizeof(message->reason), "%s", why);
	return status;
}

static natsStatus
add_header(natsMsg *msg, const char *name, const char *value, size_t *bytes)
{
	*bytes += strlen(name) + strlen(": ") + strlen(value) + strlen("\r\n");
	return natsMsgHeader_Add(msg, name, value);
}

static natsStatus
add_headers(natsMsg *msg, const struct herald_outgoing *message, size_t *bytes)
{
	natsStatus status = add_header(msg, ID_HEADER, message->id, bytes);
	const char *value, *name = NULL;

	while (status == NATS_OK && (name = herald_outgoing_header(message, name, &value)))
		status = add_header(msg, name, value, bytes);
	if (status == NATS_OK)
		status = add_header(msg, HERALD_MESSAGE_ID_HEADER, message->id, bytes);
	if (status == NATS_OK && message->content_type)
		status = add_header(msg, "Content-Type", message->content_type, bytes);
	if (status == NATS_OK && message->key.data)
		status = add_header(msg, HERALD_KEY_HEADER, message->key.data, bytes);
	return status;
}

/* `bytes` is what the server counts: headers and data. NULL: out of memory. */
static natsMsg *
make(const struct nats_publisher *publisher, const struct herald_outgoing *message, size_t *bytes)
{
	char reply[NATS_INBOX_BYTES + 24];
	natsMsg *msg = NULL;

	*bytes = strlen("NATS/1.0\r\n\r\n") + message->data.bytes;
	snprintf(reply, sizeof(reply), "%s.%llu", publisher->inbox,
		 (unsigned long long)publisher->next);
	if (natsMsg_Create(&msg, message->topic, reply, message->data.data,
			   (int)message->data.bytes) != NATS_OK)
		return NULL;
	if (add_headers(msg, message, bytes) == NATS_OK)
		return msg;
	natsMsg_Destroy(msg);
	return NULL;
}

/* The slot comes first: the answer may be there before the call returns. Returns false if there is
 * no room. */
static bool
take_slot(struct nats_publisher *publisher, struct herald_outgoing *message, size_t bytes)
{
	pthread_mutex_lock(&publisher->mutex);
	const bool has = !publisher->is_lost && has_room(publisher, bytes);
	if (has) {
		const uint64_t now_ms = nats_now_ms();

		/* Silence begins when there is something to answer. */
		if (publisher->oldest == publisher->next)
			publisher->heard_ms = now_ms;
		message->number = publisher->next++;
		*slot_of(publisher, message->number) =
			(struct slot){message, bytes, now_ms + publisher->options.timeout_ms};
		publisher->bytes += bytes;
	}
	pthread_mutex_unlock(&publisher->mutex);
	return has;
}

/* If it fails, a part of it may have been sent. */
static void
put(struct nats_publisher *publisher, natsMsg *msg)
{
	const natsStatus status = natsConnection_PublishMsg(publisher->connection, msg);

	if (status == NATS_OK)
		return;
	pthread_mutex_lock(&publisher->mutex);
	lose(publisher, herald__nats_failure_text(status));
	pthread_mutex_unlock(&publisher->mutex);
}

/* Why it can never be sent; NULL: it can, as far as its text goes. */
static const char *
problem_of(const struct herald_outgoing *message)
{
	const char *value, *name = NULL;

	if (!herald__nats_is_subject(message->topic))
		return "the topic is not a subject: it has blanks, wildcards or empty tokens";
	while ((name = herald_outgoing_header(message, name, &value)))
		if (herald_ascii_same(name, ID_HEADER))
			return "a header is named " ID_HEADER "; set the id instead";
	return NULL;
}

static enum herald_status
publisher_send(struct herald_publisher *base, struct herald_outgoing *message)
{
	struct nats_publisher *publisher = of(base);
	const char *problem = problem_of(message);
	size_t bytes;

	if (problem)
		return refuse(message, HERALD_BAD_VALUE, problem);
	const size_t max = (size_t)natsConnection_GetMaxPayload(publisher->connection);
	if (message->data.bytes > max)
		return refuse(message, HERALD_TOO_LARGE, "it is larger than max_payload");
	natsMsg *msg = make(publisher, message, &bytes);
	if (!msg)
		return refuse(message, HERALD_NO_MEMORY, "out of memory");
	enum herald_status status = HERALD_OK;
	if (bytes > max)
		status = refuse(message, HERALD_TOO_LARGE,
				"with its headers, it is larger than max_payload");
	else if (take_slot(publisher, message, bytes))
		put(publisher, msg);
	else
		status = HERALD_LIMIT;
	publisher->wanted = status == HERALD_LIMIT ? bytes : 0;
	natsMsg_Destroy(msg);
	return status;
}

/* Waiting. With the mutex held. */

/* Messages without an answer in time. If others have one, the message is unlucky: its stream may
 * have no leader. If none has, the server is silent. */
static void
check_deadlines(struct nats_publisher *publisher, uint64_t now_ms)
{
	while (publisher->oldest < publisher->next) {
		struct slot *slot = slot_of(publisher, publisher->oldest);

		if (slot->until_ms > now_ms)
			return;
		if (now_ms - publisher->heard_ms >= publisher->options.timeout_ms) {
			lose(publisher, "the server does not answer");
			return;
		}
		herald_text_write(slot->message->reason, sizeof(slot->message->reason),
				  "%s: no answer within %u ms", slot->message->topic,
				  (unsigned)publisher->options.timeout_ms);
		finish(publisher, slot, HERALD_UNKNOWN_OUTCOME);
	}
}

static uint64_t
next_deadline_ms(const struct nats_publisher *publisher, uint64_t until_ms)
{
	if (publisher->oldest == publisher->next)
		return until_ms;
	const uint64_t own_ms = slot_of(publisher, publisher->oldest)->until_ms;
	return own_ms < until_ms ? own_ms : until_ms;
}

static bool
must_return(const struct nats_publisher *publisher)
{
	return publisher->is_lost || publisher->is_woken || publisher->finished.count > 0 ||
	       (publisher->wanted > 0 && has_room(publisher, publisher->wanted));
}

static enum herald_status
publisher_run(struct herald_publisher *base, uint32_t timeout_ms,
	      struct herald_outgoing_list *finished, struct herald_error *error)
{
	struct nats_publisher *publisher = of(base);
	const uint64_t until_ms = nats_now_ms() + timeout_ms;
	enum herald_status status = HERALD_OK;
	uint64_t now_ms;

	pthread_mutex_lock(&publisher->mutex);
	for (;;) {
		now_ms = nats_now_ms();
		check_deadlines(publisher, now_ms);
		if (must_return(publisher) || now_ms >= until_ms)
			break;
		const struct timespec until = herald_deadline_after(
			(uint32_t)(next_deadline_ms(publisher, until_ms) - now_ms));
		(void)pthread_cond_timedwait(&publisher->changed, &publisher->mutex, &until);
	}
	*finished = publisher->finished;
	publisher->finished = (struct herald_outgoing_list){0};
	publisher->is_woken = false;
	/* The message that had no room may have ended, and then send() is not called. */
	publisher->wanted = 0;
	if (publisher->is_lost)
		status = herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "%s",
					  publisher->problem);
	pthread_mutex_unlock(&publisher->mutex);
	return status;
}

static void
publisher_wake(struct herald_publisher *base)
{
	struct nats_publisher *publisher = of(base);

	pthread_mutex_lock(&publisher->mutex);
	publisher->is_woken = true;
	pthread_cond_signal(&publisher->changed);
	pthread_mutex_unlock(&publisher->mutex);
}

/* Connections. */

static natsStatus
subscribe(struct nats_publisher *publisher)
{
	char subject[NATS_INBOX_BYTES + 4];
	natsInbox *inbox = NULL;
	natsStatus status = natsInbox_Create(&inbox);

	if (status != NATS_OK)
		return status;
	snprintf(publisher->inbox, sizeof(publisher->inbox), "%s", inbox);
	natsInbox_Destroy(inbox);
	snprintf(subject, sizeof(subject), "%s.*", publisher->inbox);
	status = natsConnection_Subscribe(&publisher->replies, publisher->connection, subject,
					  on_reply, publisher);
	/* Slots limit what can be pending. */
	if (status == NATS_OK)
		status = natsSubscription_SetPendingLimits(publisher->replies, -1, -1);
	if (status != NATS_OK)
		return status;
	pthread_mutex_lock(&publisher->mutex);
	publisher->has_thread = true;
	pthread_mutex_unlock(&publisher->mutex);
	status = natsSubscription_SetOnCompleteCB(publisher->replies, on_end, publisher);
	if (status == NATS_OK)
		return NATS_OK;
	pthread_mutex_lock(&publisher->mutex);
	publisher->has_thread = false;
	pthread_mutex_unlock(&publisher->mutex);
	return status;
}

static bool
make_slots(struct nats_publisher *publisher, const struct herald_publisher_settings *settings)
{
	size_t count = 1;

	while (count < settings->max_in_flight)
		count *= 2;
	publisher->allocator = settings->allocator;
	publisher->slots =
		herald_memory_allocate_zeroed(&settings->allocator, count, sizeof(struct slot));
	publisher->slots_count = count;
	return publisher->slots;
}

/* No thread of libnats knows the publisher. */
static void
forget(struct nats_publisher *publisher)
{
	herald_memory_release(&publisher->allocator, publisher->slots,
			      publisher->slots_count * sizeof(struct slot));
	publisher->slots = NULL;
	publisher->next = publisher->oldest = 0;
	publisher->bytes = publisher->wanted = 0;
	publisher->is_lost = publisher->is_closing = false;
}

static void
disconnect(struct nats_publisher *publisher)
{
	if (!publisher->connection)
		return;
	pthread_mutex_lock(&publisher->mutex);
	publisher->is_closing = true;
	pthread_mutex_unlock(&publisher->mutex);
	natsConnection_Close(publisher->connection);
	natsSubscription_Destroy(publisher->replies);
	publisher->replies = NULL;
	pthread_mutex_lock(&publisher->mutex);
	while (publisher->has_thread)
		pthread_cond_wait(&publisher->changed, &publisher->mutex);
	pthread_mutex_unlock(&publisher->mutex);
	natsConnection_Destroy(publisher->connection);
	publisher->connection = NULL;
}

static void
publisher_close(struct herald_publisher *base, uint32_t timeout_ms,
		struct herald_outgoing_list *finished)
{
	struct nats_publisher *publisher = of(base);

	(void)timeout_ms; /* libnats waits up to half a second, for what it has to send */
	disconnect(publisher);
	while (publisher->oldest < publisher->next) {
		struct slot *slot = slot_of(publisher, publisher->oldest);

		herald_text_write(slot->message->reason, sizeof(slot->message->reason), "%s",
				  "the connection was lost before the answer");
		finish(publisher, slot, HERALD_UNKNOWN_OUTCOME);
	}
	*finished = publisher->finished;
	publisher->finished = (struct herald_outgoing_list){0};
	if (publisher->slots)
		forget(publisher);
}

static bool
is_stopping(const void *publisher)
{
	return herald_publisher_is_stopping(publisher);
}

static enum herald_status
publisher_open(struct herald_publisher *base, const struct herald_publisher_settings *settings,
	       struct herald_error *error)
{
	struct nats_publisher *publisher = of(base);
	const struct herald_nats_publisher_options *options = &publisher->options;
	struct nats_connection_settings to = {
		.url = options->url,
		.name = options->connection_name,
		.timeout_ms = options->timeout_ms,
		.credentials_file = options->credentials_file,
		.ca_file = options->ca_file,
		.certificate_file = options->certificate_file,
		.key_file = options->key_file,
	};
	const struct nats_reach reach = {to.url, to.timeout_ms, is_stopping, base};
	struct herald_outgoing_list none;

	if (!make_slots(publisher, settings))
		return herald_out_of_memory(error);
	enum herald_status status = herald__nats_reach(&reach, &to.server, error);
	if (status == HERALD_OK)
		status = herald__nats_connect(&to, &publisher->connection, error);
	if (status == HERALD_OK) {
		const natsStatus failure = subscribe(publisher);

		if (failure != NATS_OK)
			status = herald__nats_failure_set(error, failure, 0, "url",
							  "cannot subscribe to an inbox");
	}
	if (status != HERALD_OK)
		publisher_close(base, 0, &none);
	return status;
}

static void
publisher_destroy(struct herald_publisher *base)
{
	struct nats_publisher *publisher = of(base);
	const struct herald_allocator allocator = publisher->options.allocator;

	pthread_cond_destroy(&publisher->changed);
	pthread_mutex_destroy(&publisher->mutex);
	herald_arena_destroy(publisher->texts);
	herald_memory_release(&allocator, publisher, sizeof(*publisher));
}

static const struct herald_publisher_ops operations = {
	.name = "nats",
	.open = publisher_open,
	.send = publisher_send,
	.run = publisher_run,
	.wake = publisher_wake,
	.close = publisher_close,
	.destroy = publisher_destroy,
};

/* Creation. */

static enum herald_status
read_options(const struct herald_nats_publisher_options *given,
	     struct herald_nats_publisher_options *out, struct herald_error *error)
{
	enum herald_status status = herald_options_read(given, out, sizeof(*out),
							"HERALD_NATS_PUBLISHER_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&out->allocator, error);
	if (status == HERALD_OK)
		status = herald__nats_address_check(out->url, error);
	if (status == HERALD_OK)
		status = herald__nats_options_check_files(out->certificate_file, out->key_file,
							  error);
	out->timeout_ms = out->timeout_ms ? out->timeout_ms : 5000;
	out->connection_name = out->connection_name ? out->connection_name : "herald";
	const struct herald_option_range range = {"timeout_ms", out->timeout_ms, 100, 600000};
	if (status == HERALD_OK)
		status = herald_option_ranges_check(&range, 1, error);
	out->allocator = herald_allocator_or_libc(&out->allocator);
	return status;
}

/* Returns false if out of memory. */
static bool
copy_texts(struct nats_publisher *publisher)
{
	struct herald_nats_publisher_options *options = &publisher->options;
	const char **const texts[] = {
		&options->url,     &options->connection_name,  &options->credentials_file,
		&options->ca_file, &options->certificate_file, &options->key_file,
	};

	if (herald_arena_create(&options->allocator, 1 << 14, &publisher->texts) != HERALD_OK)
		return false;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (!*texts[i])
			continue;
		*texts[i] = herald_arena_copy(publisher->texts, *texts[i], strlen(*texts[i]));
		if (!*texts[i])
			return false;
	}
	return true;
}

enum herald_status
herald_nats_publisher_create(const struct herald_nats_publisher_options *given,
			     struct herald_publisher **out, struct herald_error *error)
{
	struct herald_nats_publisher_options options;
	enum herald_status status = read_options(given, &options, error);

	if (status != HERALD_OK)
		return status;
	struct nats_publisher *publisher =
		herald_memory_allocate_zeroed(&options.allocator, 1, sizeof(*publisher));
	if (!publisher)
		return herald_out_of_memory(error);
	publisher->base.ops = &operations;
	publisher->options = options;
	pthread_mutex_init(&publisher->mutex, NULL);
	const int failed = herald_condition_init(&publisher->changed);
	if (failed != 0) {
		pthread_mutex_destroy(&publisher->mutex);
		herald_memory_release(&options.allocator, publisher, sizeof(*publisher));
		return herald_system_error(error, "cannot create a condition", failed);
	}
	if (!copy_texts(publisher)) {
		publisher_destroy(&publisher->base);
		return herald_out_of_memory(error);
	}
	*out = &publisher->base;
	return HERALD_OK;
}
