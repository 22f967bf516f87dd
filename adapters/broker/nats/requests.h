/*
 * Requests, several at a time, on a connection of their own.
 */
#ifndef HERALD_NATS_REQUESTS_H
#define HERALD_NATS_REQUESTS_H

#include "subscriber.h"

/* Zero is a closed one. */
struct nats_requests {
	natsConnection *connection;
	natsSubscription *replies;
	char inbox[NATS_INBOX_BYTES];
	uint64_t last; /* the number of the last request */
	uint32_t timeout_ms;
};

/* Connect as the options of `nats` say. On failure it is closed. */
enum herald_status herald__nats_requests_open(struct nats_requests *requests, struct nats *nats,
					      struct herald_error *error);
void herald__nats_requests_close(struct nats_requests *requests);

/* Write the subject of the next reply; its number is requests->last. */
#define NATS_REPLY_BYTES (NATS_INBOX_BYTES + 24)
void herald__nats_requests_next(struct nats_requests *requests, char reply[NATS_REPLY_BYTES]);

/* Send a request; its number is requests->last. */
natsStatus
herald__nats_requests_send(struct nats_requests *requests, const char *subject, const char *text);

/* Wait for a reply, of any request. NATS_NO_RESPONDERS: no one has subscribed to the
 * subject of one of them. */
natsStatus
herald__nats_requests_take(struct nats_requests *requests, natsMsg **out, uint64_t *number);

/* Send a request, and wait for its reply. Replies to earlier ones are dropped. */
natsStatus herald__nats_requests_call(struct nats_requests *requests, const char *subject,
				      const char *text, natsMsg **out);

/* "the connection is lost: what: why"; or out of memory. */
enum herald_status
herald__nats_requests_lost(const char *what, natsStatus status, struct herald_error *error);

/* Read JSON of the server, in which a quote within a string has a backslash. */

/* A member that is a string without escapes; data NULL: there is none. */
struct herald_text herald__nats_reply_text(natsMsg *msg, const char *name);
/* The description of its error; "": it has none. */
void herald__nats_reply_error(natsMsg *msg, char *out, size_t size);

#endif
