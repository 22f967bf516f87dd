/*
 * The first conversation of a client: whether a broker answers, and what it says of a topic. Owns
 * nothing.
 */
#include "reach.h"

/* A stop is seen after this time. */
#define LOOK_MS 100
/* Between two looks, at most. */
#define MAX_PAUSE_MS 2000

rd_kafka_resp_err_t
herald__kafka_look_at(rd_kafka_t *client, const char *topic, uint32_t timeout_ms, int *partitions)
{
	const struct rd_kafka_metadata *metadata = NULL;
	rd_kafka_topic_t *handle = topic ? rd_kafka_topic_new(client, topic, NULL) : NULL;
	rd_kafka_resp_err_t code = rd_kafka_metadata(client, 0, handle, &metadata, (int)timeout_ms);

	if (!code && topic && metadata->topic_cnt > 0)
		code = metadata->topics[0].err;
	if (!code && topic) {
		*partitions = metadata->topic_cnt > 0 ? metadata->topics[0].partition_cnt : 0;
		if (*partitions == 0)
			code = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
	}
	if (metadata)
		rd_kafka_metadata_destroy(metadata);
	if (handle)
		rd_kafka_topic_destroy(handle);
	return code;
}

rd_kafka_resp_err_t
herald__kafka_look(rd_kafka_t *client, const char *topic, uint32_t timeout_ms)
{
	int partitions;

	return herald__kafka_look_at(client, topic, timeout_ms, &partitions);
}

/* What the client reports, for which it waits. */
static enum herald_status
read_errors(rd_kafka_queue_t *errors, int wait_ms, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;
	rd_kafka_event_t *event;

	for (; status == HERALD_OK && (event = rd_kafka_queue_poll(errors, wait_ms)); wait_ms = 0) {
		const rd_kafka_resp_err_t code = rd_kafka_event_error(event);

		if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR &&
		    (code == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
		     code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN))
			status = herald__kafka_refuse(error, "url", code, "cannot connect",
						      rd_kafka_event_error_string(event));
		rd_kafka_event_destroy(event);
	}
	return status;
}

/* Whether a broker has answered, even if look() had given up before. */
static bool
has_answered(rd_kafka_t *client)
{
	char *cluster = rd_kafka_clusterid(client, 0);

	if (!cluster)
		return rd_kafka_controllerid(client, 0) >= 0;
	rd_kafka_mem_free(client, cluster);
	return true;
}

/* A broker that is far away, or busy, answers after look() has given up. Later looks are rarer, so
 * that it does not get more and more requests. */
enum herald_status
herald__kafka_reach(rd_kafka_t *client, rd_kafka_queue_t *errors, uint64_t until_ms,
		    const struct herald_publisher *ends, struct herald_error *error)
{
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__TIMED_OUT;
	uint64_t look_ms = 0, pause_ms = LOOK_MS;

	for (;;) {
		if (kafka_now_ms() >= look_ms) {
			code = herald__kafka_look(client, NULL, LOOK_MS);
			look_ms = kafka_now_ms() + pause_ms;
			pause_ms = 2 * pause_ms < MAX_PAUSE_MS ? 2 * pause_ms : MAX_PAUSE_MS;
		}
		if (!code || has_answered(client))
			return HERALD_OK;
		enum herald_status status = read_errors(errors, LOOK_MS, error);
		if (status != HERALD_OK)
			return status;
		if (ends && herald_publisher_is_stopping(ends))
			return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
						"Kafka: not open yet at a stop");
		if (kafka_now_ms() >= until_ms)
			return herald__kafka_refuse(error, "url", code, "cannot connect",
						    rd_kafka_err2str(code));
	}
}
