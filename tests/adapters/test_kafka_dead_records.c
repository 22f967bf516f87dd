/*
 * The reader of dead letters on a real Kafka: what librdkafka's mock cluster does not have. Deleted
 * records, transactions, topics that are made again, and many letters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/dead_letters.h>
#include <herald/kafka.h>

#include "support/failing_allocator.h"
#include "support/kafka_server.h"

#define MANY 100000
#define BATCH 1000
#define WAIT_MS 60000

static struct kafka_server server;

static struct herald_dead_letters *
create(const char *topic, const struct herald_allocator *allocator)
{
	struct herald_kafka_dead_letters_options options =
		HERALD_KAFKA_DEAD_LETTERS_OPTIONS(.url = server.url, .topic = topic);
	struct herald_dead_letters *letters;
	struct herald_error error;

	if (allocator)
		options.allocator = *allocator;
	if (herald_kafka_dead_letters_create(&options, &letters, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return letters;
}

static void
open_letters(struct herald_dead_letters *letters)
{
	struct herald_error error;

	if (letters->ops->open(letters, NULL, &error) != HERALD_OK)
		fail_msg("%s", error.message);
}

static struct herald_dead_message_list
read_some(struct herald_dead_letters *letters, size_t room)
{
	struct herald_dead_message_list list = {0};
	struct herald_error error;

	if (letters->ops->read(letters, room, 64 << 20, &list, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	return list;
}

static void
end_all(struct herald_dead_letters *letters, struct herald_dead_message_list *list,
	const char *target)
{
	struct herald_error error;
	enum herald_status status = target ? letters->ops->replay(letters, list, target, &error)
					   : letters->ops->remove(letters, list, &error);

	if (status != HERALD_OK)
		fail_msg("%s", error.message);
	for (const struct herald_dead_message *at = list->first; at; at = at->next)
		if (at->status != HERALD_OK)
			fail_msg("%s: %s", at->id, at->reason);
	letters->ops->release(letters, list);
}

static size_t
count(const char *topic)
{
	struct herald_dead_letters *letters = create(topic, NULL);

	open_letters(letters);
	struct herald_dead_message_list list = read_some(letters, SIZE_MAX);
	const size_t found = list.count;
	letters->ops->release(letters, &list);
	letters->ops->destroy(letters);
	return found;
}

static void
put(const char *topic, size_t times)
{
	for (size_t i = 0; i < times; i++)
		kafka_server_send(&server, topic, "{\"event\":\"order\"}", 17, NULL, 0);
	kafka_server_await(&server);
}

/* The first offset that is still there. */
static int64_t
low_of(const char *topic)
{
	int64_t low = -1, end;

	assert_int_equal(
		rd_kafka_query_watermark_offsets(server.producer, topic, 0, &low, &end, 10000), 0);
	return low;
}

/* Up to the first one that is not done. */
static void
what_is_done_is_deleted(void **state)
{
	(void)state;
	kafka_server_make_topic(&server, "deleted", 1);
	kafka_server_make_topic(&server, "deleted.dead", 1);
	put("deleted.dead", 6);
	struct herald_dead_letters *letters = create("deleted", NULL);
	open_letters(letters);
	struct herald_dead_message_list list = read_some(letters, 2);
	end_all(letters, &list, "deleted");
	struct herald_dead_message_list kept = read_some(letters, 1);
	list = read_some(letters, 2);
	end_all(letters, &list, NULL);
	letters->ops->release(letters, &kept);
	letters->ops->close(letters);
	assert_int_equal(low_of("deleted.dead"), 2);
	assert_int_equal(count("deleted"), 2);
	/* Four marks, and the first two of them are taken back. */
	assert_int_equal(kafka_server_count(&server, "deleted.dead.done"), 6);
	open_letters(letters);
	list = read_some(letters, 9);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.first->id, "0:2");
	assert_string_equal(list.last->id, "0:5");
	end_all(letters, &list, "deleted");
	letters->ops->destroy(letters);
	assert_int_equal(low_of("deleted.dead"), 6);
	assert_int_equal(count("deleted"), 0);
	assert_int_equal(kafka_server_count(&server, "deleted"), 4);
}

/* A letter that the caller still has when it closes is not done. */
static void
what_was_not_released_stays(void **state)
{
	(void)state;
	kafka_server_make_topic(&server, "held", 1);
	kafka_server_make_topic(&server, "held.dead", 1);
	put("held.dead", 2);
	struct herald_dead_letters *letters = create("held", NULL);
	open_letters(letters);
	struct herald_dead_message_list first = read_some(letters, 1), second;
	second = read_some(letters, 1);
	end_all(letters, &second, NULL);
	letters->ops->close(letters);
	assert_int_equal(low_of("held.dead"), 0);
	letters->ops->release(letters, &first);
	letters->ops->destroy(letters);
	assert_int_equal(count("held"), 1);
}

