/*
 * Login, and what the server must be like.
 */
#ifndef HERALD_REDIS_SERVER_H
#define HERALD_REDIS_SERVER_H

#include "connection.h"

/* An answer that is an error: HERALD_BAD_OPTION if trying again does not help, or
 * HERALD_UNAVAILABLE. */
enum herald_status
herald__redis_refuse(struct herald_error *error, const char *command, const redisReply *reply);

/* Run a command that was added. Returns its answer, which is not an error. NULL: sets *status. */
redisReply *
herald__redis_ask(struct redis_connection *connection, uint32_t timeout_ms, const char *command,
		  enum herald_status *status, struct herald_error *error);

/* Log in, and choose the database. */
enum herald_status
herald__redis_log_in(struct redis_connection *connection, const struct redis_url *url,
		     uint32_t timeout_ms, struct herald_error *error);

/* The server must be new enough, and must neither evict keys nor be a replica. */
enum herald_status herald__redis_check_server(struct redis_connection *connection,
					      uint32_t timeout_ms, struct herald_error *error);

#endif
