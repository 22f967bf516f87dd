/*
 * Herald's HTTP connections on a program's own libuv loop: libuv accepts, reads, sends and keeps
 * the time. The function is slow, so a pool runs it.
 *
 *	cc libuv.c $(pkg-config --cflags --libs herald libuv) -o libuv && ./libuv
 *
 *	curl -i -H 'Content-Type: application/json' http://127.0.0.1:8080/event -d '{
 *		"event_type": "user_created", "timestamp": "2024-08-20T05:21:19Z",
 *		"payload": {"user_id": "12345", "username": "johndoe"}}'
 *	=> 200 {"status":"success"}
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include <herald/adapter/connection.h>
#include <herald/herald.h>

#define GRACE_MS 250 /* Requests that arrive so soon after the signal are answered. */

struct user_created {
	const char *username;
};

HERALD_SCHEMA(user_created,
	HERALD_FIELD(user_created, username, .required = true));

static enum herald_verdict
on_user_created(struct herald_context *ctx, const struct user_created *user)
{
	usleep(20000);
	if (printf("Welcome, %s!\n", user->username) < 0)
		return herald_retry(ctx, "the mailer is busy");
	return HERALD_DONE;
}
HERALD_FUNCTION(on_user_created, user_created);

#define HANDLE(X) ((uv_handle_t *)(X))
#define STREAM(X) ((uv_stream_t *)(X))

static struct {
	uv_loop_t *loop;
	uv_tcp_t listener;
	uv_async_t woken;
	uv_signal_t signals[2];
	uv_timer_t grace;
	bool is_stopping;
	unsigned clients_count;
	struct herald_pool *pool;
	struct herald_http_worker *worker;
	char received[65536]; /* Events are decoded here. */
} server;

struct client {
	struct herald_http_connection *http;
	uv_tcp_t tcp;
	uv_timer_t deadline;
	uv_write_t write;
	uv_buf_t sending; /* A copy: libuv needs the bytes until they are sent. */
	uv_shutdown_t shutdown;
	bool is_shut;
};

static void update(struct client *client);

static uint64_t
now_ms(void)
{
	return uv_now(server.loop);
}

/* Clients. */

/* The loop ends when nothing is left that it could wait for. */
static void
end_loop(void)
{
	if (server.is_stopping && server.clients_count == 0)
		uv_unref(HANDLE(&server.woken));
}

static void
on_closed(uv_handle_t *deadline)
{
	free(deadline->data);
	server.clients_count--;
	end_loop();
}

static void
on_tcp_closed(uv_handle_t *tcp)
{
	struct client *client = tcp->data;

	uv_close(HANDLE(&client->deadline), on_closed);
}

static void
close_client(struct client *client)
{
	herald_http_connection_destroy(client->http);
	uv_timer_stop(&client->deadline);
	uv_close(HANDLE(&client->tcp), on_tcp_closed);
}

static void
on_written(uv_write_t *write, int status)
{
	struct client *client = write->data;

	free(client->sending.base);
	client->sending.base = NULL;
	if (status == 0) {
		herald_http_connection_sent(client->http, client->sending.len, now_ms());
		update(client);
	} else if (!uv_is_closing(HANDLE(&client->tcp))) {
		close_client(client);
	}
}

/* Returns false if the connection is broken. */
static bool
send_output(struct client *client)
{
	const char *data;
	size_t bytes = herald_http_connection_output(client->http, &data);

	if (bytes == 0 || client->sending.base)
		return true;
	client->sending.base = malloc(bytes);
	client->sending.len = bytes;
	if (!client->sending.base)
		return false;
	memcpy(client->sending.base, data, bytes);
	client->write.data = client;
	const uv_buf_t sending = client->sending;
	if (uv_write(&client->write, STREAM(&client->tcp), &sending, 1, on_written) == 0)
		return true;
	free(client->sending.base);
	client->sending.base = NULL;
	return false;
}

static void
on_buffer(uv_handle_t *tcp, size_t suggested, uv_buf_t *buffer)
{
	(void)tcp;
	(void)suggested;
	*buffer = uv_buf_init(server.received, sizeof(server.received));
}

static void
on_read(uv_stream_t *tcp, ssize_t bytes, const uv_buf_t *buffer)
{
	struct client *client = tcp->data;

	if (bytes < 0 && bytes != UV_EOF) {
		close_client(client);
		return;
	}
	if (bytes == UV_EOF)
		herald_http_connection_end(client->http, now_ms());
	else
		herald_http_connection_receive(client->http, buffer->base, (size_t)bytes, now_ms());
	update(client);
}

static void
on_deadline(uv_timer_t *timer)
{
	struct client *client = timer->data;

	herald_http_connection_expire(client->http, now_ms());
	update(client);
}

