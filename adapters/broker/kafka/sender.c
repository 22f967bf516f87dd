/*
 * Producers of librdkafka. Owns them and their queues, from create() to destroy(), but no parcel.
 */
#include "sender.h"

#include <string.h>

#define PURGE_ALL (RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
/* In KiB, as much as librdkafka allows: who sends has a limit. */
#define QUEUE_KILOBYTES 2097151
#define DEFAULT_MESSAGES 100000
#define DEFAULT_BATCH 10000

/* The clients. */

static enum herald_status
create_client(struct kafka_sender *sender, bool is_alone, struct herald_error *error)
{
	static const uint64_t one = 1;
	const struct kafka_setting settings[] = {
		{"acks", "all", 0},
		{"enable.idempotence", "true", 0},
		{"linger.ms", NULL, is_alone ? 0 : 1},
		{"message.timeout.ms", NULL, 2 * (uint64_t)sender->access->timeout_ms},
		{"queue.buffering.max.messages", NULL, sender->max_messages},
		{"queue.buffering.max.kbytes", NULL, QUEUE_KILOBYTES},
		/* As the clients in Java, so that a key is in one partition. */
		{"partitioner", "murmur2_random", 0},
		/* Who sends tries again. */
		{"topic.metadata.propagation.max.ms", NULL, 0},
		{"batch.num.messages", NULL, is_alone ? 1 : DEFAULT_BATCH},
	};
	enum herald_status status = herald__kafka_access_create(
		sender->access, RD_KAFKA_PRODUCER, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR,
		settings, sizeof(settings) / sizeof(*settings), &sender->clients[is_alone], error);

	if (status != HERALD_OK)
		return status;
	sender->reports[is_alone] = rd_kafka_queue_get_main(sender->clients[is_alone]);
	rd_kafka_queue_io_event_enable(sender->reports[is_alone], sender->wake_fd, &one,
				       sizeof(one));
	return HERALD_OK;
}

enum herald_status
herald__kafka_sender_create(struct kafka_sender *sender, const struct kafka_access *access,
			    int wake_fd, size_t max_messages, struct herald_error *error)
{
	*sender = (struct kafka_sender){
		.access = access,
		.wake_fd = wake_fd,
		.max_messages = max_messages > 0 ? max_messages : DEFAULT_MESSAGES,
	};
	return create_client(sender, false, error);
}

void
herald__kafka_sender_purge(struct kafka_sender *sender)
{
	for (size_t i = 0; i < 2; i++)
		if (sender->clients[i])
			rd_kafka_purge(sender->clients[i], PURGE_ALL);
}

void
herald__kafka_sender_destroy(struct kafka_sender *sender)
{
	herald__kafka_sender_purge(sender);
	for (size_t i = 0; i < 2; i++) {
		if (sender->reports[i])
			rd_kafka_queue_destroy(sender->reports[i]);
		if (sender->topics[i])
			rd_kafka_topic_destroy(sender->topics[i]);
		if (sender->clients[i])
			rd_kafka_destroy(sender->clients[i]);
		sender->topics[i] = NULL;
		sender->clients[i] = NULL;
		sender->reports[i] = NULL;
	}
}

/* Sending. */

/* A new handle has the library ask for the topic at once, and not within a second. */
static rd_kafka_topic_t *
topic_of(struct kafka_sender *sender, bool is_alone, const char *name)
{
	rd_kafka_topic_t **topic = &sender->topics[is_alone];

	if (*topic && strcmp(rd_kafka_topic_name(*topic), name) == 0)
		return *topic;
	if (*topic)
		rd_kafka_topic_destroy(*topic);
	*topic = rd_kafka_topic_new(sender->clients[is_alone], name, NULL);
	return *topic;
}

static rd_kafka_resp_err_t
produce(struct kafka_sender *sender, bool is_alone, const struct kafka_parcel *parcel)
{
	const int32_t partition = parcel->partition ? *parcel->partition : RD_KAFKA_PARTITION_UA;
	rd_kafka_topic_t *topic = topic_of(sender, is_alone, parcel->topic);

	if (!topic)
		return rd_kafka_last_error();
	/* The library's macros are expressions of GNU C. */
	return __extension__ rd_kafka_producev(
		sender->clients[is_alone], RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(partition),
		RD_KAFKA_V_VALUE((void *)(uintptr_t)parcel->data.data, parcel->data.bytes),
		RD_KAFKA_V_KEY((void *)(uintptr_t)parcel->key.data, parcel->key.bytes),
		RD_KAFKA_V_HEADERS(parcel->headers), RD_KAFKA_V_OPAQUE(parcel->owner),
		RD_KAFKA_V_END);
}

rd_kafka_resp_err_t
herald__kafka_sender_send(struct kafka_sender *sender, const struct kafka_parcel *parcel)
{
	return produce(sender, false, parcel);
}

/* Reports. */

static bool
may_be_the_batch(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
	       code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE ||
	       code == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

/* Returns false if it cannot be sent. */
static bool
send_alone(struct kafka_sender *sender, const rd_kafka_message_t *report)
{
	struct kafka_parcel parcel = {
		.topic = rd_kafka_topic_name(report->rkt),
		.key = {report->key, report->key_len},
		.data = {report->payload, report->len},
		.partition = &report->partition,
		.owner = report->_private,
	};

	if (!sender->clients[1] && create_client(sender, true, NULL) != HERALD_OK)
		return false;
	(void)rd_kafka_message_detach_headers((rd_kafka_message_t *)(uintptr_t)report,
					      &parcel.headers);
	if (produce(sender, true, &parcel) == RD_KAFKA_RESP_ERR_NO_ERROR)
		return true;
	if (parcel.headers)
		rd_kafka_headers_destroy(parcel.headers);
	return false;
}

/* A message of a refused batch is not refused itself, until it was sent alone. */
static void
take_report(struct kafka_sender *sender, bool is_alone, const rd_kafka_message_t *report,
	    kafka_report_hook *on_report, void *state)
{
	if (is_alone || !may_be_the_batch(report->err))
		on_report(state, report, report->err);
	else if (!send_alone(sender, report))
		on_report(state, report, RD_KAFKA_RESP_ERR__FAIL);
}

void
herald__kafka_sender_turn(struct kafka_sender *sender, kafka_report_hook *on_report,
			  kafka_failure_hook *on_failure, void *state)
{
	const rd_kafka_message_t *report;
	rd_kafka_event_t *event;

	for (size_t i = 0; i < 2; i++)
		while (sender->reports[i] && (event = rd_kafka_queue_poll(sender->reports[i], 0))) {
			if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR)
				on_failure(state, rd_kafka_event_error(event),
					   rd_kafka_event_error_string(event));
			while (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR &&
			       (report = rd_kafka_event_message_next(event)))
				take_report(sender, i > 0, report, on_report, state);
			rd_kafka_event_destroy(event);
		}
}
