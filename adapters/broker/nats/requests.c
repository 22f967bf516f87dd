/*
 * Requests and their replies, in any order. Owns the connection. It does not know what is asked.
 */
#include "requests.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#include "connection.h"
#include "failure.h"

enum herald_status
herald__nats_requests_open(struct nats_requests *requests, struct nats *nats,
			   struct herald_error *error)
{
	char subject[NATS_REPLY_BYTES];
	natsInbox *inbox = NULL;
	const struct nats_connection_settings to = herald__nats_settings(nats);
	enum herald_status status = herald__nats_connect(&to, &requests->connection, error);

	if (status != HERALD_OK)
		return status;
	natsStatus failed = natsInbox_Create(&inbox);
	if (failed == NATS_OK) {
		snprintf(requests->inbox, sizeof(requests->inbox), "%s", inbox);
		snprintf(subject, sizeof(subject), "%s.*", inbox);
		failed = natsConnection_SubscribeSync(&requests->replies, requests->connection,
						      subject);
	}
	natsInbox_Destroy(inbox);
	/* The number of requests that are under way limits what can be pending. */
	if (failed == NATS_OK)
		failed = natsSubscription_SetPendingLimits(requests->replies, -1, -1);
	requests->timeout_ms = nats->options.timeout_ms;
	if (failed == NATS_OK)
		return HERALD_OK;
	herald__nats_requests_close(requests);
	return herald__nats_failure_set(error, failed, 0, "url", "cannot subscribe to an inbox");
}

void
herald__nats_requests_close(struct nats_requests *requests)
{
	natsSubscription_Destroy(requests->replies);
	natsConnection_Destroy(requests->connection);
	*requests = (struct nats_requests){.last = requests->last};
}

void
herald__nats_requests_next(struct nats_requests *requests, char reply[NATS_REPLY_BYTES])
{
	snprintf(reply, NATS_REPLY_BYTES, "%s.%llu", requests->inbox,
		 (unsigned long long)++requests->last);
}

natsStatus
herald__nats_requests_send(struct nats_requests *requests, const char *subject, const char *text)
{
	char reply[NATS_REPLY_BYTES];

	herald__nats_requests_next(requests, reply);
	return natsConnection_PublishRequest(requests->connection, subject, reply, text,
					     (int)strlen(text));
}

natsStatus
herald__nats_requests_take(struct nats_requests *requests, natsMsg **out, uint64_t *number)
{
	natsStatus status = natsSubscription_NextMsg(out, requests->replies, requests->timeout_ms);

	if (status == NATS_OK)
		*number = nats_number(strrchr(natsMsg_GetSubject(*out), '.') + 1);
	return status;
}

natsStatus
herald__nats_requests_call(struct nats_requests *requests, const char *subject, const char *text,
			   natsMsg **out)
{
	natsStatus status = herald__nats_requests_send(requests, subject, text);
	uint64_t number = 0;

	while (status == NATS_OK) {
		status = herald__nats_requests_take(requests, out, &number);
		if (status != NATS_OK || number == requests->last)
			break;
		natsMsg_Destroy(*out);
	}
	return status;
}

enum herald_status
herald__nats_requests_lost(const char *what, natsStatus status, struct herald_error *error)
{
	if (status == NATS_NO_MEMORY)
		return herald_out_of_memory(error);
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"the connection is lost: %s: %s", what,
				herald__nats_failure_text(status));
}

struct herald_text
herald__nats_reply_text(natsMsg *msg, const char *name)
{
	const char *text = natsMsg_GetData(msg);
	const size_t bytes = (size_t)natsMsg_GetDataLength(msg);
	char field[40];

	snprintf(field, sizeof(field), "\"%s\":\"", name);
	const char *at = bytes > 0 ? memmem(text, bytes, field, strlen(field)) : NULL;
	if (!at)
		return (struct herald_text){NULL, 0};
	at += strlen(field);
	const char *end = memchr(at, '"', bytes - (size_t)(at - text));
	return (struct herald_text){at, end ? (size_t)(end - at) : 0};
}

void
herald__nats_reply_error(natsMsg *msg, char *out, size_t size)
{
	const char *text = natsMsg_GetData(msg);
	const size_t bytes = (size_t)natsMsg_GetDataLength(msg);

	out[0] = '\0';
	if (bytes == 0) {
		herald_text_write(out, size, "an empty answer");
	} else if (memmem(text, bytes, "\"error\":", 8)) {
		const struct herald_text why = herald__nats_reply_text(msg, "description");

		herald_text_write(out, size, "%.*s", why.data ? (int)why.bytes : 7,
				  why.data ? why.data : "refused");
	}
}
