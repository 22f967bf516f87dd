/*
 * How the brokers are reached: the URL and the settings of librdkafka that all clients share.
 */
#ifndef HERALD_KAFKA_ACCESS_H
#define HERALD_KAFKA_ACCESS_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <herald/arena.h>
#include <herald/log.h>
#include <herald/status.h>
#include <herald/value.h>
#include <librdkafka/rdkafka.h>

/* The texts are in an arena of the owner, who keeps it as long as its clients. */
struct kafka_access {
	const char *servers;         /* HOST:PORT,... */
	const char *user, *password; /* NULL: no login */
	const struct herald_pair *properties;
	size_t properties_count;
	uint32_t timeout_ms;
	const char *source;    /* for the log; NULL: none */
	struct herald_log log; /* set before clients are created */
};

/* A setting of librdkafka. */
struct kafka_setting {
	const char *name;
	const char *value; /* NULL: the number */
	uint64_t number;
};

/* Check the options of that name, and copy them into the arena.
 *
 * Errors  HERALD_BAD_OPTION, without the password; HERALD_NO_MEMORY. */
enum herald_status herald__kafka_access_read(const char *url, uint32_t timeout_ms,
					     const struct herald_pair *properties, size_t count,
					     struct herald_arena *arena, struct kafka_access *out,
					     struct herald_error *error);

/* Create a client. The user's properties come after `more`.
 *
 * events  RD_KAFKA_EVENT_..., for its queues. */
enum herald_status
herald__kafka_access_create(const struct kafka_access *access, rd_kafka_type_t type, int events,
			    const struct kafka_setting *more, size_t count, rd_kafka_t **out,
			    struct herald_error *error);

/* What a failure means for open(): HERALD_BAD_OPTION if it does not pass by itself. */
enum herald_status
herald__kafka_refuse(struct herald_error *error, const char *option, rd_kafka_resp_err_t code,
		     const char *what, const char *why);

static inline uint64_t
kafka_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif
