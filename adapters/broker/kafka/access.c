/*
 * How the brokers are reached: the options of all clients are checked, and become settings of
 * librdkafka. And what its failures mean. Owns nothing.
 */
#include "access.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/log.h>
#include <herald/adapter/options.h>

#include "url.h"

/* Records of librdkafka up to this level (syslog) are written to the log. */
#define LOG_LEVEL 4
/* The broker decides which messages are too large. */
#define MAX_MESSAGE_BYTES 1000000000
#define MAX_PROPERTIES 1000

/* Options. */

/* What is set from options, or must be as it is. */
static const char *const own_names[] = {
	"bootstrap.servers",
	"metadata.broker.list",
	"group.id",
	"session.timeout.ms",
	"heartbeat.interval.ms",
	"socket.timeout.ms",
	"group.instance.id",
	"group.protocol.type",
	"message.timeout.ms",
	"acks",
	"enable.idempotence",
	"enable.auto.commit",
	"enable.auto.offset.store",
	"auto.offset.reset",
	"partition.assignment.strategy",
	"queue.buffering.max.messages",
	"batch.num.messages",
};

static bool
is_own(const char *name)
{
	for (size_t i = 0; i < sizeof(own_names) / sizeof(*own_names); i++)
		if (strcmp(own_names[i], name) == 0)
			return true;
	return false;
}

/* Whether librdkafka knows a property. */
static enum herald_status
check_property(const struct herald_pair *property, struct herald_error *error)
{
	char why[256];

	if (!property->key || !property->value)
		return herald_option_refuse(error, "properties", "a name or a value is NULL");
	if (is_own(property->key))
		return herald_option_refuse(error, "properties", "\"%s\" is set by Herald",
					    property->key);
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	const rd_kafka_conf_res_t result =
		rd_kafka_conf_set(conf, property->key, property->value, why, sizeof(why));
	rd_kafka_conf_destroy(conf);
	if (result == RD_KAFKA_CONF_OK)
		return HERALD_OK;
	return herald_option_refuse(error, "properties", "%s", why);
}

static enum herald_status
check_properties(const struct herald_pair *properties, size_t count, struct herald_error *error)
{
	enum herald_status status = herald_option_array_check(
		"properties", "HERALD_KAFKA_PROPERTIES", properties, count, error);

	if (status == HERALD_OK && count > MAX_PROPERTIES)
		return herald_option_refuse(error, "properties", "must be at most %d",
					    MAX_PROPERTIES);
	for (size_t i = 0; status == HERALD_OK && i < count; i++)
		status = check_property(&properties[i], error);
	return status;
}

/* NULL when out of memory. */
static const struct herald_pair *
copy_properties(const struct herald_pair *properties, size_t count, struct herald_arena *arena)
{
	struct herald_pair *copies = herald_arena_alloc(arena, (count + 1) * sizeof(*copies));

	if (!copies)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const struct herald_pair *from = &properties[i];

		copies[i].key = herald_arena_copy(arena, from->key, strlen(from->key));
		copies[i].value = herald_arena_copy(arena, from->value, strlen(from->value));
		if (!copies[i].key || !copies[i].value)
			return NULL;
	}
	return copies;
}

enum herald_status
herald__kafka_access_read(const char *url, uint32_t timeout_ms,
			  const struct herald_pair *properties, size_t count,
			  struct herald_arena *arena, struct kafka_access *out,
			  struct herald_error *error)
{
	struct kafka_url parts;
	enum herald_status status = check_properties(properties, count, error);

	if (status == HERALD_OK)
		status = herald__kafka_url_read(url, arena, &parts, error);
	if (status != HERALD_OK)
		return status;
	*out = (struct kafka_access){
		.servers = parts.servers,
		.user = parts.user,
		.password = parts.password,
		.properties = copy_properties(properties, count, arena),
		.properties_count = count,
		.timeout_ms = timeout_ms,
	};
	return out->properties ? HERALD_OK : herald_out_of_memory(error);
}

