/*
 * Receiving: waits for both sockets and for wake(), asks for entries as far as there is room, and
 * hands them to the consumer. Owns the list of those that it has not handed over yet.
 */
#include "receive.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <herald/adapter/text.h>

#include "answer.h"
#include "claim.h"
#include "handshake.h"
#include "record.h"
#include "settle.h"

/* A connection that is silent for longer gets a PING, as servers may close those. */
#define SILENCE_MS 10000
#define MAX_BLOCK_MS 5000
/* Entries that are asked for at once, also as long as their size is not known. */
#define MAX_READ 1024
#define MAX_FIRST_READ 16
#define FIRST_BYTES 256

/* Reading. */

static uint64_t
block_ms(const struct redis_subscriber *subscriber)
{
	const uint64_t part = redis_part(subscriber, 4);

	return part < MAX_BLOCK_MS ? part : MAX_BLOCK_MS;
}

/* How many entries to ask for: one may be larger than all room. */
static size_t
count_for(const struct redis_subscriber *subscriber, size_t room, size_t room_bytes)
{
	const bool is_known = subscriber->average_bytes > 0;
	const size_t by_bytes = room_bytes / (is_known ? subscriber->average_bytes : FIRST_BYTES);
	const size_t max = is_known ? MAX_READ : MAX_FIRST_READ;

	if (room > max)
		room = max;
	if (by_bytes < room)
		room = by_bytes > 0 ? by_bytes : 1;
	return room;
}

static void
ask_to_read(struct redis_subscriber *subscriber, size_t count, uint64_t now_ms)
{
	REDIS_COMMAND(&subscriber->reader, "XREADGROUP", "GROUP", subscriber->options.group,
		      subscriber->consumer, "COUNT", herald__redis_number(count).text, "BLOCK",
		      herald__redis_number(block_ms(subscriber)).text, "STREAMS",
		      subscriber->options.stream, ">");
	subscriber->is_reading = true;
	subscriber->quiet_ms = now_ms;
}

static void
take_entries(struct redis_subscriber *subscriber, const redisReply *entries)
{
	size_t bytes = 0;

	for (size_t i = 0; i < entries->elements; i++) {
		if (!herald__redis_is_entry(entries->element[i]))
			continue;
		struct redis_entry *entry = herald__redis_entry_create(
			&subscriber->options.allocator, entries->element[i], subscriber->quiet_ms);
		if (!entry) {
			herald__redis_connection_fail(&subscriber->reader, "out of memory");
			return;
		}
		herald__redis_list_add(&subscriber->ready, entry);
		bytes += entry->bytes;
	}
	if (entries->elements > 0)
		subscriber->average_bytes = bytes / entries->elements + 1;
}

/* [[stream, entries]], or nil after the time to block. */
static void
reader_answers(struct redis_subscriber *subscriber)
{
	for (redisReply *reply; (reply = herald__redis_take(&subscriber->reader));) {
		/* A PONG may come before the entries that were asked for after it. */
		if (reply->type != REDIS_REPLY_STATUS)
			subscriber->is_reading = false;
		if (reply->type == REDIS_REPLY_ERROR)
			herald__redis_connection_fail(&subscriber->reader, reply->str);
		else if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1 &&
			 reply->element[0]->elements == 2)
			take_entries(subscriber, reply->element[0]->element[1]);
		freeReplyObject(reply);
	}
}

/* Handing over. */

static size_t
message_bytes(const struct redis_entry *entry)
{
	return entry->base.data.bytes + entry->base.attributes.bytes;
}

static void
hand_over(struct redis_subscriber *subscriber, size_t room, size_t room_bytes,
	  struct herald_received_list *out)
{
	/* A message that is larger than all room is handed over alone. */
	bool is_alone = room_bytes >= subscriber->settings.max_in_flight_bytes;

	for (struct redis_entry *entry; room > 0 && (entry = subscriber->ready.first); room--) {
		const size_t bytes = message_bytes(entry);

		if (bytes > room_bytes && !is_alone)
			return;
		room_bytes -= bytes < room_bytes ? bytes : room_bytes;
		is_alone = false;
		herald__redis_list_remove(&subscriber->ready, entry);
		herald__redis_list_add(&subscriber->held, entry);
		if (out->last)
			out->last->next = &entry->base;
		else
			out->first = &entry->base;
		out->last = &entry->base;
		out->count++;
		out->bytes += bytes;
	}
}

