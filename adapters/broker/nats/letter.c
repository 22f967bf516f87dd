/*
 * Dead letters: published, and the message acknowledged when a stream has confirmed it. If none
 * does, it is published again after a pause, with the same Nats-Msg-Id, and the message is held.
 */
#include "letter.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/text.h>

#include "answer.h"
#include "link.h"
#include "settle.h"

/* Such headers tell a stream what to do with the message: Nats-Msg-Id, Nats-Expected-Stream. */
#define STREAM_HEADER "Nats-"
/* Until a letter that is larger than the server's max_payload is reported again. A new connection
 * makes it anew, and has the server's new limit. */
#define TOO_LARGE_MS 60000
#define PATH_HEADER "herald-path"
/* Until it is tried again to send letters, after the socket was full. */
#define FULL_MS 10

/* What a letter has, so that it is as large as the server takes. */
enum contents {
	ALL,
	NO_ORIGINAL_HEADERS,
	NO_PATH,
};

/* A letter while it is made. */
struct draft {
	natsMsg *copy;
	size_t bytes; /* as the server counts them: headers and data */
};

static bool
is_copied(const char *name)
{
	const size_t bytes = strlen(STREAM_HEADER);

	return !herald_header_is_own(name) &&
	       !(strlen(name) >= bytes && herald_ascii_same_bytes(name, STREAM_HEADER, bytes));
}

static natsStatus
add_header(struct draft *draft, const char *name, const char *value)
{
	draft->bytes += strlen(name) + strlen(": ") + strlen(value) + strlen("\r\n");
	return natsMsgHeader_Add(draft->copy, name, value);
}

static natsStatus
copy_headers(const struct nats_message *message, struct draft *draft)
{
	const char *at = message->attributes;
	natsStatus status = NATS_OK;

	if (!at)
		return NATS_OK; /* there are none */
	const char *end = at + message->base.attributes.bytes;
	while (status == NATS_OK && at < end) {
		const char *value = at + strlen(at) + 1;

		if (is_copied(at))
			status = add_header(draft, at, value);
		at = value + strlen(value) + 1;
	}
	return status;
}

static natsStatus
add_reason(const struct nats_message *message, const struct herald_settlement *settlement,
	   enum contents contents, struct draft *draft)
{
	struct herald_dead_letter_headers letter;
	natsStatus status = NATS_OK;

	herald_dead_letter_describe(settlement, natsMsg_GetSubject(message->msg), &letter);
	for (size_t i = 0; i < letter.count && status == NATS_OK; i++)
		if (contents != NO_PATH || strcmp(letter.headers[i].key, PATH_HEADER) != 0)
			status = add_header(draft, letter.headers[i].key, letter.headers[i].value);
	return status;
}

static natsStatus
make_draft(struct nats *nats, const struct nats_letter *letter,
	   const struct herald_settlement *settlement, enum contents contents, struct draft *draft)
{
	const struct nats_message *message = letter->message;
	const struct herald_nats_subscriber_options *options = &nats->options;
	const struct herald_text data = message->base.data;
	char inbox[NATS_INBOX_BYTES + 32], id[640];

	snprintf(inbox, sizeof(inbox), "%s.d.%llu", nats->link.inbox,
		 (unsigned long long)letter->number);
	snprintf(id, sizeof(id), "herald-dead.%s.%s.%llu.%llu", options->stream, options->group,
		 (unsigned long long)message->sequence, (unsigned long long)message->time_ns);
	*draft = (struct draft){NULL, strlen("NATS/1.0\r\n\r\n") + data.bytes};
	natsStatus status = natsMsg_Create(&draft->copy, options->dead_subject, inbox, data.data,
					   (int)data.bytes);
	if (status == NATS_OK && contents == ALL)
		status = copy_headers(message, draft);
	if (status == NATS_OK)
		status = add_reason(message, settlement, contents, draft);
	if (status == NATS_OK)
		status = add_header(draft, "Nats-Msg-Id", id);
	if (status == NATS_OK)
		return NATS_OK;
	natsMsg_Destroy(draft->copy);
	return status;
}

/* With all headers, or with as many as fit. */
static natsStatus
make_copy(struct nats *nats, struct nats_letter *letter, const struct herald_settlement *settlement)
{
	const size_t max = (size_t)natsConnection_GetMaxPayload(nats->link.connection);

	for (enum contents contents = ALL;; contents++) {
		struct draft draft;
		natsStatus status = make_draft(nats, letter, settlement, contents, &draft);

		if (status != NATS_OK)
			return status;
		letter->copy = draft.copy;
		letter->is_too_large = draft.bytes > max;
		if (!letter->is_too_large || contents == NO_PATH)
			return NATS_OK;
		natsMsg_Destroy(letter->copy);
		letter->copy = NULL;
	}
}

static void
free_letter(struct nats *nats, struct nats_letter *letter)
{
	natsMsg_Destroy(letter->copy);
	herald__nats_message_destroy(nats, letter->message);
	herald_memory_release(&nats->settings.allocator, letter, sizeof(*letter));
}

static void
refuse(struct nats_letter *letter, const char *problem)
{
	letter->answer = NATS_LETTER_REFUSED;
	snprintf(letter->problem, sizeof(letter->problem), "%s", problem);
}

/* libnats would keep what the socket does not take: all letters, and each one again whenever its
 * time for an answer is over. So the socket has to take one before the next. */
