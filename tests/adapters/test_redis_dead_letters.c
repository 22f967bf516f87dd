/*
 * The reader of dead letters on a real Redis. tests/cmd/broker.py has the cases of the tool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/dead_letters.h>
#include <herald/adapter/subscriber.h>
#include <herald/redis.h>

#include "support/failing_allocator.h"
#include "support/option_error.h"
#include "support/redis_server.h"

static struct redis_server server;

/* A reader, and its streams. */
struct peer {
	struct herald_dead_letters *letters;
	const struct herald_dead_letters_ops *ops;
	char stream[32], dead[40];
	struct herald_error error;
};

static struct peer *
create(struct herald_redis_dead_letters_options options)
{
	static unsigned number;
	struct peer *peer = test_calloc(1, sizeof(*peer));

	snprintf(peer->stream, sizeof(peer->stream), "stream-%u", number++);
	snprintf(peer->dead, sizeof(peer->dead), "%s.dead", peer->stream);
	options.struct_size = sizeof(options);
	options.url = server.url;
	options.stream = peer->stream;
	if (herald_redis_dead_letters_create(&options, &peer->letters, &peer->error) != HERALD_OK)
		fail_msg("%s", peer->error.message);
	peer->ops = peer->letters->ops;
	redis_server_number(&server, "XADD %s 1-0 data first", peer->stream);
	return peer;
}

