/*
 * How the server uses a TLS adapter (herald/adapter/tls.h), with one whose streams are easy to
 * steer: "encrypted" bytes are XORed. tests/adapters/test_openssl.c has the real one.
 */
#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <herald/adapter/tls.h>
#include <herald/server.h>

#include "contract/http/probe.h"
#include "http/server_fixture.h"
#include "support/draw.h"

#define KEY 0x55
#define HELLO '\xee'
#define HEALTH "GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n"
#define LAST_HEALTH "GET /healthz HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"

enum mode {
	PLAIN_XOR,
	DRAWN,            /* waits at random, and writes parts */
	HANDSHAKE_WRITES, /* once something has come, it must be able to write before it reads on */
	WRITE_READS,      /* writes only once a byte has come */
	SHUTDOWN_WRITES,  /* shuts only once it could write, at the third try */
	SHUTDOWN_READS,   /* and once a byte has come */
	NO_MEMORY,
	PLAIN_HTTP,
	BROKEN_READ,
	BROKEN_WRITE,
};

struct fake {
	struct herald_tls base; /* first */
	enum mode mode;
	uint64_t seed;
	atomic_uint opened, closed, shut, writes;
};

struct herald_tls_stream {
	struct fake *fake;
	uint64_t random;
	int fd;
	unsigned tries;
	bool has_key; /* the byte that a write or a shutdown waits for has come */
};

static void
xor_bytes(char *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		data[i] ^= KEY;
}

static struct herald_tls_stream *
fake_open(struct herald_tls *tls, int fd)
{
	struct fake *fake = (struct fake *)tls;
	struct herald_tls_stream *stream =
		fake->mode == NO_MEMORY ? NULL : calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->fake = fake;
	stream->fd = fd;
	stream->random = fake->seed + atomic_fetch_add(&fake->opened, 1);
	return stream;
}

static enum herald_tls_result
fake_read(struct herald_tls_stream *stream, void *data, size_t bytes, size_t *got)
{
	enum mode mode = stream->fake->mode;

	assert(bytes >= 16384);
	if (mode == BROKEN_READ)
		return HERALD_TLS_BROKEN;
	if (mode == DRAWN && draw_one_in(&stream->random, 2))
		return HERALD_TLS_WANTS_WRITE;
	if (mode == HANDSHAKE_WRITES && stream->tries == 0) {
		ssize_t hello = recv(stream->fd, data, 1, 0);

		assert(hello == 1 && *(char *)data == HELLO);
		stream->tries++;
		return HERALD_TLS_WANTS_WRITE;
	}
	if (mode == HANDSHAKE_WRITES && stream->tries++ == 1) {
		ssize_t hello = send(stream->fd, &(char){HELLO}, 1, MSG_NOSIGNAL);

		assert(hello == 1);
		return HERALD_TLS_WANTS_READ;
	}
	ssize_t count = recv(stream->fd, data, bytes, 0);
	if (count < 0)
		return errno == EAGAIN ? HERALD_TLS_WANTS_READ : HERALD_TLS_BROKEN;
	if (count == 0)
		return HERALD_TLS_END;
	if (mode == PLAIN_HTTP)
		return HERALD_TLS_PLAIN_HTTP;
	xor_bytes(data, (size_t)count);
	if (count == 1 && *(char *)data == 'k') {
		stream->has_key = true;
		return HERALD_TLS_WANTS_READ;
	}
	*got = (size_t)count;
	return HERALD_TLS_DONE;
}

static enum herald_tls_result
fake_write(struct herald_tls_stream *stream, const void *data, size_t bytes, size_t *sent)
{
	char piece[4096];
	enum mode mode = stream->fake->mode;
	size_t most = bytes < sizeof(piece) ? bytes : sizeof(piece);

	atomic_fetch_add(&stream->fake->writes, 1);
	if (mode == BROKEN_WRITE)
		return HERALD_TLS_BROKEN;
	if (mode == DRAWN && draw_one_in(&stream->random, 2))
		return HERALD_TLS_WANTS_WRITE;
	if (mode == WRITE_READS && !stream->has_key)
		return HERALD_TLS_WANTS_READ;
	if (mode == DRAWN)
		most = 1 + draw_below(&stream->random, most);
	memcpy(piece, data, most);
	xor_bytes(piece, most);
	ssize_t count = send(stream->fd, piece, most, MSG_NOSIGNAL);
	if (count < 0)
		return errno == EAGAIN ? HERALD_TLS_WANTS_WRITE : HERALD_TLS_BROKEN;
	*sent = (size_t)count;
	return HERALD_TLS_DONE;
}

static enum herald_tls_result
fake_shutdown(struct herald_tls_stream *stream)
{
	if (stream->fake->mode == SHUTDOWN_WRITES && stream->tries++ < 2)
		return HERALD_TLS_WANTS_WRITE;
	if (stream->fake->mode == SHUTDOWN_READS && !stream->has_key)
		return HERALD_TLS_WANTS_READ;
	atomic_fetch_add(&stream->fake->shut, 1);
	return HERALD_TLS_DONE;
}

