/*
 * Checks of the options that need no server, and the names that follow from them.
 */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#define MAX_TOPIC_BYTES 200
#define MAX_BOTH_BYTES 230

static const struct {
	uint64_t ms;
	const char *name;
} tiers[KAFKA_TIERS] = {
	{1000, "1s"},    {10000, "10s"},  {60000, "1m"},
	{600000, "10m"}, {3600000, "1h"}, {86400000, "24h"},
};

uint64_t
herald__kafka_tier_ms(size_t tier)
{
	return tiers[tier].ms;
}

/* What Kafka allows for topics. */
static bool
is_name(const char *name)
{
	while (herald_ascii_is_letter(*name) || herald_ascii_is_digit(*name) ||
	       (*name != '\0' && strchr("._-", *name)))
		name++;
	return *name == '\0';
}

bool
herald__kafka_is_topic(const char *name)
{
	return is_name(name) && *name != '\0' && strlen(name) <= KAFKA_MAX_TOPIC_BYTES &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Groups may have other bytes, but are part of topics' names. */
static enum herald_status
check_name(const char *option, const char *name, size_t max, struct herald_error *error)
{
	if (!name || *name == '\0')
		return herald_option_refuse(error, option, "must be set");
	if (strlen(name) > max)
		return herald_option_refuse(error, option, "must have at most %zu bytes, not %zu",
					    max, strlen(name));
	if (is_name(name))
		return HERALD_OK;
	return herald_option_refuse(
		error, option, "must have letters, digits, '.', '_' and '-' only: \"%s\"", name);
}

static enum herald_status
check_names(const struct herald_kafka_subscriber_options *options, struct herald_error *error)
{
	enum herald_status status = check_name("topic", options->topic, MAX_TOPIC_BYTES, error);

	if (status == HERALD_OK)
		status = check_name("group", options->group, MAX_TOPIC_BYTES, error);
	if (status == HERALD_OK && options->dead_topic)
		status =
			check_name("dead_topic", options->dead_topic, KAFKA_MAX_TOPIC_BYTES, error);
	if (status == HERALD_OK && strlen(options->topic) + strlen(options->group) > MAX_BOTH_BYTES)
		return herald_option_refuse(error, "group",
					    "must have, together with topic, at most %d bytes",
					    MAX_BOTH_BYTES);
	if (status == HERALD_OK && options->dead_topic &&
	    strcmp(options->dead_topic, options->topic) == 0)
		return herald_option_refuse(error, "dead_topic", "must not be the topic itself");
	return status;
}

static enum herald_status
check_numbers(struct herald_kafka_subscriber_options *options, struct herald_error *error)
{
	if (options->session_timeout_ms == 0)
		options->session_timeout_ms = 10000;
	if (options->rebalance_timeout_ms == 0)
		options->rebalance_timeout_ms = 30000;
	if (options->timeout_ms == 0)
		options->timeout_ms = 5000;
	const struct herald_option_range ranges[] = {
		{"partitions", options->partitions, 0, 10000},
		{"replicas", options->replicas, 0, 100},
		{"session_timeout_ms", options->session_timeout_ms, 1000, 3600000},
		{"rebalance_timeout_ms", options->rebalance_timeout_ms, 1, 120000},
		{"timeout_ms", options->timeout_ms, 1000, 300000},
	};

	return herald_option_ranges_check(ranges, sizeof(ranges) / sizeof(*ranges), error);
}

enum herald_status
herald__kafka_options_read(const struct herald_kafka_subscriber_options *given,
			   struct herald_kafka_subscriber_options *out, struct herald_error *error)
{
	enum herald_status status = herald_options_read(given, out, sizeof(*out),
							"HERALD_KAFKA_SUBSCRIBER_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&out->allocator, error);
	if (status == HERALD_OK)
		status = check_names(out, error);
	if (status == HERALD_OK)
		status = check_numbers(out, error);
	out->allocator = herald_allocator_or_libc(&out->allocator);
	return status;
}

/* Texts. */

static const char *
text(struct herald_arena *arena, const char *first, const char *second, const char *third)
{
	char joined[2048];

	snprintf(joined, sizeof(joined), "%s%s%s", first, second, third);
	return herald_arena_copy(arena, joined, strlen(joined));
}

static bool
name_topics(struct kafka *kafka)
{
	struct herald_kafka_subscriber_options *options = &kafka->options;
	char retry[MAX_BOTH_BYTES + 16];

	options->topic = text(kafka->texts, options->topic, "", "");
	options->group = text(kafka->texts, options->group, "", "");
	if (!options->topic || !options->group)
		return false;
	options->dead_topic = options->dead_topic ? text(kafka->texts, options->dead_topic, "", "")
						  : text(kafka->texts, options->topic, ".dead", "");
	kafka->topics[0] = options->topic;
	kafka->topics[1] = options->dead_topic;
	snprintf(retry, sizeof(retry), "%s.%s.retry.", options->topic, options->group);
	for (size_t i = 0; i < KAFKA_TIERS; i++) {
		kafka->topics[2 + i] = text(kafka->texts, retry, tiers[i].name, "");
		if (!kafka->topics[2 + i])
			return false;
	}
	return options->dead_topic;
}

enum herald_status
herald__kafka_options_copy(struct kafka *kafka, struct herald_error *error)
{
	struct herald_kafka_subscriber_options *options = &kafka->options;
	char source[2 * MAX_TOPIC_BYTES + 4];
	enum herald_status status = herald__kafka_access_read(
		options->url, options->timeout_ms, options->properties, options->properties_count,
		kafka->texts, &kafka->access, error);

	if (status != HERALD_OK)
		return status;
	options->url = NULL;
	options->properties = NULL;
	snprintf(source, sizeof(source), " %s %s", options->topic, options->group);
	kafka->base.source = text(kafka->texts, kafka->access.servers, source, "");
	kafka->access.source = kafka->base.source;
	if (!kafka->base.source || !name_topics(kafka))
		return herald_out_of_memory(error);
	return HERALD_OK;
}
