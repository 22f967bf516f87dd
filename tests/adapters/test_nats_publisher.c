/*
 * The publisher of NATS JetStream on a real server: what is particular about it. The cases of all
 * brokers are in tests/contract/publisher/.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/nats.h>
#include <herald/producer.h>
#include <nats/nats.h>

#include "support/nats_server.h"
#include "support/option_error.h"

#define TIMEOUT_MS 300

static struct nats_server server = {
	.settings = "max_payload: 64KB\n"
		    "accounts { SHOP { users = [{user: shop, password: secret}], "
		    "jetstream: enabled } }",
};
static char url[96];
static natsConnection *connection;
static jsCtx *js;

static int
start(void **state)
{
	const char *subjects[] = {"orders", "orders.>"};
	jsStreamConfig config;

	(void)state;
	nats_server_start(&server);
	snprintf(url, sizeof(url), "nats://shop:secret@127.0.0.1:%u", server.port);
	assert_int_equal(natsConnection_ConnectTo(&connection, url), NATS_OK);
	assert_int_equal(natsConnection_JetStream(&js, connection, NULL), NATS_OK);
	jsStreamConfig_Init(&config);
	config.Name = "orders";
	config.Subjects = subjects;
	config.SubjectsLen = 2;
	config.MaxMsgSize = 32768;
	assert_int_equal(js_AddStream(NULL, js, &config, NULL, NULL), NATS_OK);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	jsCtx_Destroy(js);
	natsConnection_Destroy(connection);
	nats_server_stop(&server);
	nats_Close();
	return 0;
}

static enum herald_status
try_create(const struct herald_nats_publisher_options *options, struct herald_producer **out,
	   struct herald_error *error)
{
	struct herald_publisher *publisher = NULL;
	enum herald_status status = herald_nats_publisher_create(options, &publisher, error);

	return status == HERALD_OK ? herald_producer_create(
					     &HERALD_PRODUCER_OPTIONS(.publisher = publisher,
								      .timeout_ms = 4 * TIMEOUT_MS),
					     out, error)
				   : status;
}

static struct herald_producer *
create(void)
{
	struct herald_producer *producer = NULL;
	struct herald_error error;

	if (try_create(&HERALD_NATS_PUBLISHER_OPTIONS(.url = url, .timeout_ms = TIMEOUT_MS),
		       &producer, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return producer;
}

static enum herald_status
publish(struct herald_producer *producer, const char *subject, const char *id,
	struct herald_error *error)
{
	return herald_producer_publish(
		producer,
		&(struct herald_publication){.topic = subject, .id = id, HERALD_BODY("x", 1)},
		error);
}

static uint64_t
stored(void)
{
	jsStreamInfo *info = NULL;

	assert_int_equal(js_GetStreamInfo(&info, js, "orders", NULL, NULL), NATS_OK);
	const uint64_t count = info->State.Msgs;
	jsStreamInfo_Destroy(info);
	return count;
}

static void
test_the_same_id_is_stored_once(void **state)
{
	struct herald_producer *producer = create();
	const uint64_t before = stored();

	(void)state;
	assert_int_equal(publish(producer, "orders", "row-1", NULL), HERALD_OK);
	assert_int_equal(publish(producer, "orders", "row-1", NULL), HERALD_OK);
	assert_int_equal(publish(producer, "orders.new", "row-2", NULL), HERALD_OK);
	assert_int_equal(stored() - before, 2);
	herald_producer_destroy(producer);
}

static void
refused(struct herald_producer *producer, const char *subject, enum herald_status expected,
	const char *text)
{
	struct herald_error error;

	assert_int_equal(publish(producer, subject, NULL, &error), expected);
	assert_string_equal(error.message, text);
}

/* A blank would begin another argument of the protocol. */
static void
test_topics_that_are_no_subjects(void **state)
{
	static const char text[] =
		"the topic is not a subject: it has blanks, wildcards or empty tokens";
	static const char *const topics[] = {"a b",  "orders.*", ">",  "orders.>", "*.a",
					     "a..b", ".a",       "a.", " ",        "a.b c"};
	struct herald_producer *producer = create();

	(void)state;
	for (size_t i = 0; i < sizeof(topics) / sizeof(*topics); i++)
		refused(producer, topics[i], HERALD_BAD_VALUE, text);
	refused(producer, "elsewhere", HERALD_UNAVAILABLE,
		"not confirmed by nats within 1200 ms: elsewhere: no stream stores its subject");
	herald_producer_destroy(producer);
}