/* What waits for room is kept as well. What is stale goes: it comes again. */
static void
keep_ready(struct redis_subscriber *subscriber, uint64_t now_ms)
{
	if (subscriber->ready.count == 0 || now_ms < subscriber->keep_ms)
		return;
	subscriber->keep_ms = now_ms + redis_part(subscriber, 8);
	for (struct redis_entry *entry = subscriber->ready.first, *next; entry; entry = next) {
		next = entry->next;
		if (!herald__redis_is_stale(subscriber, entry, now_ms))
			continue;
		herald__redis_list_remove(&subscriber->ready, entry);
		herald__redis_entry_destroy(&subscriber->options.allocator, entry);
	}
	if (subscriber->ready.count == 0)
		return;
	herald__redis_keep_begin(subscriber, subscriber->ready.count);
	for (struct redis_entry *entry = subscriber->ready.first; entry; entry = entry->next)
		herald__redis_keep_add(subscriber, entry, now_ms);
	herald__redis_keep_end(subscriber);
}

/* Waiting. */

static void
keep_alive(struct redis_subscriber *subscriber, uint64_t now_ms)
{
	if (subscriber->settler.awaited == 0 &&
	    now_ms >= subscriber->settler.asked_ms + SILENCE_MS) {
		REDIS_COMMAND(&subscriber->settler, "PING");
		herald__redis_record(subscriber,
				     (struct herald__redis_record){.asked = REDIS_ASKED_NOTHING});
	}
	if (subscriber->reader.awaited == 0 && now_ms >= subscriber->reader.asked_ms + SILENCE_MS)
		REDIS_COMMAND(&subscriber->reader, "PING");
	if (now_ms >= subscriber->clean_ms)
		herald__redis_clean(subscriber, "");
}

static void
check_silence(struct redis_subscriber *subscriber, uint64_t now_ms)
{
	const uint64_t timeout_ms = subscriber->options.reply_timeout_ms;
	const uint64_t read_ms = timeout_ms + (subscriber->is_reading ? block_ms(subscriber) : 0);

	if (subscriber->settler.awaited > 0 && now_ms > subscriber->settler.asked_ms + timeout_ms)
		herald__redis_connection_fail(&subscriber->settler, "the server does not answer");
	if (subscriber->reader.awaited > 0 && now_ms > subscriber->reader.asked_ms + read_ms)
		herald__redis_connection_fail(&subscriber->reader, "the server does not answer");
}

/* Send, wait for something to happen, and read. Returns false after wake(). */
static bool
turn(struct redis_subscriber *subscriber, uint64_t until_ms)
{
	struct redis_connection *reader = &subscriber->reader, *settler = &subscriber->settler;
	uint64_t now_ms = herald__redis_now_ms(), wakes;

	herald__redis_send(reader);
	herald__redis_send(settler);
	struct pollfd fds[] = {
		{.fd = subscriber->wake_fd, .events = POLLIN},
		{.fd = settler->context->fd, .events = POLLIN},
		{.fd = reader->context->fd, .events = POLLIN},
	};
	if (settler->sent < settler->out.bytes)
		fds[1].events |= POLLOUT;
	if (reader->sent < reader->out.bytes)
		fds[2].events |= POLLOUT;
	if (reader->is_broken || settler->is_broken)
		return true;
	const uint64_t wait_ms = until_ms > now_ms ? until_ms - now_ms : 0;
	const int count = poll(fds, 3, wait_ms < 60000 ? (int)wait_ms : 60000);
	now_ms = herald__redis_now_ms();
	if (count > 0 && fds[1].revents & ~POLLOUT)
		herald__redis_read(settler);
	if (count > 0 && fds[2].revents & ~POLLOUT)
		herald__redis_read(reader);
	herald__redis_settler_answers(subscriber);
	reader_answers(subscriber);
	if (count >= 0 && fds[2].revents == 0)
		subscriber->quiet_ms = now_ms;
	check_silence(subscriber, herald__redis_now_ms());
	return !(count > 0 && fds[0].revents &&
		 read(subscriber->wake_fd, &wakes, sizeof(wakes)) > 0);
}

