/*
 * Where the server listens: several addresses, localhost by name, Unix sockets, sockets of systemd;
 * and several endpoints and functions on one server.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <herald/server.h>

#include "contract/http/probe.h"
#include "http/server_fixture.h"

/* One event on a connection of its own is done. */
static void
assert_event(const char *address, uint16_t port)
{
	struct http_client client;
	struct http_response response;

	if (!http_connect(&client, address, port))
		fail_msg("%s:%u: %s", address, port, strerror(errno));
	assert_true(probe_post(&client, PROBE_DONE));
	assert_true(http_receive(&client, true, &response));
	probe_assert_answer(&response, 200, PROBE_SUCCESS);
	http_close(&client);
}

static bool
connect_local(struct http_client *client, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	*client = (struct http_client){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)};
	assert_true(client->fd >= 0);
	if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	int number = errno;
	http_close(client);
	errno = number;
	return false;
}

static void
assert_local_event(const char *path)
{
	struct http_client client;
	struct http_response response;

	assert_true(connect_local(&client, path));
	assert_true(probe_post(&client, PROBE_DONE));
	assert_true(http_receive(&client, true, &response));
	probe_assert_answer(&response, 200, PROBE_SUCCESS);
	http_close(&client);
}

/* A folder of the test's own; the path of a socket in it. */
struct folder {
	char path[64];
	char socket[80];
};

static void
make_folder(struct folder *folder)
{
	snprintf(folder->path, sizeof(folder->path), "/tmp/herald-listener-XXXXXX");
	assert_non_null(mkdtemp(folder->path));
	snprintf(folder->socket, sizeof(folder->socket), "%s/event.sock", folder->path);
}

static void
remove_folder(const struct folder *folder)
{
	/* What was in it is gone. */
	assert_int_equal(rmdir(folder->path), 0);
}

static void
several_addresses_have_one_port(void **state)
{
	static const char *const lists[] = {"127.0.0.1,::1", "127.0.0.1, 127.0.0.2 , ::1",
					    "localhost", "localhost,127.0.0.2"};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(lists); i++) {
		struct probe probe;

		serve(&probe, HERALD_SERVER_OPTIONS(.address = lists[i]));
		assert_event("127.0.0.1", probe.port);
		if (!strstr(lists[i], "127.0.0.2") || strstr(lists[i], "::1") ||
		    strstr(lists[i], "localhost"))
			assert_event("::1", probe.port);
		if (strstr(lists[i], "127.0.0.2"))
			assert_event("127.0.0.2", probe.port);
		probe_stop(&probe);
	}
}

static void
unix_socket_is_served_and_removed(void **state)
{
	struct probe probe;
	struct folder folder;
	struct http_client client;
	char address[128];

	(void)state;
	make_folder(&folder);
	snprintf(address, sizeof(address), "unix:%s", folder.socket);
	for (int i = 0; i < 2; i++) {
		serve(&probe, HERALD_SERVER_OPTIONS(.address = address));
		assert_int_equal(probe.port, 0);
		assert_local_event(folder.socket);
		probe_stop(&probe);
		assert_false(connect_local(&client, folder.socket));
	}
	snprintf(address, sizeof(address), "127.0.0.1,unix:%s", folder.socket);
	serve(&probe, HERALD_SERVER_OPTIONS(.address = address));
	assert_event("127.0.0.1", probe.port);
	assert_local_event(folder.socket);
	probe_stop(&probe);
	remove_folder(&folder);
}