/* Do what the connection wants, after each step. */
static void
update(struct client *client)
{
	bool is_usable = send_output(client);
	unsigned wants = herald_http_connection_wants(client->http);
	uint64_t due_ms = herald_http_connection_deadline(client->http);

	if (!is_usable || wants & HERALD_HTTP_CLOSE) {
		close_client(client);
		return;
	}
	if (wants & HERALD_HTTP_READ)
		uv_read_start(STREAM(&client->tcp), on_buffer, on_read);
	else
		uv_read_stop(STREAM(&client->tcp));
	if (wants & HERALD_HTTP_SHUTDOWN && !client->is_shut)
		client->is_shut = uv_shutdown(&client->shutdown, STREAM(&client->tcp), NULL) == 0;
	uv_timer_stop(&client->deadline);
	if (due_ms != UINT64_MAX)
		uv_timer_start(&client->deadline, on_deadline,
			       due_ms > now_ms() ? due_ms - now_ms() : 0, 0);
}

static void
on_connection(uv_stream_t *listener, int status)
{
	struct client *client = status == 0 ? calloc(1, sizeof(*client)) : NULL;

	if (!client)
		return;
	server.clients_count++;
	client->tcp.data = client->deadline.data = client;
	uv_tcp_init(server.loop, &client->tcp);
	uv_timer_init(server.loop, &client->deadline);
	client->http = herald_http_connection_create(server.worker, client, now_ms());
	if (uv_accept(listener, STREAM(&client->tcp)) == 0 && client->http)
		update(client);
	else
		close_client(client);
}

/* The pool has handled events. */

static void
wake(void *state)
{
	uv_async_send(state);
}

static void
on_woken(uv_async_t *woken)
{
	struct herald_http_connection *connection;

	(void)woken;
	while ((connection = herald_http_worker_resume(server.worker, now_ms())))
		update(herald_http_connection_owner(connection));
}

/* The stop. */

static void
close_if_idle(uv_handle_t *handle, void *state)
{
	struct client *client = handle->data;

	(void)state;
	if (handle->type == UV_TCP && !uv_is_closing(handle) &&
	    herald_http_connection_wants(client->http) & HERALD_HTTP_IDLE)
		close_client(client);
}

static void
on_grace_end(uv_timer_t *timer)
{
	uv_walk(server.loop, close_if_idle, NULL);
	uv_close(HANDLE(timer), NULL);
	server.is_stopping = true;
	end_loop();
}

static void
on_signal(uv_signal_t *first, int number)
{
	(void)first;
	(void)number;
	/* The next signal ends the program: before anyone can see that it stops. */
	for (int i = 0; i < 2; i++)
		uv_close(HANDLE(&server.signals[i]), NULL);
	herald_http_worker_drain(server.worker);
	uv_close(HANDLE(&server.listener), NULL);
	uv_timer_start(&server.grace, on_grace_end, GRACE_MS, 0);
}

static int
run(int port)
{
	const int numbers[] = {SIGINT, SIGTERM};
	struct sockaddr_in address;

	for (int i = 0; i < 2; i++) {
		uv_signal_init(server.loop, &server.signals[i]);
		uv_signal_start(&server.signals[i], on_signal, numbers[i]);
	}
	signal(SIGPIPE, SIG_IGN);
	uv_timer_init(server.loop, &server.grace);
	uv_tcp_init(server.loop, &server.listener);
	uv_ip4_addr("127.0.0.1", port, &address);
	uv_tcp_bind(&server.listener, (const struct sockaddr *)&address, 0);
	int failed = uv_listen(STREAM(&server.listener), 128, on_connection);
	if (failed != 0) {
		fprintf(stderr, "libuv: cannot listen on port %d: %s\n", port, uv_strerror(failed));
		return 1;
	}
	fprintf(stderr, "listening on http://127.0.0.1:%d/event\n", port);
	return uv_run(server.loop, UV_RUN_DEFAULT);
}

/* Returns 0 after a message if it is not a port. Digits only, unlike strtoul(). */
static uint16_t
read_port(const char *text)
{
	unsigned long number = strtoul(text, NULL, 10);

	if (text[strspn(text, "0123456789")] == '\0' && number > 0 && number <= UINT16_MAX)
		return (uint16_t)number;
	fprintf(stderr, "libuv: expected a port from 1 to 65535, not \"%s\"\n", text);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("user_created", user_created, on_user_created, NULL)};
	struct herald_service *service = NULL;
	struct herald_endpoint *endpoint = NULL;
	struct herald_error error;
	uint16_t port = argc > 1 ? read_port(argv[1]) : 8080;
	int result = 1;

	if (port == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	server.loop = uv_default_loop();
	uv_async_init(server.loop, &server.woken, on_woken);
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service, &error);
	if (status == HERALD_OK)
		status = herald_endpoint_create(service, NULL, &endpoint, &error);
	if (status == HERALD_OK)
		status = herald_pool_create(NULL, &server.pool, &error);
	if (status == HERALD_OK)
		status = herald_http_worker_create(
			endpoint,
			&HERALD_SERVER_OPTIONS(.pool = server.pool, .header_timeout_ms = 2000),
			wake, &server.woken, &server.worker, &error);
	if (status == HERALD_OK)
		result = run(port);
	else
		herald_error_print(stderr, "libuv", &error);
	herald_pool_destroy(server.pool);
	herald_http_worker_destroy(server.worker);
	herald_endpoint_destroy(endpoint);
	herald_service_destroy(service);
	return result;
}
