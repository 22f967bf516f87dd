/*
 * What the programs of ../brokers.py share. broker_NAME has main.c, service.c and NAME.c, which
 * implements the functions broker_...(); each ends the program on an error.
 */
#ifndef BENCH_BROKER_H
#define BENCH_BROKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/status.h>

struct herald_subscriber;

/* Messages that a client has before it acknowledges, and those that Herald has in flight. */
#define BATCH 64
#define IN_FLIGHT 256

/* The server, and the event that is stored again and again. */
struct place {
	const char *url; /* as Herald's subscribers take it */
	const char *event;
	size_t event_bytes;
};

/* What a bare client does with a message. It may change the bytes. */
typedef void on_message(void *data, size_t bytes, void *state);

/* Make the source anew, and store `count` events in it. */
void broker_fill(const struct place *place, const char *source, uint64_t count);

/* Receive and acknowledge `count` messages with the broker's own library. */
void broker_consume(const struct place *place, const char *source, uint64_t count,
		    on_message *function, void *state);

/* Herald's subscriber. */
enum herald_status broker_subscribe(const struct place *place, const char *source,
				    struct herald_subscriber **out, struct herald_error *error);

/* The service, with one route. It ends the program if an event has other values than expected. */
struct service;

struct service *service_create(void);
void service_destroy(struct service *service);
/* An on_message: run one event, from a copy. */
void service_run(void *data, size_t bytes, void *state);
/* An on_message without a service: count, and look at the length. */
void service_skip(void *data, size_t bytes, void *state);
/* Consume `count` messages with a herald_consumer, until the broker knows of all ends. */
void service_consume(struct service *service, const struct place *place, const char *source,
		     uint64_t count, unsigned lanes);

/* End the program: what has failed, and why. */
_Noreturn void die(const char *what, const char *why);

/* Seconds, of CLOCK_MONOTONIC. */
double now_s(void);

/* The host and the port of a URL, SCHEME://[USER:PASSWORD@]HOST:PORT[/]. */
struct address {
	char host[64];
	int port;
};

struct address address_of(const char *url);

#endif