static enum herald_status
report_loss(struct redis_subscriber *subscriber, struct herald_error *error)
{
	const struct redis_connection *broken =
		subscriber->settler.is_broken ? &subscriber->settler : &subscriber->reader;

	herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "%s", broken->reason);
	return HERALD_UNAVAILABLE;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The time of the next thing to do without a message. */
static uint64_t
next_ms(const struct redis_subscriber *subscriber, size_t count, uint64_t now_ms,
	uint64_t deadline_ms)
{
	const uint64_t timeout_ms = subscriber->options.reply_timeout_ms;

	deadline_ms = least(deadline_ms, now_ms + timeout_ms);
	if (subscriber->ready.count > 0)
		deadline_ms = least(deadline_ms, subscriber->keep_ms);
	/* Without room, nothing is claimed. */
	if (count > subscriber->claiming + subscriber->ready.count)
		deadline_ms = least(deadline_ms, herald__redis_claim_ms(subscriber));
	return deadline_ms;
}

enum herald_status
herald__redis_receive(struct redis_subscriber *subscriber, size_t room, size_t room_bytes,
		      uint32_t timeout_ms, struct herald_received_list *out,
		      struct herald_error *error)
{
	const uint64_t deadline_ms = herald__redis_now_ms() + timeout_ms;
	const size_t unsettled = redis_unsettled(subscriber);
	/* There is more room soon: when these are answered, the consumer says how much. */
	const bool waits_for_room = unsettled > room;
	bool goes_on = true;

	for (;;) {
		const uint64_t now_ms = herald__redis_now_ms();

		hand_over(subscriber, room, room_bytes, out);
		herald__redis_acknowledge(subscriber);
		keep_ready(subscriber, now_ms);
		if (subscriber->settler.is_broken || subscriber->reader.is_broken)
			return report_loss(subscriber, error);
		if (out->count > 0 || !goes_on) {
			/* First, so that the delivery is counted before it runs. */
			herald__redis_send(&subscriber->settler);
			return HERALD_OK;
		}
		const size_t count = count_for(subscriber, room, room_bytes);
		herald__redis_claim(subscriber, count, now_ms);
		if (count > 0 && !waits_for_room && !subscriber->is_reading &&
		    subscriber->ready.count == 0)
			ask_to_read(subscriber, count, now_ms);
		keep_alive(subscriber, now_ms);
		goes_on = turn(subscriber, next_ms(subscriber, count, now_ms, deadline_ms)) &&
			  herald__redis_now_ms() < deadline_ms &&
			  !(waits_for_room && redis_unsettled(subscriber) < unsettled);
	}
}

/* End an XREADGROUP that waits. */
static void
unblock(struct redis_subscriber *subscriber)
{
	REDIS_COMMAND(&subscriber->settler, "CLIENT", "UNBLOCK",
		      herald__redis_number((uint64_t)subscriber->reader_id).text);
	herald__redis_record(subscriber,
			     (struct herald__redis_record){.asked = REDIS_ASKED_NOTHING});
}

static void
release_ready(struct redis_subscriber *subscriber)
{
	for (struct redis_entry *entry; (entry = subscriber->ready.first);) {
		herald__redis_list_remove(&subscriber->ready, entry);
		herald__redis_give_back(subscriber, entry, true);
		herald__redis_entry_destroy(&subscriber->options.allocator, entry);
	}
}

size_t
herald__redis_flush(struct redis_subscriber *subscriber, uint32_t timeout_ms)
{
	const uint64_t deadline_ms = herald__redis_now_ms() + timeout_ms;

	if (subscriber->is_reading)
		unblock(subscriber);
	do {
		release_ready(subscriber);
		herald__redis_acknowledge(subscriber);
		if (subscriber->settler.is_broken || subscriber->reader.is_broken ||
		    (!subscriber->is_reading && subscriber->records.count == 0))
			break;
		turn(subscriber, deadline_ms);
	} while (herald__redis_now_ms() < deadline_ms);
	return redis_unsettled(subscriber);
}
