/*
 * Callbacks and effects of a process that is killed (SIGKILL) again and again under load: each
 * event that was accepted has its callback, and all requests of one callback have the same id.
 * Functions that join the transaction insert a row into a table of their own: there is one row for
 * each event that has succeeded, and none for others. With SQLite, libcurl, and a receiver that
 * sometimes fails.
 *
 * Also a receiver that is silent: many deliveries to it delay no callbacks to another one.
 *
 * The process is this program with arguments. It writes the numbers of accepted events to a pipe.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/callback.h>
#include <herald/curl.h>
#include <herald/herald.h>
#include <herald/sqlite.h>

#include "support/draw.h"
#include "support/sqlite_file.h"

#define MAX_EVENTS 200000
#define SENDERS 4
#define CONNECTIONS 64

/* The process. */

struct job {
	uint64_t number;
};

HERALD_SCHEMA(job, HERALD_FIELD(job, number, .required = true));

/* One in five fails. */
static bool
fails(uint64_t number)
{
	return number % 10 < 2;
}

/* Every second one joins the transaction. */
static bool
joins(uint64_t number)
{
	return number % 2 == 1;
}

static enum herald_verdict
on_job(struct herald_context *ctx, const struct job *job)
{
	return fails(job->number) ? herald_fail(ctx, "it fails") : HERALD_DONE;
}
HERALD_FUNCTION(on_job, job);

/* The row of an event that fails is rolled back. */
static enum herald_verdict
on_joined_job(struct herald_context *ctx, const struct job *job)
{
	sqlite3 *db = herald_sqlite_handle(ctx);
	char sql[64];

	snprintf(sql, sizeof(sql), "INSERT INTO effects VALUES (%u)", (unsigned)job->number);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return herald_retry(ctx, "%s", sqlite3_errmsg(db));
	return on_job(ctx, job);
}
HERALD_FUNCTION(on_joined_job, job);

struct child {
	struct herald_store *store;
	struct herald_deliverer *deliverer;
	struct herald_service *service;
	unsigned port;
	atomic_uint next; /* event */
	unsigned end;
};

static void
die(const char *what, const struct herald_error *error)
{
	fprintf(stderr, "%s: %s\n", what, error->message);
	_exit(3);
}

static void
child_create(struct child *child, const char *path)
{
	struct herald_store_options store = HERALD_STORE_OPTIONS(.workers = 2, .first_delay_ms = 5);
	/* A crash counts as an attempt of what was being sent. */
	struct herald_deliverer_options deliverer =
		HERALD_DELIVERER_OPTIONS(.attempts = 1000, .first_delay_ms = 5, .max_delay_ms = 20,
					 .addresses = HERALD_ADDRESSES_ANY);
	const struct herald_route routes[] = {
		HERALD_ROUTE("job", job, on_job, NULL),
		HERALD_ROUTE("joined_job", job, on_joined_job, NULL,
			     .transaction = HERALD_TRANSACTION_JOIN),
	};
	struct herald_handler *handlers[1];
	struct herald_error error;

	if (herald_sqlite_create(&HERALD_SQLITE_OPTIONS(.path = path), &store.database, &error) !=
		    HERALD_OK ||
	    herald_store_create(&store, &child->store, &error) != HERALD_OK ||
	    herald_store_queue_create(child->store, &deliverer.queue, &error) != HERALD_OK ||
	    herald_curl_transport_create(NULL, &deliverer.transport, &error) != HERALD_OK ||
	    herald_deliverer_create(&deliverer, &child->deliverer, &error) != HERALD_OK ||
	    herald_callback_handler_create(child->deliverer, NULL, &handlers[0], &error) !=
		    HERALD_OK ||
	    herald_service_create(
		    &HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), HERALD_HANDLERS(handlers),
					    .envelope = &herald_callback_message_schema,
					    .store = child->store),
		    &child->service, &error) != HERALD_OK)
		die("cannot start", &error);
}

