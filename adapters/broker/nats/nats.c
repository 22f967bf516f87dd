/*
 * The subscriber's functions: what the consumer's thread does with a connection. Owns the
 * subscriber.
 */
#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#include "address.h"
#include "connection.h"
#include "failure.h"
#include "inbox.h"
#include "letter.h"
#include "link.h"
#include "message.h"
#include "options.h"
#include "place.h"
#include "pull.h"
#include "reach.h"
#include "settle.h"

/* An end that is not confirmed after so many times the timeout is a loss of the connection, even if
 * messages arrive. */
#define CONFIRM_TIMEOUTS 4

/* Open, close. */

static void
nats_close(struct herald_subscriber *subscriber, uint32_t timeout_ms)
{
	struct nats *nats = nats_of(subscriber);
	struct nats_link *link = &nats->link;

	(void)timeout_ms;
	herald__nats_link_close(link);
	herald__nats_inbox_close(link);
	herald__nats_letter_drop_all(nats);
	while (nats->arrived.first) {
		struct nats_message *message = nats_message_of(nats->arrived.first);

		nats->arrived.first = message->base.next;
		herald__nats_message_destroy(nats, message);
	}
	nats->arrived = (struct herald_received_list){0};
	herald__nats_messages_lose(nats);
	link->outstanding = link->pulls_count = 0;
	link->sent = link->confirmed = 0;
}

static enum herald_status
open_link(struct nats *nats, struct nats_connection_settings settings, struct herald_error *error)
{
	struct nats_link *link = &nats->link;

	herald__nats_link_reset(link,
				settings.ca_file || herald__nats_address_is_secure(settings.url));
	settings.link = link;
	return herald__nats_connect(&settings, &link->connection, error);
}

static enum herald_status
open_inbox(struct nats *nats, struct herald_error *error)
{
	natsStatus status = herald__nats_inbox_open(&nats->link);

	if (status == NATS_OK)
		return HERALD_OK;
	return herald__nats_failure_set(error, status, 0, "url", "cannot subscribe to an inbox");
}

static bool
is_stopping(const void *subscriber)
{
	return herald_subscriber_is_stopping(subscriber);
}

static enum herald_status
nats_open(struct herald_subscriber *subscriber, const struct herald_subscriber_settings *settings,
	  struct herald_error *error)
{
	struct nats *nats = nats_of(subscriber);
	const struct nats_reach reach = {nats->options.url, nats->options.timeout_ms, is_stopping,
					 subscriber};

	nats->settings = *settings;
	enum herald_status status = herald__nats_reach(&reach, &nats->server, error);
	if (status == HERALD_OK)
		status = herald__nats_place_prepare(nats, error);
	if (status == HERALD_OK)
		status = open_link(nats, herald__nats_settings(nats), error);
	if (status == HERALD_OK)
		status = open_inbox(nats, error);
	if (status != HERALD_OK)
		nats_close(subscriber, 0);
	return status;
}

/* Receive. */

/* Whether the server owes something, and has been silent for too long. A server that is down looks
 * like an idle one, except for its heartbeats. */
static bool
is_silent(struct nats_link *link, uint64_t now_ms, uint32_t timeout_ms)
{
	const bool owes = link->outstanding > 0 || link->sent > link->confirmed;
	const uint64_t away_ms = now_ms - link->looked_ms;

	/* Functions may run on this thread. Meanwhile, it did not listen. */
	if (away_ms > timeout_ms / 2) {
		link->heard_ms += away_ms;
		link->waits_ms += away_ms;
	}
	link->looked_ms = now_ms;
	if (link->has_heard || !owes || link->heard_ms == 0)
		link->heard_ms = now_ms;
	link->has_heard = false;
	if (link->sent == link->confirmed || link->confirmed != link->waits_for)
		link->waits_ms = now_ms;
	link->waits_for = link->confirmed;
	return now_ms - link->heard_ms > timeout_ms ||
	       now_ms - link->waits_ms > (uint64_t)timeout_ms * CONFIRM_TIMEOUTS;
}

