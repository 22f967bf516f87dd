/*
 * herald_serve(), in a child: signals, what it prints, and what it reports.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <herald/adapter/tls.h>
#include <herald/server.h>

#include "contract/http/probe.h"
#include "http/server_fixture.h"

struct child {
	pid_t pid;
	uint16_t port;
	int held[2], release[2]; /* A function says that it runs, and waits for a byte. */
	int errors[2];           /* What the child prints to stderr. */
};

static void
tell_port(const struct herald_server *server, void *state)
{
	uint16_t port = herald_server_port(server);
	const int *to = state;

	if (write(*to, &port, sizeof(port)) != sizeof(port))
		_exit(3);
}

/* What a program had for signals before it called herald_serve(). */
struct signal_state {
	sigset_t mask;
	void (*handlers[2])(int);
};

static void
read_signal_state(struct signal_state *out)
{
	struct sigaction action;

	sigprocmask(SIG_SETMASK, NULL, &out->mask);
	sigaction(SIGINT, NULL, &action);
	out->handlers[0] = action.sa_handler;
	sigaction(SIGTERM, NULL, &action);
	out->handlers[1] = action.sa_handler;
}

static bool
is_same_state(const struct signal_state *a, const struct signal_state *b)
{
	for (int i = 1; i < 32; i++)
		if (sigismember(&a->mask, i) != sigismember(&b->mask, i))
			return false;
	return a->handlers[0] == b->handlers[0] && a->handlers[1] == b->handlers[1];
}

/* In the child: serve until a signal. Exits with 0 if all is as it was before. */
static void
run_child(struct herald_service *service, struct herald_server_options options)
{
	struct signal_state before, afterwards;

	alarm(240); /* longer than any wait of the parent */
	read_signal_state(&before);
	options.any_port = true;
	if (herald_serve(service, &options, NULL) != HERALD_OK)
		_exit(1);
	read_signal_state(&afterwards);
	herald_service_destroy(service);
	_exit(is_same_state(&before, &afterwards) ? 0 : 2);
}

static enum herald_verdict
on_child_event(struct herald_context *ctx, const struct herald_json *payload, struct child *child)
{
	char byte = 'h';

	(void)ctx;
	(void)payload;
	if (write(child->held[1], &byte, 1) != 1 || read(child->release[0], &byte, 1) < 0)
		return HERALD_FAIL;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_child_event, herald_json, child);

/* `prepare` may be NULL; it runs in the child, before anything else. */
static void
start_child(struct child *child, struct herald_server_options options, void (*prepare)(void))
{
	struct herald_route routes[] = {
		HERALD_ROUTE("user_created", herald_json, on_child_event, child),
	};
	struct herald_service *service;
	int ports[2];

	assert_int_equal(herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)),
					       &service, NULL),
			 HERALD_OK);
	assert_int_equal(
		pipe(ports) | pipe(child->held) | pipe(child->release) | pipe(child->errors), 0);
	options.on_started = tell_port;
	options.on_started_state = &ports[1];
	child->pid = fork();
	assert_true(child->pid >= 0);
	if (child->pid == 0) {
		dup2(child->errors[1], STDERR_FILENO);
		if (prepare)
			prepare();
		run_child(service, options);
	}
	herald_service_destroy(service);
	close(ports[1]);
	close(child->errors[1]);
	assert_int_equal(read(ports[0], &child->port, sizeof(child->port)), sizeof(child->port));
	close(ports[0]);
}

/* Wait for its end; returns the status of waitpid(). */
static int
end_child(struct child *child)
{
	int status;

	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	for (int end = 0; end < 2; end++) {
		close(child->held[end]);
		close(child->release[end]);
	}
	close(child->errors[0]);
	return status;
}

/* Send an event and wait until its function runs; then a signal, and wait until it is taken. */
static void
begin_event_and_stop(struct child *child, struct http_client *client, int signal)
{
	char byte;

	assert_true(http_connect(client, "127.0.0.1", child->port));
	assert_true(probe_post(client, PROBE_DONE));
	assert_int_equal(read(child->held[0], &byte, 1), 1);
	assert_int_equal(kill(child->pid, signal), 0);
	probe_wait_refused(child->port);
}

static void
finish_event(struct child *child, struct http_client *client)
{
	assert_int_equal(write(child->release[1], "g", 1), 1);
	probe_assert_next(client, 200, PROBE_SUCCESS);
	assert_true(http_wait_closed(client, HTTP_CLIENT_WAIT_MS));
	http_close(client);
}

