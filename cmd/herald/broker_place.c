/*
 * Finds the adapter for the URL of a broker. With database.c, the only file of the tool that knows
 * adapters.
 */
#include "broker_place.h"

#include <string.h>

#include <herald/array.h>

#ifdef HAVE_KAFKA
#include <herald/kafka.h>
#endif
#ifdef HAVE_NATS
#include <herald/nats.h>
#endif
#ifdef HAVE_RABBITMQ
#include <herald/rabbitmq.h>
#endif
#ifdef HAVE_REDIS
#include <herald/redis.h>
#endif

#include "options.h"

typedef enum herald_status
create_letters(const struct broker_place *place, struct herald_dead_letters **out,
	       struct herald_error *error);

#ifdef HAVE_KAFKA
static enum herald_status
create_kafka(const struct broker_place *place, struct herald_dead_letters **out,
	     struct herald_error *error)
{
	if (place->ca_file || place->certificate_file || place->key_file)
		return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
					"--tls-ca, --tls-certificate and --tls-key are not for "
					"Kafka: Herald has no TLS to it");
	return herald_kafka_dead_letters_create(
		&HERALD_KAFKA_DEAD_LETTERS_OPTIONS(.url = place->url, .topic = place->source), out,
		error);
}
#else
#define create_kafka NULL
#endif

#ifdef HAVE_NATS
static enum herald_status
create_nats(const struct broker_place *place, struct herald_dead_letters **out,
	    struct herald_error *error)
{
	return herald_nats_dead_letters_create(
		&HERALD_NATS_DEAD_LETTERS_OPTIONS(.url = place->url, .stream = place->source,
						  .ca_file = place->ca_file,
						  .certificate_file = place->certificate_file,
						  .key_file = place->key_file),
		out, error);
}
#else
#define create_nats NULL
#endif

#ifdef HAVE_RABBITMQ
static enum herald_status
create_rabbitmq(const struct broker_place *place, struct herald_dead_letters **out,
		struct herald_error *error)
{
	return herald_rabbitmq_dead_letters_create(
		&HERALD_RABBITMQ_DEAD_LETTERS_OPTIONS(.url = place->url, .queue = place->source,
						      .ca_file = place->ca_file,
						      .certificate_file = place->certificate_file,
						      .key_file = place->key_file),
		out, error);
}
#else
#define create_rabbitmq NULL
#endif

#ifdef HAVE_REDIS
static enum herald_status
create_redis(const struct broker_place *place, struct herald_dead_letters **out,
	     struct herald_error *error)
{
	return herald_redis_dead_letters_create(
		&HERALD_REDIS_DEAD_LETTERS_OPTIONS(.url = place->url, .stream = place->source,
						   .ca_file = place->ca_file,
						   .certificate_file = place->certificate_file,
						   .key_file = place->key_file),
		out, error);
}
#else
#define create_redis NULL
#endif

static const struct {
	const char *scheme, *name;
	create_letters *create; /* NULL: left out of this tool */
} brokers[] = {
	{"kafka", "Kafka", create_kafka},       {"nats", "NATS", create_nats},
	{"tls", "NATS", create_nats},           {"amqp", "RabbitMQ", create_rabbitmq},
	{"amqps", "RabbitMQ", create_rabbitmq}, {"redis", "Redis", create_redis},
	{"rediss", "Redis", create_redis},
};

void
broker_name_option(struct herald_error *error)
{
	static const struct option_name names[] = {
		{"url", "--url", 0},         {"topic", "--source", 0},
		{"stream", "--source", 0},   {"queue", "--source", 0},
		{"ca_file", "--tls-ca", 0},  {"certificate_file", "--tls-certificate", 0},
		{"key_file", "--tls-key", 0}};

	options_name_error(names, HERALD_COUNT(names), error);
}

enum herald_status
broker_letters_create(const struct broker_place *place, struct herald_dead_letters **out,
		      struct herald_error *error)
{
	const char *url = place->url;
	const char *colon = strstr(url, "://");
	const size_t bytes = colon ? (size_t)(colon - url) : 0;

	for (size_t i = 0; i < HERALD_COUNT(brokers); i++) {
		if (strlen(brokers[i].scheme) != bytes ||
		    strncmp(url, brokers[i].scheme, bytes) != 0)
			continue;
		if (!brokers[i].create)
			return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
						"--url: this tool was built without %s",
						brokers[i].name);
		enum herald_status status = brokers[i].create(place, out, error);
		if (status != HERALD_OK)
			broker_name_option(error);
		return status;
	}
	return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
				"--url: expected redis://HOST, nats://HOST, amqp://HOST or "
				"kafka://HOST");
}