static enum herald_status
check_link(struct nats *nats, uint64_t now_ms, struct herald_error *error)
{
	struct nats_link *link = &nats->link;

	if (!link->is_lost && is_silent(link, now_ms, nats->options.timeout_ms))
		herald__nats_link_lose(link, "the server has not answered in time");
	if (!link->is_lost)
		return HERALD_OK;
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "NATS: %s",
				link->problem);
}

/* When the link is looked at again, if nothing comes before. */
static uint64_t
next_look_ms(const struct nats *nats, uint64_t now_ms, uint64_t until_ms)
{
	const struct nats_link *link = &nats->link;
	const uint64_t letters_ms = link->letters ? link->letters_ms : UINT64_MAX;

	return nats_earlier(nats_earlier(now_ms + nats->options.timeout_ms / 4, until_ms),
			    nats_earlier(letters_ms, herald__nats_inbox_look_ms(link, now_ms)));
}

/* A consumer that is full has no pull under way. If it has one, and wants nothing, it is
 * stopping: what it releases must not come back by that pull. */
static enum herald_status
follow_room(struct nats *nats, size_t room, size_t room_bytes, uint64_t now_ms, uint64_t until_ms,
	    struct herald_error *error)
{
	struct nats_link *link = &nats->link;

	if (room == 0 && room_bytes > 0 && link->outstanding > 0)
		herald__nats_inbox_drain(nats,
					 nats_earlier(until_ms, now_ms + nats->options.timeout_ms));
	if (room == 0)
		return HERALD_OK;
	natsStatus status = herald__nats_inbox_resume(link);
	if (status != NATS_OK)
		return herald__nats_failure_set(error, status, 0, "url", "cannot subscribe");
	herald__nats_pull_more(nats, room, room_bytes, now_ms);
	return HERALD_OK;
}

/* Messages are returned even if there is less room than when they were asked for. So those that
 * have come before a stop are released by the consumer, which notes that they have not run. */
static enum herald_status
nats_receive(struct herald_subscriber *subscriber, size_t room, size_t room_bytes,
	     uint32_t timeout_ms, struct herald_received_list *out, struct herald_error *error)
{
	struct nats *nats = nats_of(subscriber);
	uint64_t now_ms = nats_now_ms();
	const uint64_t until_ms = now_ms + timeout_ms;

	for (;;) {
		enum herald_status status =
			follow_room(nats, room, room_bytes, now_ms, until_ms, error);

		herald__nats_letter_turn(nats, now_ms);
		herald__nats_inbox_read(nats);
		*out = nats->arrived;
		nats->arrived = (struct herald_received_list){0};
		if (status == HERALD_OK)
			status = check_link(nats, now_ms, error);
		if (status != HERALD_OK || out->count > 0 || nats->link.has_news ||
		    now_ms >= until_ms) {
			nats->link.has_news = false;
			return status;
		}
		herald__nats_link_wait(&nats->link, next_look_ms(nats, now_ms, until_ms));
		now_ms = nats_now_ms();
	}
}

static void
nats_wake(struct herald_subscriber *subscriber)
{
	herald__nats_link_wake(&nats_of(subscriber)->link);
}

/* Settle. */

static void
nats_settle(struct herald_subscriber *subscriber, const struct herald_settlement *settlements,
	    size_t count)
{
	struct nats *nats = nats_of(subscriber);
	struct nats_link *link = &nats->link;

	/* Before it is sent back, so that it does not come to this consumer again. */
	for (size_t i = 0; i < count && link->connection; i++)
		if (settlements[i].kind == HERALD_SETTLE_RELEASE)
			herald__nats_inbox_stop(nats);
	herald__nats_settle_list(nats, settlements, count);
	for (size_t i = 0; i < count; i++) {
		struct herald_received *message = settlements[i].message;

		if (settlements[i].kind == HERALD_SETTLE_DEAD && !herald_received_is_lost(message))
			herald__nats_letter_add(nats, &settlements[i]);
		else
			herald__nats_message_destroy(nats, nats_message_of(message));
	}
	herald__nats_link_send(link);
}

static void
nats_extend(struct herald_subscriber *subscriber, struct herald_received *const *messages,
	    size_t count)
{
	struct nats *nats = nats_of(subscriber);

	for (size_t i = 0; i < count; i++)
		herald__nats_settle_extend(nats, nats_message_of(messages[i]));
	herald__nats_link_send(&nats->link);
}

