/*
 * A RabbitMQ server for a test, in its own directory and on free ports of 127.0.0.1, and a client
 * of it. It takes 5 to 10 s to start.
 */
#ifndef HERALD_TESTS_SUPPORT_RABBITMQ_SERVER_H
#define HERALD_TESTS_SUPPORT_RABBITMQ_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <amqp.h>
#include <amqp_framing.h>

struct rabbitmq_server {
	pid_t pid, epmd, observer; /* 0: not running */
	int questions, answers;    /* pipes to the observer */
	unsigned asked;
	uint16_t port, tls_port, epmd_port, dist_port; /* tls_port: 0 for none */
	char directory[64];
	char url[64]; /* as guest */
};

/* Whether the server is on this machine. */
bool rabbitmq_server_exists(void);

/* Says so in TAP, where it is not. Returns the exit status for main(). */
int rabbitmq_server_left_out(const char *name);

/* Start it. Fails the test on errors, as do the other functions. */
void rabbitmq_server_start(struct rabbitmq_server *server);
/* With more lines of rabbitmq.conf, which may give it a port for TLS; 0: they do not. */
void
rabbitmq_server_start_with(struct rabbitmq_server *server, const char *lines, uint16_t tls_port);
/* Whether it would find all its queues after a kill -9. RabbitMQ 3.10 writes their names a second
 * after the last one was made, or later, and forgets those that it has not written. */
bool rabbitmq_server_knows_queues(const struct rabbitmq_server *server);
/* kill -9, once it would find all its queues again. */
void rabbitmq_server_crash(struct rabbitmq_server *server);
/* Start it again, with what it has stored. */
void rabbitmq_server_restart(struct rabbitmq_server *server);
/* The same in two parts: it takes connections when the second one returns. */
void rabbitmq_server_begin(struct rabbitmq_server *server);
void rabbitmq_server_await(struct rabbitmq_server *server);
/* Run rabbitmqctl with up to three arguments; NULL: no more. */
void rabbitmq_server_control(const struct rabbitmq_server *server, const char *command,
			     const char *first, const char *second);
/* Short of memory, it takes nothing that is published. */
void rabbitmq_server_set_blocked(const struct rabbitmq_server *server, bool is_blocked);
/* SIGSTOP and SIGCONT. */
void rabbitmq_server_pause(const struct rabbitmq_server *server);
void rabbitmq_server_go_on(const struct rabbitmq_server *server);
/* Messages of a queue and of queues whose names begin with its name and a second text, with those
 * that consumers have. -1: the server does not answer. */
long rabbitmq_server_messages(struct rabbitmq_server *server, const char *queue, const char *more);
/* A full queue refuses what is published to it, if it has a message. */
void rabbitmq_server_set_full(struct rabbitmq_server *server, const char *queue, bool is_full);
/* Kill it, and remove the directory. */
void rabbitmq_server_stop(struct rabbitmq_server *server);

/* A client, whose channel 1 confirms what it publishes. */
struct rabbitmq_client {
	amqp_connection_state_t conn;
	bool *is_confirmed; /* by number, from 1 */
	size_t sent, confirmed, refused, first_waiting;
};

void rabbitmq_client_open(struct rabbitmq_client *client, const struct rabbitmq_server *server);
void rabbitmq_client_close(struct rabbitmq_client *client);
/* Its server is dead. */
void rabbitmq_client_abandon(struct rabbitmq_client *client);
/* Make a queue with up to one argument; NULL: none. */
void rabbitmq_client_declare(struct rabbitmq_client *client, const char *queue,
			     const char *argument, const char *value);
void rabbitmq_client_purge(struct rabbitmq_client *client, const char *queue);
void rabbitmq_client_delete(struct rabbitmq_client *client, const char *queue);
/* Publish to a queue. properties: NULL: none. */
void rabbitmq_client_send(struct rabbitmq_client *client, const char *queue, const void *data,
			  size_t bytes, const amqp_basic_properties_t *properties);
/* Wait until all that was published is confirmed. */
void rabbitmq_client_await(struct rabbitmq_client *client);
/* Publish a message that the server may refuse. Returns how many it has taken since the start. */
size_t rabbitmq_client_try(struct rabbitmq_client *client, const char *queue);
/* Publish a message until it is stored: a server refuses messages while it makes the queue or
 * elects its leader. */
void rabbitmq_client_publish(struct rabbitmq_client *client, const char *queue, const void *data,
			     size_t bytes, const amqp_basic_properties_t *properties);
/* How many messages are ready in a queue; -1: it does not exist. */
int rabbitmq_client_count(struct rabbitmq_client *client, const char *queue);
/* Take a message off a queue, waiting up to timeout_ms. False: there is none. The caller destroys
 * it with amqp_destroy_message(). */
bool rabbitmq_client_get(struct rabbitmq_client *client, const char *queue, int timeout_ms,
			 amqp_message_t *out);
/* Read a message without taking it: the one of an index. It comes on a connection of its own. */
void rabbitmq_client_peek(const struct rabbitmq_server *server, const char *queue, size_t index,
			  amqp_message_t *out);
/* A header that is a text; NULL: there is none. Valid until the next call. */
const char *rabbitmq_header(const amqp_message_t *message, const char *name);

#endif
