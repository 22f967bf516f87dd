/*
 * The reader of dead letters on a real NATS server. tests/cmd/broker.py has the cases of the tool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <herald/adapter/dead_letters.h>
#include <herald/adapter/subscriber.h>
#include <herald/nats.h>
#include <nats/nats.h>

#include "support/draw.h"
#include "support/failing_allocator.h"
#include "support/nats_server.h"
#include "support/option_error.h"

/* Of a server that hangs. */
#define SHORT_MS 300

static struct nats_server server;

/* A reader, and a connection of the test. */
struct peer {
	struct herald_dead_letters *letters;
	const struct herald_dead_letters_ops *ops;
	natsConnection *connection;
	jsCtx *js;
	char stream[32], dead[40], other[40], dead_stream[40];
	struct herald_error error;
};

static void
check(natsStatus status)
{
	if (status != NATS_OK)
		fail_msg("%s: %s", natsStatus_GetText(status), nats_GetLastError(NULL));
}

static void
connect_peer(struct peer *peer)
{
	jsOptions options;

	jsOptions_Init(&options);
	check(natsConnection_ConnectTo(&peer->connection, server.url));
	check(natsConnection_JetStream(&peer->js, peer->connection, &options));
}

static void
disconnect_peer(struct peer *peer)
{
	jsCtx_Destroy(peer->js);
	natsConnection_Destroy(peer->connection);
}

static void
make_stream(struct peer *peer, const char *name, const char *const *subjects, int count)
{
	jsStreamConfig config;

	jsStreamConfig_Init(&config);
	config.Name = name;
	config.Subjects = (const char **)(uintptr_t)subjects;
	config.SubjectsLen = count;
	check(js_AddStream(NULL, peer->js, &config, NULL, NULL));
}

static struct peer *
create(uint32_t timeout_ms)
{
	static unsigned number;
	struct peer *peer = test_calloc(1, sizeof(*peer));

	snprintf(peer->stream, sizeof(peer->stream), "s%u", number++);
	snprintf(peer->dead, sizeof(peer->dead), "%s.dead", peer->stream);
	snprintf(peer->other, sizeof(peer->other), "%s.other", peer->stream);
	snprintf(peer->dead_stream, sizeof(peer->dead_stream), "all-%s", peer->stream);
	connect_peer(peer);
	make_stream(peer, peer->stream, (const char *const[]){peer->stream}, 1);
	make_stream(peer, peer->dead_stream, (const char *const[]){peer->dead, peer->other}, 2);
	if (herald_nats_dead_letters_create(
		    &HERALD_NATS_DEAD_LETTERS_OPTIONS(.url = server.url, .stream = peer->stream,
						      .timeout_ms = timeout_ms),
		    &peer->letters, &peer->error) != HERALD_OK)
		fail_msg("%s", peer->error.message);
	peer->ops = peer->letters->ops;
	return peer;
}