static bool
has_room(struct nats_link *link, uint64_t now_ms)
{
	if (link->letters_full_ms > now_ms)
		return false;
	herald__nats_link_send(link);
	if (natsConnection_Buffered(link->connection) > 0)
		link->letters_full_ms = now_ms + FULL_MS;
	return link->letters_full_ms <= now_ms;
}

static void
publish(struct nats *nats, struct nats_letter *letter, uint64_t now_ms)
{
	if (letter->is_too_large) {
		refuse(letter, "with its headers, it is larger than the server's max_payload");
		letter->send_ms = now_ms + TOO_LARGE_MS;
		return;
	}
	if (!has_room(&nats->link, now_ms)) {
		letter->send_ms = nats->link.letters_full_ms;
		return;
	}
	natsStatus status = natsConnection_PublishMsg(nats->link.connection, letter->copy);

	letter->answer = NATS_LETTER_SENT;
	if (status != NATS_OK && status != NATS_CONNECTION_CLOSED)
		refuse(letter, natsStatus_GetText(status));
	letter->send_ms = now_ms + nats->options.timeout_ms;
}

/* There is no memory for it: the message comes again. */
static void
put_off(struct nats *nats, struct nats_message *message)
{
	herald__nats_settle_one(nats, message, "-NAK {\"delay\":1000000000}");
	herald__nats_message_destroy(nats, message);
}

void
herald__nats_letter_add(struct nats *nats, const struct herald_settlement *settlement)
{
	struct nats_link *link = &nats->link;
	struct nats_message *message = nats_message_of(settlement->message);
	const uint64_t now_ms = nats_now_ms();
	struct nats_letter *letter =
		herald_memory_allocate(&nats->settings.allocator, sizeof(*letter));

	if (!letter) {
		put_off(nats, message);
		return;
	}
	*letter = (struct nats_letter){
		.message = message,
		.number = ++link->letter_number,
		.extend_ms = now_ms + nats->extend_ms,
	};
	if (make_copy(nats, letter, settlement) != NATS_OK) {
		letter->message = NULL;
		natsMsg_Destroy(letter->copy);
		herald_memory_release(&nats->settings.allocator, letter, sizeof(*letter));
		put_off(nats, message);
		return;
	}
	letter->next = link->letters;
	link->letters = letter;
	link->letters_count++;
	link->letters_ms = 0;
	publish(nats, letter, now_ms);
}

void
herald__nats_letter_answer(struct nats_link *link, uint64_t number, natsMsg *msg)
{
	struct nats_answer answer;

	herald__nats_answer_read(msg, &answer);
	link->has_news = true;
	for (struct nats_letter *letter = link->letters; letter; letter = letter->next) {
		/* All of them have the same subject. */
		if (msg ? letter->number != number : letter->answer != NATS_LETTER_SENT)
			continue;
		if (answer.is_stored)
			letter->answer = NATS_LETTER_STORED;
		else
			refuse(letter, answer.problem);
		link->letters_ms = 0;
	}
}

static void
log_refused(struct nats *nats, struct nats_letter *letter, uint64_t now_ms)
{
	const struct herald_log_field fields[] = {
		{"broker", nats->base.ops->name, 0},
		{"subject", nats->options.dead_subject, 0},
		{"error", letter->problem, 0},
	};

	if (letter->problem[0] == '\0' || now_ms < nats->link.letters_logged_ms)
		return;
	nats->link.letters_logged_ms = now_ms + nats->options.timeout_ms;
	herald_log_write(&nats->settings.log, HERALD_LOG_ERROR,
			 "dead letter not stored, trying again", fields, 3);
	letter->problem[0] = '\0';
}

/* Returns whether it is finished. */
static bool
turn_letter(struct nats *nats, struct nats_letter *letter, uint64_t now_ms)
{
	if (letter->answer == NATS_LETTER_STORED) {
		herald__nats_settle_one(nats, letter->message, "+ACK");
		return true;
	}
	if (letter->extend_ms <= now_ms) {
		herald__nats_settle_extend(nats, letter->message);
		letter->extend_ms = now_ms + nats->extend_ms;
	}
	if (letter->answer == NATS_LETTER_REFUSED)
		log_refused(nats, letter, now_ms);
	if (letter->send_ms <= now_ms)
		publish(nats, letter, now_ms);
	return false;
}

void
herald__nats_letter_turn(struct nats *nats, uint64_t now_ms)
{
	struct nats_link *link = &nats->link;
	struct nats_letter **at = &link->letters, *letter;

	if (!link->letters || link->letters_ms > now_ms)
		return;
	link->letters_ms = UINT64_MAX;
	while ((letter = *at)) {
		if (turn_letter(nats, letter, now_ms)) {
			*at = letter->next;
			link->letters_count--;
			free_letter(nats, letter);
			continue;
		}
		link->letters_ms = nats_earlier(link->letters_ms,
						nats_earlier(letter->send_ms, letter->extend_ms));
		at = &letter->next;
	}
}

void
herald__nats_letter_drop_all(struct nats *nats)
{
	struct nats_link *link = &nats->link;

	while (link->letters) {
		struct nats_letter *letter = link->letters;

		link->letters = letter->next;
		free_letter(nats, letter);
	}
	link->letters_count = 0;
}
