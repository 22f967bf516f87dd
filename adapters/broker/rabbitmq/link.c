/*
 * A connection. Owns librabbitmq's state and the limits of its waiting. Others know what is sent
 * and received.
 */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <amqp_tcp_socket.h>

#include <herald/adapter/options.h>
#include <herald/version.h>

#include "epoch.h"

/* The server's own limit by default, and the least that a server may have. */
#define FRAME_BYTES 131072
#define MIN_FRAME_BYTES 4096
/* Of a body, in a frame: more would hold up what comes in between. */
#define BODY_BYTES 32768
/* Type, channel and size come first, and a mark comes last (AMQP 0-9-1 section 4.2.3). */
#define FRAME_ADDS 8
/* Before the properties: the class, the weight and the size of the body (section 4.2.6.1). */
#define PROPERTIES_ADD 12
/* The server adds x-delivery-count and x-death to the headers, with up to three names of queues. It
 * then sends frames that are larger than was agreed (seen with 3.10.8), and clients give up. */
#define SERVER_ADDS 1100
/* The kernel doubles it, as far as the system allows. poll() says that there is space if a third is
 * free. */
#define SEND_BUFFER_BYTES 262144

static struct timeval
time_of(uint32_t ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (long)(ms % 1000) * 1000};
}

static enum herald_status
library_error(int status, const char *what, struct herald_error *error)
{
	if (status == AMQP_STATUS_NO_MEMORY)
		return herald_out_of_memory(error);
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "%s: %s", what,
				amqp_error_string2(status));
}

/* With these, trying again does not help. */
static bool
is_final(uint16_t code)
{
	return code == AMQP_ACCESS_REFUSED || code == AMQP_RESOURCE_LOCKED ||
	       code == AMQP_PRECONDITION_FAILED || code == AMQP_NOT_ALLOWED;
}

enum herald_status
herald__rabbitmq_closed(const amqp_method_t *method, const char *what, struct herald_error *error)
{
	uint16_t code = 0;
	amqp_bytes_t text = amqp_empty_bytes;

	if (method->id == AMQP_CHANNEL_CLOSE_METHOD) {
		const amqp_channel_close_t *close = method->decoded;
		code = close->reply_code, text = close->reply_text;
	} else if (method->id == AMQP_CONNECTION_CLOSE_METHOD) {
		const amqp_connection_close_t *close = method->decoded;
		code = close->reply_code, text = close->reply_text;
	}
	return herald_error_set(error, is_final(code) ? HERALD_BAD_OPTION : HERALD_UNAVAILABLE,
				HERALD_NO_OFFSET, "%s: the server says: %u %.*s", what,
				(unsigned)code, (int)text.len, (const char *)text.bytes);
}

enum herald_status
herald__rabbitmq_reply(amqp_rpc_reply_t reply, const char *what, struct herald_error *error)
{
	if (reply.reply_type == AMQP_RESPONSE_NORMAL)
		return HERALD_OK;
	if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION)
		return herald__rabbitmq_closed(&reply.reply, what, error);
	return library_error(reply.library_error, what, error);
}

void
herald__rabbitmq_link_limit(struct rabbitmq_link *link, uint32_t timeout_ms)
{
	const struct timeval timeout = time_of(timeout_ms);

	(void)amqp_set_rpc_timeout(link->conn, &timeout);
}

/* Connections. */

/* Returns 0, or an error number. */
static int
wait_for_server(int fd, short events, void *state)
{
	const uint64_t *until_ms = state;
	struct pollfd poll_fd = {.fd = fd, .events = events};
	int count;

	do {
		const uint64_t now_ms = herald__rabbitmq_now_ms();

		count = poll(&poll_fd, 1, *until_ms > now_ms ? (int)(*until_ms - now_ms) : 0);
	} while (count < 0 && errno == EINTR);
	return count > 0 ? 0 : count == 0 ? ETIMEDOUT : errno;
}

/* Put TLS between the server and librabbitmq. *fd becomes the end for librabbitmq, or is closed. */
static enum herald_status
secure(struct rabbitmq_link *link, const struct rabbitmq_link_settings *settings, int *fd,
       struct herald_error *error)
{
	uint64_t until_ms = herald__rabbitmq_now_ms() + settings->timeout_ms;
	struct broker_tls *tls = NULL;
	enum herald_status status = herald__broker_tls_open(
		&settings->tls, settings->url.host, *fd, wait_for_server, &until_ms, &tls, error);

	if (status == HERALD_OK)
		status = herald__rabbitmq_tunnel_open(tls, *fd, &link->tunnel, fd, error);
	if (status == HERALD_OK)
		return HERALD_OK;
	herald__broker_tls_close(tls);
	if (settings->opening)
		herald__rabbitmq_opening_done(settings->opening);
	close(*fd);
	return status;
}

static enum herald_status
connect_socket(struct rabbitmq_link *link, const struct rabbitmq_link_settings *settings,
	       struct herald_error *error)
{
	const int bytes = SEND_BUFFER_BYTES;
	amqp_socket_t *socket = amqp_tcp_socket_new(link->conn);
	int fd = -1;

	if (!socket)
		return herald_out_of_memory(error);
	enum herald_status status =
		herald__rabbitmq_connect(settings->url.host, settings->url.port,
					 settings->timeout_ms, settings->opening, &fd, error);
	if (status == HERALD_OK && settings->url.is_secure)
		status = secure(link, settings, &fd, error);
	if (status != HERALD_OK)
		return status;
	link->fd = fd;
	amqp_tcp_socket_set_sockfd(socket, fd);
	(void)setsockopt(link->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	return HERALD_OK;
}

static amqp_table_entry_t
text_entry(const char *name, const char *text)
{
	return (amqp_table_entry_t){
		.key = amqp_cstring_bytes(name),
		.value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(text)},
	};
}

