/*
 * Who is charged when a process dies, with real processes that share a file of SQLite: an event
 * that crashes the commit of its own transaction, and deliveries that were claimed, or being sent.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/queue.h>
#include <herald/curl.h>
#include <herald/herald.h>
#include <herald/sqlite.h>

#include "support/sqlite_file.h"

#define EVENTS 64
#define GUILTY 7
#define MAX_INTERRUPTED 3

static void
pause_ms(long ms)
{
	const struct timespec time = {.tv_nsec = ms * 1000000};

	nanosleep(&time, NULL);
}

/* In a child process: no cmocka. */
static void
check(enum herald_status status, const struct herald_error *error)
{
	if (status == HERALD_OK)
		return;
	fprintf(stderr, "%s: %s\n", error->path, error->message);
	_exit(3);
}

static struct herald_store *
open_store(const char *path)
{
	struct herald_store_options options =
		HERALD_STORE_OPTIONS(.workers = 4, .first_delay_ms = 5,
				     .max_interrupted = MAX_INTERRUPTED);
	struct herald_store *store = NULL;
	struct herald_error error;

	check(herald_sqlite_create(&HERALD_SQLITE_OPTIONS(.path = path), &options.database, &error),
	      &error);
	check(herald_store_create(&options, &store, &error), &error);
	return store;
}

/* A commit that crashes. */

struct job {
	uint64_t number;
};

HERALD_SCHEMA(job, HERALD_FIELD(job, number, .required = true));

static int
crash(void *state)
{
	(void)state;
	abort();
}

static enum herald_verdict
on_job(struct herald_context *ctx, const struct job *job)
{
	if (job->number == GUILTY)
		sqlite3_commit_hook(herald_sqlite_handle(ctx), crash, NULL);
	return HERALD_DONE;
}
HERALD_FUNCTION(on_job, job);

static void
submit_all(struct herald_service *service)
{
	for (unsigned number = 0; number < EVENTS; number++) {
		struct herald_result result;
		char event[256];
		int bytes =
			snprintf(event, sizeof(event),
				 "{\"event_type\":\"job\",\"timestamp\":\"2024-08-20T05:21:19Z\","
				 "\"payload\":{\"number\":%u},\"metadata\":{\"id\":\"%u\"}}",
				 number, number);

		herald_service_handle(service, event, (size_t)bytes, &result);
		if (result.http_status != 202)
			_exit(4);
	}
}

/* Runs until nothing is left, or it crashes. */
static void
run_events(const struct sqlite_file *file)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("job", job, on_job, NULL, .transaction = HERALD_TRANSACTION_JOIN)};
	const struct rlimit no_core = {0, 0};
	struct herald_service *service = NULL;
	struct herald_error error;

	setrlimit(RLIMIT_CORE, &no_core);
	alarm(60);
	struct herald_store *store = open_store(file->path);
	check(herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .store = store),
				    &service, &error),
	      &error);
	submit_all(service);
	while (sqlite_file_number(file, "SELECT count(*) FROM herald_event") > 0)
		pause_ms(2);
	herald_store_stop(store, 1000);
	herald_service_destroy(service);
	herald_store_destroy(store);
	_exit(0);
}

static void
test_a_commit_that_crashes(void **state)
{
	struct sqlite_file file;
	unsigned crashes = 0;
	int status = 0;

	(void)state;
	sqlite_file_init(&file);
	for (unsigned starts = 0; starts < 10; starts++) {
		pid_t child = fork();

		if (child == 0)
			run_events(&file);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status))
			break;
		assert_int_equal(WTERMSIG(status), SIGABRT);
		crashes++;
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(crashes, MAX_INTERRUPTED);
	assert_int_equal(sqlite_file_number(&file, "SELECT count(*) FROM herald_dead"), 1);
	assert_int_equal(sqlite_file_number(&file, "SELECT event_id FROM herald_dead"), GUILTY);
	assert_int_equal(sqlite_file_number(&file, "SELECT interrupted FROM herald_dead"),
			 MAX_INTERRUPTED);
	sqlite_file_close(&file);
}

/* Deliveries. */

#define DELIVERIES 50
/* A host gets at most half of the slots. */
#define SLOTS 6
#define SENT (SLOTS / 2)

/* A receiver that never answers. */
static int
listen_silently(unsigned *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, bytes), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void
send_deliveries(const struct sqlite_file *file, unsigned port)
{
	struct herald_deliverer_options options =
		HERALD_DELIVERER_OPTIONS(.slots = SLOTS, .max_claimed = DELIVERIES,
					 .addresses = HERALD_ADDRESSES_ANY);
	struct herald_deliverer *deliverer = NULL;
	struct herald_error error;
	char url[64];

	alarm(60);
	struct herald_store *store = open_store(file->path);
	check(herald_store_queue_create(store, &options.queue, &error), &error);
	check(herald_curl_transport_create(NULL, &options.transport, &error), &error);
	check(herald_deliverer_create(&options, &deliverer, &error), &error);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	for (unsigned i = 0; i < DELIVERIES; i++) {
		const struct herald_delivery delivery = {.url = url};

		check(herald_deliverer_submit(deliverer, &delivery, &error), &error);
	}
	for (;;)
		pause();
}

/* A crash charges the deliveries that were being sent, and nothing else. */
static void
test_only_what_is_sent_is_charged(void **state)
{
	struct sqlite_file file;
	int connections[SENT];
	unsigned port;
	int status;

	(void)state;
	sqlite_file_init(&file);
	int fd = listen_silently(&port);
	pid_t child = fork();
	if (child == 0)
		send_deliveries(&file, port);
	for (size_t i = 0; i < SENT; i++)
		connections[i] = accept(fd, NULL, NULL);
	while (sqlite_file_number(&file, "SELECT count(*) FROM herald_delivery WHERE state = 1") <
	       2 * SENT)
		pause_ms(2);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);

	struct herald_store *store = open_store(file.path);
	struct herald_delivery_queue *queue = NULL;
	struct herald_error error;
	/* It starts the threads. */
	assert_int_equal(herald_store_queue_create(store, &queue, &error), HERALD_OK);
	while (sqlite_file_number(&file, "SELECT count(*) FROM herald_delivery WHERE state = 1"))
		pause_ms(2);
	assert_int_equal(sqlite_file_number(&file, "SELECT count(*) FROM herald_delivery "
						   "WHERE attempts = 1"),
			 SENT);
	assert_int_equal(sqlite_file_number(&file, "SELECT max(attempts) FROM herald_delivery"), 1);
	queue->ops->destroy(queue);
	herald_store_stop(store, 1000);
	herald_store_destroy(store);
	for (size_t i = 0; i < SENT; i++)
		close(connections[i]);
	close(fd);
	sqlite_file_close(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_commit_that_crashes),
		cmocka_unit_test(test_only_what_is_sent_is_charged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
