/*
 * The contract of brokers on NATS JetStream.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/nats.h>
#include <nats/nats.h>

#include "../contract/broker/suite.h"
#include "../support/nats_server.h"

#define TIMEOUT_MS 1000

static struct nats_server server = {.settings = "max_payload: 4MB"};

/* The test's own connection, by which it looks at the server. */
static natsConnection *connection;
static jsCtx *js;

static void
disconnect_it(void)
{
	jsCtx_Destroy(js);
	natsConnection_Destroy(connection);
	js = NULL;
	connection = NULL;
}

static jsCtx *
connected(void)
{
	if (connection)
		return js;
	assert_int_equal(natsConnection_ConnectTo(&connection, server.url), NATS_OK);
	assert_int_equal(natsConnection_JetStream(&js, connection, NULL), NATS_OK);
	return js;
}

static void
start(void)
{
	nats_server_start(&server);
}

static void
stop(void)
{
	disconnect_it();
	nats_server_stop(&server);
	nats_Close();
}

static void
kill_it(void)
{
	disconnect_it();
	nats_server_crash(&server);
}

static void
restart(void)
{
	nats_server_restart(&server);
}

static void
pause_it(void)
{
	disconnect_it();
	nats_server_pause(&server);
}

static void
go_on(void)
{
	nats_server_resume(&server);
}

static enum herald_status
subscribe(const char *source, const char *group, uint32_t visibility_ms,
	  struct herald_subscriber **out, struct herald_error *error)
{
	return herald_nats_subscriber_create(
		&HERALD_NATS_SUBSCRIBER_OPTIONS(.url = server.url, .stream = source, .group = group,
						.ack_wait_ms = visibility_ms,
						.timeout_ms = TIMEOUT_MS),
		out, error);
}

static void
make_stream(const char *name, const char *subject)
{
	jsStreamConfig config;
	jsErrCode code = 0;

	jsStreamConfig_Init(&config);
	config.Name = name;
	config.Subjects = &subject;
	config.SubjectsLen = 1;
	natsStatus status = js_AddStream(NULL, connected(), &config, NULL, &code);
	if (status != NATS_OK && code != JSStreamNameExistErr)
		fail_msg("%s: %s", name, nats_GetLastError(NULL));
}

static void
publish(const char *source, const char *data, size_t bytes, const struct herald_pair *headers,
	size_t headers_count)
{
	natsMsg *msg = NULL;
	jsErrCode code = 0;

	make_stream(source, source);
	assert_int_equal(natsMsg_Create(&msg, source, NULL, data, (int)bytes), NATS_OK);
	for (size_t i = 0; i < headers_count; i++)
		assert_int_equal(natsMsgHeader_Add(msg, headers[i].key, headers[i].value), NATS_OK);
	assert_int_equal(js_PublishMsg(NULL, js, msg, NULL, &code), NATS_OK);
	natsMsg_Destroy(msg);
}

static void
publish_all(const char *source, const char *const *data, size_t count)
{
	make_stream(source, source);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(js_PublishAsync(js, source, data[i], (int)strlen(data[i]), NULL),
				 NATS_OK);
	assert_int_equal(js_PublishAsyncComplete(js, NULL), NATS_OK);
}

static enum herald_status
publisher(uint32_t silence_ms, struct herald_publisher **out, struct herald_error *error)
{
	return herald_nats_publisher_create(
		&HERALD_NATS_PUBLISHER_OPTIONS(.url = server.url, .timeout_ms = silence_ms), out,
		error);
}

/* A full stream refuses what is published. */
static void
limit(const char *topic, int64_t messages)
{
	jsStreamConfig config;
	jsErrCode code = 0;

	jsStreamConfig_Init(&config);
	config.Name = topic;
	config.Subjects = &topic;
	config.SubjectsLen = 1;
	config.MaxMsgs = messages;
	config.Discard = js_DiscardNew;
	assert_int_equal(js_UpdateStream(NULL, connected(), &config, NULL, &code), NATS_OK);
}

static void
block(const char *topic)
{
	limit(topic, 1);
}