static void
send_in_transaction(rd_kafka_t *producer, const char *topic, bool is_kept)
{
	assert_null(rd_kafka_begin_transaction(producer));
	for (int i = 0; i < 3; i++)
		assert_int_equal(__extension__ rd_kafka_producev(
					 producer, RD_KAFKA_V_TOPIC(topic),
					 RD_KAFKA_V_VALUE((void *)(uintptr_t) "x", 1),
					 RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
				 0);
	assert_int_equal(rd_kafka_flush(producer, WAIT_MS), 0);
	assert_null(is_kept ? rd_kafka_commit_transaction(producer, WAIT_MS)
			    : rd_kafka_abort_transaction(producer, WAIT_MS));
}

/* The records of a transaction's end take offsets, also the last one. */
static void
transactions_leave_gaps(void **state)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[256];

	(void)state;
	kafka_server_make_topic(&server, "gaps", 1);
	kafka_server_make_topic(&server, "gaps.dead", 1);
	rd_kafka_conf_set(conf, "bootstrap.servers", server.url + strlen("kafka://"), why,
			  sizeof(why));
	rd_kafka_conf_set(conf, "transactional.id", "gaps", why, sizeof(why));
	rd_kafka_t *producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	assert_non_null(producer);
	assert_null(rd_kafka_init_transactions(producer, WAIT_MS));
	send_in_transaction(producer, "gaps.dead", true);
	send_in_transaction(producer, "gaps.dead", false);
	send_in_transaction(producer, "gaps.dead", true);
	send_in_transaction(producer, "gaps.dead", false);
	rd_kafka_destroy(producer);
	assert_int_equal(count("gaps"), 6);
	struct herald_dead_letters *letters = create("gaps", NULL);
	open_letters(letters);
	struct herald_dead_message_list list = read_some(letters, SIZE_MAX);
	end_all(letters, &list, "gaps");
	letters->ops->destroy(letters);
	assert_int_equal(count("gaps"), 0);
	assert_int_equal(kafka_server_count(&server, "gaps"), 6);
	assert_int_equal(low_of("gaps.dead"), 16);
}

static void
a_topic_made_again_has_new_letters(void **state)
{
	(void)state;
	kafka_server_make_topic(&server, "again", 1);
	kafka_server_make_topic(&server, "again.dead", 1);
	put("again.dead", 3);
	struct herald_dead_letters *letters = create("again", NULL);
	open_letters(letters);
	struct herald_dead_message_list first = read_some(letters, 1), rest;
	rest = read_some(letters, 2);
	end_all(letters, &rest, NULL);
	letters->ops->release(letters, &first);
	letters->ops->destroy(letters);
	assert_int_equal(count("again"), 1);
	kafka_server_delete_topic(&server, "again.dead");
	kafka_server_make_topic(&server, "again.dead", 1);
	put("again.dead", 3);
	assert_int_equal(count("again"), 3);
}

/* Made again while a command works: nothing of the new one is deleted. */
static void
a_topic_made_again_meanwhile_is_not_trimmed(void **state)
{
	(void)state;
	kafka_server_make_topic(&server, "while", 1);
	kafka_server_make_topic(&server, "while.dead", 1);
	put("while.dead", 2);
	struct herald_dead_letters *letters = create("while", NULL);
	open_letters(letters);
	struct herald_dead_message_list list = read_some(letters, 9);
	end_all(letters, &list, NULL);
	kafka_server_delete_topic(&server, "while.dead");
	kafka_server_make_topic(&server, "while.dead", 1);
	put("while.dead", 4);
	letters->ops->destroy(letters);
	assert_int_equal(low_of("while.dead"), 0);
	assert_int_equal(count("while"), 4);
}

/* Memory is for a batch, and for the marks. */
static void
many_letters(void **state)
{
	struct failing_allocator memory;
	size_t found = 0, batches = 0;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	kafka_server_make_topic(&server, "many", 1);
	kafka_server_make_topic(&server, "many.dead", 1);
	put("many.dead", MANY);
	struct herald_dead_letters *letters = create("many", &memory.allocator);
	open_letters(letters);
	for (;;) {
		struct herald_dead_message_list list = read_some(letters, BATCH);
		if (list.count == 0)
			break;
		found += list.count;
		if (batches++ % 2 == 0)
			end_all(letters, &list, "many");
		else
			letters->ops->release(letters, &list);
	}
	assert_int_equal(found, MANY);
	letters->ops->close(letters);
	assert_int_equal(count("many"), MANY / 2);
	assert_int_equal(low_of("many.dead"), BATCH);
	open_letters(letters);
	struct herald_dead_message_list list = read_some(letters, SIZE_MAX);
	end_all(letters, &list, "many");
	letters->ops->destroy(letters);
	assert_int_equal(low_of("many.dead"), MANY);
	assert_int_equal(count("many"), 0);
	assert_int_equal(kafka_server_count(&server, "many"), MANY);
	print_message("%zu bytes at most\n", (size_t)memory.peak_bytes);
	assert_all_released(&memory);
}

static int
start(void **state)
{
	(void)state;
	kafka_server_start(&server);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	kafka_server_stop(&server);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_done_is_deleted),
		cmocka_unit_test(what_was_not_released_stays),
		cmocka_unit_test(transactions_leave_gaps),
		cmocka_unit_test(a_topic_made_again_has_new_letters),
		cmocka_unit_test(a_topic_made_again_meanwhile_is_not_trimmed),
		cmocka_unit_test(many_letters),
	};

	return kafka_server_exists() ? cmocka_run_group_tests(tests, start, stop)
				     : kafka_server_left_out("kafka_dead_records");
}