static void
send_event(struct child *child, unsigned number)
{
	struct herald_result result;
	char event[512];
	int bytes = snprintf(event, sizeof(event),
			     "{\"event_type\":\"%s\",\"timestamp\":\"2024-08-20T05:21:19Z\","
			     "\"payload\":{\"number\":%u},\"metadata\":{\"id\":\"%u\"},"
			     "\"callback\":{\"success_url\":\"http://127.0.0.1:%u/done\","
			     "\"fail_url\":\"http://127.0.0.1:%u/fail\"}}",
			     joins(number) ? "joined_job" : "job", number, number, child->port,
			     child->port);

	herald_service_handle(child->service, event, (size_t)bytes, &result);
	if (result.http_status != 202)
		die("not accepted", &result.error);
}

static void *
send_events(void *state)
{
	struct child *child = state;
	unsigned number;

	while ((number = atomic_fetch_add(&child->next, 1)) < child->end) {
		send_event(child, number);
		if (write(STDOUT_FILENO, &number, sizeof(number)) != sizeof(number))
			_exit(0);
	}
	return NULL;
}

static void
child_destroy(struct child *child, uint32_t drain_ms)
{
	herald_store_stop(child->store, 60000);
	herald_deliverer_stop(child->deliverer, drain_ms);
	herald_service_destroy(child->service);
	herald_deliverer_destroy(child->deliverer);
	herald_store_destroy(child->store);
}

/* Sends events until it has sent all, and delivers until stdin is closed. */
static int
child_main(char **arguments)
{
	struct child child = {.port = (unsigned)atoi(arguments[1])};
	pthread_t threads[SENDERS];
	char byte;

	atomic_init(&child.next, (unsigned)atoi(arguments[2]));
	child.end = (unsigned)atoi(arguments[3]);
	child_create(&child, arguments[0]);
	for (size_t i = 0; i < SENDERS; i++)
		if (pthread_create(&threads[i], NULL, send_events, &child) != 0)
			_exit(3);
	for (size_t i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	child_destroy(&child, 10000);
	return 0;
}

/* The receiver: one thread, several connections, requests without a body. */

struct receiver {
	pthread_t thread;
	int listener, quit[2];
	unsigned port;
	uint64_t seed;

	pthread_mutex_t mutex; /* protects the members below */
	char (*ids)[33];       /* of the delivery, by event; "": none yet */
	size_t requests, repeated;
	char problem[256];
};

static void
find_header(const char *request, const char *name, char *out, size_t size)
{
	const char *at = strstr(request, name);
	size_t bytes = at ? strcspn(at + strlen(name), "\r") : 0;

	snprintf(out, size, "%.*s", (int)bytes, at ? at + strlen(name) : "");
}

/* Returns the status of the response. */
static unsigned
receive(struct receiver *receiver, const char *request)
{
	char id[64], event[32], result[16];
	unsigned status = 200;

	find_header(request, "Herald-Delivery-Id: ", id, sizeof(id));
	find_header(request, "Herald-Event-Id: ", event, sizeof(event));
	find_header(request, "Herald-Result: ", result, sizeof(result));
	unsigned long number = strtoul(event, NULL, 10);
	pthread_mutex_lock(&receiver->mutex);
	receiver->requests++;
	if (strlen(id) != 32 || number >= MAX_EVENTS)
		snprintf(receiver->problem, sizeof(receiver->problem), "request: %.200s", request);
	else if (draw_one_in(&receiver->seed, 8))
		status = 503; /* it counts as not received */
	else if (strcmp(result, fails(number) ? "fail" : "success") != 0)
		snprintf(receiver->problem, sizeof(receiver->problem), "event %lu: %s", number,
			 result);
	else if (receiver->ids[number][0] == '\0')
		memcpy(receiver->ids[number], id, 33);
	else if (strcmp(receiver->ids[number], id) != 0)
		snprintf(receiver->problem, sizeof(receiver->problem), "event %lu: %s and %s",
			 number, receiver->ids[number], id);
	else
		receiver->repeated++;
	pthread_mutex_unlock(&receiver->mutex);
	return status;
}

struct connection {
	size_t bytes;
	char data[4096];
};

/* Returns false when the connection is to be closed. */
static bool
serve(struct receiver *receiver, struct connection *connection, int fd)
{
	ssize_t got = recv(fd, connection->data + connection->bytes,
			   sizeof(connection->data) - 1 - connection->bytes, 0);
	char *end;

	if (got <= 0)
		return false;
	connection->bytes += (size_t)got;
	connection->data[connection->bytes] = '\0';
	while ((end = strstr(connection->data, "\r\n\r\n"))) {
		char response[64];
		int bytes;

		*end = '\0';
		bytes = snprintf(response, sizeof(response),
				 "HTTP/1.1 %u X\r\nContent-Length: 0\r\n\r\n",
				 receive(receiver, connection->data));
		if (send(fd, response, (size_t)bytes, MSG_NOSIGNAL) != bytes)
			return false;
		connection->bytes -= (size_t)(end + 4 - connection->data);
		memmove(connection->data, end + 4, connection->bytes + 1);
	}
	return connection->bytes < sizeof(connection->data) - 1;
}

static void *
receiver_run(void *state)
{
	static struct connection connections[CONNECTIONS];
	struct receiver *receiver = state;
	struct pollfd fds[CONNECTIONS + 2] = {{receiver->quit[0], POLLIN, 0},
					      {receiver->listener, POLLIN, 0}};
	nfds_t count = 2;

	while (poll(fds, count, -1) >= 0 && fds[0].revents == 0) {
		for (nfds_t i = 2; i < count; i++) {
			if (fds[i].revents == 0 || serve(receiver, &connections[i - 2], fds[i].fd))
				continue;
			close(fds[i].fd);
			fds[i] = fds[--count];
			connections[i - 2] = connections[count - 2];
			i--;
		}
		if (fds[1].revents == 0 || count == CONNECTIONS + 2)
			continue;
		fds[count] = (struct pollfd){accept(receiver->listener, NULL, NULL), POLLIN, 0};
		connections[count - 2].bytes = 0;
		count += fds[count].fd >= 0;
	}
	while (count > 2)
		close(fds[--count].fd);
	return NULL;
}

/* A socket that listens on a free port. */
static int
listen_anywhere(unsigned *port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t bytes = sizeof(name);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(listen(fd, 128), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &bytes), 0);
	*port = ntohs(name.sin_port);
	return fd;
}

