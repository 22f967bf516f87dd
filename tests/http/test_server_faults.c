/*
 * The server when the system fails it: accept4(), recv(), send() and epoll_ctl() that fail or do
 * half of what they were asked, at random, and a process without file descriptors. Nothing hangs,
 * and the server works on afterwards. AddressSanitizer sees what leaks.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <herald/server.h>

#include "contract/http/probe.h"
#include "http/server_fixture.h"
#include "support/draw.h"

/* One call in so many fails; 0: none does. Only calls of the server's threads. */
static atomic_uint fail_one_in;
static _Atomic uint64_t draws;
static atomic_uint failures;
static _Thread_local bool is_server;

static uint64_t
next_draw(void)
{
	/* splitmix64 of a counter that all threads share. */
	uint64_t z = atomic_fetch_add(&draws, UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static bool
fails(void)
{
	unsigned one_in = atomic_load(&fail_one_in);

	bool failing = is_server && one_in > 0 && next_draw() % one_in == 0;

	atomic_fetch_add(&failures, failing);
	return failing;
}

static int
fail_with(const int *errors, size_t count)
{
	errno = errors[next_draw() % count];
	return -1;
}

/* In place of libc's functions, which have types that ISO C does not know. */
int faulty_accept4(int fd, void *address, void *bytes, int flags) __asm__("accept4");
ssize_t faulty_recv(int fd, void *data, size_t bytes, int flags) __asm__("recv");
ssize_t faulty_send(int fd, const void *data, size_t bytes, int flags) __asm__("send");
int faulty_epoll_ctl(int poller, int what, int fd, void *event) __asm__("epoll_ctl");

int
faulty_accept4(int fd, void *address, void *bytes, int flags)
{
	static const int errors[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS, ECONNABORTED, EINTR, EPERM};

	if (fails())
		return fail_with(errors, HERALD_COUNT(errors));
	return (int)syscall(SYS_accept4, fd, address, bytes, flags);
}

ssize_t
faulty_recv(int fd, void *data, size_t bytes, int flags)
{
	static const int errors[] = {EINTR, EAGAIN, ECONNRESET, ENOMEM, ETIMEDOUT};

	if (fails())
		return fail_with(errors, HERALD_COUNT(errors));
	if (fails() && bytes > 8)
		bytes = 1 + next_draw() % 8;
	return syscall(SYS_recvfrom, fd, data, bytes, flags, NULL, NULL);
}

ssize_t
faulty_send(int fd, const void *data, size_t bytes, int flags)
{
	static const int errors[] = {EINTR, EAGAIN, ECONNRESET, EPIPE, ENOMEM};

	if (fails())
		return fail_with(errors, HERALD_COUNT(errors));
	if (fails() && bytes > 1)
		bytes = 1 + next_draw() % (bytes - 1);
	return syscall(SYS_sendto, fd, data, bytes, flags, NULL, 0);
}

int
faulty_epoll_ctl(int poller, int what, int fd, void *event)
{
	static const int errors[] = {ENOMEM, ENOSPC};

	if (what != EPOLL_CTL_DEL && fails())
		return fail_with(errors, HERALD_COUNT(errors));
	return (int)syscall(SYS_epoll_ctl, poller, what, fd, event);
}

static void
begin_thread(void *state)
{
	(void)state;
	is_server = true;
}

/* Clients, which begin anew when their connection breaks. */

struct crowd {
	uint16_t port;
	unsigned requests; /* of each client */
	atomic_uint answered;
};

static bool
ask(struct http_client *client, struct http_response *response)
{
	return probe_post(client, PROBE_DONE) && http_receive(client, true, response);
}

static void *
run_client(void *state)
{
	struct crowd *crowd = state;
	struct http_client *client = calloc(1, sizeof(*client));
	struct http_response *response = calloc(1, sizeof(*response));
	bool is_connected = false;

	assert_true(client && response);
	for (unsigned i = 0; i < crowd->requests; i++) {
		if (!is_connected)
			is_connected = http_connect(client, "127.0.0.1", crowd->port);
		if (is_connected && ask(client, response)) {
			atomic_fetch_add(&crowd->answered, response->status == 200);
			continue;
		}
		if (is_connected)
			http_close(client);
		is_connected = false;
	}
	if (is_connected)
		http_close(client);
	free(response);
	free(client);
	return NULL;
}

static void
run_crowd(struct crowd *crowd, size_t clients)
{
	pthread_t threads[64];

	for (size_t i = 0; i < clients; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_client, crowd), 0);
	for (size_t i = 0; i < clients; i++)
		pthread_join(threads[i], NULL);
}

static void
storm(struct herald_server_options options)
{
	struct probe probe;
	struct crowd crowd = {.requests = 60};

	options.thread_hooks = (struct herald_thread_hooks){.thread_start = begin_thread};
	serve(&probe, options);
	crowd.port = probe.port;
	atomic_store(&failures, 0);
	atomic_store(&fail_one_in, 12);
	run_crowd(&crowd, 16);
	atomic_store(&fail_one_in, 0);
	assert_true(atomic_load(&failures) > 50);
	/* Most come through; what was answered with 200 was handled once. */
	assert_true(atomic_load(&crowd.answered) > 100);
	assert_true(probe.function_count >= atomic_load(&crowd.answered));
	probe_assert_alive(&probe);
	probe_stop(&probe);
}

static void
system_calls_fail_at_random(void **state)
{
	struct herald_pool *pool;

	(void)state;
	atomic_store(&draws, draw_seed());
	storm(HERALD_SERVER_OPTIONS(.threads = 2));
	assert_int_equal(herald_pool_create(NULL, &pool, NULL), HERALD_OK);
	storm(HERALD_SERVER_OPTIONS(.threads = 2, .pool = pool));
	storm(HERALD_SERVER_OPTIONS(.threads = 2, .max_connections = 5,
				    .max_connections_per_ip = 4));
	herald_pool_destroy(pool);
}

/* In a child process that may open 64 files: 60 clients at once are more than that allows. */
static void
few_file_descriptors(void **state)
{
	struct probe probe;
	struct crowd crowd = {.requests = 20};
	int ports[2], status;
	uint16_t port;

	(void)state;
	assert_int_equal(pipe(ports), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		alarm(240);
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){.rlim_cur = 64, .rlim_max = 64});
		serve(&probe, HERALD_SERVER_OPTIONS(.threads = 2));
		if (write(ports[1], &probe.port, sizeof(probe.port)) < 0)
			_exit(2);
		sigset_t set;
		int number;
		sigemptyset(&set);
		sigaddset(&set, SIGTERM);
		sigprocmask(SIG_BLOCK, &set, NULL);
		sigwait(&set, &number);
		probe_stop(&probe);
		_exit(0);
	}
	assert_int_equal(read(ports[0], &port, sizeof(port)), sizeof(port));
	crowd.port = port;
	run_crowd(&crowd, 60);
	/* All are answered, however long some had to wait for a descriptor. */
	assert_int_equal(atomic_load(&crowd.answered), 60 * crowd.requests);
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	close(ports[0]);
	close(ports[1]);
}

