/*
 * The two clients of librdkafka, a consumer and a sender: their settings and queues. Owns them from
 * open() to close().
 */
#include "client.h"

#include <herald/adapter/options.h>

#define LEAVE_POLL_MS 100
/* Requests that take too long are given up once a second. */
#define LEAVE_MORE_MS 3000

/* Creation. */

static enum herald_status
create_consumer(struct kafka *kafka, struct herald_error *error)
{
	const struct herald_kafka_subscriber_options *options = &kafka->options;
	const uint32_t session_ms = options->session_timeout_ms;
	const size_t kilobytes = kafka->settings.max_in_flight_bytes / 1024;
	const struct kafka_setting settings[] = {
		{"group.id", options->group, 0},
		{"session.timeout.ms", NULL, session_ms},
		{"heartbeat.interval.ms", NULL, session_ms < 9000 ? session_ms / 3 : 3000},
		{"queued.max.messages.kbytes", NULL,
		 kilobytes < 1024    ? 1024
		 : kilobytes > 65536 ? 65536
				     : kilobytes},
		{"enable.auto.commit", "false", 0},
		{"enable.auto.offset.store", "false", 0},
		{"auto.offset.reset", "earliest", 0},
		/* Not cooperative-sticky: librdkafka 2.0.2 aborts the process if a consumer is
		 * destroyed before its first assignment (librdkafka#4312, mended in 2.3.0), and
		 * gives up all partitions if it commits while it joins (librdkafka#4059). "range"
		 * gives each process as many partitions of each topic. */
		{"partition.assignment.strategy", "range", 0},
		{"fetch.wait.max.ms", NULL, 100},
		{"fetch.error.backoff.ms", NULL, 100},
		{"topic.metadata.refresh.interval.ms", NULL, 30000},
	};

	return herald__kafka_access_create(
		&kafka->access, RD_KAFKA_CONSUMER,
		RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_OFFSET_COMMIT,
		settings, sizeof(settings) / sizeof(*settings), &kafka->consumer, error);
}

static void
watch(const struct kafka *kafka, rd_kafka_queue_t *queue)
{
	static const uint64_t one = 1;

	rd_kafka_queue_io_event_enable(queue, kafka->wake_fd, &one, sizeof(one));
}

enum herald_status
herald__kafka_client_create(struct kafka *kafka, struct herald_error *error)
{
	enum herald_status status = create_consumer(kafka, error);

	if (status == HERALD_OK)
		status = herald__kafka_sender_create(&kafka->sender, &kafka->access, kafka->wake_fd,
						     0, error);
	if (status != HERALD_OK)
		return status;
	kafka->control = rd_kafka_queue_get_consumer(kafka->consumer);
	kafka->arrived = rd_kafka_queue_new(kafka->consumer);
	kafka->replies = rd_kafka_queue_new(kafka->consumer);
	/* Errors come to the main queue. */
	rd_kafka_poll_set_consumer(kafka->consumer);
	watch(kafka, kafka->control);
	watch(kafka, kafka->arrived);
	watch(kafka, kafka->replies);
	return HERALD_OK;
}

/* Destruction. */

/* What is begun must end: librdkafka 2.0.2 never returns from rd_kafka_destroy() while a rebalance
 * is not answered, or the request to leave neither answered nor given up, after timeout_ms. A
 * commit that the broker does not answer is sent again without end: that is not waited for. */
static void
leave_group(struct kafka *kafka)
{
	rd_kafka_queue_t *closing = rd_kafka_queue_new(kafka->consumer);
	rd_kafka_error_t *failed = rd_kafka_consumer_close_queue(kafka->consumer, closing);
	const uint64_t until_ms = kafka_now_ms() + kafka->access.timeout_ms + LEAVE_MORE_MS;

	while (!failed && !rd_kafka_consumer_closed(kafka->consumer) && kafka_now_ms() < until_ms) {
		rd_kafka_event_t *event = rd_kafka_queue_poll(closing, LEAVE_POLL_MS);
		if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
			(void)rd_kafka_assign(kafka->consumer, NULL);
		if (event)
			rd_kafka_event_destroy(event);
	}
	if (failed)
		rd_kafka_error_destroy(failed);
	rd_kafka_queue_destroy(closing);
}

static void
destroy_queue(rd_kafka_queue_t **queue)
{
	if (*queue)
		rd_kafka_queue_destroy(*queue);
	*queue = NULL;
}

void
herald__kafka_client_destroy(struct kafka *kafka)
{
	if (kafka->consumer && !kafka->has_failed)
		leave_group(kafka);
	destroy_queue(&kafka->control);
	destroy_queue(&kafka->arrived);
	destroy_queue(&kafka->replies);
	if (kafka->consumer)
		rd_kafka_destroy_flags(kafka->consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	kafka->consumer = NULL;
	herald__kafka_sender_destroy(&kafka->sender);
}

/* Errors. */

void
herald__kafka_client_fail(struct kafka *kafka, const char *what, const char *why)
{
	if (kafka->has_failed)
		return;
	kafka->has_failed = true;
	herald_error_set(&kafka->error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "Kafka: %s: %s", what,
			 why);
}

void
herald__kafka_client_report(struct kafka *kafka, rd_kafka_resp_err_t code, const char *why)
{
	switch (code) {
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
		kafka->is_away = !kafka->has_failed;
		herald__kafka_client_fail(kafka, rd_kafka_err2str(code), why);
		break;
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR__FATAL:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
		herald__kafka_client_fail(kafka, rd_kafka_err2str(code), why);
		break;
	default:
		break; /* librdkafka tries again */
	}
}