static void
receiver_start(struct receiver *receiver)
{
	receiver->seed = draw_seed();
	receiver->ids = calloc(MAX_EVENTS, sizeof(*receiver->ids));
	assert_non_null(receiver->ids);
	assert_int_equal(pthread_mutex_init(&receiver->mutex, NULL), 0);
	assert_int_equal(pipe(receiver->quit), 0);
	receiver->listener = listen_anywhere(&receiver->port);
	assert_int_equal(pthread_create(&receiver->thread, NULL, receiver_run, receiver), 0);
}

static void
receiver_stop(struct receiver *receiver)
{
	close(receiver->quit[1]);
	pthread_join(receiver->thread, NULL);
	close(receiver->quit[0]);
	close(receiver->listener);
	pthread_mutex_destroy(&receiver->mutex);
	free(receiver->ids);
}

/* The test. */

struct process {
	pid_t pid;
	int input, output;
};

static void
process_start(struct process *process, const char *path, unsigned port, unsigned first,
	      unsigned end)
{
	int in[2], out[2];
	char port_text[16], first_text[16], end_text[16];

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	snprintf(port_text, sizeof(port_text), "%u", port);
	snprintf(first_text, sizeof(first_text), "%u", first);
	snprintf(end_text, sizeof(end_text), "%u", end);
	process->pid = fork();
	assert_true(process->pid >= 0);
	if (process->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		execl("/proc/self/exe", "child", path, port_text, first_text, end_text, NULL);
		_exit(4);
	}
	close(in[0]);
	close(out[1]);
	process->input = in[1];
	process->output = out[0];
}

