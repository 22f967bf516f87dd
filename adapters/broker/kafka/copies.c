/*
 * Copies: sent, and the message finished when the brokers have stored them. A copy that they do not
 * take is sent again after a pause, and its message is held. If a copy is too large for its topic,
 * nothing is lost: a retry waits in this process, and a dead letter is sent with fewer headers.
 * Owns the messages until then.
 */
#include "copies.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/log.h>
#include <herald/adapter/text.h>

#include "client.h"
#include "message.h"
#include "options.h"
#include "partition.h"

/* Before a copy is sent again, and one that is too large. */
#define PAUSE_MS 1000
#define TOO_LARGE_PAUSE_MS 30000
/* Between two records of failures in the log. */
#define LOG_MS 10000

/* Headers. */

/* Returns an error code of librdkafka. */
static rd_kafka_resp_err_t
add(rd_kafka_headers_t *headers, const char *name, const char *value)
{
	return rd_kafka_header_add(headers, name, -1, value, -1);
}

static rd_kafka_resp_err_t
add_reason(const struct kafka *kafka, const struct herald_settlement *settlement,
	   rd_kafka_headers_t *headers)
{
	struct herald_dead_letter_headers letter;
	rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;

	herald_dead_letter_describe(settlement, kafka->options.topic, &letter);
	for (size_t i = 0; !error && i < letter.count; i++)
		error = add(headers, letter.headers[i].key, letter.headers[i].value);
	return error;
}

static rd_kafka_resp_err_t
add_time(const struct herald_settlement *settlement, struct kafka_copy *copy)
{
	char attempts[16], due[24];

	copy->is_retry = true;
	copy->attempts = settlement->attempts;
	/* The clock leaves out the part of this millisecond that has passed. */
	copy->due_ms = kafka_wall_ms() + (int64_t)settlement->delay_ms + 1;
	snprintf(attempts, sizeof(attempts), "%u", copy->attempts);
	snprintf(due, sizeof(due), "%lld", (long long)copy->due_ms);
	rd_kafka_resp_err_t error = add(copy->headers, HERALD_ATTEMPT_HEADER, attempts);
	return error ? error : add(copy->headers, KAFKA_DUE_HEADER, due);
}

static const char *
topic_of(const struct kafka *kafka, const struct herald_settlement *settlement)
{
	size_t tier = 0;

	if (settlement->kind == HERALD_SETTLE_DEAD)
		return kafka->topics[1];
	while (tier + 1 < kafka->tiers && herald__kafka_tier_ms(tier) < settlement->delay_ms)
		tier++;
	return kafka->topics[2 + tier];
}

/* The list. */

static void
add_copy(struct kafka *kafka, struct kafka_message *message)
{
	message->copy.next = kafka->copies;
	if (kafka->copies)
		kafka->copies->copy.previous = message;
	kafka->copies = message;
	kafka->copies_count++;
}

static void
remove_copy(struct kafka *kafka, struct kafka_message *message)
{
	struct kafka_copy *copy = &message->copy;

	if (copy->previous)
		copy->previous->copy.next = copy->next;
	else
		kafka->copies = copy->next;
	if (copy->next)
		copy->next->copy.previous = copy->previous;
	kafka->copies_count--;
}

/* Sending. */

static void
put_off(struct kafka *kafka, struct kafka_message *message, uint64_t pause_ms, const char *why)
{
	const uint64_t now_ms = kafka_now_ms();
	const struct herald_log_field fields[] = {
		{"broker", kafka->base.ops->name, 0},
		{"source", kafka->base.source, 0},
		{"topic", message->copy.topic, 0},
		{"error", why, 0},
	};

	message->copy.send_ms = now_ms + pause_ms;
	if (kafka->send_ms > message->copy.send_ms)
		kafka->send_ms = message->copy.send_ms;
	if (now_ms < kafka->log_ms)
		return;
	kafka->log_ms = now_ms + LOG_MS;
	herald_log_write(&kafka->settings.log, HERALD_LOG_ERROR,
			 "copy of a message not stored, trying again", fields, 4);
}

static void
send_copy(struct kafka *kafka, struct kafka_message *message)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_copy(message->copy.headers);
	const rd_kafka_resp_err_t error =
		herald__kafka_sender_send(&kafka->sender, &(struct kafka_parcel){
								  .topic = message->copy.topic,
								  .key = message->base.key,
								  .data = message->base.data,
								  .headers = headers,
								  .owner = message,
							  });

	message->copy.send_ms = UINT64_MAX;
	if (error) {
		rd_kafka_headers_destroy(headers);
		put_off(kafka, message, PAUSE_MS, rd_kafka_err2str(error));
	}
}

