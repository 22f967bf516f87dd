/*
 * The first conversation with the brokers: whether one answers, and which topics there are. Makes
 * those that are missing. Owns nothing.
 */
#include "topics.h"

#include <string.h>

#include <herald/adapter/options.h>

#include "client.h"
#include "make.h"
#include "options.h"
#include "reach.h"

#define MAX_AWAIT_MS 2000
/* For the replication factor and the partitions: the broker's default. */
#define BROKERS_DEFAULT (-1)

enum herald_status
herald__kafka_topics_await(struct kafka *kafka, struct herald_error *error)
{
	const uint32_t timeout_ms = kafka->options.timeout_ms;
	const rd_kafka_resp_err_t code = herald__kafka_look(
		kafka->consumer, NULL, timeout_ms < MAX_AWAIT_MS ? timeout_ms : MAX_AWAIT_MS);

	return code ? herald__kafka_refuse(error, "url", code, "cannot connect",
					   rd_kafka_err2str(code))
		    : HERALD_OK;
}

/* Topics. */

static enum herald_status
make(struct kafka *kafka, const char *const *names, size_t count, struct herald_error *error)
{
	const struct herald_kafka_subscriber_options *options = &kafka->options;
	rd_kafka_NewTopic_t *topics[KAFKA_TOPICS];
	enum herald_status status = HERALD_OK;
	size_t made = 0;
	char why[256];

	for (; made < count && status == HERALD_OK; made++) {
		const int partitions = names[made] == kafka->topics[0] && options->partitions > 0
					       ? (int)options->partitions
					       : BROKERS_DEFAULT;

		topics[made] = rd_kafka_NewTopic_new(names[made], partitions,
						     options->replicas > 0 ? (int)options->replicas
									   : BROKERS_DEFAULT,
						     why, sizeof(why));
		if (!topics[made]) {
			status = herald_option_refuse(error, "topic", "%s", why);
			break;
		}
	}
	if (status == HERALD_OK)
		status = herald__kafka_make(kafka->consumer, topics, count,
					    kafka->options.timeout_ms, error);
	rd_kafka_NewTopic_destroy_array(topics, made);
	return status;
}

/* The topics that are used and that a broker does not know. A broker that cannot be asked to make
 * them may make them when the producer asks for them. */
static enum herald_status
find_missing(struct kafka *kafka, rd_kafka_t *client, const char **names, size_t *count,
	     struct herald_error *error)
{
	*count = 0;
	for (size_t i = 0; i < 2 + kafka->tiers; i++) {
		const rd_kafka_resp_err_t code =
			herald__kafka_look(client, kafka->topics[i], kafka->options.timeout_ms);

		if (herald__kafka_is_missing(code) ||
		    code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
			names[(*count)++] = kafka->topics[i];
		else if (code)
			return herald__kafka_refuse(error, "topic", code, kafka->topics[i],
						    rd_kafka_err2str(code));
	}
	return HERALD_OK;
}

static enum herald_status
make_missing(struct kafka *kafka, uint64_t until_ms, struct herald_error *error)
{
	const char *missing[KAFKA_TOPICS];
	size_t count;
	enum herald_status status = find_missing(kafka, kafka->consumer, missing, &count, error);

	if (status != HERALD_OK || count == 0)
		return status;
	status = make(kafka, missing, count, error);
	/* Brokers know of them some time later. */
	while (status == HERALD_OK && count > 0) {
		status = find_missing(kafka, kafka->sender.clients[0], missing, &count, error);
		if (status == HERALD_OK && count > 0 && kafka_now_ms() >= until_ms)
			return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
						"Kafka: the topic %s was made, but has no leader",
						missing[0]);
		if (count > 0)
			nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
	/* The consumer is to know them before it joins, or else it joins twice. */
	return status == HERALD_OK ? find_missing(kafka, kafka->consumer, missing, &count, error)
				   : status;
}

/* A topic for longer delays than this process has. Others of the group, or an earlier setting, may
 * have made it, with retries that wait there. Without the right to see it, it counts as missing. */
static bool
is_left_over(const struct kafka *kafka, size_t topic)
{
	const rd_kafka_resp_err_t code = herald__kafka_look(kafka->consumer, kafka->topics[topic],
							    kafka->options.timeout_ms);

	return !code || code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
}

static enum herald_status
subscribe(struct kafka *kafka, struct herald_error *error)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(KAFKA_TOPICS);

	for (size_t i = 0; i < KAFKA_TOPICS; i++)
		if (i != 1 && (i < 2 + kafka->tiers || is_left_over(kafka, i)))
			rd_kafka_topic_partition_list_add(list, kafka->topics[i],
							  RD_KAFKA_PARTITION_UA);
	const rd_kafka_resp_err_t code = rd_kafka_subscribe(kafka->consumer, list);
	rd_kafka_topic_partition_list_destroy(list);
	if (!code)
		return HERALD_OK;
	return herald__kafka_refuse(error, "topic", code, "cannot subscribe",
				    rd_kafka_err2str(code));
}

enum herald_status
herald__kafka_topics_open(struct kafka *kafka, struct herald_error *error)
{
	const uint64_t until_ms = kafka_now_ms() + kafka->options.timeout_ms;
	const uint64_t delay_ms = kafka->settings.max_delay_ms;

	if (delay_ms > herald__kafka_tier_ms(KAFKA_TIERS - 1))
		return herald_option_refuse(
			error, "max_delay_ms", "must be at most %llu with Kafka, not %llu",
			(unsigned long long)herald__kafka_tier_ms(KAFKA_TIERS - 1),
			(unsigned long long)delay_ms);
	kafka->tiers = 1;
	while (herald__kafka_tier_ms(kafka->tiers - 1) < delay_ms)
		kafka->tiers++;
	enum herald_status status =
		herald__kafka_reach(kafka->consumer, kafka->control, until_ms, NULL, error);
	if (status == HERALD_OK)
		status = make_missing(kafka, until_ms + kafka->options.timeout_ms, error);
	if (status == HERALD_OK)
		status = subscribe(kafka, error);
	return status;
}
