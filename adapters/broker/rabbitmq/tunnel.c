/*
 * A thread between librabbitmq and a server with TLS. Owns both sockets until it is closed, and
 * knows nothing of AMQP.
 */
#include "tunnel.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>
#include <herald/adapter/thread.h>

/* The longest record of TLS, so that OpenSSL keeps nothing back. */
#define PART_BYTES 16384

/* Bytes on their way: read, and not written yet. */
struct part {
	char data[PART_BYTES];
	size_t from, to;
};

struct rabbitmq_tunnel {
	struct broker_tls *tls;
	int fd;  /* to the server */
	int end; /* to librabbitmq */
	pthread_t thread;
	atomic_bool has_problem; /* then `problem` does not change any more */
	char problem[160];
	struct part outgoing, incoming;
};

static bool
is_empty(const struct part *part)
{
	return part->from == part->to;
}

static bool
must_wait(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static void
keep_problem(struct rabbitmq_tunnel *tunnel)
{
	const char *text = herald__broker_tls_problem(tunnel->tls);

	herald_text_write(tunnel->problem, sizeof(tunnel->problem), "%s",
			  *text ? text : herald_errno_text(errno));
	atomic_store(&tunnel->has_problem, true);
}

/* These return false at the end. */

static bool
send_part(struct rabbitmq_tunnel *tunnel)
{
	struct part *part = &tunnel->outgoing;

	if (is_empty(part)) {
		const ssize_t bytes = recv(tunnel->end, part->data, sizeof(part->data), 0);

		if (bytes <= 0)
			return bytes < 0 && must_wait();
		part->from = 0;
		part->to = (size_t)bytes;
	}
	const ssize_t bytes = herald__broker_tls_write(tunnel->tls, part->data + part->from,
						       part->to - part->from);
	if (bytes >= 0)
		part->from += (size_t)bytes;
	else if (!must_wait())
		keep_problem(tunnel);
	return bytes >= 0 || must_wait();
}

static bool
receive_part(struct rabbitmq_tunnel *tunnel)
{
	struct part *part = &tunnel->incoming;

	if (is_empty(part)) {
		const ssize_t bytes =
			herald__broker_tls_read(tunnel->tls, part->data, sizeof(part->data));

		if (bytes < 0 && !must_wait())
			keep_problem(tunnel);
		if (bytes <= 0)
			return bytes < 0 && must_wait();
		part->from = 0;
		part->to = (size_t)bytes;
	}
	const ssize_t bytes =
		send(tunnel->end, part->data + part->from, part->to - part->from, MSG_NOSIGNAL);
	if (bytes > 0)
		part->from += (size_t)bytes;
	return bytes >= 0 || must_wait();
}

/* A part that waits is written when there is room; otherwise the next one is read. */
static void
wait_for_either(struct rabbitmq_tunnel *tunnel)
{
	const bool sends = !is_empty(&tunnel->outgoing), receives = !is_empty(&tunnel->incoming);
	const short near = (short)((sends ? 0 : POLLIN) | (receives ? POLLOUT : 0));
	const short far = (short)((receives ? 0 : POLLIN) | (sends ? POLLOUT : 0));
	/* poll() would return at once for a connection that is gone, whatever it is asked. */
	struct pollfd fds[] = {
		{.fd = far ? tunnel->fd : -1, .events = far},
		{.fd = near ? tunnel->end : -1, .events = near},
	};

	(void)poll(fds, 2, -1);
}

static void *
run(void *state)
{
	struct rabbitmq_tunnel *tunnel = state;

	while (send_part(tunnel) && receive_part(tunnel))
		wait_for_either(tunnel);
	(void)shutdown(tunnel->end, SHUT_RDWR);
	return NULL;
}

static void
release(struct rabbitmq_tunnel *tunnel)
{
	herald__broker_tls_close(tunnel->tls);
	close(tunnel->fd);
	close(tunnel->end);
	free(tunnel);
}

/* Start the thread between the server and one end of the pair. */
static int
start(struct rabbitmq_tunnel *tunnel, int *end)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		return errno;
	tunnel->end = pair[0];
	const int failed = herald_thread_create(&tunnel->thread, run, tunnel);
	if (failed != 0) {
		close(pair[0]);
		close(pair[1]);
		return failed;
	}
	*end = pair[1];
	return 0;
}

enum herald_status
herald__rabbitmq_tunnel_open(struct broker_tls *tls, int fd, struct rabbitmq_tunnel **out, int *end,
			     struct herald_error *error)
{
	struct rabbitmq_tunnel *tunnel = calloc(1, sizeof(*tunnel));

	if (!tunnel)
		return herald_out_of_memory(error);
	tunnel->tls = tls;
	tunnel->fd = fd;
	const int failed = start(tunnel, end);
	if (failed != 0) {
		free(tunnel);
		return herald_system_error(error, "cannot start a thread for TLS", failed);
	}
	*out = tunnel;
	return HERALD_OK;
}

const char *
herald__rabbitmq_tunnel_problem(struct rabbitmq_tunnel *tunnel)
{
	return atomic_load(&tunnel->has_problem) ? tunnel->problem : "";
}

void
herald__rabbitmq_tunnel_close(struct rabbitmq_tunnel *tunnel)
{
	if (!tunnel)
		return;
	/* The thread may wait for either. */
	(void)shutdown(tunnel->end, SHUT_RDWR);
	(void)shutdown(tunnel->fd, SHUT_RDWR);
	pthread_join(tunnel->thread, NULL);
	release(tunnel);
}
