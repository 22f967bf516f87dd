/*
 * The reader of dead letters on librdkafka's mock cluster, which refuses what it is told to. It
 * cannot delete records, and makes each topic that it is asked for;
 * test_kafka_dead_records.c and tests/cmd/broker.py have a real Kafka.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/dead_letters.h>
#include <herald/adapter/subscriber.h>
#include <herald/kafka.h>

#include "support/failing_allocator.h"
#include "support/kafka_server.h"
#include "support/option_error.h"

/* The request's number in Kafka's protocol. */
#define PRODUCE 0

static struct kafka_server server;

/* A reader, and its topics. */
struct peer {
	struct herald_dead_letters *letters;
	const struct herald_dead_letters_ops *ops;
	char topic[16], dead[24], done[32];
	struct herald_error error;
};

static void
create_reader(struct peer *peer, size_t max_marks)
{
	if (herald_kafka_dead_letters_create(
		    &HERALD_KAFKA_DEAD_LETTERS_OPTIONS(.url = server.url, .topic = peer->topic,
						       .max_marks = max_marks),
		    &peer->letters, &peer->error) != HERALD_OK)
		fail_msg("%s", peer->error.message);
	peer->ops = peer->letters->ops;
}

/* With an empty origin, and dead letters in so many partitions. */
static struct peer
create(int partitions)
{
	static unsigned number;
	struct peer peer;

	snprintf(peer.topic, sizeof(peer.topic), "topic-%u", number++);
	snprintf(peer.dead, sizeof(peer.dead), "%s.dead", peer.topic);
	snprintf(peer.done, sizeof(peer.done), "%s.done", peer.dead);
	kafka_server_make_topic(&server, peer.topic, 1);
	kafka_server_make_topic(&server, peer.dead, partitions);
	create_reader(&peer, 0);
	return peer;
}

static void
finish(struct peer *peer)
{
	peer->ops->close(peer->letters);
	peer->ops->destroy(peer->letters);
}

static void
open_peer(struct peer *peer, const char *id)
{
	if (peer->ops->open(peer->letters, id, &peer->error) != HERALD_OK)
		fail_msg("%s", peer->error.message);
}

static struct herald_dead_message_list
read_some(struct peer *peer, size_t room, size_t room_bytes)
{
	struct herald_dead_message_list list = {0};

	if (peer->ops->read(peer->letters, room, room_bytes, &list, &peer->error) != HERALD_OK)
		fail_msg("%s", peer->error.message);
	return list;
}

static void
put(const struct peer *peer, const char *data)
{
	const struct herald_pair headers[] = {{"shop", "berlin"},
					      {"Herald-Reason", "why"},
					      {"ce_id", "a b"},
					      {"herald-due", "7"},
					      {"key", "k"}};

	kafka_server_send(&server, peer->dead, data, strlen(data), headers, 5);
	kafka_server_await(&server);
}

static void
put_mark(const struct peer *peer, const char *key, const char *value)
{
	const struct herald_pair header = {"key", key};

	kafka_server_make_topic(&server, peer->done, 1);
	kafka_server_send(&server, peer->done, value, value ? strlen(value) : 0, &header, 1);
	kafka_server_await(&server);
}

/* What is there now for a new command. */
static size_t
count(struct peer *peer, const char *id)
{
	open_peer(peer, id);
	struct herald_dead_message_list list = read_some(peer, 1000, 1000000);
	const size_t found = list.count;
	peer->ops->release(peer->letters, &list);
	peer->ops->close(peer->letters);
	return found;
}

static size_t
count_status(const struct herald_dead_message_list *list, enum herald_status status)
{
	size_t found = 0;

	for (const struct herald_dead_message *at = list->first; at; at = at->next) {
		found += at->status == status;
		assert_int_equal(at->status == HERALD_OK, at->reason[0] == '\0');
	}
	return found;
}

static void
replay(struct peer *peer, struct herald_dead_message_list *list, const char *target)
{
	if (peer->ops->replay(peer->letters, list, target, &peer->error) != HERALD_OK)
		fail_msg("%s", peer->error.message);
}

/* The next requests to store something fail. */
static void
refuse(size_t times, const rd_kafka_resp_err_t *codes)
{
	rd_kafka_mock_push_request_errors_array(server.mock, PRODUCE, times, codes);
}

static void
refuse_two(rd_kafka_resp_err_t first)
{
	const rd_kafka_resp_err_t codes[] = {first, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
					     RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE};

	refuse(first ? 2 : 3, codes);
}