void
herald__kafka_copy_start(struct kafka *kafka, const struct herald_settlement *settlement)
{
	struct kafka_message *message = (struct kafka_message *)settlement->message;

	message->copy.headers = herald__kafka_headers_copy(message->headers);
	const rd_kafka_resp_err_t error =
		settlement->kind == HERALD_SETTLE_DEAD
			? add_reason(kafka, settlement, message->copy.headers)
			: add_time(settlement, &message->copy);
	if (error)
		herald__kafka_client_fail(kafka, "cannot copy a message", rd_kafka_err2str(error));
	message->copy.topic = topic_of(kafka, settlement);
	message->state = KAFKA_COPY;
	kafka->held--;
	add_copy(kafka, message);
	send_copy(kafka, message);
}

/* The message was lost: the new owner of its partition runs it, and copies it if need be. */
static void
drop(struct kafka *kafka, struct kafka_message *message)
{
	remove_copy(kafka, message);
	herald__kafka_message_free(kafka, message);
}

static void
send_again(struct kafka *kafka, uint64_t now_ms)
{
	uint64_t next_ms = UINT64_MAX;
	struct kafka_message *next;

	for (struct kafka_message *message = kafka->copies; message; message = next) {
		next = message->copy.next;
		if (message->copy.send_ms <= now_ms) {
			if (!message->partition) {
				drop(kafka, message);
				continue;
			}
			send_copy(kafka, message);
		}
		if (message->copy.send_ms < next_ms)
			next_ms = message->copy.send_ms;
	}
	kafka->send_ms = next_ms;
}

/* Copies that are too large. They have up to 1 KiB more than their messages. */

static bool
is_too_large(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
	       code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE;
}

/* Whether a header is a part of the event, or says why it failed. */
static bool
is_needed(const char *name)
{
	return (herald_header_is_own(name) && strcmp(name, "herald-path") != 0) ||
	       herald_ascii_same(name, "content-type") ||
	       (strlen(name) > 3 && herald_ascii_same_bytes(name, "ce_", 3));
}

static void
cut_headers(struct kafka_copy *copy)
{
	rd_kafka_headers_t *headers = rd_kafka_headers_new(16);
	const char *name;
	const void *value;
	size_t bytes;

	for (size_t i = 0; rd_kafka_header_get_all(copy->headers, i, &name, &value, &bytes) ==
			   RD_KAFKA_RESP_ERR_NO_ERROR;
	     i++)
		if (is_needed(name))
			(void)rd_kafka_header_add(headers, name, -1, value, (ssize_t)bytes);
	rd_kafka_headers_destroy(copy->headers);
	copy->headers = headers;
	copy->is_cut = true;
}

static void
tell(struct kafka *kafka, const struct kafka_message *message, const char *what)
{
	const struct herald_log_field fields[] = {
		{"broker", kafka->base.ops->name, 0},
		{"source", kafka->base.source, 0},
		{"topic", message->copy.topic, 0},
	};

	herald_log_write(&kafka->settings.log, HERALD_LOG_WARNING, what, fields, 3);
}

/* A retry waits here, as what is kept of a topic for retries. A dead letter loses headers that are
 * not the event's; if it is still too large, the operator has to raise the topic's limit. */
static void
give_way(struct kafka *kafka, struct kafka_message *message)
{
	struct kafka_copy *copy = &message->copy;

	if (copy->is_retry) {
		tell(kafka, message, "a retry is too large for its topic: it waits in the process");
		remove_copy(kafka, message);
		rd_kafka_headers_destroy(copy->headers);
		const struct kafka_copy sent = *copy;
		*copy = (struct kafka_copy){0};
		herald__kafka_partition_retry(kafka, message, sent.attempts, sent.due_ms);
	} else if (!copy->is_cut) {
		tell(kafka, message, "a dead letter is too large: headers are left out");
		cut_headers(copy);
		send_copy(kafka, message);
	} else {
		put_off(kafka, message, TOO_LARGE_PAUSE_MS,
			"a dead letter is too large: raise max.message.bytes of the topic");
	}
}

/* Reports. */

/* The message is lost if its partition has gone meanwhile. */
static void
end_copy(void *state, const rd_kafka_message_t *report, rd_kafka_resp_err_t code)
{
	struct kafka *kafka = state;
	struct kafka_message *message = report->_private;

	if (is_too_large(code) && message->partition) {
		give_way(kafka, message);
		return;
	}
	if (code && message->partition) {
		put_off(kafka, message, PAUSE_MS, rd_kafka_err2str(code));
		return;
	}
	if (!message->partition) {
		drop(kafka, message);
		return;
	}
	remove_copy(kafka, message);
	herald__kafka_partition_finish(kafka, message);
}

static void
note_failure(void *state, rd_kafka_resp_err_t code, const char *why)
{
	herald__kafka_client_report(state, code, why);
}

void
herald__kafka_copies_turn(struct kafka *kafka, uint64_t now_ms)
{
	herald__kafka_sender_turn(&kafka->sender, end_copy, note_failure, kafka);
	if (kafka->send_ms <= now_ms)
		send_again(kafka, now_ms);
}

void
herald__kafka_copies_drop(struct kafka *kafka)
{
	while (kafka->copies)
		drop(kafka, kafka->copies);
	kafka->send_ms = UINT64_MAX;
}
