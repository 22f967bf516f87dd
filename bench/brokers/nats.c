/*
 * NATS JetStream with libnats: pull requests on a subscription of our own, because
 * natsSubscription_Fetch() of libnats 3.4 is several times slower; each message is acknowledged by
 * +ACK, and the server is asked for one answer at the end.
 */
#include "broker.h"

#include <stdio.h>
#include <string.h>

#include <nats/nats.h>

#include <herald/nats.h>

#define GROUP "bench"
#define TIMEOUT_MS 10000
#define PULLED (4 * BATCH)

static void
check(natsStatus status, const char *what)
{
	if (status != NATS_OK)
		die(what, natsStatus_GetText(status));
}

static void
make_stream(jsCtx *js, const char *source)
{
	jsStreamConfig stream;
	jsErrCode code;

	js_DeleteStream(js, source, NULL, &code);
	check(jsStreamConfig_Init(&stream), "jsStreamConfig_Init");
	stream.Name = source;
	stream.Subjects = (const char *[]){source};
	stream.SubjectsLen = 1;
	check(js_AddStream(NULL, js, &stream, NULL, &code), "js_AddStream");
}

static void
await_window(jsCtx *js)
{
	jsPubOptions wait;

	check(jsPubOptions_Init(&wait), "jsPubOptions_Init");
	wait.MaxWait = TIMEOUT_MS;
	check(js_PublishAsyncComplete(js, &wait), "js_PublishAsyncComplete");
}

void
broker_fill(const struct place *place, const char *source, uint64_t count)
{
	natsConnection *nats;
	jsCtx *js;

	check(natsConnection_ConnectTo(&nats, place->url), "natsConnection_ConnectTo");
	check(natsConnection_JetStream(&js, nats, NULL), "natsConnection_JetStream");
	make_stream(js, source);
	for (uint64_t i = 0; i < count; i++) {
		check(js_PublishAsync(js, source, place->event, (int)place->event_bytes, NULL),
		      "js_PublishAsync");
		if (i % 4096 == 4095)
			await_window(js);
	}
	await_window(js);
	jsCtx_Destroy(js);
	natsConnection_Destroy(nats);
}

static void
make_consumer(natsConnection *nats, const char *source)
{
	jsConsumerConfig config;
	jsErrCode code;
	jsCtx *js;

	check(natsConnection_JetStream(&js, nats, NULL), "natsConnection_JetStream");
	check(jsConsumerConfig_Init(&config), "jsConsumerConfig_Init");
	config.Durable = GROUP;
	config.AckPolicy = js_AckExplicit;
	config.MaxAckPending = -1;
	check(js_AddConsumer(NULL, js, source, &config, NULL, &code), "js_AddConsumer");
	jsCtx_Destroy(js);
}

/* Two requests are under way, so that the server always has one. */
static void
pull(natsConnection *nats, const char *source, const char *inbox)
{
	static const char request[] = "{\"batch\":256,\"expires\":10000000000}";
	char subject[160];

	snprintf(subject, sizeof(subject), "$JS.API.CONSUMER.MSG.NEXT.%s." GROUP, source);
	check(natsConnection_PublishRequest(nats, subject, inbox, request, sizeof(request) - 1),
	      "natsConnection_PublishRequest");
}

/* Returns whether it was an event, and not a status of the server. */
static bool
run_next(natsConnection *nats, natsSubscription *subscription, on_message *function, void *state)
{
	natsMsg *message;

	check(natsSubscription_NextMsg(&message, subscription, TIMEOUT_MS),
	      "natsSubscription_NextMsg");
	const bool is_event = natsMsg_GetReply(message) != NULL;
	if (is_event) {
		function((void *)natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message),
			 state);
		check(natsConnection_Publish(nats, natsMsg_GetReply(message), "+ACK", 4), "+ACK");
	}
	natsMsg_Destroy(message);
	return is_event;
}

void
broker_consume(const struct place *place, const char *source, uint64_t count, on_message *function,
	       void *state)
{
	natsConnection *nats;
	natsSubscription *subscription;
	natsInbox *inbox;
	uint64_t received = 0, asked = 0;

	check(natsConnection_ConnectTo(&nats, place->url), "natsConnection_ConnectTo");
	make_consumer(nats, source);
	check(natsInbox_Create(&inbox), "natsInbox_Create");
	check(natsConnection_SubscribeSync(&subscription, nats, inbox), "SubscribeSync");
	while (received < count) {
		for (; asked < received + 2 * PULLED && asked < count; asked += PULLED)
			pull(nats, source, inbox);
		received += run_next(nats, subscription, function, state);
	}
	check(natsConnection_FlushTimeout(nats, TIMEOUT_MS), "natsConnection_FlushTimeout");
	natsSubscription_Destroy(subscription);
	natsInbox_Destroy(inbox);
	natsConnection_Destroy(nats);
}

enum herald_status
broker_subscribe(const struct place *place, const char *source, struct herald_subscriber **out,
		 struct herald_error *error)
{
	return herald_nats_subscriber_create(&HERALD_NATS_SUBSCRIBER_OPTIONS(.url = place->url,
									     .stream = source,
									     .group = GROUP),
					     out, error);
}