/* The file has been removed; the next one belongs to another server, or is not even a socket. */
static void
unix_socket_of_another_stays(void **state)
{
	struct probe first, second;
	struct folder folder;
	char address[128];

	(void)state;
	make_folder(&folder);
	snprintf(address, sizeof(address), "unix:%s", folder.socket);
	serve(&first, HERALD_SERVER_OPTIONS(.address = address));
	assert_int_equal(unlink(folder.socket), 0);
	serve(&second, HERALD_SERVER_OPTIONS(.address = address));
	probe_stop(&first);
	assert_local_event(folder.socket);
	assert_int_equal(unlink(folder.socket), 0);
	int fd = open(folder.socket, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	probe_stop(&second);
	assert_int_equal(unlink(folder.socket), 0); /* It is still there. */
	remove_folder(&folder);
}

/* A socket file that a killed process left is replaced. One in use, or another file, is not. */
static void
unix_socket_that_is_there(void **state)
{
	struct probe probe;
	struct folder folder;
	struct herald_server *second = NULL;
	struct herald_error error;
	struct sockaddr_un stale = {.sun_family = AF_UNIX};
	char address[128], expected[256];

	(void)state;
	make_folder(&folder);
	snprintf(address, sizeof(address), "unix:%s", folder.socket);
	snprintf(stale.sun_path, sizeof(stale.sun_path), "%s", folder.socket);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&stale, sizeof(stale)), 0);
	close(fd);
	serve(&probe, HERALD_SERVER_OPTIONS(.address = address));
	assert_local_event(folder.socket);

	assert_int_equal(herald_server_create(probe.endpoint,
					      &HERALD_SERVER_OPTIONS(.address = address), &second,
					      &error),
			 HERALD_SYSTEM);
	snprintf(expected, sizeof(expected), "cannot listen on %s: Address already in use",
		 address);
	assert_string_equal(error.message, expected);
	assert_local_event(folder.socket);
	probe_stop(&probe);

	fd = open(folder.socket, O_CREAT | O_WRONLY, 0600);
	assert_true(fd >= 0);
	close(fd);
	probe_create(&probe);
	probe_create_endpoint(&probe, NULL);
	assert_int_equal(herald_server_create(probe.endpoint,
					      &HERALD_SERVER_OPTIONS(.address = address), &second,
					      &error),
			 HERALD_SYSTEM);
	assert_int_equal(unlink(folder.socket), 0); /* It is still there. */
	probe_destroy(&probe);
	remove_folder(&folder);
}

static void
wrong_addresses(void **state)
{
	static const char *const wrong[] = {
		"",
		",",
		"127.0.0.1,nowhere",
		"unix:",
		"unix:/a/very/long/path/that/does/not/fit/into/the/address/of/a/socket/because/it/"
		"has/"
		"more/than/one/hundred/and/seven/bytes",
		"[::1]",
		"127.0.0.1:80",
		"127.1",
		"1,2,3",
	};
	struct probe probe;

	(void)state;
	probe_create(&probe);
	probe_create_endpoint(&probe, NULL);
	for (size_t i = 0; i < HERALD_COUNT(wrong); i++) {
		struct herald_server *server = NULL;
		struct herald_error error;

		if (herald_server_create(
			    probe.endpoint,
			    &HERALD_SERVER_OPTIONS(.address = wrong[i], .any_port = true), &server,
			    &error) != HERALD_BAD_OPTION)
			fail_msg("\"%s\" was accepted", wrong[i]);
		assert_null(server);
		assert_string_equal(error.path, "address");
	}
	probe_destroy(&probe);
}

/* Sockets of systemd: LISTEN_FDS of them from number 3 on. */

