/*
 * The contract of brokers on Redis Streams: how the cases speak to the server. Built twice: with
 * CONTRACT_TLS, the adapter uses TLS, with a certificate of its own. The cases do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/redis.h>

#include "contract/broker/suite.h"
#include "support/redis_server.h"

static struct redis_server server;

#ifdef CONTRACT_TLS
#include <stdio.h>

#include "support/broker_tls.h"
#include "support/ports.h"

#define NAME "redis_contract_tls"
#define TLS_FILES                                                                                  \
	.ca_file = tls_files.ca_file, .certificate_file = tls_files.client_file,                   \
	.key_file = tls_files.client_key

static char tls_url[64];
#define URL tls_url
static uint16_t tls_port;

/* The server forgets it when it is killed. */
static void
set_tls(void)
{
	redis_server_number(&server,
			    "CONFIG SET tls-port %d tls-cert-file %s tls-key-file %s "
			    "tls-ca-cert-file %s tls-auth-clients yes",
			    tls_port, tls_files.server_file, tls_files.server_key,
			    tls_files.ca_file);
}

static void
start(void)
{
	tls_files_create();
	tls_port = ports_take();
	snprintf(tls_url, sizeof(tls_url), "rediss://localhost:%u", tls_port);
	redis_server_start(&server);
	set_tls();
}

static void
stop(void)
{
	redis_server_stop(&server);
	tls_files_remove();
}
#else
#define NAME "redis_contract"
#define TLS_FILES .ca_file = NULL
#define URL server.url
#define set_tls() ((void)0)

static void
start(void)
{
	redis_server_start(&server);
}

static void
stop(void)
{
	redis_server_stop(&server);
}
#endif

static void
kill_server(void)
{
	redis_server_kill(&server);
}

static void
restart(void)
{
	redis_server_restart(&server);
	set_tls();
}

static void
pause_server(void)
{
	redis_server_pause(&server);
}

static void
go_on(void)
{
	redis_server_go_on(&server);
}

static enum herald_status
subscribe(const char *source, const char *group, uint32_t visibility_ms,
	  struct herald_subscriber **out, struct herald_error *error)
{
	return herald_redis_subscriber_create(
		&HERALD_REDIS_SUBSCRIBER_OPTIONS(.url = URL, .stream = source, .group = group,
						 .visibility_ms = visibility_ms, TLS_FILES),
		out, error);
}

static void
publish(const char *source, const char *data, size_t bytes, const struct herald_pair *headers,
	size_t headers_count)
{
	const char *arguments[80] = {"XADD", source, "*", "data", data};
	size_t lengths[80] = {4, strlen(source), 1, 4, bytes}, count = 5;

	for (size_t i = 0; i < headers_count; i++) {
		arguments[count] = headers[i].key;
		lengths[count++] = strlen(headers[i].key);
		arguments[count] = headers[i].value;
		lengths[count++] = strlen(headers[i].value);
	}
	redisReply *reply = redisCommandArgv(server.context, (int)count, arguments, lengths);
	assert_non_null(reply);
	assert_int_equal(reply->type, REDIS_REPLY_STRING);
	freeReplyObject(reply);
}

static void
publish_all(const char *source, const char *const *data, size_t count)
{
	for (size_t i = 0; i < count; i++)
		redisAppendCommand(server.context, "XADD %s * data %s", source, data[i]);
	for (size_t i = 0; i < count; i++) {
		void *reply;

		assert_int_equal(redisGetReply(server.context, &reply), REDIS_OK);
		assert_int_equal(((redisReply *)reply)->type, REDIS_REPLY_STRING);
		freeReplyObject(reply);
	}
}

static enum herald_status
publisher(uint32_t silence_ms, struct herald_publisher **out, struct herald_error *error)
{
	return herald_redis_publisher_create(
		&HERALD_REDIS_PUBLISHER_OPTIONS(.url = URL, .reply_timeout_ms = silence_ms,
						TLS_FILES),
		out, error);
}

static void
block(const char *topic)
{
	(void)topic;
	redis_server_number(&server, "CONFIG SET maxmemory 1");
}

static void
unblock(const char *topic)
{
	(void)topic;
	redis_server_number(&server, "CONFIG SET maxmemory 0");
}

/* Pending, and not delivered yet: the entries after the last one that was. */
static size_t
left(const char *source, const char *group)
{
	redisReply *reply = redis_server_command(&server, "XINFO GROUPS %s", source);
	size_t count = 0;

	for (size_t i = 0; i < reply->elements; i++) {
		const redisReply *pairs = reply->element[i];
		char last[64];

		if (strcmp(pairs->element[1]->str, group) != 0)
			continue;
		strcpy(last, pairs->element[7]->str);
		count = (size_t)pairs->element[5]->integer +
			(size_t)redis_server_number(&server, "XRANGE %s (%s + COUNT 100000", source,
						    last);
	}
	freeReplyObject(reply);
	return count;
}

static size_t
dead_count(const char *source)
{
	redisReply *reply = redis_server_command(&server, "TYPE %s.dead", source);
	const bool is_stream = strcmp(reply->str, "stream") == 0;

	freeReplyObject(reply);
	return is_stream ? (size_t)redis_server_number(&server, "XLEN %s.dead", source) : 0;
}

static char *
copy(const redisReply *text)
{
	char *out = malloc(text->len + 1);

	assert_non_null(out);
	memcpy(out, text->str, text->len + 1);
	return out;
}

static void
dead(const char *source, size_t index, struct contract_dead *out)
{
	redisReply *reply = redis_server_command(&server, "XRANGE %s.dead - +", source);

	*out = (struct contract_dead){0};
	assert_true(index < reply->elements);
	const redisReply *fields = reply->element[index]->element[1];
	for (size_t i = 0; i < fields->elements; i += 2) {
		if (strcmp(fields->element[i]->str, "data") == 0) {
			out->data = copy(fields->element[i + 1]);
			out->bytes = fields->element[i + 1]->len;
			continue;
		}
		assert_true(out->headers_count < 32);
		out->headers[out->headers_count++] = (struct herald_pair){
			copy(fields->element[i]), copy(fields->element[i + 1])};
	}
	freeReplyObject(reply);
}

static void
break_dead(const char *source)
{
	redis_server_number(&server, "SET %s.dead text", source);
}

static void
mend_dead(const char *source)
{
	redis_server_number(&server, "DEL %s.dead", source);
}

static void
delete_source(const char *source)
{
	redis_server_number(&server, "DEL %s", source);
}

static const struct contract_broker redis_broker = {
	.name = NAME,
	.is_found_soon = true,
	.creates_topics = true,
	.exists = redis_server_exists,
	.start = start,
	.stop = stop,
	.kill = kill_server,
	.restart = restart,
	.pause = pause_server,
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
	return broker_contract_run(&redis_broker);
}