static const char *
fake_problem(const struct herald_tls_stream *stream)
{
	(void)stream;
	return "a fault of the test's";
}

static void
fake_close(struct herald_tls_stream *stream)
{
	/* The socket is still open. */
	assert(send(stream->fd, "", 0, MSG_NOSIGNAL) == 0 || errno != EBADF);
	atomic_fetch_add(&stream->fake->closed, 1);
	free(stream);
}

static const struct herald_tls_ops fake_ops = {
	.name = "fake",
	.open = fake_open,
	.read = fake_read,
	.write = fake_write,
	.shutdown = fake_shutdown,
	.problem = fake_problem,
	.close = fake_close,
};

static struct fake
fake_of(enum mode mode)
{
	return (struct fake){.base.ops = &fake_ops, .mode = mode};
}

/* The client's side. */

static bool
try_to_send(struct http_client *client, const char *text)
{
	char hidden[4096];
	size_t bytes = strlen(text);

	assert_true(bytes <= sizeof(hidden));
	memcpy(hidden, text, bytes);
	xor_bytes(hidden, bytes);
	return http_send(client, hidden, bytes);
}

static void
send_hidden(struct http_client *client, const char *text)
{
	assert_true(try_to_send(client, text));
}

static void
shake_hands(struct http_client *client)
{
	char hello = HELLO;

	assert_true(http_send(client, &hello, 1));
	assert_true(http_wait_readable(client, PROBE_AT_ONCE_MS));
	assert_int_equal(recv(client->fd, &hello, 1, 0), 1);
	assert_int_equal(hello, HELLO);
}

/* All that comes up to the end. Returns its length. */
static size_t
receive_hidden(struct http_client *client, char *out, size_t out_bytes)
{
	size_t bytes = 0, got;

	while ((got = http_receive_bytes(client, out + bytes, out_bytes - 1 - bytes)) > 0)
		bytes += got;
	assert_true(bytes < out_bytes - 1);
	xor_bytes(out, bytes);
	out[bytes] = '\0';
	return bytes;
}

static size_t
count_of(const char *text, const char *what)
{
	size_t count = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		count++;
	return count;
}

static void
end(struct probe *probe, const struct fake *fake, unsigned opened)
{
	probe_stop(probe);
	assert_int_equal(atomic_load(&fake->opened), opened);
	assert_int_equal(atomic_load(&fake->closed), opened);
}

/* The cases. */

/* Requests in pieces and several at once, answered whatever a stream waits for. */
static void
answers_however_streams_wait(void **state)
{
	static const enum mode modes[] = {PLAIN_XOR, HANDSHAKE_WRITES, SHUTDOWN_WRITES, DRAWN};
	uint64_t seed = draw_seed();
	char answers[64 * 1024];

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)seed);
	for (size_t i = 0; i < 24; i++) {
		size_t at = i < HERALD_COUNT(modes) ? i : HERALD_COUNT(modes) - 1;
		struct fake fake = fake_of(modes[at]);
		struct probe probe;
		struct http_client client;

		fake.seed = seed + i;
		serve(&probe, HERALD_SERVER_OPTIONS(.tls = &fake.base, .threads = 1));
		probe_connect(&probe, &client);
		if (modes[at] == HANDSHAKE_WRITES)
			shake_hands(&client);
		for (size_t j = 0; j < 20; j++)
			send_hidden(&client, HEALTH HEALTH HEALTH);
		send_hidden(&client, "GET /healthz HT");
		send_hidden(&client, "TP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
		receive_hidden(&client, answers, sizeof(answers));
		assert_int_equal(count_of(answers, "HTTP/1.1 200 OK\r\n"), 61);
		assert_int_equal(count_of(answers, "{\"status\":\"ok\"}"), 61);
		assert_int_equal(atomic_load(&fake.shut), 1);
		http_close(&client);
		end(&probe, &fake, 1);
	}
}

/* The loop waits for the byte, and does not try again and again. */
static void
writing_waits_for_reading(void **state)
{
	static const enum mode modes[] = {WRITE_READS, SHUTDOWN_READS};
	char answers[4096];

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(modes); i++) {
		struct fake fake = fake_of(modes[i]);
		struct probe probe;
		struct http_client client;

		serve(&probe, HERALD_SERVER_OPTIONS(.tls = &fake.base, .threads = 1));
		probe_connect(&probe, &client);
		send_hidden(&client, LAST_HEALTH);
		assert_true(http_wait_readable(&client, 100) == (modes[i] == SHUTDOWN_READS));
		assert_true(atomic_load(&fake.writes) <= 3);
		assert_int_equal(atomic_load(&fake.shut), 0);
		send_hidden(&client, "k");
		receive_hidden(&client, answers, sizeof(answers));
		assert_int_equal(count_of(answers, "{\"status\":\"ok\"}"), 1);
		assert_int_equal(atomic_load(&fake.shut), 1);
		http_close(&client);
		end(&probe, &fake, 1);
	}
}

