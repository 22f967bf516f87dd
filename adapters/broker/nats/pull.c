/*
 * Pull requests. Up to two are under way. The server does not say which one a message belongs to,
 * so the oldest is taken to be served first; only their sum has to be right, and is.
 *
 * All that has been asked for has room with the consumer. MaxAckPending could not limit it: the
 * server counts delayed retries in it, so that a thousand of them would stop the consumer.
 */
#include "pull.h"

#include <stdio.h>
#include <string.h>

#include "link.h"

/* A pull ends after so many times the timeout, unless it is fulfilled before. */
#define EXPIRES 6
/* The server says every so many parts of the timeout that it is there. */
#define HEARTBEATS 3

/* The messages of all pulls but the oldest. */
static size_t
count_newer(const struct nats_link *link)
{
	size_t count = 0;

	for (size_t i = 1; i < link->pulls_count; i++)
		count += link->pulls[i].count;
	return count;
}

static void
drop(struct nats_link *link, size_t at)
{
	link->pulls_count--;
	memmove(&link->pulls[at], &link->pulls[at + 1],
		(link->pulls_count - at) * sizeof(*link->pulls));
}

static void
drop_fulfilled(struct nats_link *link)
{
	while (link->pulls_count > 0 && count_newer(link) >= link->outstanding)
		drop(link, 0);
}

void
herald__nats_pull_message(struct nats_link *link)
{
	if (link->outstanding > 0)
		link->outstanding--;
	link->refused_bytes = 0;
	drop_fulfilled(link);
}

static const char *
header(natsMsg *msg, const char *name)
{
	const char *value = NULL;

	return natsMsgHeader_Get(msg, name, &value) == NATS_OK && value ? value : "";
}

/* The server has ended a pull. A server that does not say how many messages it has not delivered
 * has delivered none. */
static void
end_pull(struct nats_link *link, uint64_t number, natsMsg *msg, bool is_refused)
{
	const char *pending = header(msg, "Nats-Pending-Messages");
	size_t left = *pending != '\0' ? (size_t)nats_number(pending) : SIZE_MAX;

	for (size_t i = 0; i < link->pulls_count; i++) {
		const struct nats_pull pull = link->pulls[i];

		if (pull.number != number)
			continue;
		left = left < pull.count ? left : pull.count;
		if (is_refused && left == pull.count)
			link->refused_bytes = pull.bytes;
		drop(link, i);
		break;
	}
	link->outstanding -= left < link->outstanding ? left : link->outstanding;
	link->has_news = true;
	drop_fulfilled(link);
}

void
herald__nats_pull_status(struct nats_link *link, natsMsg *msg)
{
	const char *last = msg ? strrchr(natsMsg_GetSubject(msg), '.') : NULL;
	const uint64_t number = last ? nats_number(last + 1) : 0;
	const char *description = header(msg, "Description");
	const bool is_refused = strncmp(description, "Message Size Exceeds", 20) == 0;
	const bool is_complete = strcmp(description, "Batch Completed") == 0; /* since 2.10 */
	char problem[128];

	switch (msg ? nats_number(header(msg, "Status")) : 503) {
	case 100: /* a heartbeat */
		return;
	case 404: /* no messages */
	case 408: /* it has expired */
		end_pull(link, number, msg, false);
		return;
	case 409:
		if (is_refused || is_complete) {
			end_pull(link, number, msg, is_refused);
			return;
		}
		break;
	case 503:
		description = "the consumer is missing, or JetStream is not available";
		break;
	default:
		break;
	}
	snprintf(problem, sizeof(problem), "the server has ended a request for messages: %s",
		 description);
	herald__nats_link_lose(link, problem);
}

/* The server has forgotten these; some replies to them may have been lost. */
static void
drop_expired(struct nats_link *link, uint64_t now_ms)
{
	while (link->pulls_count > 0 && link->pulls[0].until_ms <= now_ms)
		drop(link, 0);
	const size_t most = link->pulls_count > 0 ? count_newer(link) + link->pulls[0].count : 0;
	if (link->outstanding > most)
		link->outstanding = most;
}

/* What to ask for. Returns false if it is nothing now. */
static bool
plan(struct nats *nats, size_t room, size_t room_bytes, struct nats_pull *out)
{
	const struct nats_link *link = &nats->link;
	const size_t taken = link->outstanding;
	const size_t most_bytes = nats->settings.max_in_flight_bytes;
	size_t taken_bytes = 0;

	if (link->is_draining || link->pulls_count == NATS_PULLS_MAX || room <= taken)
		return false;
	/* A request costs as much as a message: few are asked for only if none are to come. */
	if (taken > 0 && room - taken < nats->settings.max_in_flight / 4)
		return false;
	for (size_t i = 0; i < link->pulls_count; i++)
		taken_bytes += link->pulls[i].bytes;
	const size_t free_bytes = room_bytes > taken_bytes ? room_bytes - taken_bytes : 0;
	*out = (struct nats_pull){
		.count = room - taken,
		.bytes = free_bytes < most_bytes / 2 ? free_bytes : most_bytes / 2,
	};
	if (out->bytes > link->refused_bytes)
		return true;
	/* It is larger than all that has room: alone. */
	out->count = 1;
	out->bytes = 0;
	return taken == 0 && room == nats->settings.max_in_flight;
}

static void
request(struct nats *nats, const struct nats_pull *pull)
{
	const struct nats_link *link = &nats->link;
	const struct herald_nats_subscriber_options *options = &nats->options;
	const uint64_t timeout_ns = (uint64_t)options->timeout_ms * 1000000;
	char subject[600], inbox[NATS_INBOX_BYTES + 32], text[160];

	snprintf(subject, sizeof(subject), "$JS.API.CONSUMER.MSG.NEXT.%s.%s", options->stream,
		 options->group);
	snprintf(inbox, sizeof(inbox), "%s.p.%llu", link->inbox, (unsigned long long)pull->number);
	int bytes = snprintf(text, sizeof(text),
			     "{\"batch\":%zu,\"expires\":%llu,\"idle_heartbeat\":%llu", pull->count,
			     (unsigned long long)timeout_ns * EXPIRES,
			     (unsigned long long)timeout_ns / HEARTBEATS);
	if (pull->bytes > 0)
		bytes += snprintf(text + bytes, sizeof(text) - (size_t)bytes, ",\"max_bytes\":%zu",
				  pull->bytes);
	bytes += snprintf(text + bytes, sizeof(text) - (size_t)bytes, "}");
	/* It fails only if the connection is lost, which is noticed elsewhere. */
	(void)natsConnection_PublishRequest(link->connection, subject, inbox, text, bytes);
}

void
herald__nats_pull_more(struct nats *nats, size_t room, size_t room_bytes, uint64_t now_ms)
{
	struct nats_link *link = &nats->link;
	struct nats_pull pull;

	drop_expired(link, now_ms);
	if (!plan(nats, room, room_bytes, &pull))
		return;
	pull.number = ++link->pull_number;
	pull.until_ms = now_ms + (uint64_t)nats->options.timeout_ms * (EXPIRES + 1);
	link->pulls[link->pulls_count++] = pull;
	link->outstanding += pull.count;
	request(nats, &pull);
}