static void
sized(struct herald_producer *producer, size_t bytes, const char *text)
{
	static char body[131072];
	struct herald_error error;

	assert_int_equal(
		herald_producer_publish(
			producer,
			&(struct herald_publication){.topic = "orders", HERALD_BODY(body, bytes)},
			&error),
		HERALD_TOO_LARGE);
	assert_string_equal(error.message, text);
}

/* By the server's limit, with and without headers, and by the stream's. */
static void
test_sizes(void **state)
{
	struct herald_producer *producer = create();

	(void)state;
	sized(producer, 65537, "it is larger than max_payload");
	sized(producer, 65536, "with its headers, it is larger than max_payload");
	sized(producer, 40000, "orders: message size exceeds maximum allowed");
	assert_int_equal(publish(producer, "orders", NULL, NULL), HERALD_OK);
	herald_producer_destroy(producer);
}

/* Headers tell the stream what it expects; what is not so is refused for good. */
static void
test_headers_for_the_stream(void **state)
{
	static const char *const other[] = {"Nats-Expected-Stream: invoices"};
	static const char *const id[] = {"nats-msg-id: 1"};
	struct herald_producer *producer = create();
	struct herald_publication publication = {
		.topic = "orders", HERALD_BODY("x", 1), HERALD_HEADERS(other)};
	struct herald_error error;

	(void)state;
	assert_int_equal(herald_producer_publish(producer, &publication, &error), HERALD_BAD_VALUE);
	assert_string_equal(error.message, "orders: expected stream does not match");
	publication.headers = id;
	assert_int_equal(herald_producer_publish(producer, &publication, &error), HERALD_BAD_VALUE);
	assert_string_equal(error.message, "a header is named Nats-Msg-Id; set the id instead");
	herald_producer_destroy(producer);
}

static void
ignore(natsConnection *nats, natsSubscription *subscription, natsMsg *msg, void *state)
{
	(void)nats, (void)subscription, (void)state;
	natsMsg_Destroy(msg);
}

struct outcome {
	enum herald_status status;
	char reason[256];
};

static void
note(enum herald_status status, const char *reason, void *state)
{
	struct outcome *outcome = state;

	outcome->status = status;
	snprintf(outcome->reason, sizeof(outcome->reason), "%s", reason);
}

/* A client takes the message and does not answer, while a stream answers others: that message
 * alone has no confirmation, and the connection stays. */
static void
test_one_message_without_an_answer(void **state)
{
	struct herald_producer *producer = create();
	struct herald_producer_statistics counts;
	natsSubscription *subscription = NULL;
	struct outcome outcome = {HERALD_OK, ""};

	(void)state;
	assert_int_equal(
		natsConnection_Subscribe(&subscription, connection, "silent", ignore, NULL),
		NATS_OK);
	assert_int_equal(natsConnection_Flush(connection), NATS_OK);
	assert_int_equal(herald_producer_submit(producer,
						&(struct herald_publication){.topic = "silent",
									     HERALD_BODY("x", 1)},
						note, &outcome, NULL),
			 HERALD_OK);
	do
		assert_int_equal(publish(producer, "orders", NULL, NULL), HERALD_OK);
	while (herald_producer_statistics_read(producer, &counts), counts.failed == 0);
	assert_int_equal(outcome.status, HERALD_UNKNOWN_OUTCOME);
	assert_int_equal(strncmp(outcome.reason, "not confirmed by nats within 1200 ms", 36), 0);
	assert_true(counts.repeated > 0);
	assert_int_equal(counts.connections, 1);
	natsSubscription_Destroy(subscription);
	herald_producer_destroy(producer);
}