/* A read ends at urgent data (RFC 9293 section 3.8.5), although more has come. */
static void
urgent_data_within_a_request(void **state)
{
	struct probe probe;
	struct http_client client;
	struct http_response response;
	const char *head = "GET /healthz HTTP/1.1\r\nX: ", *rest = "\r\nHost: test\r\n\r\n";

	(void)state;
	serve(&probe, HERALD_SERVER_OPTIONS(.threads = 1));
	for (int i = 0; i < 20; i++) {
		assert_true(http_connect(&client, "127.0.0.1", probe.port));
		/* Held together, so that it comes in one piece. */
		setsockopt(client.fd, IPPROTO_TCP, TCP_CORK, &(int){1}, sizeof(int));
		assert_true(http_send_text(&client, head));
		assert_int_equal(send(client.fd, "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
		assert_true(http_send_text(&client, rest));
		setsockopt(client.fd, IPPROTO_TCP, TCP_CORK, &(int){0}, sizeof(int));
		assert_true(http_wait_readable(&client, 5000));
		assert_true(http_receive(&client, true, &response));
		probe_assert_answer(&response, 200, NULL);
		http_close(&client);
	}
	probe_stop(&probe);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(system_calls_fail_at_random),
		cmocka_unit_test(few_file_descriptors),
		cmocka_unit_test(urgent_data_within_a_request),
	};

	return cmocka_run_group_tests_name("server_faults", tests, NULL, NULL);
}