static const int stop_signals[] = {SIGTERM, SIGINT};

static void
serve_until_a_signal(void **state)
{
	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(stop_signals); i++) {
		struct child child;
		struct http_client client;

		start_child(&child, HERALD_SERVER_OPTIONS(.quiet = true), NULL);
		begin_event_and_stop(&child, &client, stop_signals[i]);
		finish_event(&child, &client);
		int status = end_child(&child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

static void
second_signal_ends_the_process(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		int first = stop_signals[i / 2], second = stop_signals[i % 2];
		struct child child;
		struct http_client client;

		start_child(&child, HERALD_SERVER_OPTIONS(.quiet = true), NULL);
		begin_event_and_stop(&child, &client, first);
		assert_int_equal(kill(child.pid, second), 0);
		int status = end_child(&child); /* though the function waits */
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), second);
		http_close(&client);
	}
}

static int own_signals_fd;

static void
count_signal(int number)
{
	(void)number;
	(void)!write(own_signals_fd, "s", 1);
}

static void
handle_signals_oneself(void)
{
	const struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* A program that has handlers of its own keeps them. */
static void
second_signal_goes_to_the_programs_handler(void **state)
{
	struct child child;
	struct http_client client;
	int signals[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(signals), 0);
	own_signals_fd = signals[1];
	start_child(&child, HERALD_SERVER_OPTIONS(.quiet = true), handle_signals_oneself);
	begin_event_and_stop(&child, &client, SIGTERM);
	assert_int_equal(kill(child.pid, SIGTERM), 0);
	assert_int_equal(read(signals[0], &byte, 1), 1);
	finish_event(&child, &client);
	int status = end_child(&child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(signals[0]);
	close(signals[1]);
}

static void
serve_prints_its_url(void **state)
{
	struct herald_tls tls = {0}; /* without a connection not used */
	/* Of the greatest length. */
	char long_path[1025] = "", long_after[1026];

	memset(long_path, 'a', sizeof(long_path) - 1);
	long_path[0] = '/';
	snprintf(long_after, sizeof(long_after), "%s\n", long_path);
	const struct {
		struct herald_server_options options;
		const char *before, *after; /* the port's number */
	} cases[] = {
		{HERALD_SERVER_OPTIONS(.port = 0), "listening on http://127.0.0.1:", "/event\n"},
		{HERALD_SERVER_OPTIONS(.address = "0.0.0.0", .path = "/a/b"),
		 "listening on http://0.0.0.0:", "/a/b\n"},
		{HERALD_SERVER_OPTIONS(.address = "::1"), "listening on http://[::1]:", "/event\n"},
		{HERALD_SERVER_OPTIONS(.tls = &tls), "listening on https://127.0.0.1:", "/event\n"},
		{HERALD_SERVER_OPTIONS(.path = long_path),
		 "listening on http://127.0.0.1:", long_after},
		{HERALD_SERVER_OPTIONS(.quiet = true), NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct child child;
		char expected[2048] = "", found[2048] = "";

		start_child(&child, cases[i].options, NULL);
		if (cases[i].before)
			snprintf(expected, sizeof(expected), "%s%u%s", cases[i].before, child.port,
				 cases[i].after);
		assert_int_equal(kill(child.pid, SIGTERM), 0);
		size_t bytes = 0;
		for (ssize_t n;
		     (n = read(child.errors[0], found + bytes, sizeof(found) - 1 - bytes)) > 0;)
			bytes += (size_t)n;
		assert_string_equal(found, expected);
		assert_int_equal(end_child(&child), 0);
	}
}

static void
serve_reports_what_is_wrong(void **state)
{
	struct probe probe;
	struct herald_error error;
	sigset_t before, afterwards;

	(void)state;
	probe_create(&probe);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(
		herald_serve(probe.service, &HERALD_SERVER_OPTIONS(.address = "nowhere"), &error),
		HERALD_BAD_OPTION);
	assert_string_equal(error.path, "address");
	pthread_sigmask(SIG_SETMASK, NULL, &afterwards);
	assert_int_equal(sigismember(&before, SIGTERM), sigismember(&afterwards, SIGTERM));
	probe_destroy(&probe);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serve_until_a_signal),
		cmocka_unit_test(second_signal_ends_the_process),
		cmocka_unit_test(second_signal_goes_to_the_programs_handler),
		cmocka_unit_test(serve_prints_its_url),
		cmocka_unit_test(serve_reports_what_is_wrong),
	};

	return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