static int
open_listener(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

/* A name without a file (unix(7)). */
static int
listen_abstract(int type, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);
	int bytes = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s", name);

	assert_true(fd >= 0);
	assert_int_equal(
		bind(fd, (struct sockaddr *)&address,
		     (socklen_t)offsetof(struct sockaddr_un, sun_path) + 1 + (socklen_t)bytes),
		0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

/* In the child: serve on what was passed until a signal. */
static void
serve_inherited(struct herald_service *service, const char *pid, const char *count, bool quiet)
{
	char own_pid[16];

	snprintf(own_pid, sizeof(own_pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid ? pid : own_pid, 1);
	setenv("LISTEN_FDS", count, 1);
	struct herald_error error = {0};
	enum herald_status status = herald_serve(
		service, &HERALD_SERVER_OPTIONS(.systemd_sockets = true, .quiet = quiet), &error);
	_exit(status == HERALD_OK ? 0 : strcmp(error.path, "systemd_sockets") == 0 ? 7 : 1);
}

static pid_t
start_child(int first, int second, const char *pid, const char *count)
{
	struct probe probe;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child != 0)
		return child;
	alarm(120);
	int copies[2] = {fcntl(first, F_DUPFD, 10), fcntl(second, F_DUPFD, 10)};
	dup2(copies[0], 3);
	dup2(copies[1], 4);
	probe_create(&probe);
	serve_inherited(probe.service, pid, count, true);
	return -1;
}

/* With one socket, and its standard error at `out`. */
static pid_t
start_loud_child(int fd, int out)
{
	struct probe probe;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child != 0)
		return child;
	alarm(120);
	dup2(out, STDERR_FILENO);
	int copy = fcntl(fd, F_DUPFD, 10);
	dup2(copy, 3);
	probe_create(&probe);
	serve_inherited(probe.service, NULL, "1", false);
	return -1;
}

static void
sockets_of_systemd(void **state)
{
	uint16_t ports[2];
	int fds[2] = {open_listener(&ports[0]), open_listener(&ports[1])};
	int status;

	(void)state;
	for (int round = 0; round < 2; round++) {
		pid_t child = start_child(fds[0], fds[1], NULL, "2");

		assert_event("127.0.0.1", ports[0]);
		assert_event("127.0.0.1", ports[1]);
		assert_int_equal(kill(child, SIGTERM), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		/* The sockets go on listening: connections wait for the next process. */
	}
	close(fds[0]);
	close(fds[1]);
}

static void
wrong_sockets_of_systemd(void **state)
{
	static const struct {
		const char *pid, *count;
		enum { LISTENS, NO_SOCKET, SILENT_SOCKET, PACKETS } second;
	} cases[] = {
		{"1", "2", LISTENS},        {NULL, "0", LISTENS},  {NULL, "x", LISTENS},
		{NULL, "", LISTENS},        {NULL, "17", LISTENS}, {NULL, "2", NO_SOCKET},
		{NULL, "2", SILENT_SOCKET}, {NULL, "2", PACKETS},  {NULL, "-1", LISTENS},
	};
	uint16_t port;
	char packets[32];

	(void)state;
	snprintf(packets, sizeof(packets), "herald-packets-%d", (int)getpid());
	const int fds[] = {
		[LISTENS] = open_listener(&port),
		[NO_SOCKET] = open("/dev/null", O_RDONLY),
		[SILENT_SOCKET] = socket(AF_INET, SOCK_STREAM, 0),
		[PACKETS] = listen_abstract(SOCK_SEQPACKET, packets),
	};
	int status;

	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		pid_t child = start_child(fds[LISTENS], fds[cases[i].second], cases[i].pid,
					  cases[i].count);

		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 7)
			fail_msg("case %zu: status %d", i, status);
	}
	for (size_t i = 0; i < HERALD_COUNT(fds); i++)
		close(fds[i]);
}

