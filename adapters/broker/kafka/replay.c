/*
 * Replays and drops dead letters. First copies are sent, and when the brokers have stored them, the
 * marks that say so. If the process or the brokers die in between, a letter is replayed again by
 * the next command: it may run twice, and is not lost. Owns nothing.
 */
#include "replay.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "make.h"
#include "message.h"
#include "reach.h"

#define PAUSE_MS 10
#define WAIT_MS 100
/* For the replication factor: the brokers' default. */
#define BROKERS_DEFAULT (-1)

/* Outcomes. */

static void
conclude(struct herald_dead_message *message, enum herald_status status, const char *reason)
{
	message->status = status;
	herald_text_write(message->reason, sizeof(message->reason), "%s", reason);
}

static void
conclude_all(struct herald_dead_message_list *list, enum herald_status status, const char *reason)
{
	for (struct herald_dead_message *at = list->first; at; at = at->next)
		conclude(at, status, reason);
}

/* What an error of a copy means, if the brokers do not have it. */
static enum herald_status
status_of(rd_kafka_resp_err_t code)
{
	switch (code) {
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
		return HERALD_TOO_LARGE;
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
		return HERALD_BAD_VALUE;
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
		return HERALD_BAD_OPTION;
	default:
		return HERALD_UNAVAILABLE;
	}
}

static bool
is_stored(const rd_kafka_message_t *report, rd_kafka_resp_err_t code)
{
	return code == report->err &&
	       rd_kafka_message_status(report) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
}

/* The connection. */

static void
lose(struct kafka_dead_letters *letters, const char *why)
{
	if (letters->is_lost)
		return;
	letters->is_lost = true;
	herald_error_set(&letters->failure, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
			 "Kafka: the connection is lost: %s", why);
}

static enum herald_status
end(const struct kafka_dead_letters *letters, struct herald_error *error)
{
	if (letters->is_lost && error)
		*error = letters->failure;
	return letters->is_lost ? HERALD_UNAVAILABLE : HERALD_OK;
}

/* Brokers that do not answer in time are not asked again. */
static void
count_report(struct kafka_dead_letters *letters, rd_kafka_resp_err_t code)
{
	letters->waiting--;
	if (code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
		lose(letters, rd_kafka_err2str(code));
}

/* Reports. */

static void
take_copy_report(void *state, const rd_kafka_message_t *report, rd_kafka_resp_err_t code)
{
	struct herald_dead_message *message = report->_private;

	count_report(state, code);
	if (!code)
		conclude(message, HERALD_OK, "");
	else
		conclude(message,
			 is_stored(report, code) ? HERALD_UNKNOWN_OUTCOME : status_of(code),
			 rd_kafka_err2str(code));
}

static void
take_mark_report(void *state, const rd_kafka_message_t *report, rd_kafka_resp_err_t code)
{
	struct kafka_dead_message *message = report->_private;

	count_report(state, code);
	message->is_done = !code;
	if (code)
		conclude(&message->base, HERALD_UNKNOWN_OUTCOME, rd_kafka_err2str(code));
}

/* Waiting. */

static void
take_failure(void *state, rd_kafka_resp_err_t code, const char *why)
{
	/* After other errors, librdkafka tries again. */
	if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
	    code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__FATAL)
		lose(state, why);
}

/* Each record has a report within two times the timeout, or at once if the connection is lost. */
void
herald__kafka_dead_await(struct kafka_dead_letters *letters, kafka_report_hook *on_report)
{
	struct pollfd wake = {.fd = letters->wake_fd, .events = POLLIN};
	bool is_purged = false;
	uint64_t count;

	while (letters->waiting > 0) {
		herald__kafka_sender_turn(&letters->sender, on_report, take_failure, letters);
		if (letters->is_lost && !is_purged)
			herald__kafka_sender_purge(&letters->sender);
		is_purged = letters->is_lost;
		if (letters->waiting > 0 && poll(&wake, 1, WAIT_MS) > 0)
			(void)!read(letters->wake_fd, &count, sizeof(count));
	}
}