static void
finish(struct peer *peer)
{
	peer->ops->close(peer->letters);
	peer->ops->destroy(peer->letters);
	test_free(peer);
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

/* A dead letter of the reader's stream. */
static void
put(struct peer *peer, const char *data)
{
	redis_server_number(&server,
			    "XADD %s * data %s shop berlin herald-reason why herald-origin %s",
			    peer->dead, data, peer->stream);
}

static long long
count(const char *stream)
{
	return redis_server_number(&server, "XRANGE %s - +", stream);
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

/* Cases. */

static void
options_are_checked(void **state)
{
	static char longer[1026];
	const struct {
		struct herald_redis_dead_letters_options options;
		const char *path, *text;
	} rows[] = {
		{{.stream = "s"}, "url", "must be set"},
		{{.url = "http://h", .stream = "s"},
		 "url",
		 "must begin with \"redis://\" or \"rediss://\""},
		{{.url = "redis://h"}, "stream", "must have 1 to 1024 bytes"},
		{{.url = "redis://h", .stream = ""}, "stream", "must have 1 to 1024 bytes"},
		{{.url = "redis://h", .stream = longer}, "stream", "must have 1 to 1024 bytes"},
		{{.url = "redis://h", .stream = "s", .connect_timeout_ms = 60001},
		 "connect_timeout_ms",
		 "must be at most 60000, not 60001"},
		{{.url = "redis://h", .stream = "s", .reply_timeout_ms = 600001},
		 "reply_timeout_ms",
		 "must be at most 600000, not 600001"},
	};

	(void)state;
	memset(longer, 's', sizeof(longer) - 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct herald_redis_dead_letters_options options = rows[i].options;
		struct herald_dead_letters *letters = NULL;
		struct herald_error error;

		options.struct_size = sizeof(options);
		assert_int_equal(herald_redis_dead_letters_create(&options, &letters, &error),
				 HERALD_BAD_OPTION);
		assert_option_error(&error, rows[i].path, rows[i].text);
		assert_null(letters);
	}
}

static void
batches_are_bounded_and_in_order(void **state)
{
	const size_t large = 100000, all = 400;
	struct peer *peer = create((struct herald_redis_dead_letters_options){0});
	char *text = test_malloc(large + 1);
	char last[48] = "";
	size_t found = 0;

	(void)state;
	memset(text, 'x', large);
	for (size_t i = 0; i < all; i++) {
		text[i >= 100 && i < 300 ? large : 10] = '\0';
		put(peer, text);
		text[10] = text[large] = 'x';
	}
	open_peer(peer, NULL);
	for (;;) {
		struct herald_dead_message_list list = read_some(peer, 50, 8 * large);
		size_t bytes = 0;

		if (list.count == 0)
			break;
		assert_true(list.count <= 50);
		for (struct herald_dead_message *at = list.first; at; at = at->next, found++) {
			assert_int_equal(at->data.bytes, found >= 100 && found < 300 ? large : 10);
			assert_true(strlen(at->id) > strlen(last) || strcmp(at->id, last) > 0);
			strcpy(last, at->id);
			bytes += at->data.bytes;
		}
		/* The first batches of large ones go by the size of small ones. */
		assert_true(bytes <= 50 * large);
		assert_true(found < 200 || bytes <= 9 * large);
		peer->ops->release(peer->letters, &list);
	}
	assert_int_equal(found, all);
	assert_int_equal(read_some(peer, 50, 1).count, 0);
	test_free(text);
	finish(peer);
}

static void
what_comes_later_is_left_out(void **state)
{
	struct peer *peer = create((struct herald_redis_dead_letters_options){0});

	(void)state;
	put(peer, "a");
	put(peer, "b");
	open_peer(peer, NULL);
	struct herald_dead_message_list list = read_some(peer, 1, 1);
	assert_int_equal(list.count, 1);
	put(peer, "later");
	struct herald_dead_message_list more = read_some(peer, 9, 1000);
	assert_int_equal(more.count, 1);
	assert_string_equal(more.first->data.data, "b");
	assert_int_equal(read_some(peer, 9, 1000).count, 0);
	peer->ops->release(peer->letters, &list);
	peer->ops->release(peer->letters, &more);
	peer->ops->close(peer->letters);

	/* It can be opened again. */
	open_peer(peer, NULL);
	list = read_some(peer, 9, 1000);
	assert_int_equal(list.count, 3);
	char id[48];
	strcpy(id, list.first->next->id);
	peer->ops->release(peer->letters, &list);
	peer->ops->close(peer->letters);
	open_peer(peer, id);
	list = read_some(peer, 9, 1000);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.first->data.data, "b");
	peer->ops->release(peer->letters, &list);
	finish(peer);
}

static void
a_copy_keeps_what_is_not_heralds(void **state)
{
	struct peer *peer = create((struct herald_redis_dead_letters_options){0});

	(void)state;
	redis_server_number(&server,
			    "XADD %s * data %b a 1 Herald-Reason x a 2 HERALD-ATTEMPT 7 %b y zero "
			    "%b herald-attempts 9 herald-other z",
			    peer->dead, "x\0y", (size_t)3, "n\0", (size_t)2, "\0", (size_t)1);
	open_peer(peer, NULL);
	struct herald_dead_message_list list = read_some(peer, 9, 1000);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.first->data.bytes, 3);
	assert_true(list.first->stored_ms > 0);
	assert_string_equal(herald_attributes_find(list.first->attributes, "herald-reason"), "x");
	assert_int_equal(peer->ops->replay(peer->letters, &list, peer->stream, &peer->error),
			 HERALD_OK);
	assert_int_equal(count_status(&list, HERALD_OK), 1);
	peer->ops->release(peer->letters, &list);
	assert_int_equal(count(peer->dead), 0);

	redisReply *reply = redis_server_command(&server, "XREVRANGE %s + - COUNT 1", peer->stream);
	const redisReply *fields = reply->element[0]->element[1];
	static const struct {
		const char *text;
		size_t bytes;
	} expected[] = {
		{"data", 4},
		{"x\0y", 3},
		{"a", 1},
		{"1", 1},
		{"a", 1},
		{"2", 1},
		{"n\0", 2},
		{"y", 1},
		{"zero", 4},
		{"\0", 1},
		{"herald-other", 12},
		{"z", 1},
	};
	assert_int_equal(fields->elements, sizeof(expected) / sizeof(*expected));
	for (size_t i = 0; i < fields->elements; i++) {
		assert_int_equal(fields->element[i]->len, expected[i].bytes);
		assert_memory_equal(fields->element[i]->str, expected[i].text, expected[i].bytes);
	}
	freeReplyObject(reply);
	finish(peer);
}