static void
unblock(const char *topic)
{
	limit(topic, -1);
}

static size_t
left(const char *source, const char *group)
{
	jsConsumerInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus status = js_GetConsumerInfo(&info, connected(), source, group, NULL, &code);

	if (status != NATS_OK)
		return SIZE_MAX;
	size_t count = (size_t)info->NumPending + (size_t)info->NumAckPending;
	jsConsumerInfo_Destroy(info);
	return count;
}

static void
name_dead(const char *source, char out[96])
{
	snprintf(out, 96, "%s-dead", source);
}

static size_t
dead_count(const char *source)
{
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	char name[96];

	name_dead(source, name);
	if (js_GetStreamInfo(&info, connected(), name, NULL, &code) != NATS_OK)
		return 0;
	size_t count = (size_t)info->State.Msgs;
	jsStreamInfo_Destroy(info);
	return count;
}

static void
copy_headers(natsMsg *msg, struct contract_dead *out)
{
	const char **keys = NULL;
	int count = 0;

	if (natsMsgHeader_Keys(msg, &keys, &count) == NATS_NOT_FOUND)
		return;
	assert_true(count <= 32);
	for (int i = 0; i < count; i++) {
		const char *value = NULL;

		assert_int_equal(natsMsgHeader_Get(msg, keys[i], &value), NATS_OK);
		out->headers[i] = (struct herald_pair){strdup(keys[i]), strdup(value)};
	}
	out->headers_count = (size_t)count;
	free((void *)keys);
}

static void
dead(const char *source, size_t index, struct contract_dead *out)
{
	natsMsg *msg = NULL;
	jsErrCode code = 0;
	char name[96];

	name_dead(source, name);
	assert_int_equal(js_GetMsg(&msg, connected(), name, index + 1, NULL, &code), NATS_OK);
	out->bytes = (size_t)natsMsg_GetDataLength(msg);
	out->data = malloc(out->bytes + 1);
	assert_non_null(out->data);
	memcpy(out->data, natsMsg_GetData(msg), out->bytes);
	out->data[out->bytes] = '\0';
	out->headers_count = 0;
	copy_headers(msg, out);
	natsMsg_Destroy(msg);
}

/* The stream of dead letters takes messages of up to so many bytes; -1: any. */
static void
limit_dead(const char *source, int32_t bytes)
{
	jsStreamConfig config;
	jsErrCode code = 0;
	char name[96], text[96];
	const char *subject = text;

	name_dead(source, name);
	snprintf(text, sizeof(text), "%s.dead", source);
	make_stream(name, subject);
	jsStreamConfig_Init(&config);
	config.Name = name;
	config.Subjects = &subject;
	config.SubjectsLen = 1;
	config.MaxMsgSize = bytes;
	assert_int_equal(js_UpdateStream(NULL, js, &config, NULL, &code), NATS_OK);
}

static void
break_dead(const char *source)
{
	limit_dead(source, 1);
}

static void
mend_dead(const char *source)
{
	limit_dead(source, -1);
}

static void
delete_source(const char *source)
{
	jsErrCode code = 0;

	assert_int_equal(js_DeleteStream(connected(), source, NULL, &code), NATS_OK);
}

static const struct contract_broker broker_nats = {
	.name = "nats_contract",
	.has_threads = true,
	.holds_dead = true,
	.is_found_soon = true,
	.stores_ends_later = true,
	.counts_undelivered = true,
	.deduplicates = true,
	.too_large_bytes = 5 << 20,
	.exists = nats_server_exists,
	.start = start,
	.stop = stop,
	.kill = kill_it,
	.restart = restart,
	.pause = pause_it,
	.go_on = go_on,
	.subscribe = subscribe,
	.publish = publish,
	.publish_all = publish_all,
	.left = left,
	.dead_count = dead_count,
	.dead = dead,
	.break_dead = break_dead,
	.mend_dead = mend_dead,
	.delete_source = delete_source,
	.publisher = publisher,
	.block = block,
	.unblock = unblock,
};

int
main(void)
{
	return broker_contract_run(&broker_nats);
}
