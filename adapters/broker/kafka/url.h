/*
 * kafka:// URLs.
 */
#ifndef HERALD_KAFKA_URL_H
#define HERALD_KAFKA_URL_H

#include <herald/arena.h>
#include <herald/status.h>

/* The texts are in the arena. */
struct kafka_url {
	const char *servers; /* HOST:PORT,... as librdkafka wants it */
	const char *user;    /* NULL: no login */
	const char *password;
};

/* Errors  HERALD_BAD_OPTION, without the password; HERALD_NO_MEMORY. */
enum herald_status herald__kafka_url_read(const char *url, struct herald_arena *arena,
					  struct kafka_url *out, struct herald_error *error);

#endif
