/*
 * The contract of brokers on RabbitMQ: how the cases speak to the server. Built twice: with
 * CONTRACT_TLS, the adapter uses TLS, with a certificate of its own. The cases do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <time.h>

#include <cmocka.h>

#include <herald/rabbitmq.h>

#include "contract/broker/suite.h"
#include "support/rabbitmq_server.h"

/* Two of these without a sign of the server, and it counts as hanging. */
#define HEARTBEAT_S 2

static struct rabbitmq_server server;
static struct rabbitmq_client client;
static bool is_connected;
static char declared[64]; /* the queue that was published to last */

static void
connect_client(void)
{
	if (!is_connected)
		rabbitmq_client_open(&client, &server);
	is_connected = true;
}

#ifdef CONTRACT_TLS
#include "support/broker_tls.h"
#include "support/ports.h"

#define NAME "rabbitmq_contract_tls"
#define TLS_FILES                                                                                  \
	.ca_file = tls_files.ca_file, .certificate_file = tls_files.client_file,                   \
	.key_file = tls_files.client_key

static char tls_url[64];
#define URL tls_url

static void
start(void)
{
	const uint16_t port = ports_take();
	char lines[1024];

	tls_files_create();
	snprintf(tls_url, sizeof(tls_url), "amqps://guest:guest@localhost:%u/", port);
	snprintf(lines, sizeof(lines),
		 "listeners.ssl.1 = 127.0.0.1:%u\n"
		 "ssl_options.cacertfile = %s\n"
		 "ssl_options.certfile = %s\n"
		 "ssl_options.keyfile = %s\n"
		 "ssl_options.verify = verify_peer\n"
		 "ssl_options.fail_if_no_peer_cert = true\n",
		 port, tls_files.ca_file, tls_files.server_file, tls_files.server_key);
	rabbitmq_server_start_with(&server, lines, port);
}
#else
#define NAME "rabbitmq_contract"
#define TLS_FILES .ca_file = NULL
#define URL server.url
#define tls_files_remove() ((void)0)

static void
start(void)
{
	rabbitmq_server_start(&server);
}
#endif

static void
stop(void)
{
	if (is_connected)
		rabbitmq_client_close(&client);
	rabbitmq_server_stop(&server);
	tls_files_remove();
}

static void
kill_server(void)
{
	rabbitmq_server_crash(&server);
	if (is_connected)
		rabbitmq_client_abandon(&client);
	is_connected = false;
}

static void
restart(void)
{
	rabbitmq_server_restart(&server);
}

static void
pause_server(void)
{
	rabbitmq_server_pause(&server);
}

static void
go_on(void)
{
	rabbitmq_server_go_on(&server);
}

static enum herald_status
subscribe(const char *source, const char *group, uint32_t visibility_ms,
	  struct herald_subscriber **out, struct herald_error *error)
{
	(void)group;
	(void)visibility_ms;
	return herald_rabbitmq_subscriber_create(
		&HERALD_RABBITMQ_SUBSCRIBER_OPTIONS(.url = URL, .queue = source,
						    .heartbeat_s = HEARTBEAT_S, TLS_FILES),
		out, error);
}

static void
declare(const char *source)
{
	connect_client();
	if (strcmp(declared, source) != 0)
		rabbitmq_client_declare(&client, source, "x-queue-type", "quorum");
	snprintf(declared, sizeof(declared), "%s", source);
}

static void
publish(const char *source, const char *data, size_t bytes, const struct herald_pair *headers,
	size_t headers_count)
{
	amqp_table_entry_t entries[32];
	const amqp_basic_properties_t properties = {
		._flags = AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG,
		.headers = {(int)headers_count, entries},
		.delivery_mode = AMQP_DELIVERY_PERSISTENT,
	};

	assert_true(headers_count <= 32);
	for (size_t i = 0; i < headers_count; i++)
		entries[i] = (amqp_table_entry_t){
			.key = amqp_cstring_bytes(headers[i].key),
			.value = {.kind = AMQP_FIELD_KIND_UTF8,
				  .value.bytes = amqp_cstring_bytes(headers[i].value)},
		};
	declare(source);
	rabbitmq_client_publish(&client, source, data, bytes, &properties);
}