/* The topic of marks. */

/* Compacted: marks are not to go by their age, as long as their letters are there. */
static enum herald_status
make_topic(struct kafka_dead_letters *letters, struct herald_error *error)
{
	char why[256];
	rd_kafka_NewTopic_t *topic =
		rd_kafka_NewTopic_new(letters->done, 1, BROKERS_DEFAULT, why, sizeof(why));

	if (!topic)
		return herald_option_refuse(error, "topic", "%s", why);
	(void)rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "compact");
	enum herald_status status = herald__kafka_make(letters->consumer, &topic, 1,
						       letters->options.timeout_ms, error);
	rd_kafka_NewTopic_destroy(topic);
	return status;
}

/* Brokers know of a new topic some time later, and so does each client. */
static enum herald_status
await_topic(struct kafka_dead_letters *letters, rd_kafka_t *client, struct herald_error *error)
{
	const uint64_t until_ms = kafka_now_ms() + 2 * (uint64_t)letters->options.timeout_ms;

	for (;;) {
		const rd_kafka_resp_err_t code =
			herald__kafka_look(client, letters->done, letters->options.timeout_ms);

		if (!code)
			return HERALD_OK;
		if (!herald__kafka_is_missing(code) &&
		    code != RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
			return herald__kafka_refuse(error, "topic", code, letters->done,
						    rd_kafka_err2str(code));
		if (kafka_now_ms() >= until_ms)
			return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
						"Kafka: the topic %s was made, but has no leader",
						letters->done);
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
	}
}

/* Before the first change. */
static enum herald_status
begin(struct kafka_dead_letters *letters, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	if (letters->is_changing)
		return HERALD_OK;
	status = herald__kafka_sender_create(&letters->sender, &letters->access, letters->wake_fd,
					     0, error);
	if (status == HERALD_OK && !letters->marks.records.topic) {
		status = make_topic(letters, error);
		if (status == HERALD_OK)
			status = await_topic(letters, letters->sender.clients[0], error);
		if (status == HERALD_OK)
			status = await_topic(letters, letters->consumer, error);
		if (status == HERALD_OK)
			status = herald__kafka_marks_open(&letters->marks, letters->done, error);
	}
	letters->is_changing = status == HERALD_OK;
	if (status != HERALD_OK)
		herald__kafka_sender_destroy(&letters->sender);
	return status;
}

/* Others may have ended some of them meanwhile. */
static enum herald_status
check_marks(struct kafka_dead_letters *letters, struct herald_dead_message_list *list,
	    struct herald_error *error)
{
	struct herald_error failure;
	enum herald_status status = begin(letters, &failure);

	if (status == HERALD_OK)
		status = herald__kafka_marks_read(&letters->marks, &failure);
	if (status != HERALD_OK) {
		letters->is_lost |= status == HERALD_UNAVAILABLE;
		letters->failure = failure;
		conclude_all(list, HERALD_UNAVAILABLE, failure.message);
		if (error)
			*error = failure;
		return status;
	}
	conclude_all(list, HERALD_OK, "");
	for (struct herald_dead_message *at = list->first; at; at = at->next) {
		const struct kafka_dead_message *message = kafka_dead_message_of(at);

		if (message->is_done || herald__kafka_marks_has(&letters->marks, message->partition,
								message->offset, message->time_ms))
			conclude(at, HERALD_MISSING, "it is no longer there");
	}
	return HERALD_OK;
}

rd_kafka_resp_err_t
herald__kafka_mark_send(struct kafka_dead_letters *letters, const char *name, const char *value,
			void *owner)
{
	const int32_t partition = 0;
	rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
	const rd_kafka_resp_err_t code = herald__kafka_sender_send(
		&letters->sender, &(struct kafka_parcel){
					  .topic = letters->done,
					  .key = {name, strlen(name)},
					  .data = {value, value ? strlen(value) : 0},
					  .headers = headers,
					  .partition = &partition,
					  .owner = owner,
				  });

	if (code)
		rd_kafka_headers_destroy(headers);
	else
		letters->waiting++;
	return code;
}