static void
what_cannot_be_replayed_stays(void **state)
{
	struct peer *peer = create((struct herald_redis_dead_letters_options){0});
	char text[40];
	const struct {
		const char *target;
		enum herald_status status;
		const char *reason;
	} rows[] = {
		{"gone", HERALD_BAD_OPTION, "there is no stream gone"},
		{peer->dead, HERALD_BAD_OPTION, "it would be sent to the dead letters themselves"},
		{text, HERALD_UNAVAILABLE, "WRONGTYPE"},
	};

	(void)state;
	snprintf(text, sizeof(text), "%s-text", peer->stream);
	redis_server_number(&server, "SET %s x", text);
	put(peer, "a");
	put(peer, "b");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		open_peer(peer, NULL);
		struct herald_dead_message_list list = read_some(peer, 9, 1000);
		assert_int_equal(
			peer->ops->replay(peer->letters, &list, rows[i].target, &peer->error),
			HERALD_OK);
		assert_int_equal(count_status(&list, rows[i].status), 2);
		if (!strstr(list.first->reason, rows[i].reason))
			fail_msg("%s", list.first->reason);
		peer->ops->release(peer->letters, &list);
		assert_int_equal(count(peer->dead), 2);
		peer->ops->close(peer->letters);
	}
	assert_int_equal(redis_server_number(&server, "EXISTS gone"), 0);
	finish(peer);
}

/* More than the server's Lua can pass to a command. */
static void
too_many_fields_are_refused(void **state)
{
	struct peer *peer = create((struct herald_redis_dead_letters_options){0});
	const char *words[10003] = {"XADD", peer->dead, "*"};

	(void)state;
	put(peer, "a");
	for (size_t i = 3; i < sizeof(words) / sizeof(*words); i++)
		words[i] = "x";
	freeReplyObject(
		redisCommandArgv(server.context, sizeof(words) / sizeof(*words), words, NULL));
	open_peer(peer, NULL);
	struct herald_dead_message_list list = read_some(peer, 9, 100000);
	assert_int_equal(list.count, 2);
	assert_int_equal(peer->ops->replay(peer->letters, &list, peer->stream, &peer->error),
			 HERALD_OK);
	assert_int_equal(list.first->status, HERALD_OK);
	assert_int_equal(list.last->status, HERALD_UNAVAILABLE);
	assert_non_null(strstr(list.last->reason, "too many results to unpack"));
	peer->ops->release(peer->letters, &list);
	assert_int_equal(count(peer->dead), 1);
	finish(peer);
}

static void
what_another_one_has_taken_is_told(void **state)
{
	struct peer *peer = create((struct herald_redis_dead_letters_options){0});

	(void)state;
	put(peer, "a");
	put(peer, "b");
	open_peer(peer, NULL);
	struct herald_dead_message_list list = read_some(peer, 9, 1000);
	redis_server_number(&server, "XDEL %s %s", peer->dead, list.first->id);
	assert_int_equal(peer->ops->replay(peer->letters, &list, peer->stream, &peer->error),
			 HERALD_OK);
	assert_int_equal(list.first->status, HERALD_MISSING);
	assert_int_equal(list.last->status, HERALD_OK);
	assert_int_equal(count(peer->stream), 2);
	assert_int_equal(peer->ops->remove(peer->letters, &list, &peer->error), HERALD_OK);
	assert_int_equal(count_status(&list, HERALD_MISSING), 2);
	peer->ops->release(peer->letters, &list);
	finish(peer);
}