/* Records of the log, on the server's thread. */
struct failures {
	atomic_uint count;
	bool has_text;
};

static void
count_failure(const struct herald_log_record *record, void *state)
{
	struct failures *failures = state;

	if (strcmp(record->message, "TLS failed") != 0)
		return;
	failures->has_text = record->level == HERALD_LOG_DEBUG && record->fields_count == 1 &&
			     strcmp(record->fields[0].key, "error") == 0 &&
			     strcmp(record->fields[0].text, "a fault of the test's") == 0;
	atomic_fetch_add(&failures->count, 1);
}

static void
failures_close_the_connection(void **state)
{
	static const struct {
		enum mode mode;
		unsigned opened, logged;
	} cases[] = {{NO_MEMORY, 0, 0}, {BROKEN_READ, 1, 1}, {BROKEN_WRITE, 1, 1}};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct fake fake = fake_of(cases[i].mode);
		struct failures failures = {0};
		struct probe probe;
		struct http_client client;

		serve(&probe, HERALD_SERVER_OPTIONS(.tls = &fake.base, .threads = 1,
						    .log = {.write = count_failure,
							    .state = &failures,
							    .level = HERALD_LOG_DEBUG}));
		probe_connect(&probe, &client);
		/* A connection that was closed may not take it. */
		(void)try_to_send(&client, HEALTH);
		assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
		http_close(&client);
		end(&probe, &fake, cases[i].opened);
		assert_int_equal(atomic_load(&failures.count), cases[i].logged);
		assert_true(failures.has_text == (cases[i].logged > 0));
	}
}

/* The answer is not encrypted, as the client would not understand it. */
static void
plain_http_is_told(void **state)
{
	struct fake fake = fake_of(PLAIN_HTTP);
	struct probe probe;
	struct http_client client;
	struct http_response response;

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.tls = &fake.base));
	probe_connect(&probe, &client);
	assert_true(http_send_text(&client, HEALTH));
	assert_true(http_receive(&client, true, &response));
	probe_assert_answer(&response, 400, "{\"error\":\"this port speaks TLS; use https\"}");
	assert_string_equal(http_header(&response, "Connection"), "close");
	assert_true(http_wait_closed(&client, PROBE_AT_ONCE_MS));
	http_close(&client);
	end(&probe, &fake, 1);
}

/* Neither a handshake nor a shutdown may last for ever; a stop waits for neither. */
static void
streams_have_deadlines(void **state)
{
	struct fake fake = fake_of(SHUTDOWN_READS);
	struct probe probe;
	struct http_client silent, unfinished;
	char answers[4096];

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.tls = &fake.base, .header_timeout_ms = 200));
	probe_connect(&probe, &silent);
	probe_connect(&probe, &unfinished);
	send_hidden(&unfinished, LAST_HEALTH);
	receive_hidden(&unfinished, answers, sizeof(answers));
	assert_true(http_wait_closed(&silent, PROBE_AT_ONCE_MS));
	assert_int_equal(atomic_load(&fake.shut), 0);
	http_close(&silent);
	http_close(&unfinished);

	probe_connect(&probe, &silent);
	send_hidden(&silent, HEALTH);
	assert_true(http_wait_readable(&silent, PROBE_AT_ONCE_MS));
	int64_t begin_ms = now_ms();
	assert_int_equal(probe_stop_server(&probe), 0);
	assert_true(now_ms() - begin_ms < PROBE_AT_ONCE_MS);
	http_close(&silent);
	end(&probe, &fake, 3);
}

/* A client that is gone while a pool handles its event: its stream is closed on its thread. */
static void
client_that_leaves_a_pool(void **state)
{
	struct fake fake = fake_of(PLAIN_XOR);
	struct herald_pool *pool;
	struct probe probe;
	struct http_client client;
	char request[1024];

	(void)state;
	assert_int_equal(herald_pool_create(NULL, &pool, NULL), HERALD_OK);
	serve(&probe, HERALD_SERVER_OPTIONS(.tls = &fake.base, .pool = pool));
	probe_connect(&probe, &client);
	snprintf(request, sizeof(request), HEAD "Content-Length: %zu\r\n\r\n%s",
		 strlen(PROBE_EVENT("hold", "")), PROBE_EVENT("hold", ""));
	send_hidden(&client, request);
	probe_wait_held(&probe, 1);
	http_reset(&client);
	while (atomic_load(&fake.closed) == 0)
		sched_yield();
	probe_release(&probe);
	end(&probe, &fake, 1);
	herald_pool_destroy(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_however_streams_wait),
		cmocka_unit_test(writing_waits_for_reading),
		cmocka_unit_test(failures_close_the_connection),
		cmocka_unit_test(plain_http_is_told),
		cmocka_unit_test(streams_have_deadlines),
		cmocka_unit_test(client_that_leaves_a_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