static void
finish(struct peer *peer)
{
	peer->ops->close(peer->letters);
	peer->ops->destroy(peer->letters);
	disconnect_peer(peer);
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

static void
put(struct peer *peer, const char *subject, const char *data)
{
	check(js_Publish(NULL, peer->js, subject, data, (int)strlen(data), NULL, NULL));
}

static uint64_t
count(struct peer *peer, const char *stream)
{
	jsStreamInfo *info;

	check(js_GetStreamInfo(&info, peer->js, stream, NULL, NULL));
	const uint64_t found = info->State.Msgs;
	jsStreamInfo_Destroy(info);
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

/* Cases. */

static void
options_are_checked(void **state)
{
	const struct {
		struct herald_nats_dead_letters_options options;
		const char *path, *text;
	} rows[] = {
		{{.url = "nats://h"}, "stream", "must be set"},
		{{.url = "nats://h", .stream = "a b"},
		 "stream",
		 "must not have blanks, nor any of . * > / \\: \"a b\""},
		{{.url = "nats://h", .stream = "a\"b"}, "stream", "must not have any of \" \\ & <"},
		{{.url = "nats://h", .stream = "a", .dead_subject = "b&"},
		 "dead_subject",
		 "must not have any of \" \\ & <"},
		{{.url = "nats://h", .stream = "a", .dead_subject = "b.*"},
		 "dead_subject",
		 "must not have wildcards: \"b.*\""},
		{{.url = "nats://h", .stream = "a", .timeout_ms = 99},
		 "timeout_ms",
		 "must be at least 100, not 99"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct herald_nats_dead_letters_options options = rows[i].options;
		struct herald_dead_letters *letters = NULL;
		struct herald_error error;

		options.struct_size = sizeof(options);
		assert_int_equal(herald_nats_dead_letters_create(&options, &letters, &error),
				 HERALD_BAD_OPTION);
		assert_option_error(&error, rows[i].path, rows[i].text);
		assert_null(letters);
	}
}

#define MANY 400

/* Messages of another subject, and messages that were deleted, are between them. */
static void
gaps_are_left_out(void **state)
{
	struct peer *peer = create(0);
	uint64_t expected[MANY], seed = draw_seed();
	size_t left = 0, found = 0;

	(void)state;
	for (uint64_t i = 1; i <= MANY; i++) {
		const bool is_dead = draw_below(&seed, 4) > 0;
		/* Gaps of one, and large ones. */
		const bool is_deleted = draw_below(&seed, 5) == 0 || i % 150 > 100;

		put(peer, is_dead ? peer->dead : peer->other, "x");
		if (is_deleted)
			check(js_DeleteMsg(peer->js, peer->dead_stream, i, NULL, NULL));
		else if (is_dead)
			expected[left++] = i;
	}
	open_peer(peer, NULL);
	for (;;) {
		struct herald_dead_message_list list = read_some(peer, 7, 100000);

		if (list.count == 0)
			break;
		assert_true(list.count <= 7);
		for (struct herald_dead_message *at = list.first; at; at = at->next) {
			assert_true(found < left);
			assert_int_equal(strtoull(at->id, NULL, 10), expected[found]);
			assert_true(at->stored_ms > 0);
			found++;
		}
		peer->ops->release(peer->letters, &list);
	}
	assert_int_equal(found, left);
	assert_int_equal(read_some(peer, 7, 1000).count, 0);
	finish(peer);
}

static void
large_ones_come_in_small_batches(void **state)
{
	const size_t large = 500000;
	struct peer *peer = create(0);
	char *text = test_malloc(large + 1);
	size_t found = 0;

	(void)state;
	memset(text, 'x', large);
	text[large] = '\0';
	for (int i = 0; i < 20; i++)
		put(peer, peer->dead, text);
	open_peer(peer, NULL);
	for (;;) {
		struct herald_dead_message_list list = read_some(peer, 64, 2000000);

		if (list.count == 0)
			break;
		assert_true(list.count <= (found == 0 ? 8 : 3));
		assert_int_equal(list.last->data.bytes, large);
		found += list.count;
		peer->ops->release(peer->letters, &list);
	}
	assert_int_equal(found, 20);
	test_free(text);
	finish(peer);
}

static void
one_is_found_by_its_id(void **state)
{
	static const char *const others[] = {"2", "9", "0", "x", "", "18446744073709551616"};
	struct peer *peer = create(0);

	(void)state;
	put(peer, peer->dead, "a");
	put(peer, peer->other, "b");
	put(peer, peer->dead, "c");
	open_peer(peer, "3");
	put(peer, peer->dead, "later");
	struct herald_dead_message_list list = read_some(peer, 9, 1000);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.first->data.data, "c");
	peer->ops->release(peer->letters, &list);
	assert_int_equal(read_some(peer, 9, 1000).count, 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		peer->ops->close(peer->letters);
		open_peer(peer, others[i]);
		assert_int_equal(read_some(peer, 9, 1000).count, 0);
	}
	finish(peer);
}

/* In any order of the names; values of one name keep theirs. */
static void
check_attributes(struct herald_text attributes)
{
	const char *const end = attributes.data + attributes.bytes;
	char shops[32] = "";
	unsigned names = 0;

	for (const char *name = attributes.data; name < end; names++) {
		const char *value = name + strlen(name) + 1;

		if (strcmp(name, "Shop") == 0)
			snprintf(shops + strlen(shops), sizeof(shops) - strlen(shops), "%s ",
				 value);
		else if (strcmp(name, "Empty") == 0)
			assert_string_equal(value, "");
		else if (strcmp(name, "Last") == 0)
			assert_string_equal(value, "z");
		else
			assert_string_equal(name, "Nats-Msg-Id");
		name = value + strlen(value) + 1;
	}
	assert_int_equal(names, 5);
	assert_string_equal(shops, "berlin paris ");
}

static void
a_copy_keeps_what_is_not_heralds(void **state)
{
	struct peer *peer = create(0);
	natsMsg *msg;

	(void)state;
	check(natsMsg_Create(&msg, peer->dead, NULL, "x\0y", 3));
	check(natsMsgHeader_Add(msg, "Shop", "berlin"));
	check(natsMsgHeader_Add(msg, "Empty", ""));
	check(natsMsgHeader_Add(msg, "Shop", "paris"));
	check(natsMsgHeader_Add(msg, "Herald-Reason", "why"));
	check(natsMsgHeader_Add(msg, "HERALD-ATTEMPT", "2"));
	check(natsMsgHeader_Add(msg, "nats-expected-stream", peer->dead_stream));
	check(natsMsgHeader_Add(msg, "Last", "z"));
	check(js_PublishMsg(NULL, peer->js, msg, NULL, NULL));
	natsMsg_Destroy(msg);
	open_peer(peer, NULL);
	struct herald_dead_message_list list = read_some(peer, 9, 1000);
	assert_int_equal(list.count, 1);
	assert_string_equal(herald_attributes_find(list.first->attributes, "empty"), "");
	assert_string_equal(herald_attributes_find(list.first->attributes, "herald-reason"), "why");
	assert_int_equal(peer->ops->replay(peer->letters, &list, peer->stream, &peer->error),
			 HERALD_OK);
	assert_int_equal(count_status(&list, HERALD_OK), 1);
	peer->ops->release(peer->letters, &list);
	assert_int_equal(count(peer, peer->dead_stream), 0);

	/* libnats before 3.11 misreads empty headers; the reader does not. */
	peer->ops->close(peer->letters);
	peer->ops->destroy(peer->letters);
	assert_int_equal(herald_nats_dead_letters_create(
				 &HERALD_NATS_DEAD_LETTERS_OPTIONS(.url = server.url, .stream = "x",
								   .dead_subject = peer->stream),
				 &peer->letters, NULL),
			 HERALD_OK);
	open_peer(peer, NULL);
	list = read_some(peer, 9, 1000);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.first->data.bytes, 3);
	assert_memory_equal(list.first->data.data, "x\0y", 3);
	check_attributes(list.first->attributes);
	peer->ops->release(peer->letters, &list);
	finish(peer);
}

static void
two_replays_store_one_copy(void **state)
{
	struct peer *peer = create(0);

	(void)state;
	put(peer, peer->dead, "a");
	open_peer(peer, NULL);
	struct herald_dead_message_list first = read_some(peer, 9, 1000);
	peer->ops->close(peer->letters);
	open_peer(peer, NULL);
	struct herald_dead_message_list second = read_some(peer, 9, 1000);
	assert_int_equal(first.count + second.count, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(peer->ops->replay(peer->letters, i ? &second : &first,
						   peer->stream, &peer->error),
				 HERALD_OK);
	assert_int_equal(first.first->status, HERALD_OK);
	assert_int_equal(second.first->status, HERALD_MISSING);
	assert_int_equal(count(peer, peer->stream), 1);
	peer->ops->release(peer->letters, &first);
	peer->ops->release(peer->letters, &second);
	finish(peer);
}

static void
what_cannot_be_replayed_stays(void **state)
{
	const size_t max = 1048576;
	struct peer *peer = create(0);
	char *text = test_calloc(1, max + 1);

	(void)state;
	memset(text, 'x', max);
	put(peer, peer->dead, text);
	put(peer, peer->dead, "a");
	open_peer(peer, NULL);
	struct herald_dead_message_list list = read_some(peer, 9, 100000000);
	assert_int_equal(list.count, 2);
	/* With an id, it is larger than the server's max_payload. */
	assert_int_equal(peer->ops->replay(peer->letters, &list, peer->stream, &peer->error),
			 HERALD_OK);
	assert_int_equal(list.first->status, HERALD_UNAVAILABLE);
	assert_string_equal(list.first->reason, natsStatus_GetText(NATS_MAX_PAYLOAD));
	assert_int_equal(list.last->status, HERALD_OK);
	assert_int_equal(count(peer, peer->dead_stream), 1);
	peer->ops->release(peer->letters, &list);

	put(peer, peer->dead, "b");
	for (int i = 0; i < 2; i++) {
		peer->ops->close(peer->letters);
		open_peer(peer, i ? "3" : NULL);
		list = read_some(peer, 9, 100000000);
		assert_int_equal(peer->ops->replay(peer->letters, &list, i ? "gone" : peer->dead,
						   &peer->error),
				 HERALD_OK);
		assert_int_equal(count_status(&list, HERALD_BAD_OPTION), list.count);
		assert_string_equal(list.last->reason,
				    i ? "no stream stores the subject gone"
				      : "it would be sent to the dead letters themselves");
		peer->ops->release(peer->letters, &list);
		assert_int_equal(count(peer, peer->dead_stream), 2);
	}
	test_free(text);
	finish(peer);
}

/* A client that has subscribed to the target does not store it, whatever it answers. */
static void
answer(natsConnection *connection, natsSubscription *subscription, natsMsg *msg, void *state)
{
	(void)subscription;
	natsConnection_PublishString(connection, natsMsg_GetReply(msg), state);
	natsMsg_Destroy(msg);
}

static void
a_client_is_not_a_stream(void **state)
{
	static char ok[] = "ok", none[] = "", json[] = "{\"seq\":1}";
	static const struct {
		char *text;
		const char *reason;
	} rows[] = {
		{ok, "no stream has answered, but a client: ok"},
		{none, "no stream stores its subject"},
		{json, "no stream has answered, but a client: {\"seq\":1}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct peer *peer = create(0);
		natsSubscription *subscription = NULL;

		check(natsConnection_Subscribe(&subscription, peer->connection, "client", answer,
					       rows[i].text));
		check(natsConnection_Flush(peer->connection));
		put(peer, peer->dead, "a");
		put(peer, peer->dead, "b");
		open_peer(peer, NULL);
		struct herald_dead_message_list list = read_some(peer, 9, 1000);
		assert_int_equal(peer->ops->replay(peer->letters, &list, "client", &peer->error),
				 HERALD_OK);
		assert_int_equal(count_status(&list, HERALD_UNAVAILABLE), 2);
		assert_string_equal(list.first->reason, rows[i].reason);
		peer->ops->release(peer->letters, &list);
		assert_int_equal(count(peer, peer->dead_stream), 2);
		natsSubscription_Destroy(subscription);
		finish(peer);
	}
}

/* A dead letter that anyone has written says where it would be sent. */
static void
nothing_is_sent_to_bad_targets(void **state)
{
	static const char reserved[] = "where it would be sent to is reserved for NATS itself: "
				       "subjects that begin with $ or _INBOX";
	static const char wrong[] = "where it would be sent to is not a subject: it has blanks, "
				    "control characters, wildcards or empty tokens";
	static const char size[] = "where it would be sent to is too long for a subject";
	static char too_long[3902], long_enough[301];
	struct peer *peer = create(0);
	char purge[96], erase[96];
	const struct {
		const char *target, *reason;
	} rows[] = {
		{purge, reserved},    {erase, reserved},      {"$", reserved},
		{"_INBOX", reserved}, {"_INBOX.a", reserved}, {"a b", wrong},
		{"a\r\nPING", wrong}, {"a\tb", wrong},        {"a\x7f", wrong},
		{"orders.*", wrong},  {">", wrong},           {"", wrong},
		{"a..b", wrong},      {".a", wrong},          {"a.", wrong},
		{too_long, size},     {"_INBOXES", NULL},     {long_enough, NULL},
		{too_long + 1, NULL},
	};

	(void)state;
	memset(too_long, 'x', sizeof(too_long) - 1);
	memset(long_enough, 'y', sizeof(long_enough) - 1);
	snprintf(purge, sizeof(purge), "$JS.API.STREAM.PURGE.%s", peer->stream);
	snprintf(erase, sizeof(erase), "$JS.API.STREAM.MSG.DELETE.%s", peer->stream);
	put(peer, peer->stream, "here before");
	put(peer, peer->dead, "{\"seq\":1}");
	open_peer(peer, NULL);
	struct herald_dead_message_list list = read_some(peer, 9, 1000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(
			peer->ops->replay(peer->letters, &list, rows[i].target, &peer->error),
			HERALD_OK);
		assert_int_equal(list.first->status, HERALD_BAD_OPTION);
		if (rows[i].reason)
			assert_string_equal(list.first->reason, rows[i].reason);
		else
			assert_memory_equal(list.first->reason, "no stream stores the subject ",
					    29);
	}
	assert_int_equal(count(peer, peer->stream), 1);
	/* The connection is still there. */
	assert_int_equal(peer->ops->replay(peer->letters, &list, peer->stream, &peer->error),
			 HERALD_OK);
	assert_int_equal(list.first->status, HERALD_OK);
	assert_int_equal(count(peer, peer->stream), 2);
	peer->ops->release(peer->letters, &list);
	finish(peer);
}

/* A copy that was stored under another subject of the same stream is not the one that is wanted. */
static void
each_target_gets_its_copy(void **state)
{
	static const char *const targets[] = {"twice.a", "twice.b"};
	struct peer *peer = create(0);
	struct herald_dead_message_list lists[2];

	(void)state;
	make_stream(peer, "twice", targets, 2);
	put(peer, peer->dead, "a");
	for (int i = 0; i < 2; i++) {
		open_peer(peer, NULL);
		lists[i] = read_some(peer, 9, 1000);
		peer->ops->close(peer->letters);
	}
	open_peer(peer, NULL);
	/* As if the first replay had ended between the copy and the removal. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(lists[i].count, 1);
		assert_int_equal(
			peer->ops->replay(peer->letters, &lists[i], targets[i], &peer->error),
			HERALD_OK);
		peer->ops->release(peer->letters, &lists[i]);
	}
	assert_int_equal(count(peer, "twice"), 2);
	finish(peer);
}

/* More than sockets take: what libnats could not send whole is the last that it sends. */
static void
a_hanging_server_gets_no_broken_messages(void **state)
{
	const size_t large = 1000000;
	struct peer *peer = create(SHORT_MS);
	char *text = test_malloc(large + 1);

	(void)state;
	memset(text, 'x', large);
	text[large] = '\0';
	for (int i = 0; i < 32; i++)
		put(peer, peer->dead, text);
	test_free(text);
	open_peer(peer, NULL);
	/* The size of the first ones says how many there are at once. */
	struct herald_dead_message_list list = read_some(peer, 64, 64 * large);
	peer->ops->release(peer->letters, &list);
	list = read_some(peer, 64, 64 * large);
	assert_int_equal(list.count, 24);
	nats_server_pause(&server);
	assert_int_equal(peer->ops->replay(peer->letters, &list, peer->stream, &peer->error),
			 HERALD_UNAVAILABLE);
	assert_int_equal(count_status(&list, HERALD_UNKNOWN_OUTCOME), 24);
	assert_memory_equal(peer->error.message, "the connection is lost: cannot send", 35);
	peer->ops->release(peer->letters, &list);
	peer->ops->close(peer->letters);
	nats_server_resume(&server);
	disconnect_peer(peer);
	connect_peer(peer);
	assert_int_equal(count(peer, peer->dead_stream), 32);
	assert_true(count(peer, peer->stream) < 24);
	finish(peer);
}

/* A stream of the test. The reader asks for the message 1, then for the others at once; those are
 * answered in reverse, as servers since 2.12 may do. */
struct fake_stream {
	uint64_t count, asked;
	char replies[16][96];
};

static void
fake_message(natsConnection *connection, const char *reply, uint64_t sequence)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "{\"message\":{\"subject\":\"fake.dead\",\"seq\":%llu,\"data\":\"eA==\","
		 "\"time\":\"2024-08-20T05:21:19Z\"}}",
		 (unsigned long long)sequence);
	natsConnection_PublishString(connection, reply, text);
}

static void
fake_answer(natsConnection *connection, natsSubscription *subscription, natsMsg *msg, void *state)
{
	struct fake_stream *stream = state;
	const char *subject = natsMsg_GetSubject(msg), *reply = natsMsg_GetReply(msg);

	(void)subscription;
	if (strstr(subject, "STREAM.NAMES")) {
		natsConnection_PublishString(connection, reply, "{\"streams\":[\"fake\"]}");
	} else if (strstr(subject, "STREAM.INFO")) {
		char text[256];

		snprintf(text, sizeof(text),
			 "{\"config\":{\"name\":\"fake\",\"subjects\":[\"fake.dead\"],"
			 "\"retention\":\"limits\",\"storage\":\"file\"},\"state\":{\"messages\":%"
			 "llu,"
			 "\"first_seq\":1,\"last_seq\":%llu}}",
			 (unsigned long long)stream->count, (unsigned long long)stream->count);
		natsConnection_PublishString(connection, reply, text);
	} else if (stream->asked == 0) {
		stream->asked++;
		fake_message(connection, reply, 1);
	} else {
		snprintf(stream->replies[stream->asked++], sizeof(stream->replies[0]), "%s", reply);
		for (uint64_t i = stream->count; stream->asked == stream->count && i > 1; i--)
			fake_message(connection, stream->replies[i - 1], i);
	}
	natsMsg_Destroy(msg);
}

static void
the_oldest_comes_first(void **state)
{
	struct nats_server plain = {
		.settings = "accounts { SHOP { users = [{user: shop, password: secret}], "
			    "mappings = { \"$JS.API.>\": \"fake.>\" } } }",
	};
	struct fake_stream stream = {.count = 7};
	struct peer peer = {0};
	natsSubscription *subscription = NULL;
	char url[96];

	(void)state;
	nats_server_start(&plain);
	snprintf(url, sizeof(url), "nats://shop:secret@127.0.0.1:%u", plain.port);
	check(natsConnection_ConnectTo(&peer.connection, url));
	check(natsConnection_Subscribe(&subscription, peer.connection, "fake.>", fake_answer,
				       &stream));
	check(natsConnection_Flush(peer.connection));
	if (herald_nats_dead_letters_create(
		    &HERALD_NATS_DEAD_LETTERS_OPTIONS(.url = url, .stream = "fake"), &peer.letters,
		    &peer.error) != HERALD_OK)
		fail_msg("%s", peer.error.message);
	peer.ops = peer.letters->ops;
	open_peer(&peer, NULL);
	struct herald_dead_message_list list = read_some(&peer, 9, 1000);
	uint64_t expected = 1;
	for (const struct herald_dead_message *at = list.first; at; at = at->next)
		assert_int_equal(strtoull(at->id, NULL, 10), expected++);
	assert_int_equal(expected, 8);
	assert_int_equal(list.count, 7);
	assert_string_equal(list.last->id, "7");
	peer.ops->release(peer.letters, &list);
	peer.ops->close(peer.letters);
	peer.ops->destroy(peer.letters);
	natsSubscription_Destroy(subscription);
	natsConnection_Destroy(peer.connection);
	nats_server_stop(&plain);
}

static void
a_removal_is_for_good(void **state)
{
	struct peer *peer = create(0);

	(void)state;
	for (int i = 0; i < 3; i++)
		put(peer, peer->dead, "a");
	open_peer(peer, NULL);
	struct herald_dead_message_list list = read_some(peer, 2, 1000);
	assert_int_equal(list.count, 2);
	assert_int_equal(peer->ops->remove(peer->letters, &list, &peer->error), HERALD_OK);
	assert_int_equal(count_status(&list, HERALD_OK), 2);
	assert_int_equal(count(peer, peer->dead_stream), 1);
	assert_int_equal(peer->ops->remove(peer->letters, &list, &peer->error), HERALD_OK);
	assert_int_equal(count_status(&list, HERALD_MISSING), 2);
	peer->ops->release(peer->letters, &list);
	finish(peer);
}

/* A server that is killed, and one that hangs. */
static void
a_lost_connection_leaves_it_in_doubt(void **state)
{
	(void)state;
	for (int hangs = 0; hangs < 2; hangs++) {
		struct peer *peer = create(hangs ? SHORT_MS : 0);

		for (int i = 0; i < 5; i++)
			put(peer, peer->dead, "a");
		open_peer(peer, NULL);
		struct herald_dead_message_list list = read_some(peer, 9, 1000);
		assert_int_equal(list.count, 5);
		if (hangs)
			nats_server_pause(&server);
		else
			nats_server_crash(&server);
		assert_int_equal(
			peer->ops->replay(peer->letters, &list, peer->stream, &peer->error),
			HERALD_UNAVAILABLE);
		assert_int_equal(count_status(&list, HERALD_UNKNOWN_OUTCOME), 5);
		assert_non_null(strstr(peer->error.message, "the connection is lost: "));
		peer->ops->release(peer->letters, &list);
		peer->ops->close(peer->letters);
		if (hangs)
			nats_server_resume(&server);
		else
			nats_server_restart(&server);
		disconnect_peer(peer);
		connect_peer(peer);
		/* Of the copies that have arrived, the dead letters are still there. */
		assert_int_equal(count(peer, peer->dead_stream), 5);
		open_peer(peer, NULL);
		list = read_some(peer, 9, 1000);
		assert_int_equal(
			peer->ops->replay(peer->letters, &list, peer->stream, &peer->error),
			HERALD_OK);
		assert_int_equal(count_status(&list, HERALD_OK), 5);
		assert_int_equal(count(peer, peer->stream), 5);
		peer->ops->release(peer->letters, &list);
		finish(peer);
	}
}

static void
without_memory_it_fails(void **state)
{
	struct peer *peer = create(0);
	bool has_failed = true;

	(void)state;
	for (size_t n = 1; has_failed; n++) {
		struct failing_allocator memory;
		failing_allocator_init(&memory, FAIL_ONLY, n);
		struct herald_dead_letters *letters;
		struct herald_dead_message_list list = {0};

		put(peer, peer->dead, "a");
		put(peer, peer->dead, "b");
		enum herald_status status = herald_nats_dead_letters_create(
			&HERALD_NATS_DEAD_LETTERS_OPTIONS(.url = server.url, .stream = peer->stream,
							  .allocator = memory.allocator),
			&letters, NULL);
		if (status == HERALD_OK) {
			status = letters->ops->open(letters, NULL, NULL);
			if (status == HERALD_OK)
				status = letters->ops->read(letters, 9, 1000, &list, NULL);
			if (status == HERALD_OK)
				status = letters->ops->replay(letters, &list, peer->stream, NULL);
			letters->ops->release(letters, &list);
			letters->ops->close(letters);
			letters->ops->destroy(letters);
		}
		assert_all_released(&memory);
		has_failed = memory.failures > 0;
		assert_int_equal(status, has_failed ? HERALD_NO_MEMORY : HERALD_OK);
		assert_true(has_failed || n > 3);
	}
	finish(peer);
}

static int
start(void **state)
{
	(void)state;
	nats_server_start(&server);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	nats_server_stop(&server);
	nats_Close();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(gaps_are_left_out),
		cmocka_unit_test(large_ones_come_in_small_batches),
		cmocka_unit_test(one_is_found_by_its_id),
		cmocka_unit_test(a_copy_keeps_what_is_not_heralds),
		cmocka_unit_test(two_replays_store_one_copy),
		cmocka_unit_test(what_cannot_be_replayed_stays),
		cmocka_unit_test(a_client_is_not_a_stream),
		cmocka_unit_test(nothing_is_sent_to_bad_targets),
		cmocka_unit_test(each_target_gets_its_copy),
		cmocka_unit_test(a_hanging_server_gets_no_broken_messages),
		cmocka_unit_test(the_oldest_comes_first),
		cmocka_unit_test(a_removal_is_for_good),
		cmocka_unit_test(a_lost_connection_leaves_it_in_doubt),
		cmocka_unit_test(without_memory_it_fails),
	};

	if (!nats_server_exists())
		return nats_server_left_out("nats_dead_letters");
	return cmocka_run_group_tests(tests, start, stop);
}