static amqp_table_entry_t
true_entry(const char *name)
{
	return (amqp_table_entry_t){
		.key = amqp_cstring_bytes(name),
		.value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1},
	};
}

/* librabbitmq takes what the server says. */
static enum herald_status
agree_on_frames(struct rabbitmq_link *link, struct herald_error *error)
{
	const int bytes = amqp_get_frame_max(link->conn);

	if (bytes < MIN_FRAME_BYTES)
		return herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET,
					"cannot log in: the server's frames have %d bytes, and "
					"AMQP requires %d",
					bytes, MIN_FRAME_BYTES);
	link->frame_bytes = (size_t)bytes;
	return HERALD_OK;
}

/* Logs in, and announces that this client listens when it is told to publish no more, or that its
 * queue is gone. */
static enum herald_status
log_in(struct rabbitmq_link *link, const struct rabbitmq_link_settings *settings,
       struct herald_error *error)
{
	amqp_table_entry_t capabilities[] = {
		true_entry("connection.blocked"),
		true_entry("consumer_cancel_notify"),
		true_entry("publisher_confirms"),
		true_entry("basic.nack"),
	};
	amqp_table_entry_t entries[] = {
		text_entry("product", "Herald"),
		text_entry("version", HERALD_VERSION),
		text_entry("connection_name", settings->name),
		{.key = amqp_cstring_bytes("capabilities"),
		 .value = {.kind = AMQP_FIELD_KIND_TABLE, .value.table = {4, capabilities}}},
	};
	const amqp_table_t properties = {4, entries};
	const struct timeval timeout = time_of(settings->timeout_ms);

	(void)amqp_set_handshake_timeout(link->conn, &timeout);
	enum herald_status status = herald__rabbitmq_reply(
		amqp_login_with_properties(link->conn, settings->url.vhost, 0, FRAME_BYTES,
					   (int)settings->heartbeat_s, &properties,
					   AMQP_SASL_METHOD_PLAIN, settings->url.user,
					   settings->url.password),
		"cannot log in", error);
	return status == HERALD_OK ? agree_on_frames(link, error) : status;
}

/* librabbitmq knows only that the connection is closed. */
static void
explain(const struct rabbitmq_link *link, enum herald_status status, struct herald_error *error)
{
	const char *problem = link->tunnel ? herald__rabbitmq_tunnel_problem(link->tunnel) : "";

	if (error && *problem)
		herald_error_set(error, status, HERALD_NO_OFFSET, "%s; TLS: %s", error->message,
				 problem);
}

enum herald_status
herald__rabbitmq_link_open(struct rabbitmq_link *link,
			   const struct rabbitmq_link_settings *settings,
			   struct herald_error *error)
{
	link->conn = amqp_new_connection();
	if (!link->conn)
		return herald_out_of_memory(error);
	herald__rabbitmq_link_limit(link, settings->timeout_ms);

	enum herald_status status = connect_socket(link, settings, error);
	if (status == HERALD_OK)
		status = log_in(link, settings, error);
	if (status == HERALD_OK) {
		amqp_channel_open(link->conn, RABBITMQ_CHANNEL);
		status = herald__rabbitmq_reply(amqp_get_rpc_reply(link->conn),
						"cannot open a channel", error);
	}
	if (status != HERALD_OK) {
		explain(link, status, error);
		if (settings->opening)
			herald__rabbitmq_opening_done(settings->opening);
		herald__rabbitmq_link_close(link, 0);
	}
	return status;
}

void
herald__rabbitmq_link_close(struct rabbitmq_link *link, uint32_t timeout_ms)
{
	if (!link->conn)
		return;
	if (timeout_ms > 0 && herald__rabbitmq_link_has_space(link)) {
		herald__rabbitmq_link_limit(link, timeout_ms);
		(void)amqp_connection_close(link->conn, AMQP_REPLY_SUCCESS);
	}
	(void)amqp_destroy_connection(link->conn);
	link->conn = NULL;
	herald__rabbitmq_tunnel_close(link->tunnel);
	link->tunnel = NULL;
}

/* Frames. */

size_t
herald__rabbitmq_link_body_bytes(const struct rabbitmq_link *link)
{
	const size_t bytes = link->frame_bytes - FRAME_ADDS;

	return bytes < BODY_BYTES ? bytes : BODY_BYTES;
}

size_t
herald__rabbitmq_link_properties_bytes(const struct rabbitmq_link *link)
{
	return link->frame_bytes - FRAME_ADDS - PROPERTIES_ADD - SERVER_ADDS;
}

bool
herald__rabbitmq_link_has_space(const struct rabbitmq_link *link)
{
	struct pollfd poll_fd = {.fd = link->fd, .events = POLLOUT};

	return poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLOUT);
}

int
herald__rabbitmq_link_next(struct rabbitmq_link *link, amqp_frame_t *frame)
{
	const struct timeval at_once = {0, 0};

	return amqp_simple_wait_frame_noblock(link->conn, frame, &at_once);
}

void
herald__rabbitmq_link_release(struct rabbitmq_link *link)
{
	amqp_maybe_release_buffers_on_channel(link->conn, RABBITMQ_CHANNEL);
	amqp_maybe_release_buffers_on_channel(link->conn, 0);
}