static void
a_removal_is_for_good(void **state)
{
	struct peer *peer = create((struct herald_redis_dead_letters_options){0});

	(void)state;
	for (int i = 0; i < 3; i++)
		put(peer, "a");
	open_peer(peer, NULL);
	struct herald_dead_message_list list = read_some(peer, 2, 1000);
	assert_int_equal(peer->ops->remove(peer->letters, &list, &peer->error), HERALD_OK);
	assert_int_equal(count_status(&list, HERALD_OK), 2);
	peer->ops->release(peer->letters, &list);
	assert_int_equal(count(peer->dead), 1);
	assert_int_equal(count(peer->stream), 1);
	finish(peer);
}

/* A server that is killed, and one that hangs. */
static void
a_lost_connection_leaves_it_in_doubt(void **state)
{
	(void)state;
	for (int hangs = 0; hangs < 2; hangs++) {
		struct peer *peer =
			create((struct herald_redis_dead_letters_options){.reply_timeout_ms = 200});

		for (int i = 0; i < 5; i++)
			put(peer, "a");
		open_peer(peer, NULL);
		struct herald_dead_message_list list = read_some(peer, 9, 1000);
		assert_int_equal(list.count, 5);
		if (hangs)
			redis_server_pause(&server);
		else
			redis_server_kill(&server);
		assert_int_equal(
			peer->ops->replay(peer->letters, &list, peer->stream, &peer->error),
			HERALD_UNAVAILABLE);
		assert_int_equal(count_status(&list, HERALD_UNKNOWN_OUTCOME), 5);
		assert_non_null(strstr(peer->error.message, "the connection is lost: "));
		if (hangs)
			redis_server_go_on(&server);
		else
			redis_server_restart(&server);
		peer->ops->release(peer->letters, &list);
		peer->ops->close(peer->letters);
		assert_int_equal(count(peer->stream) - 1 + count(peer->dead), 5);
		finish(peer);
	}
}

static void
without_memory_it_fails(void **state)
{
	size_t n = 0;
	bool has_failed = true;

	(void)state;
	while (has_failed) {
		struct failing_allocator memory;
		failing_allocator_init(&memory, FAIL_ONLY, ++n);
		const struct herald_redis_dead_letters_options options =
			HERALD_REDIS_DEAD_LETTERS_OPTIONS(.url = server.url, .stream = "memory",
							  .allocator = memory.allocator);
		struct herald_dead_letters *letters;
		struct herald_dead_message_list list = {0};

		redis_server_number(&server, "XADD memory.dead * data x herald-origin memory");
		redis_server_number(&server, "XADD memory * data x");
		enum herald_status status =
			herald_redis_dead_letters_create(&options, &letters, NULL);
		if (status == HERALD_OK) {
			status = letters->ops->open(letters, NULL, NULL);
			if (status == HERALD_OK)
				status = letters->ops->read(letters, 9, 1000, &list, NULL);
			if (status == HERALD_OK)
				status = letters->ops->replay(letters, &list, "memory", NULL);
			letters->ops->release(letters, &list);
			letters->ops->close(letters);
			letters->ops->destroy(letters);
		}
		assert_all_released(&memory);
		has_failed = memory.failures > 0;
		assert_int_equal(status == HERALD_OK, !has_failed);
		assert_true(status == HERALD_OK || status == HERALD_NO_MEMORY ||
			    status == HERALD_UNAVAILABLE);
	}
	assert_true(n > 3);
}

static int
start(void **state)
{
	(void)state;
	redis_server_start(&server);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	redis_server_stop(&server);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(batches_are_bounded_and_in_order),
		cmocka_unit_test(what_comes_later_is_left_out),
		cmocka_unit_test(a_copy_keeps_what_is_not_heralds),
		cmocka_unit_test(what_cannot_be_replayed_stays),
		cmocka_unit_test(too_many_fields_are_refused),
		cmocka_unit_test(what_another_one_has_taken_is_told),
		cmocka_unit_test(a_removal_is_for_good),
		cmocka_unit_test(a_lost_connection_leaves_it_in_doubt),
		cmocka_unit_test(without_memory_it_fails),
	};

	if (!redis_server_exists())
		return redis_server_left_out("redis_dead_letters");
	return cmocka_run_group_tests(tests, start, stop);
}