/* Note the next event that was accepted. Returns false at the end of the process. */
static bool
read_accepted(const struct process *process, bool *accepted, unsigned *next)
{
	unsigned number;

	if (read(process->output, &number, sizeof(number)) != sizeof(number))
		return false;
	assert_true(number < MAX_EVENTS);
	accepted[number] = true;
	if (number >= *next)
		*next = number + 1;
	return true;
}

/* Kill the process after some events. Returns the first number that it has not used. */
static unsigned
kill_after(const struct process *process, bool *accepted, unsigned first, size_t events)
{
	unsigned next = first;
	size_t count = 0;

	while (read_accepted(process, accepted, &next))
		if (++count == events)
			kill(process->pid, SIGKILL);
	/* Numbers that were under way are not used again. */
	return next + SENDERS;
}

static void
process_end(const struct process *process, bool was_killed)
{
	int status;

	close(process->input);
	assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
	if (was_killed)
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	else
		assert_int_equal(status, 0);
	close(process->output);
}

/* How many accepted events have no callback yet. */
static size_t
missing(struct receiver *receiver, const bool *accepted)
{
	size_t count = 0;

	pthread_mutex_lock(&receiver->mutex);
	if (receiver->problem[0] != '\0')
		fail_msg("%s", receiver->problem);
	for (size_t i = 0; i < MAX_EVENTS; i++)
		count += accepted[i] && receiver->ids[i][0] == '\0';
	pthread_mutex_unlock(&receiver->mutex);
	return count;
}