/* Letters with HERALD_OK are done, if their marks are stored. */
static void
mark(struct kafka_dead_letters *letters, struct herald_dead_message_list *list, const char *what)
{
	char name[KAFKA_MARK_KEY_BYTES];

	for (struct herald_dead_message *at = list->first; at; at = at->next) {
		const struct kafka_dead_message *message = kafka_dead_message_of(at);

		if (at->status != HERALD_OK)
			continue;
		herald__kafka_mark_name(message->partition, message->offset, message->time_ms,
					name);
		const rd_kafka_resp_err_t code = herald__kafka_mark_send(letters, name, what, at);
		if (code)
			conclude(at, HERALD_UNKNOWN_OUTCOME, rd_kafka_err2str(code));
	}
	herald__kafka_dead_await(letters, take_mark_report);
}

/* Replay. */

static bool
is_own_topic(const struct kafka_dead_letters *letters, const char *target)
{
	return strcmp(target, letters->dead) == 0 || strcmp(target, letters->done) == 0;
}

/* It is not made: a name that is wrong is told. */
static enum herald_status
check_target(struct kafka_dead_letters *letters, struct herald_dead_message_list *list,
	     const char *target)
{
	const rd_kafka_resp_err_t code =
		herald__kafka_look(letters->consumer, target, letters->options.timeout_ms);
	char reason[sizeof(list->first->reason)];

	if (!code)
		return HERALD_OK;
	if (herald__kafka_is_missing(code) || code == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION)
		herald_text_write(reason, sizeof(reason), "there is no topic %s", target);
	else
		herald_text_write(reason, sizeof(reason), "%s: %s", target, rd_kafka_err2str(code));
	conclude_all(list, status_of(code), reason);
	if (status_of(code) == HERALD_UNAVAILABLE)
		lose(letters, reason);
	return status_of(code);
}

static void
send_copy(struct kafka_dead_letters *letters, struct kafka_dead_message *message,
	  const char *target)
{
	rd_kafka_headers_t *headers = herald__kafka_headers_copy(message->headers);
	const rd_kafka_resp_err_t code =
		herald__kafka_sender_send(&letters->sender, &(struct kafka_parcel){
								    .topic = target,
								    .key = message->key,
								    .data = message->value,
								    .headers = headers,
								    .owner = message,
							    });

	if (!code) {
		letters->waiting++;
		return;
	}
	rd_kafka_headers_destroy(headers);
	conclude(&message->base, status_of(code), rd_kafka_err2str(code));
}

enum herald_status
herald__kafka_dead_replay(struct herald_dead_letters *base, struct herald_dead_message_list *list,
			  const char *target, struct herald_error *error)
{
	struct kafka_dead_letters *letters = kafka_dead_letters_of(base);

	if (is_own_topic(letters, target)) {
		conclude_all(list, HERALD_BAD_OPTION,
			     "it would be sent to the dead letters themselves");
		return HERALD_OK;
	}
	if (check_target(letters, list, target) != HERALD_OK)
		return end(letters, error);
	enum herald_status status = check_marks(letters, list, error);
	if (status != HERALD_OK)
		return status;
	for (struct herald_dead_message *at = list->first; at; at = at->next)
		if (at->status == HERALD_OK)
			send_copy(letters, kafka_dead_message_of(at), target);
	herald__kafka_dead_await(letters, take_copy_report);
	mark(letters, list, "replayed");
	return end(letters, error);
}

enum herald_status
herald__kafka_dead_remove(struct herald_dead_letters *base, struct herald_dead_message_list *list,
			  struct herald_error *error)
{
	struct kafka_dead_letters *letters = kafka_dead_letters_of(base);
	enum herald_status status = check_marks(letters, list, error);

	if (status != HERALD_OK)
		return status;
	mark(letters, list, "dropped");
	return end(letters, error);
}
