/*
 * The handshake of CloudEvents' webhooks (HTTP 1.1 Web Hooks for Event Delivery, section 4): before
 * it sends events, a sender asks with OPTIONS whether it may.
 */
#ifndef HERALD_CMD_HANDSHAKE_H
#define HERALD_CMD_HANDSHAKE_H

#include <stddef.h>
#include <stdint.h>

#include <herald/endpoint.h>
#include <herald/server.h>
#include <herald/service.h>

#define HANDSHAKE_MAX_ORIGINS 16

/* Who may send. Zero is nobody: a handshake gets 405. */
struct handshake {
	const char *origins[HANDSHAKE_MAX_ORIGINS + 1]; /* DNS names, or "*" for any; then NULL */
	size_t origins_count;
	uint64_t rate; /* requests a minute; 0: any */

	struct herald_service *service; /* without routes: it only has an endpoint */
	struct herald_endpoint *endpoint;
};

/* Prepare it; the options are set. On failure *error says why; close it in either case. */
enum herald_status handshake_open(struct handshake *handshake, struct herald_error *error);
void handshake_close(struct handshake *handshake);

/* Answer a request with the method OPTIONS. Returns the status. */
unsigned handshake_answer(const struct handshake *handshake, struct herald_server_request *request);

#endif
