/*
 * The relay: what is stored in an outbox reaches the broker, whoever dies meanwhile. The store is
 * on a model of a database; a deliverer sends from it with the producer.
 */
#include "writer.h"

#include <herald/delivery.h>
#include <herald/store.h>

#include "support/model_database.h"
#include "support/stored_outbox.h"

#define MANY 500
#define ROUNDS 4

/* A process that relays with the producer of a writer. Another one can follow on the model. */
struct relay {
	struct model *model;
	struct herald_database *database;
	struct herald_store *store;
	struct herald_deliverer *deliverer;
};

static void
relay_begin(struct relay *relay, struct writer *writer)
{
	const struct herald_named_producer producers[] = {{"main", writer->producer}};
	struct herald_store_options options = HERALD_STORE_OPTIONS(.workers = 1);
	struct herald_deliverer_options deliverer =
		HERALD_DELIVERER_OPTIONS(HERALD_PRODUCERS(producers), .attempts = 1000,
					 .first_delay_ms = 1, .max_delay_ms = 100);
	struct herald_error error;

	options.database = relay->database = model_open(relay->model);
	if (herald_store_create(&options, &relay->store, &error) != HERALD_OK ||
	    herald_store_queue_create(relay->store, &deliverer.queue, &error) != HERALD_OK ||
	    herald_deliverer_create(&deliverer, &relay->deliverer, &error) != HERALD_OK)
		fail_msg("%s", error.message);
}

static void
relay_end(struct relay *relay)
{
	herald_deliverer_stop(relay->deliverer, 0);
	herald_deliverer_destroy(relay->deliverer);
	herald_store_destroy(relay->store);
}

/* Nothing that the process does reaches the database any more. */
static void
relay_kill(struct relay *relay)
{
	model_kill(relay->database);
	relay_end(relay);
}

/* Publish the messages from `first` on, with the ids that a reader expects. */
static void
publish(struct relay *relay, const struct writer *writer, int first, int count)
{
	char id[32];

	for (int i = first; i < first + count; i++) {
		snprintf(id, sizeof(id), "m-%d", i);
		outbox_publish(relay->store, relay->database,
			       &(struct herald_delivery){.producer = "main",
							 .topic = writer->topic,
							 .key = "k",
							 .id = id,
							 HERALD_BODY("paid", 4)});
	}
}

static void
await_none(struct relay *relay)
{
	WAIT(outbox_pending(relay->store) == 0);
	assert_string_equal(outbox_dead(relay->store), "");
}

/* All have arrived. Returns how many have arrived too often. */
static size_t
read_all(struct writer *writer, int count)
{
	struct arrivals arrivals;

	writer_read(writer, &arrivals);
	const size_t repeated = arrivals_repeated(&arrivals, count);
	for (size_t i = 0; i < arrivals.count; i++) {
		assert_int_equal(arrivals.all[i].data.bytes, 4);
		assert_memory_equal(arrivals.all[i].data.data, "paid", 4);
	}
	arrivals_free(&arrivals);
	return repeated;
}

static void
test_what_is_stored_arrives_once(void **state)
{
	struct relay relay = {.model = model_create(&(struct model_options){.secret = 1})};
	struct writer *writer = WRITER(.max_pending = 0);

	(void)state;
	relay_begin(&relay, writer);
	publish(&relay, writer, 0, MANY);
	await_none(&relay);
	relay_end(&relay);
	/* A server that is slow to confirm gets a message again. */
	const struct herald_producer_statistics counts = writer_counts(writer);
	const size_t repeated = read_all(writer, MANY);
	assert_true(repeated <= counts.repeated + counts.failed);
	assert_true(repeated == 0 || !broker->deduplicates);
	writer_destroy(writer);
	model_destroy(relay.model);
}

/* In turn the broker and the process of the relay are killed, while they have messages. */
static void
test_the_broker_and_the_relay_are_killed(void **state)
{
	struct relay relay = {.model = model_create(&(struct model_options){.secret = 1})};
	struct writer *writer = WRITER(.max_pending = 0);

	(void)state;
	relay_begin(&relay, writer);
	for (int i = 0; i < ROUNDS; i++) {
		publish(&relay, writer, i * MANY, MANY);
		const uint64_t confirmed = writer_counts(writer).confirmed;
		WAIT(writer_counts(writer).confirmed > confirmed ||
		     outbox_pending(relay.store) == 0);
		if (i % 2 == 0) {
			broker->kill();
			broker->restart();
		} else {
			relay_kill(&relay);
			relay_begin(&relay, writer);
		}
	}
	await_none(&relay);
	relay_end(&relay);
	assert_int_equal(herald_producer_flush(writer->producer, WAIT_MS), 0);
	const size_t repeated = read_all(writer, ROUNDS * MANY);
	assert_true(repeated == 0 || !broker->deduplicates);
	writer_destroy(writer);
	model_destroy(relay.model);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_what_is_stored_arrives_once),
	cmocka_unit_test(test_the_broker_and_the_relay_are_killed),
};
const struct case_list publisher_relay_cases = {cases, COUNT(cases)};