/* Cases. */

static void
options_are_checked(void **state)
{
	static char longer[241], dead[246];
	const struct {
		struct herald_kafka_dead_letters_options options;
		const char *path, *text;
	} rows[] = {
		{{.topic = "t"}, "url", "must be set"},
		{{.url = "kafka://h"}, "topic", "must be set"},
		{{.url = "kafka://h", .topic = ""}, "topic", "must be set"},
		{{.url = "kafka://h", .topic = longer},
		 "topic",
		 "must have at most 239 bytes, not 240"},
		{{.url = "kafka://h", .topic = "a b"},
		 "topic",
		 "must have letters, digits, '.', '_' and '-' only: \"a b\""},
		{{.url = "kafka://h", .topic = ".."},
		 "topic",
		 "must have letters, digits, '.', '_' and '-' only: \"..\""},
		{{.url = "kafka://h", .topic = "t", .dead_topic = dead},
		 "dead_topic",
		 "must have at most 244 bytes, not 245"},
		{{.url = "kafka://h", .topic = "t", .timeout_ms = 999},
		 "timeout_ms",
		 "must be at least 1000, not 999"},
		{{.url = "kafka://h", .topic = "t", .max_marks = 100000001},
		 "max_marks",
		 "must be at most 100000000, not 100000001"},
	};

	(void)state;
	memset(longer, 't', sizeof(longer) - 1);
	memset(dead, 'd', sizeof(dead) - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct herald_kafka_dead_letters_options options = rows[i].options;
		struct herald_dead_letters *letters = NULL;
		struct herald_error error;

		options.struct_size = sizeof(options);
		assert_int_equal(herald_kafka_dead_letters_create(&options, &letters, &error),
				 HERALD_BAD_OPTION);
		assert_option_error(&error, rows[i].path, rows[i].text);
		assert_null(letters);
	}
}

static void
letters_are_read_by_partition_and_offset(void **state)
{
	struct peer peer = create(3);
	int partition, last_partition = 0;
	long long offset, last_offset = -1;
	size_t found = 0;

	(void)state;
	for (char key[8] = "a"; key[0] <= 'z'; key[0]++) {
		const struct herald_pair header = {"key", key};
		kafka_server_send(&server, peer.dead, "0123456789", 10, &header, 1);
	}
	kafka_server_await(&server);
	open_peer(&peer, NULL);
	for (;;) {
		struct herald_dead_message_list list = read_some(&peer, 4, 1000000);
		assert_true(list.count <= 4);
		if (list.count == 0)
			break;
		found += list.count;
		for (const struct herald_dead_message *at = list.first; at; at = at->next) {
			assert_int_equal(sscanf(at->id, "%d:%lld", &partition, &offset), 2);
			if (partition != last_partition)
				last_offset = -1;
			assert_true(partition >= last_partition && offset == last_offset + 1);
			last_partition = partition;
			last_offset = offset;
			assert_true(at->stored_ms > 1000000);
		}
		peer.ops->release(peer.letters, &list);
	}
	assert_int_equal(found, 26);
	assert_int_equal(last_partition, 2);
	peer.ops->close(peer.letters);
	/* At least one, however large. */
	open_peer(&peer, NULL);
	struct herald_dead_message_list one = read_some(&peer, 4, 1);
	assert_int_equal(one.count, 1);
	peer.ops->release(peer.letters, &one);
	finish(&peer);
}

static void
what_comes_later_is_left_out(void **state)
{
	struct peer peer = create(1);

	(void)state;
	put(&peer, "a");
	put(&peer, "b");
	open_peer(&peer, NULL);
	put(&peer, "later");
	struct herald_dead_message_list list = read_some(&peer, 9, 1000000);
	assert_int_equal(list.count, 2);
	assert_int_equal(read_some(&peer, 9, 1000000).count, 0);
	peer.ops->release(peer.letters, &list);
	peer.ops->close(peer.letters);
	assert_int_equal(count(&peer, NULL), 3);
	finish(&peer);
}