static void
await_callbacks(struct receiver *receiver, const bool *accepted)
{
	for (unsigned i = 0; missing(receiver, accepted) > 0; i++) {
		if (i == 6000)
			fail_msg("%zu accepted events have no callback",
				 missing(receiver, accepted));
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
}

/* Until nothing is left to run or to deliver, also of events that were not reported as accepted. */
static void
await_idle(const struct sqlite_file *file)
{
	for (unsigned i = 0;
	     sqlite_file_number(file, "SELECT (SELECT count(*) FROM herald_event) + "
				      "(SELECT count(*) FROM herald_delivery)") > 0;
	     i++) {
		if (i == 6000)
			fail_msg("events or deliveries are left");
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	}
}

static int
count_effect(void *state, int columns, char **values, char **names)
{
	unsigned *effects = state;
	unsigned long number = strtoul(values[0], NULL, 10);

	(void)columns;
	(void)names;
	assert_true(number < MAX_EVENTS);
	effects[number]++;
	return 0;
}

/* Each event has its row and its callback, or neither, also those that were stored although the
 * process was killed before it could say so. */
static size_t
check_effects(const struct sqlite_file *file, const struct receiver *receiver, const bool *accepted)
{
	unsigned *effects = calloc(MAX_EVENTS, sizeof(*effects));
	sqlite3 *db = sqlite_file_connect(file);
	size_t count = 0;

	assert_non_null(effects);
	assert_int_equal(sqlite3_exec(db, "SELECT event FROM effects", count_effect, effects, NULL),
			 SQLITE_OK);
	for (size_t i = 0; i < MAX_EVENTS; i++) {
		const bool is_called = receiver->ids[i][0] != '\0';
		const unsigned expected = joins(i) && !fails(i) && is_called;

		if (effects[i] != expected || (accepted[i] && !is_called))
			fail_msg("event %zu: %u rows, expected %u", i, effects[i], expected);
		count += effects[i];
	}
	sqlite3_close(db);
	free(effects);
	return count;
}

static int
compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void
test_kill_under_load(void **state)
{
	const unsigned kills = getenv("HERALD_TEST_FULL") ? 200 : 12;
	struct receiver receiver = {.listener = -1};
	struct sqlite_file file;
	struct process process;
	uint64_t seed = draw_seed();
	bool *accepted = calloc(MAX_EVENTS, sizeof(*accepted));
	unsigned next = 0;
	size_t count = 0, different = 0, rows;

	(void)state;
	assert_non_null(accepted);
	sqlite_file_init(&file);
	sqlite_file_run(&file, "CREATE TABLE effects (event INTEGER)");
	receiver_start(&receiver);
	for (unsigned i = 0; i < kills; i++) {
		size_t events = 1 + draw_below(&seed, 300);

		process_start(&process, file.path, receiver.port, next, MAX_EVENTS);
		next = kill_after(&process, accepted, next, events);
		process_end(&process, true);
	}
	process_start(&process, file.path, receiver.port, next, next + 100);
	for (unsigned i = 0; i < 100; i++)
		assert_true(read_accepted(&process, accepted, &next));
	await_callbacks(&receiver, accepted);
	await_idle(&file);
	process_end(&process, false);

	for (size_t i = 0; i < MAX_EVENTS; i++)
		count += accepted[i];
	assert_true(count >= kills + 100);
	rows = check_effects(&file, &receiver, accepted);
	assert_true(rows >= 30);
	qsort(receiver.ids, MAX_EVENTS, sizeof(*receiver.ids), compare_ids);
	for (size_t i = 1; i < MAX_EVENTS; i++)
		different += strcmp(receiver.ids[i], receiver.ids[i - 1]) != 0;
	assert_true(different >= count);
	print_message("# %zu events, %zu rows, %zu requests, %zu repeated\n", count, rows,
		      receiver.requests, receiver.repeated);
	receiver_stop(&receiver);
	sqlite_file_close(&file);
	free(accepted);
}

/* A receiver that is silent. */

#define SILENT 100000
#define PUBLISHED 1000

/* Publishing all of them would take long: most are copies, older than those that were published. */
static void
publish_to(const struct child *child, sqlite3 *db, const char *url)
{
	static const char copy[] =
		"WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 99) "
		"INSERT INTO herald_delivery SELECT id - (i << 40), 2, due_ms, delayed, attempts, "
		"replays, 0, delivery_id, url, origin, event_type, event_id, created_ms, "
		"expires_ms, "
		"last_http_status, last_error, record FROM herald_delivery, n; COMMIT";
	const struct herald_delivery delivery = {.url = url};
	struct herald_error error;

	sqlite3_busy_timeout(db, 60000);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	for (size_t i = 0; i < PUBLISHED; i++)
		if (herald_sqlite_publish(child->store, db, &delivery, &error) != HERALD_OK)
			fail_msg("%s", error.message);
	if (sqlite3_exec(db, copy, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	herald_store_wake(child->store);
}

/* It accepts connections and answers nothing. Callbacks to another one come nevertheless. */
static void
test_silent_receiver(void **state)
{
	struct receiver receiver = {.listener = -1};
	struct child child = {.port = 0};
	struct sqlite_file file;
	char url[64];
	unsigned port;
	bool *accepted = calloc(MAX_EVENTS, sizeof(*accepted));

	(void)state;
	assert_non_null(accepted);
	sqlite_file_init(&file);
	sqlite_file_run(&file, "CREATE TABLE effects (event INTEGER)");
	receiver_start(&receiver);
	child.port = receiver.port;
	child_create(&child, file.path);
	const int silent = listen_anywhere(&port);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	file.user = sqlite_file_connect(&file);
	publish_to(&child, file.user, url);
	for (unsigned i = 0; i < 100; i++) {
		send_event(&child, i);
		accepted[i] = true;
	}
	await_callbacks(&receiver, accepted);
	/* All are still there, and only the first ones of them can be claimed. */
	assert_true(sqlite_file_number(&file, "SELECT count(*) FROM herald_delivery") >= SILENT);
	assert_true(sqlite_file_number(&file, "SELECT count(*) FROM herald_delivery "
					      "WHERE state <> 2") < 1000);
	child_destroy(&child, 0);
	assert_int_equal(check_effects(&file, &receiver, accepted), 40);
	receiver_stop(&receiver);
	close(silent);
	sqlite_file_close(&file);
	free(accepted);
}

int
main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kill_under_load),
		cmocka_unit_test(test_silent_receiver),
	};

	if (count == 5 && strcmp(arguments[0], "child") == 0)
		return child_main(arguments + 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
