/*
 * Reading amqp:// and amqps:// URLs.
 */
#ifndef HERALD_RABBITMQ_URL_H
#define HERALD_RABBITMQ_URL_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/arena.h>
#include <herald/status.h>

/* Where the server is, and who logs in. The texts are in the arena. */
struct rabbitmq_url {
	bool is_secure; /* amqps:// */
	const char *user;
	const char *password;
	const char *host;
	uint16_t port;
	const char *vhost;
};

/* Errors  HERALD_BAD_OPTION, without the password; HERALD_NO_MEMORY. */
enum herald_status herald__rabbitmq_url_read(const char *url, struct herald_arena *arena,
					     struct rabbitmq_url *out, struct herald_error *error);

#endif
