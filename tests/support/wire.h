/*
 * A connection of the HTTP server without a socket: a service, an endpoint and a worker, on a clock
 * that the caller moves. What functions were given, and what would be sent, is noted. Whatever
 * breaks a promise of herald/adapter/connection.h aborts; there is no cmocka here, so that fuzz
 * targets use it, too.
 *
 * Events of the type "order_placed" are handled. Paths of functions:
 *
 *	/, /echo  GET, HEAD, POST and PUT: answers "=" and the body
 *	/large    70,000 bytes
 *	/empty    204, with two headers
 *	/unchanged  304
 *	/silent   does not answer
 */
#ifndef HERALD_TESTS_SUPPORT_WIRE_H
#define HERALD_TESTS_SUPPORT_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/connection.h>
#include <herald/buffer.h>

#define WIRE_LARGE_BYTES 70000
#define WIRE_MAX_BODY_BYTES 64
#define WIRE_MAX_EVENT_BYTES 1000

struct wire {
	struct herald_service *service;
	struct herald_endpoint *endpoint;
	struct herald_http_worker *worker;
	struct herald_http_connection *connection; /* NULL: closed */
	uint64_t now_ms;
	struct herald_buffer given;  /* a line for each event and call */
	struct herald_buffer output; /* all that was sent */
	bool has_ended;              /* wire_end() was called */
	size_t take_bytes;           /* at a time; 0: everything */
	void (*hold)(void *state);   /* called by the function of events; may be NULL */
	void *hold_state;
};

/*
 * Create service, endpoint and worker. `options` may be NULL; its paths and its limit of bodies are
 * replaced.
 */
enum herald_status
wire_create(struct wire *wire, const struct herald_server_options *options, herald_http_wake *wake);
void wire_destroy(struct wire *wire);

/* A new connection, with nothing noted. Returns false when out of memory. */
bool wire_connect(struct wire *wire);
/* Destroy the connection, if there is one. */
void wire_disconnect(struct wire *wire);

/* One call each; then the connection is destroyed if it wants that. */
void wire_receive(struct wire *wire, const char *data, size_t bytes);
void wire_end(struct wire *wire);
void wire_expire(struct wire *wire);
/* Take up to take_bytes of the output; returns how many there were. */
size_t wire_take(struct wire *wire);

/* 0 when the connection is closed. */
unsigned wire_wants(const struct wire *wire);

/* Take all output. */
void wire_flush(struct wire *wire);
/* Give what the connection wants to read, taking its output when it must be sent first. */
void wire_send(struct wire *wire, const char *data, size_t bytes);

/*
 * The output as one line for each answer, free() it: "100", "200 {...}", "400 {...} close". Headers
 * other than Content-Type, Content-Length, Date and Connection are added. Aborts unless it is a
 * sequence of answers, of which none follows one that says "close".
 */
char *wire_answers(const struct wire *wire);

#endif