static void
publish_all(const char *source, const char *const *data, size_t count)
{
	declare(source);
	for (size_t i = 0; i < count; i++)
		rabbitmq_client_send(&client, source, data[i], strlen(data[i]), NULL);
	rabbitmq_client_await(&client);
}

static enum herald_status
publisher(uint32_t silence_ms, struct herald_publisher **out, struct herald_error *error)
{
	/* Two heartbeats. */
	return herald_rabbitmq_publisher_create(
		&HERALD_RABBITMQ_PUBLISHER_OPTIONS(.url = URL, TLS_FILES,
						   .connect_timeout_ms = silence_ms,
						   .heartbeat_s = (silence_ms + 1999) / 2000),
		out, error);
}

/* Short of memory. */
static void
block(const char *topic)
{
	(void)topic;
	rabbitmq_server_set_blocked(&server, true);
}

static void
unblock(const char *topic)
{
	(void)topic;
	rabbitmq_server_set_blocked(&server, false);
}

/* While the server does not answer, something is left. */
static size_t
messages(const char *queue, const char *more)
{
	const long count = rabbitmq_server_messages(&server, queue, more);

	return count < 0 ? SIZE_MAX : (size_t)count;
}

static size_t
left(const char *source, const char *group)
{
	(void)group;
	return messages(source, ".herald.retry.");
}

static size_t
dead_count(const char *source)
{
	char queue[80];

	snprintf(queue, sizeof(queue), "%s.dead", source);
	return messages(queue, ".none");
}

static char *
copy(amqp_bytes_t text)
{
	char *out = malloc(text.len + 1);

	assert_non_null(out);
	if (text.len > 0)
		memcpy(out, text.bytes, text.len);
	out[text.len] = '\0';
	return out;
}

static void
dead(const char *source, size_t index, struct contract_dead *out)
{
	amqp_message_t message;
	char queue[80];

	snprintf(queue, sizeof(queue), "%s.dead", source);
	rabbitmq_client_peek(&server, queue, index, &message);
	*out = (struct contract_dead){.data = copy(message.body), .bytes = message.body.len};
	for (int i = 0; i < message.properties.headers.num_entries; i++) {
		const amqp_table_entry_t *entry = &message.properties.headers.entries[i];

		/* The server's counts are numbers. */
		if (entry->value.kind != AMQP_FIELD_KIND_UTF8)
			continue;
		assert_true(out->headers_count < 32);
		out->headers[out->headers_count++] =
			(struct herald_pair){copy(entry->key), copy(entry->value.value.bytes)};
	}
	amqp_destroy_message(&message);
}

/* Full: the server refuses what is published. */
static void
break_dead(const char *source)
{
	char queue[80];
	size_t stored, before = 0;

	snprintf(queue, sizeof(queue), "%s.dead", source);
	connect_client();
	rabbitmq_server_set_full(&server, queue, true);
	while ((stored = rabbitmq_client_try(&client, queue)) != before)
		before = stored;
}

static void
mend_dead(const char *source)
{
	char queue[80];

	snprintf(queue, sizeof(queue), "%s.dead", source);
	rabbitmq_client_purge(&client, queue);
	rabbitmq_server_set_full(&server, queue, false);
}

static void
delete_source(const char *source)
{
	rabbitmq_client_delete(&client, source);
	/* The consumer makes it again. (If another client makes it at once, the server tells
	 * nobody; the consumer then begins anew within some seconds.) */
	while (rabbitmq_client_count(&client, source) < 0)
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

static const struct contract_broker rabbitmq_broker = {
	.name = NAME,
	.holds_dead = true,
	.is_found_soon = true,
	.too_large_bytes = 5 << 20,
	.exists = rabbitmq_server_exists,
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
	return broker_contract_run(&rabbitmq_broker);
}