static uint32_t
nats_extend_ms(const struct herald_subscriber *subscriber)
{
	return ((const struct nats *)subscriber)->extend_ms;
}

static size_t
nats_unsettled(const struct herald_subscriber *subscriber)
{
	return herald__nats_settle_left((const struct nats *)subscriber);
}

/* The consumer has not received these. */
static void
release_arrived(struct nats *nats)
{
	while (nats->arrived.first) {
		const struct herald_settlement settlement = {
			.message = nats->arrived.first,
			.kind = HERALD_SETTLE_RELEASE,
		};

		nats->arrived.first = nats->arrived.first->next;
		nats_settle(&nats->base, &settlement, 1);
	}
	nats->arrived = (struct herald_received_list){0};
}

static size_t
nats_flush(struct herald_subscriber *subscriber, uint32_t timeout_ms)
{
	struct nats *nats = nats_of(subscriber);
	uint64_t now_ms = nats_now_ms();
	const uint64_t until_ms = now_ms + timeout_ms;
	size_t left;

	if (!nats->link.connection)
		return 0;
	herald__nats_inbox_drain(nats, until_ms);
	for (;;) {
		herald__nats_letter_turn(nats, now_ms);
		herald__nats_inbox_read(nats);
		release_arrived(nats);
		left = herald__nats_settle_left(nats);
		if (left == 0 || now_ms >= until_ms || check_link(nats, now_ms, NULL) != HERALD_OK)
			return left;
		herald__nats_link_wait(&nats->link, next_look_ms(nats, now_ms, until_ms));
		now_ms = nats_now_ms();
	}
}

/* The subscriber. */

static void
nats_destroy(struct herald_subscriber *subscriber)
{
	struct nats *nats = nats_of(subscriber);
	const struct herald_allocator allocator = nats->options.allocator;

	nats_close(subscriber, 0);
	herald__nats_messages_finish(nats);
	herald__nats_link_finish(&nats->link);
	herald_arena_destroy(nats->texts);
	herald_memory_release(&allocator, nats, sizeof(*nats));
}

static const struct herald_subscriber_ops nats_ops = {
	.name = "nats",
	.counts_releases = true,
	.open = nats_open,
	.receive = nats_receive,
	.settle = nats_settle,
	.extend = nats_extend,
	.extend_ms = nats_extend_ms,
	.unsettled = nats_unsettled,
	.flush = nats_flush,
	.close = nats_close,
	.wake = nats_wake,
	.destroy = nats_destroy,
};

enum herald_status
herald_nats_subscriber_create(const struct herald_nats_subscriber_options *given,
			      struct herald_subscriber **out, struct herald_error *error)
{
	struct herald_nats_subscriber_options options;
	enum herald_status status = herald__nats_options_read(given, &options, error);

	if (status != HERALD_OK)
		return status;
	struct nats *nats = herald_memory_allocate_zeroed(&options.allocator, 1, sizeof(*nats));
	if (!nats)
		return herald_out_of_memory(error);
	nats->options = options;
	nats->base.ops = &nats_ops;
	nats->extend_ms = options.ack_wait_ms / 3;
	int failed = herald__nats_link_init(&nats->link);
	if (failed != 0) {
		herald_memory_release(&options.allocator, nats, sizeof(*nats));
		return herald_system_error(error, "cannot create an eventfd", failed);
	}
	status = herald_arena_create(&options.allocator, 1 << 14, &nats->texts);
	if (status == HERALD_OK && !herald__nats_options_copy(nats))
		status = HERALD_NO_MEMORY;
	if (status != HERALD_OK)
		status = herald_out_of_memory(error);
	else
		status = herald__nats_options_check_subjects(nats, error);
	if (status == HERALD_OK)
		*out = &nats->base;
	else
		nats_destroy(&nats->base);
	return status;
}

void
herald_nats_subscriber_destroy(struct herald_subscriber *subscriber)
{
	if (subscriber)
		subscriber->ops->destroy(subscriber);
}