/* Their names have no NUL at the end, and any bytes. */
static void
names_of_abstract_sockets(void **state)
{
	static const struct {
		const char *name, *shown;
	} cases[] = {
		{"herald", "herald"},
		{"a b\n\x7f\xff~", "a?b???~"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		char name[64], shown[80], line[128] = "";
		int fd, ends[2], status;

		snprintf(name, sizeof(name), "%s-%d", cases[i].name, (int)getpid());
		snprintf(shown, sizeof(shown), "listening on unix:@%s-%d, path /event\n",
			 cases[i].shown, (int)getpid());
		fd = listen_abstract(SOCK_STREAM, name);
		assert_int_equal(pipe(ends), 0);
		pid_t child = start_loud_child(fd, ends[1]);
		close(ends[1]);
		FILE *out = fdopen(ends[0], "r");
		assert_non_null(fgets(line, sizeof(line), out));
		assert_string_equal(line, shown);
		assert_int_equal(kill(child, SIGTERM), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		fclose(out);
		close(fd);
	}
}

/* Paths. */

static void
answer_hello(struct herald_server_request *request, void *state)
{
	char text[128];
	int bytes = snprintf(text, sizeof(text), "%s %s?%s %s %s", request->method.data,
			     request->path.data, request->query.data, request->body.data,
			     (const char *)state);

	assert_int_equal(herald_server_answer_header(request, "X-Team", "red"), HERALD_OK);
	assert_int_equal(herald_server_answer_header(request, "X-Team\r\nX", "red"),
			 HERALD_BAD_VALUE);
	assert_int_equal(herald_server_answer_header(request, "Date", "now"), HERALD_BAD_VALUE);
	assert_int_equal(herald_server_answer_header(request, "X-Bad", "a\r\nb"), HERALD_BAD_VALUE);
	assert_int_equal(herald_server_answer(request, 99, "text/plain", text, (size_t)bytes),
			 HERALD_BAD_VALUE);
	assert_int_equal(herald_server_answer(request, 200, NULL, text, (size_t)bytes),
			 HERALD_BAD_VALUE);
	assert_int_equal(herald_server_answer(request, 200, "text/plain", NULL, 1),
			 HERALD_BAD_VALUE);
	assert_int_equal(herald_server_answer(request, 203, "text/plain", text, (size_t)bytes),
			 HERALD_OK);
	assert_int_equal(herald_server_answer(request, 200, "text/plain", text, (size_t)bytes),
			 HERALD_LIMIT);
}

static void
answer_nothing(struct herald_server_request *request, void *state)
{
	(void)request;
	(void)state;
}

static void
exchange(uint16_t port, const char *request, bool has_body, struct http_response *out)
{
	struct http_client client;

	assert_true(http_connect(&client, "127.0.0.1", port));
	assert_true(http_send_text(&client, request));
	assert_true(http_receive(&client, has_body, out));
	http_close(&client);
}

static void
paths_with_functions_and_endpoints(void **state)
{
	struct probe first, second;
	struct http_response response;
	char request[512], you[] = "you", root[] = "root";

	(void)state;
	probe_create(&second);
	probe_create_endpoint(&second, NULL);
	const struct herald_server_path paths[] = {
		{.path = "/orders", .endpoint = second.endpoint},
		{.path = "/hello", .function = answer_hello, .state = you, .methods = "GET, POST"},
		{.path = "/", .function = answer_hello, .state = root, .methods = "POST"},
		{.path = "/nothing", .function = answer_nothing},
	};
	serve(&first, HERALD_SERVER_OPTIONS(HERALD_SERVER_PATHS(paths)));
	assert_event("127.0.0.1", first.port);
	assert_int_equal(first.function_count, 1);
	assert_int_equal(second.function_count, 0);
	snprintf(request, sizeof(request),
		 "POST /orders HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
		 "Content-Length: %zu\r\n\r\n%s",
		 strlen(PROBE_DONE), PROBE_DONE);
	exchange(first.port, request, true, &response);
	probe_assert_answer(&response, 200, PROBE_SUCCESS);
	assert_int_equal(first.function_count, 1);
	assert_int_equal(second.function_count, 1);

	exchange(first.port, "GET /hello?a=b HTTP/1.1\r\nHost: test\r\n\r\n", true, &response);
	probe_assert_answer(&response, 203, "GET /hello?a=b  you");
	assert_string_equal(http_header(&response, "X-Team"), "red");
	assert_string_equal(http_header(&response, "Content-Type"), "text/plain");
	assert_null(http_header(&response, "X-Bad"));
	exchange(first.port, "POST /hello HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\nbody",
		 true, &response);
	probe_assert_answer(&response, 203, "POST /hello? body you");
	exchange(first.port, "GET http://test/hello?c HTTP/1.1\r\nHost: test\r\n\r\n", true,
		 &response);
	probe_assert_answer(&response, 203, "GET /hello?c  you");
	exchange(first.port,
		 "POST http://test?q HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "1\r\nx\r\n0\r\n\r\n",
		 true, &response);
	probe_assert_answer(&response, 203, "POST /?q x root");
	exchange(first.port,
		 "POST /hello HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
		 true, &response);
	probe_assert_answer(&response, 203, "POST /hello? body you");
	exchange(first.port, "PUT /hello HTTP/1.1\r\nHost: test\r\n\r\n", true, &response);
	assert_int_equal(response.status, 405);
	exchange(first.port, "GET /nothing HTTP/1.1\r\nHost: test\r\n\r\n", true, &response);
	assert_int_equal(response.status, 500);
	probe_stop(&first);
	probe_destroy(&second);
}

static void
assert_bad_paths(const struct herald_server_path *paths, size_t count, const char *path)
{
	struct probe probe;
	struct herald_server *server = NULL;
	struct herald_error error;
	struct herald_server_options options =
		HERALD_SERVER_OPTIONS(.paths = paths, .paths_count = count, .any_port = true);

	probe_create(&probe);
	probe_create_endpoint(&probe, NULL);
	assert_int_equal(herald_server_create(probe.endpoint, &options, &server, &error),
			 HERALD_BAD_OPTION);
	assert_string_equal(error.path, path);
	assert_null(server);
	probe_destroy(&probe);
}

static void
wrong_paths(void **state)
{
	const struct herald_server_path twice[] = {{.path = "/a", .function = answer_nothing},
						   {.path = "/a", .function = answer_nothing}};
	const struct herald_server_path events[] = {{.path = "/event", .function = answer_nothing}};
	const struct herald_server_path none[] = {{.path = "/a"}};
	const struct herald_server_path bad[] = {{.path = "a b", .function = answer_nothing}};
	const struct herald_server_path without[] = {{.function = answer_nothing}};

	(void)state;
	assert_bad_paths(twice, 2, "paths[1].path");
	assert_bad_paths(events, 1, "paths[0].path");
	assert_bad_paths(none, 1, "paths[0]");
	assert_bad_paths(bad, 1, "paths[0].path");
	assert_bad_paths(without, 1, "paths[0].path");
	static const char *const methods[] = {
		"", ",", "GET,", "GET POST", "GET\r\nX: y", " GET", "GET, CONNECT"};
	for (size_t i = 0; i < HERALD_COUNT(methods); i++) {
		const struct herald_server_path wrong[] = {
			{.path = "/a", .function = answer_nothing, .methods = methods[i]}};

		assert_bad_paths(wrong, 1, "paths[0].methods");
	}
	static const char *const hosts[] = {",",          "a.example:80", "http://a.example",
					    "*.example",  " a.example",   "a.example,",
					    "a.example.", "a/b",          "a.example, b:8080",
					    ".example"};
	for (size_t i = 0; i < HERALD_COUNT(hosts); i++) {
		const struct herald_server_path wrong[] = {
			{.path = "/a", .function = answer_nothing, .hosts = hosts[i]}};

		assert_bad_paths(wrong, 1, "paths[0].hosts");
	}
	assert_bad_paths(NULL, 1, "paths");
	assert_bad_paths(twice, 0, "paths");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(several_addresses_have_one_port),
		cmocka_unit_test(unix_socket_is_served_and_removed),
		cmocka_unit_test(unix_socket_of_another_stays),
		cmocka_unit_test(unix_socket_that_is_there),
		cmocka_unit_test(wrong_addresses),
		cmocka_unit_test(sockets_of_systemd),
		cmocka_unit_test(wrong_sockets_of_systemd),
		cmocka_unit_test(names_of_abstract_sockets),
		cmocka_unit_test(paths_with_functions_and_endpoints),
		cmocka_unit_test(wrong_paths),
	};

	return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
