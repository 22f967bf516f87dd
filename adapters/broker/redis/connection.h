/*
 * A connection to a Redis server. Never blocks, except for connecting and herald__redis_call().
 */
#ifndef HERALD_REDIS_CONNECTION_H
#define HERALD_REDIS_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hiredis/hiredis.h>

#include <herald/buffer.h>
#include <herald/status.h>

#include "url.h"

/* What ends connecting and herald__redis_call() early. */
struct redis_interrupt {
	int fd; /* an eventfd; when it is readable, must_end() is asked */
	bool (*must_end)(const void *state);
	const void *state;
};

/* Which of a host's addresses is used. Zeroed: none yet. */
struct redis_place {
	char address[64];       /* in figures */
	size_t addresses_count; /* of the host */
	bool is_good;           /* the server could be used; it is tried first the next time */
};

struct redis_connection {
	const struct redis_interrupt *interrupt; /* NULL: none */
	redisContext *context;                   /* NULL: closed */
	struct broker_tls *tls;                  /* NULL: the socket is used as it is */
	struct herald_buffer out;                /* commands that are not sent yet */
	size_t sent;                             /* bytes of it that are */
	size_t awaited;                          /* answers */
	uint64_t asked_ms; /* the oldest of them was asked for, or the last answer came */
	bool is_broken;    /* out of memory, or lost: answers no longer match commands */
	char reason[160];  /* why */
};

/* Milliseconds of the monotonic clock. */
uint64_t herald__redis_now_ms(void);

void herald__redis_connection_init(struct redis_connection *connection,
				   const struct herald_allocator *allocator);
/*
 * Connect to one of the host's addresses. The first is the one of `place`, if its server was of
 * use; else the one after it. The next ones are tried until one can be reached. Sets the address
 * of `place`; the caller says when it is of use.
 *
 * Returns HERALD_UNAVAILABLE if none can be reached within timeout_ms, with TLS if the URL asks for
 * it, and HERALD_BAD_OPTION for a certificate that is not accepted, after which no other address is
 * tried.
 */
enum herald_status
herald__redis_connection_open(struct redis_connection *connection, const struct redis_url *url,
			      struct redis_place *place, uint32_t timeout_ms,
			      struct herald_error *error);
/* Connect to the address of `place` alone. */
enum herald_status
herald__redis_connection_open_at(struct redis_connection *connection, const struct redis_url *url,
				 const struct redis_place *place, uint32_t timeout_ms,
				 struct herald_error *error);
/* It is lost, and why. The first reason is kept. */
void herald__redis_connection_fail(struct redis_connection *connection, const char *reason);
void herald__redis_connection_close(struct redis_connection *connection);

/* Add a command: its name and its arguments, ended by NULL. `more` are to follow. */
void
herald__redis_command(struct redis_connection *connection, size_t more, const char *const *texts);
#define REDIS_BEGIN(connection, more, ...)                                                         \
	herald__redis_command(connection, more, (const char *const[]){__VA_ARGS__, NULL})
#define REDIS_COMMAND(connection, ...) REDIS_BEGIN(connection, 0, __VA_ARGS__)
void herald__redis_add(struct redis_connection *connection, const char *data, size_t bytes);
void herald__redis_add_text(struct redis_connection *connection, const char *text);

/* A number as an argument. */
struct herald__redis_number {
	char text[24];
};
struct herald__redis_number herald__redis_number(uint64_t number);

/* Send what the socket takes. */
void herald__redis_send(struct redis_connection *connection);
/* Read what has come. */
void herald__redis_read(struct redis_connection *connection);
/* The next answer, for freeReplyObject(); NULL: there is none yet. */
redisReply *herald__redis_take(struct redis_connection *connection);

/* Send what was added, one command, and wait for its answer. NULL: sets `error`. An answer that is
 * an error is an answer. */
redisReply *herald__redis_call(struct redis_connection *connection, uint32_t timeout_ms,
			       struct herald_error *error);

#endif
