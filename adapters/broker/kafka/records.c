/*
 * Reads records of a partition, from an offset to another. Offsets may have gaps: of transactions,
 * and of what was compacted. Owns nothing.
 */
#include "records.h"

/* An error of the connection is seen after this time. */
#define SLICE_MS 100

static enum herald_status
fail(const struct kafka_records *records, const char *why, struct herald_error *error)
{
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"Kafka: the connection is lost: cannot read %s: %s",
				rd_kafka_topic_name(records->topic), why);
}

/* What the client reports while there is no record. */
static enum herald_status
read_errors(const struct kafka_records *records, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;
	rd_kafka_event_t *event;

	while (status == HERALD_OK && (event = rd_kafka_queue_poll(records->errors, 0))) {
		const rd_kafka_resp_err_t code = rd_kafka_event_error(event);

		if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
		    code == RD_KAFKA_RESP_ERR__AUTHENTICATION || code == RD_KAFKA_RESP_ERR__FATAL)
			status = fail(records, rd_kafka_event_error_string(event), error);
		rd_kafka_event_destroy(event);
	}
	return status;
}

/* A record, or the end, or an error. Returns true for what is wanted. */
static bool
take(const struct kafka_records *records, rd_kafka_message_t *message, int64_t *next, int64_t end,
     rd_kafka_message_t **out, enum herald_status *status, struct herald_error *error)
{
	bool is_over = true;

	if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
		is_over = message->offset >= end; /* or else it is of an earlier end */
	else if (message->err)
		*status = fail(records, rd_kafka_err2str(message->err), error);
	else if (message->offset < *next)
		*status = fail(records, "it was made again", error);
	else if (message->offset < end)
		*out = message;
	*next = *out ? message->offset + 1 : is_over && *status == HERALD_OK ? end : *next;
	if (!*out)
		rd_kafka_message_destroy(message);
	return is_over;
}

enum herald_status
herald__kafka_records_next(const struct kafka_records *records, int64_t *next, int64_t end,
			   rd_kafka_message_t **out, struct herald_error *error)
{
	const uint64_t until_ms = kafka_now_ms() + 2 * (uint64_t)records->timeout_ms;
	enum herald_status status = HERALD_OK;

	*out = NULL;
	while (*next < end && status == HERALD_OK) {
		rd_kafka_message_t *message =
			rd_kafka_consume(records->topic, records->partition, SLICE_MS);

		if (message && take(records, message, next, end, out, &status, error))
			break;
		if (!message)
			status = read_errors(records, error);
		if (status == HERALD_OK && kafka_now_ms() >= until_ms)
			status = fail(records, "no answer in time", error);
	}
	return status;
}

/* `logical`: RD_KAFKA_OFFSET_BEGINNING or _END, which Kafka's protocol has as times as well.
 * rd_kafka_query_watermark_offsets() of librdkafka 2.0.2 may never return if the broker dies. */
static rd_kafka_resp_err_t
ask(const struct kafka_records *records, int64_t logical, int64_t *out)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *asked = rd_kafka_topic_partition_list_add(
		list, rd_kafka_topic_name(records->topic), records->partition);

	asked->offset = logical;
	rd_kafka_resp_err_t code =
		rd_kafka_offsets_for_times(records->consumer, list, (int)records->timeout_ms);
	if (!code)
		code = asked->err;
	if (!code)
		*out = asked->offset;
	rd_kafka_topic_partition_list_destroy(list);
	return code;
}

enum herald_status
herald__kafka_records_range(const struct kafka_records *records, int64_t *low, int64_t *end,
			    struct herald_error *error)
{
	rd_kafka_resp_err_t code = ask(records, RD_KAFKA_OFFSET_BEGINNING, low);

	if (!code)
		code = ask(records, RD_KAFKA_OFFSET_END, end);
	return code ? fail(records, rd_kafka_err2str(code), error) : HERALD_OK;
}