static void
bad(const struct herald_nats_publisher_options *options, const char *path, const char *text)
{
	struct herald_producer *producer = NULL;
	struct herald_error error = {0};

	assert_int_equal(try_create(options, &producer, &error), HERALD_BAD_OPTION);
	assert_null(producer);
	assert_option_error(&error, path, text);
}

static void
test_options(void **state)
{
	char wrong[96];

	(void)state;
	bad(&HERALD_NATS_PUBLISHER_OPTIONS(.timeout_ms = 0), "url", "must be set");
	bad(&HERALD_NATS_PUBLISHER_OPTIONS(.url = "redis://x"), "url",
	    "must begin with \"nats://\" or \"tls://\"");
	bad(&HERALD_NATS_PUBLISHER_OPTIONS(.url = url, .key_file = "k"), "certificate_file",
	    "is missing: there is a key");
	bad(&HERALD_NATS_PUBLISHER_OPTIONS(.url = url, .timeout_ms = 99), "timeout_ms",
	    "must be at least 100, not 99");
	snprintf(wrong, sizeof(wrong), "nats://shop:wrong@127.0.0.1:%u", server.port);
	struct herald_producer *producer = NULL;
	struct herald_error error;
	assert_int_equal(
		try_create(&HERALD_NATS_PUBLISHER_OPTIONS(.url = wrong), &producer, &error),
		HERALD_BAD_OPTION);
	assert_non_null(strstr(error.message, "Authorization Violation"));
}

/* Whichever server a client begins with: if it refuses, the other one is tried. */
static void
test_a_server_that_refuses(void **state)
{
	struct nats_server other = {.settings = "authorization { token: other }"};
	struct herald_error error;
	char both[200];

	(void)state;
	nats_server_start(&other);
	snprintf(both, sizeof(both), "nats://shop:wrong@127.0.0.1:%u,%s", other.port, url);
	for (int i = 0; i < 8; i++) {
		struct herald_producer *producer = NULL;

		if (try_create(
			    &HERALD_NATS_PUBLISHER_OPTIONS(.url = both, .timeout_ms = TIMEOUT_MS),
			    &producer, &error) != HERALD_OK)
			fail_msg("%s", error.message);
		herald_producer_destroy(producer);
	}
	nats_server_stop(&other);
}

/* TLS that one address asks for is not left out because another one comes first. */
static void
test_tls_of_a_later_address(void **state)
{
	struct herald_producer *producer = NULL;
	struct herald_error error;
	char both[200];

	(void)state;
	snprintf(both, sizeof(both), "nats://127.0.0.1:1,tls://shop:secret@127.0.0.1:%u",
		 server.port);
	/* This server has no TLS. */
	if (try_create(&HERALD_NATS_PUBLISHER_OPTIONS(.url = both, .timeout_ms = TIMEOUT_MS),
		       &producer, &error) == HERALD_OK)
		assert_int_equal(publish(producer, "orders", "tls-1", &error), HERALD_UNAVAILABLE);
	herald_producer_destroy(producer);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_id_is_stored_once),
		cmocka_unit_test(test_topics_that_are_no_subjects),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_headers_for_the_stream),
		cmocka_unit_test(test_one_message_without_an_answer),
		cmocka_unit_test(test_a_server_that_refuses),
		cmocka_unit_test(test_tls_of_a_later_address),
		cmocka_unit_test(test_options),
	};

	return nats_server_exists() ? cmocka_run_group_tests(tests, start, stop)
				    : nats_server_left_out("nats_publisher");
}
