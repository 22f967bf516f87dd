/*
 * The event loop of one connection. No thread of libnats reads from the socket or writes to it:
 * that is done when libnats is told to, which is much cheaper than to hand each message over to
 * another thread. Threads of libnats free messages, and drain subscriptions. It has no timer that
 * would close the connection from another thread; that the server is silent is noticed in nats.c.
 * What has arrived is read in inbox.c.
 */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <herald/adapter/text.h>

/* Of a record of TLS: its type, its version, and the length of the rest. */
#define RECORD_HEAD 5

int
herald__nats_link_init(struct nats_link *link)
{
	link->fd = -1;
	link->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return link->wake_fd >= 0 ? 0 : errno;
}

void
herald__nats_link_finish(struct nats_link *link)
{
	close(link->wake_fd);
}

void
herald__nats_link_lose(struct nats_link *link, const char *problem)
{
	if (!link->is_lost)
		herald_text_write(link->problem, sizeof(link->problem), "%s", problem);
	link->is_lost = true;
}

/* Callbacks of libnats, on the consumer's thread. */

static natsStatus
link_attached(void **data, void *loop, natsConnection *connection, natsSock fd)
{
	struct nats_link *link = loop;

	(void)connection;
	link->fd = fd;
	*data = link;
	return NATS_OK;
}

static natsStatus
link_reads(void *data, bool reads)
{
	(void)data, (void)reads; /* always, until the connection is closed */
	return NATS_OK;
}

/* A subscription is drained by a thread of libnats, which calls this, too. */
static natsStatus
link_writes(void *data, bool writes)
{
	struct nats_link *link = data;

	__atomic_store_n(&link->wants_write, writes, __ATOMIC_RELAXED);
	return NATS_OK;
}

static natsStatus
link_detached(void *data)
{
	struct nats_link *link = data;

	link->fd = -1;
	herald__nats_link_lose(link, "the connection was lost");
	return NATS_OK;
}

natsStatus
herald__nats_link_attach(struct nats_link *link, natsOptions *options)
{
	natsStatus status = natsOptions_SetEventLoop(options, link, link_attached, link_reads,
						     link_writes, link_detached);

	/* No thread that would send what is published. */
	if (status == NATS_OK)
		status = natsOptions_SetSendAsap(options, true);
	if (status == NATS_OK)
		status = natsOptions_SetPingInterval(options, 0);
	return status;
}

/* Open, close. */

void
herald__nats_link_reset(struct nats_link *link, bool is_secure)
{
	const uint64_t logged_ms = link->letters_logged_ms;

	/* Not wake_fd, not even for a moment: other threads read it. */
	memset((char *)link + offsetof(struct nats_link, has_news), 0,
	       sizeof(*link) - offsetof(struct nats_link, has_news));
	link->fd = -1;
	link->letters_logged_ms = logged_ms;
	link->is_secure = is_secure;
}

/* libnats would wait up to half a second until it has sent all, but only this thread writes to the
 * socket. A call that cannot write makes it close the connection. */
void
herald__nats_link_close(struct nats_link *link)
{
	if (link->fd >= 0) {
		shutdown(link->fd, SHUT_RDWR);
		natsConnection_ProcessWriteEvent(link->connection);
	}
	natsConnection_Destroy(link->connection);
	link->connection = NULL;
}

/* Bytes. */

static bool
wants_write(const struct nats_link *link)
{
	return __atomic_load_n(&link->wants_write, __ATOMIC_RELAXED);
}

void
herald__nats_link_send(struct nats_link *link)
{
	if (link->fd >= 0 && wants_write(link))
		natsConnection_ProcessWriteEvent(link->connection);
}

/* With TLS, libnats waits for the rest of a record without a limit. So it reads when a whole one
 * has come; until then, poll() is to wait for the rest. A record without data, such as a ticket for
 * the session after the handshake, is not told apart: OpenSSL goes on to the next one at once. */
static bool
has_record(struct nats_link *link)
{
	unsigned char head[RECORD_HEAD];
	const ssize_t peeked = recv(link->fd, head, RECORD_HEAD, MSG_PEEK | MSG_DONTWAIT);
	int needed = RECORD_HEAD, arrived = 0;

	if (peeked == 0 || (peeked < 0 && errno != EAGAIN))
		return true; /* libnats finds that the connection has ended */
	if (peeked == RECORD_HEAD)
		needed += head[3] << 8 | head[4];
	const bool is_there = ioctl(link->fd, FIONREAD, &arrived) == 0 && arrived >= needed;
	if (!is_there && link->has_ended)
		herald__nats_link_lose(link, "the connection was lost");
	if (is_there)
		needed = 1;
	(void)setsockopt(link->fd, SOL_SOCKET, SO_RCVLOWAT, &needed, sizeof(needed));
	return is_there;
}

bool
herald__nats_link_read(struct nats_link *link)
{
	int left = 0;

	if (link->fd < 0 || (link->is_secure && !has_record(link)))
		return false;
	errno = 0; /* libnats takes an old EAGAIN for one of OpenSSL */
	natsConnection_ProcessReadEvent(link->connection);
	return link->fd >= 0 && !link->is_lost && ioctl(link->fd, FIONREAD, &left) == 0 && left > 0;
}

void
herald__nats_link_wait(struct nats_link *link, uint64_t until_ms)
{
	const uint64_t now_ms = nats_now_ms();
	const uint64_t wait_ms = until_ms > now_ms ? until_ms - now_ms : 0;
	struct pollfd fds[] = {
		{.fd = link->wake_fd, .events = POLLIN},
		{.fd = link->fd, .events = POLLIN | POLLRDHUP},
	};
	uint64_t count;

	if (wants_write(link))
		fds[1].events |= POLLOUT;
	if (poll(fds, 2, wait_ms < INT32_MAX ? (int)wait_ms : INT32_MAX) <= 0)
		return;
	if (fds[0].revents && read(link->wake_fd, &count, sizeof(count)) > 0)
		link->has_news = true;
	if (fds[1].revents & POLLOUT)
		herald__nats_link_send(link);
	/* Also a part of a message, which may be long, and the line slow. */
	link->has_heard |= (fds[1].revents & POLLIN) != 0;
	link->has_ended |= (fds[1].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void
herald__nats_link_wake(struct nats_link *link)
{
	const uint64_t one = 1;

	/* It fails only if it has been woken very often. */
	if (write(link->wake_fd, &one, sizeof(one)) < 0)
		return;
}