static void
an_id_names_one_letter(void **state)
{
	static const char *const wrong[] = {"0:3", "1:0",  "-1:0", "0:-1", "0", "0:", ":0",  "0:01",
					    "x",   "0:1 ", "0:1:", "0:1x", "",  ":",  "00:1"};
	struct peer peer = create(1);

	(void)state;
	for (int i = 0; i < 3; i++)
		put(&peer, "a");
	open_peer(&peer, "0:1");
	struct herald_dead_message_list list = read_some(&peer, 9, 1000000);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.first->id, "0:1");
	replay(&peer, &list, peer.topic);
	peer.ops->release(peer.letters, &list);
	peer.ops->close(peer.letters);
	assert_int_equal(count(&peer, "0:0"), 1);
	assert_int_equal(count(&peer, "0:1"), 0);
	assert_int_equal(count(&peer, "0:2"), 1);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(count(&peer, wrong[i]), 0);
	finish(&peer);
}

static void
a_copy_keeps_what_is_not_heralds(void **state)
{
	struct peer peer = create(1);
	rd_kafka_headers_t *headers;
	const void *value;
	size_t bytes;
	const char *name;
	static const char *const expected[] = {"shop", "ce_id", "key"};

	(void)state;
	put(&peer, "body");
	open_peer(&peer, NULL);
	struct herald_dead_message_list list = read_some(&peer, 9, 1000000);
	assert_string_equal(herald_attributes_find(list.first->attributes, "herald-reason"), "why");
	assert_string_equal(herald_attributes_find(list.first->attributes, "ce-id"), "a%20b");
	replay(&peer, &list, peer.topic);
	assert_int_equal(count_status(&list, HERALD_OK), 1);
	peer.ops->release(peer.letters, &list);
	rd_kafka_message_t *copy = kafka_server_read(&server, peer.topic, 0);
	assert_int_equal(copy->len, 4);
	assert_memory_equal(copy->payload, "body", 4);
	assert_int_equal(copy->key_len, 1);
	assert_memory_equal(copy->key, "k", 1);
	assert_int_equal(rd_kafka_message_headers(copy, &headers), 0);
	assert_int_equal(rd_kafka_header_cnt(headers), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(rd_kafka_header_get_all(headers, i, &name, &value, &bytes), 0);
		assert_string_equal(name, expected[i]);
	}
	rd_kafka_message_destroy(copy);
	finish(&peer);
}

static void
what_is_done_stays_done(void **state)
{
	struct peer peer = create(1);

	(void)state;
	for (int i = 0; i < 4; i++)
		put(&peer, "a");
	/* Listing makes no topic. */
	assert_int_equal(count(&peer, NULL), 4);
	assert_int_equal(kafka_server_count(&server, peer.done), 0);
	open_peer(&peer, NULL);
	struct herald_dead_message_list first = read_some(&peer, 1, 1000000);
	struct herald_dead_message_list second = read_some(&peer, 1, 1000000);
	replay(&peer, &first, peer.topic);
	assert_int_equal(peer.ops->remove(peer.letters, &second, &peer.error), HERALD_OK);
	assert_int_equal(count_status(&first, HERALD_OK), 1);
	assert_int_equal(count_status(&second, HERALD_OK), 1);
	/* Again: they are gone, and nothing is sent. */
	replay(&peer, &first, peer.topic);
	assert_int_equal(count_status(&first, HERALD_MISSING), 1);
	peer.ops->release(peer.letters, &first);
	peer.ops->release(peer.letters, &second);
	peer.ops->close(peer.letters);
	assert_int_equal(kafka_server_count(&server, peer.topic), 1);
	assert_int_equal(kafka_server_count(&server, peer.done), 2);
	assert_int_equal(count(&peer, NULL), 2);
	finish(&peer);
}

static void
what_another_one_has_taken_is_told(void **state)
{
	struct peer peer = create(1), other = peer;

	(void)state;
	create_reader(&other, 0);
	put(&peer, "a");
	put(&peer, "b");
	open_peer(&peer, NULL);
	open_peer(&other, NULL);
	struct herald_dead_message_list list = read_some(&peer, 9, 1000000);
	struct herald_dead_message_list one = read_some(&other, 1, 1000000);
	assert_int_equal(other.ops->remove(other.letters, &one, &other.error), HERALD_OK);
	replay(&peer, &list, peer.topic);
	assert_int_equal(list.first->status, HERALD_MISSING);
	assert_int_equal(list.last->status, HERALD_OK);
	assert_int_equal(kafka_server_count(&server, peer.topic), 1);
	peer.ops->release(peer.letters, &list);
	other.ops->release(other.letters, &one);
	finish(&other);
	finish(&peer);
}

