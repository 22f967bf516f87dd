/*
 * Makes topics. Owns nothing.
 */
#include "make.h"

bool
herald__kafka_is_missing(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
	       code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

static enum herald_status
check_result(rd_kafka_event_t *event, struct herald_error *error)
{
	const rd_kafka_CreateTopics_result_t *result =
		event ? rd_kafka_event_CreateTopics_result(event) : NULL;
	size_t count = 0;
	const rd_kafka_topic_result_t **topics =
		result ? rd_kafka_CreateTopics_result_topics(result, &count) : NULL;

	if (!event)
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"Kafka: cannot make topics: no answer");
	if (!result || rd_kafka_event_error(event))
		return herald__kafka_refuse(error, "topic", rd_kafka_event_error(event),
					    "cannot make topics",
					    rd_kafka_event_error_string(event));
	for (size_t i = 0; i < count; i++) {
		const rd_kafka_resp_err_t code = rd_kafka_topic_result_error(topics[i]);

		if (code && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
			return herald__kafka_refuse(
				error, "topic", code, rd_kafka_topic_result_name(topics[i]),
				rd_kafka_topic_result_error_string(topics[i])
					? rd_kafka_topic_result_error_string(topics[i])
					: rd_kafka_err2str(code));
	}
	return HERALD_OK;
}

enum herald_status
herald__kafka_make(rd_kafka_t *client, rd_kafka_NewTopic_t **topics, size_t count,
		   uint32_t timeout_ms, struct herald_error *error)
{
	rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
	rd_kafka_AdminOptions_t *options =
		rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_CREATETOPICS);
	char why[256];

	(void)rd_kafka_AdminOptions_set_request_timeout(options, (int)timeout_ms, why, sizeof(why));
	(void)rd_kafka_AdminOptions_set_operation_timeout(options, (int)timeout_ms / 2, why,
							  sizeof(why));
	rd_kafka_CreateTopics(client, topics, count, options, queue);
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 2 * (int)timeout_ms);
	enum herald_status status =
		event && rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE
			? HERALD_OK /* the broker makes them when a producer asks for them */
			: check_result(event, error);
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_queue_destroy(queue);
	return status;
}