/* Clients. */

/* Remembers the first failure. */
struct settings {
	rd_kafka_conf_t *conf;
	bool has_failed;
	char why[256];
};

static void
set(struct settings *settings, const char *name, const char *value)
{
	/* It writes a text also when it succeeds. */
	if (!settings->has_failed)
		settings->has_failed = rd_kafka_conf_set(settings->conf, name, value, settings->why,
							 sizeof(settings->why)) != RD_KAFKA_CONF_OK;
}

static void
set_all(struct settings *settings, const struct kafka_setting *list, size_t count)
{
	char number[24];

	for (size_t i = 0; i < count; i++) {
		snprintf(number, sizeof(number), "%llu", (unsigned long long)list[i].number);
		set(settings, list[i].name, list[i].value ? list[i].value : number);
	}
}

/* On any thread of librdkafka. */
static void
client_log(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
	const struct kafka_access *access = rd_kafka_opaque(client);
	const struct herald_log_field fields[] = {
		{"broker", "kafka", 0},
		{"facility", facility, 0},
		{"text", text, 0},
		{"source", access->source, 0},
	};

	if (level <= LOG_LEVEL)
		herald_log_write(&access->log, HERALD_LOG_WARNING, "librdkafka", fields,
				 access->source ? 4 : 3);
}

static void
set_common(const struct kafka_access *access, struct settings *settings)
{
	const struct kafka_setting common[] = {
		{"client.id", "herald", 0},
		{"reconnect.backoff.ms", NULL, 50},
		{"reconnect.backoff.max.ms", NULL, 1000},
		{"message.max.bytes", NULL, MAX_MESSAGE_BYTES},
		{"bootstrap.servers", access->servers, 0},
		{"socket.timeout.ms", NULL, access->timeout_ms},
	};
	const struct kafka_setting login[] = {
		{"security.protocol", "sasl_plaintext", 0},
		{"sasl.mechanism", "PLAIN", 0},
		{"sasl.username", access->user, 0},
		{"sasl.password", access->password, 0},
	};

	rd_kafka_conf_set_opaque(settings->conf, (void *)(uintptr_t)access);
	rd_kafka_conf_set_log_cb(settings->conf, client_log);
	set_all(settings, common, sizeof(common) / sizeof(*common));
	if (access->user)
		set_all(settings, login, sizeof(login) / sizeof(*login));
}

enum herald_status
herald__kafka_access_create(const struct kafka_access *access, rd_kafka_type_t type, int events,
			    const struct kafka_setting *more, size_t count, rd_kafka_t **out,
			    struct herald_error *error)
{
	struct settings settings = {.conf = rd_kafka_conf_new()};
	rd_kafka_t *client = NULL;

	set_common(access, &settings);
	set_all(&settings, more, count);
	for (size_t i = 0; i < access->properties_count; i++)
		set(&settings, access->properties[i].key, access->properties[i].value);
	rd_kafka_conf_set_events(settings.conf, events);
	if (!settings.has_failed)
		client = rd_kafka_new(type, settings.conf, settings.why, sizeof(settings.why));
	if (!client) {
		rd_kafka_conf_destroy(settings.conf);
		return herald_option_refuse(error, "properties", "%s", settings.why);
	}
	*out = client;
	return HERALD_OK;
}

/* Errors. */

static bool
passes(rd_kafka_resp_err_t code)
{
	switch (code) {
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR__SSL:
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
	case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
	case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
	case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
		return false;
	default:
		return true;
	}
}

enum herald_status
herald__kafka_refuse(struct herald_error *error, const char *option, rd_kafka_resp_err_t code,
		     const char *what, const char *why)
{
	if (passes(code))
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"Kafka: %s: %s", what, why);
	return herald_option_refuse(error, option, "%s: %s", what, why);
}