static void
what_cannot_be_replayed_stays(void **state)
{
	struct peer peer = create(1);
	const struct {
		const char *target;
		enum herald_status status;
		const char *reason;
	} rows[] = {
		{peer.dead, HERALD_BAD_OPTION, "it would be sent to the dead letters themselves"},
		{peer.done, HERALD_BAD_OPTION, "it would be sent to the dead letters themselves"},
	};

	(void)state;
	put(&peer, "a");
	put(&peer, "b");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		open_peer(&peer, NULL);
		struct herald_dead_message_list list = read_some(&peer, 9, 1000000);
		replay(&peer, &list, rows[i].target);
		assert_int_equal(count_status(&list, rows[i].status), 2);
		assert_memory_equal(list.first->reason, rows[i].reason, strlen(rows[i].reason));
		peer.ops->release(peer.letters, &list);
		peer.ops->close(peer.letters);
	}
	assert_int_equal(count(&peer, NULL), 2);
	finish(&peer);
}

/* In a batch, and then alone. */
static void
a_copy_that_is_refused_stays(void **state)
{
	struct peer peer = create(1);

	(void)state;
	put(&peer, "a");
	open_peer(&peer, NULL);
	struct herald_dead_message_list list = read_some(&peer, 9, 1000000);
	refuse_two(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	replay(&peer, &list, peer.topic);
	assert_int_equal(count_status(&list, HERALD_TOO_LARGE), 1);
	peer.ops->release(peer.letters, &list);
	peer.ops->close(peer.letters);
	assert_int_equal(kafka_server_count(&server, peer.done), 0);
	assert_int_equal(count(&peer, NULL), 1);
	finish(&peer);
}

/* As if the process had died in between: the next command sends it again. */
static void
a_copy_without_a_mark_is_in_doubt(void **state)
{
	struct peer peer = create(1);

	(void)state;
	put(&peer, "a");
	open_peer(&peer, NULL);
	struct herald_dead_message_list list = read_some(&peer, 9, 1000000);
	refuse_two(RD_KAFKA_RESP_ERR_NO_ERROR);
	replay(&peer, &list, peer.topic);
	assert_int_equal(count_status(&list, HERALD_UNKNOWN_OUTCOME), 1);
	assert_int_equal(kafka_server_count(&server, peer.topic), 1);
	peer.ops->release(peer.letters, &list);
	peer.ops->close(peer.letters);
	assert_int_equal(count(&peer, NULL), 1);
	finish(&peer);
}

/* A topic that was deleted and made again has the same offsets, but other times. */
static void
marks_of_an_earlier_topic_hide_nothing(void **state)
{
	struct peer peer = create(1);
	char key[64], old[64];
	int64_t times[2];

	(void)state;
	/* Or else the mock cluster makes it, with more partitions, when it is looked for. */
	kafka_server_make_topic(&server, peer.done, 1);
	put(&peer, "a");
	put(&peer, "b");
	open_peer(&peer, NULL);
	struct herald_dead_message_list list = read_some(&peer, 9, 1000000);
	times[0] = list.first->stored_ms;
	times[1] = list.last->stored_ms;
	peer.ops->release(peer.letters, &list);
	peer.ops->close(peer.letters);
	for (int i = 0; i < 2; i++) {
		snprintf(old, sizeof(old), "0:%d:%lld", i, (long long)times[i] - 1);
		put_mark(&peer, old, "replayed");
	}
	assert_int_equal(count(&peer, NULL), 2);
	snprintf(key, sizeof(key), "0:1:%lld", (long long)times[1]);
	put_mark(&peer, key, "replayed");
	assert_int_equal(count(&peer, NULL), 1);
	assert_int_equal(count(&peer, "0:1"), 0);
	/* The earlier one is taken back, which says nothing of the later one. */
	put_mark(&peer, old, NULL);
	assert_int_equal(count(&peer, NULL), 1);
	put_mark(&peer, key, NULL);
	assert_int_equal(count(&peer, NULL), 2);
	finish(&peer);
}

static void
what_is_no_mark_is_left_out(void **state)
{
	static const char *const keys[] = {
		"0:0", "x", "", "0:0:1:2", "0:00:1", "99999999999:0:1", "0:99999999999999999999:1"};
	struct peer peer = create(1);
	static char longer[100];

	(void)state;
	memset(longer, '0', sizeof(longer) - 1);
	put(&peer, "a");
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		put_mark(&peer, keys[i], "replayed");
	put_mark(&peer, longer, "replayed");
	kafka_server_send(&server, peer.done, "no key", 6, NULL, 0);
	kafka_server_await(&server);
	assert_int_equal(count(&peer, NULL), 1);
	finish(&peer);
}

/* The table grows, and has a limit. */
static void
marks_are_limited(void **state)
{
	struct peer peer = create(1), strict = peer;
	char key[96];

	(void)state;
	put(&peer, "a");
	for (int i = 0; i < 1000; i++) {
		const struct herald_pair header = {"key", key};

		snprintf(key, sizeof(key), "0:%d:1", i);
		if (i == 0)
			kafka_server_make_topic(&server, peer.done, 1);
		kafka_server_send(&server, peer.done, "x", 1, &header, 1);
	}
	kafka_server_await(&server);
	assert_int_equal(count(&peer, NULL), 1);
	create_reader(&strict, 1000);
	assert_int_equal(count(&strict, NULL), 1);
	strict.ops->destroy(strict.letters);
	create_reader(&strict, 999);
	assert_int_equal(strict.ops->open(strict.letters, NULL, &strict.error), HERALD_LIMIT);
	snprintf(key, sizeof(key), "Kafka: more than 999 dead letters have marks in %s", peer.done);
	assert_string_equal(strict.error.message, key);
	strict.ops->destroy(strict.letters);
	finish(&peer);
}

static void
a_lost_connection_leaves_it_in_doubt(void **state)
{
	struct peer peer = create(1);

	(void)state;
	for (int i = 0; i < 5; i++)
		put(&peer, "a");
	open_peer(&peer, NULL);
	struct herald_dead_message_list one = read_some(&peer, 1, 1000000);
	replay(&peer, &one, peer.topic);
	struct herald_dead_message_list list = read_some(&peer, 9, 1000000);
	kafka_server_kill(&server);
	assert_int_equal(peer.ops->replay(peer.letters, &list, peer.topic, &peer.error),
			 HERALD_UNAVAILABLE);
	assert_int_equal(count_status(&list, HERALD_OK), 0);
	assert_memory_equal(peer.error.message, "Kafka: the connection is lost: ", 31);
	peer.ops->release(peer.letters, &one);
	peer.ops->release(peer.letters, &list);
	peer.ops->close(peer.letters);
	kafka_server_restart(&server);
	assert_int_equal(count(&peer, NULL), 4);
	finish(&peer);
}

static void
without_memory_it_fails(void **state)
{
	struct peer peer = create(1);
	bool has_failed = true;
	size_t n = 0;

	(void)state;
	put(&peer, "a");
	put_mark(&peer, "0:7:1", "x");
	while (has_failed) {
		struct failing_allocator memory;
		struct herald_dead_letters *letters;
		struct herald_dead_message_list list = {0};

		failing_allocator_init(&memory, FAIL_ONLY, ++n);
		enum herald_status status = herald_kafka_dead_letters_create(
			&HERALD_KAFKA_DEAD_LETTERS_OPTIONS(.url = server.url, .topic = peer.topic,
							   .allocator = memory.allocator),
			&letters, NULL);
		if (status == HERALD_OK) {
			status = letters->ops->open(letters, NULL, NULL);
			if (status == HERALD_OK)
				status = letters->ops->read(letters, 9, 1000, &list, NULL);
			letters->ops->release(letters, &list);
			letters->ops->close(letters);
			letters->ops->destroy(letters);
		}
		assert_all_released(&memory);
		has_failed = memory.failures > 0;
		assert_int_equal(status, has_failed ? HERALD_NO_MEMORY : HERALD_OK);
	}
	assert_true(n > 5);
	finish(&peer);
}

static int
start(void **state)
{
	(void)state;
	kafka_server_start_mock(&server);
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
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(letters_are_read_by_partition_and_offset),
		cmocka_unit_test(what_comes_later_is_left_out),
		cmocka_unit_test(an_id_names_one_letter),
		cmocka_unit_test(a_copy_keeps_what_is_not_heralds),
		cmocka_unit_test(what_is_done_stays_done),
		cmocka_unit_test(what_another_one_has_taken_is_told),
		cmocka_unit_test(what_cannot_be_replayed_stays),
		cmocka_unit_test(a_copy_that_is_refused_stays),
		cmocka_unit_test(a_copy_without_a_mark_is_in_doubt),
		cmocka_unit_test(marks_of_an_earlier_topic_hide_nothing),
		cmocka_unit_test(what_is_no_mark_is_left_out),
		cmocka_unit_test(marks_are_limited),
		cmocka_unit_test(a_lost_connection_leaves_it_in_doubt),
		cmocka_unit_test(without_memory_it_fails),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
