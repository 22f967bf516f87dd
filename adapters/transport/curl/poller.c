/*
 * epoll for libcurl's multi interface. Owns the set of watched sockets and the wake-up of the
 * thread. Knows nothing of transfers and multi handles.
 *
 * After every transfer libcurl reports that it has no more interest in a socket, and reports new
 * interest before the next one. For sockets of connections, whose closing is reported too, the
 * former is not passed on: they stay watched, which saves two system calls per transfer. If such a
 * socket has an event without interest (the other side closed it), it is unwatched.
 */
#include "poller.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <herald/adapter/memory.h>

#define EVENTS_AT_ONCE 256
#define FIRST_WATCHES 64

/* A transfer's bytes are counted from this event of its socket on. Most responses take two events,
 * and counting needs a system call. */
#define FIRST_COUNTED_EVENT 3

/* "ADDRESS PORT ADDRESS PORT" */
#define CONNECTION_BYTES (2 * INET6_ADDRSTRLEN + 16)

struct herald__watch {
	struct herald__multi *multi; /* the last one with an interest */
	uint32_t wanted;             /* events for libcurl; 0: none */
	uint32_t watched;            /* events for epoll; 0: not watched */
	bool is_ours;                /* of a connection: its closing is reported */
	uint32_t opened;             /* how many sockets of ours have had this number */
	unsigned events;             /* that have been handled */
	unsigned counted_event;      /* the one at which `received` was read */
	uint64_t received;           /* bytes */
	uint64_t connection;         /* hash of addresses and ports; 0: not known yet */
};

/* Returns NULL when out of memory. */
static struct herald__watch *
get_watch(struct herald__poller *poller, int fd)
{
	size_t count = poller->watches_count;

	if ((size_t)fd < count)
		return &poller->watches[fd];
	if (count == 0)
		count = FIRST_WATCHES;
	while (count <= (size_t)fd)
		count *= 2;

	struct herald__watch *watches = herald_memory_reallocate(
		&poller->allocator, poller->watches, poller->watches_count * sizeof(*watches),
		count * sizeof(*watches));
	if (!watches)
		return NULL;
	memset(watches + poller->watches_count, 0,
	       (count - poller->watches_count) * sizeof(*watches));
	poller->watches = watches;
	poller->watches_count = count;
	return &watches[fd];
}

/* The key includes `opened`, so that an event of a closed socket is not taken for one of its
 * successor. */
static uint64_t
event_key(int fd, const struct herald__watch *watch)
{
	return (uint64_t)watch->opened << 32 | (uint32_t)fd;
}

static void
set_watched(struct herald__poller *poller, int fd, struct herald__watch *watch, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u64 = event_key(fd, watch)};
	int operation = watch->watched == 0 ? EPOLL_CTL_ADD
			: events == 0       ? EPOLL_CTL_DEL
					    : EPOLL_CTL_MOD;

	if (watch->watched == events)
		return;
	/* After a failure the attempt ends by its timeout. */
	watch->watched = epoll_ctl(poller->epoll_fd, operation, fd, &event) == 0 ? events : 0;
}

static void
set_socket(struct herald__polled *polled, curl_socket_t fd, const struct herald__watch *watch)
{
	uint64_t key = event_key(fd, watch);

	if (polled->fd == fd && polled->key == key)
		return;
	*polled = (struct herald__polled){.fd = fd, .key = key, .first_event = watch->events};
}

static void
note_socket(CURL *easy, curl_socket_t fd, const struct herald__watch *watch)
{
	struct herald__polled *polled = NULL;

	/* NULL: a handle of libcurl's own, such as for a name lookup by DNS over HTTPS. */
	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &polled);
	if (polled)
		set_socket(polled, fd, watch);
}

/* The CURLMOPT_SOCKETFUNCTION. */
static int
on_interest(CURL *easy, curl_socket_t fd, int what, void *state, void *socket_state)
{
	struct herald__multi *multi = state;
	struct herald__poller *poller = multi->owner;
	struct herald__watch *watch = get_watch(poller, fd);

	(void)socket_state;
	if (!watch)
		return 0; /* Not watched: the attempt ends by its timeout. */
	watch->multi = multi;
	if (what != CURL_POLL_REMOVE)
		note_socket(easy, fd, watch);
	watch->wanted = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
			(what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
	if (what == CURL_POLL_REMOVE) {
		watch->wanted = 0;
		if (watch->is_ours)
			return 0;
	}
	set_watched(poller, fd, watch, watch->wanted);
	return 0;
}

static bool
init_multis(struct herald__poller *poller, size_t max_transfers)
{
	errno = ENOMEM;
	return herald__multis_init(&poller->multis, &poller->allocator, max_transfers, on_interest,
				   poller);
}

bool
herald__poller_init(struct herald__poller *poller, const struct herald_allocator *allocator,
		    size_t max_transfers)
{
	struct epoll_event event = {.events = EPOLLIN};

	*poller = (struct herald__poller){
		.epoll_fd = -1,
		.wake_fd = -1,
		.allocator = *allocator,
	};
	poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	poller->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	event.data.u64 = (uint32_t)poller->wake_fd;
	if (poller->epoll_fd >= 0 && poller->wake_fd >= 0 &&
	    epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, poller->wake_fd, &event) == 0 &&
	    init_multis(poller, max_transfers))
		return true;

	int saved = errno;
	herald__poller_finish(poller);
	errno = saved;
	return false;
}

void
herald__poller_finish(struct herald__poller *poller)
{
	herald__multis_finish(&poller->multis);
	if (poller->wake_fd >= 0)
		close(poller->wake_fd);
	if (poller->epoll_fd >= 0)
		close(poller->epoll_fd);
	herald_memory_release(&poller->allocator, poller->watches,
			      poller->watches_count * sizeof(struct herald__watch));
	poller->watches = NULL;
}

void
herald__poller_wake(struct herald__poller *poller)
{
	const uint64_t one = 1;

	(void)!write(poller->wake_fd, &one, sizeof(one));
}

void
herald__poller_run_due(struct herald__poller *poller)
{
	herald__multis_run_due(&poller->multis);
}

static void
run_event(struct herald__poller *poller, const struct epoll_event *event)
{
	int running, what = 0, fd = (int)(event->data.u64 & UINT32_MAX);
	uint64_t count;

	if (fd == poller->wake_fd) {
		(void)!read(fd, &count, sizeof(count));
		return;
	}

	struct herald__watch *watch = &poller->watches[fd];
	if (event->data.u64 != event_key(fd, watch))
		return;
	if (watch->wanted == 0) {
		set_watched(poller, fd, watch, 0);
		return;
	}
	watch->events++;
	poller->events++;
	if (event->events & EPOLLIN)
		what |= CURL_CSELECT_IN;
	if (event->events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (event->events & (EPOLLERR | EPOLLHUP))
		what |= CURL_CSELECT_ERR;
	curl_multi_socket_action(watch->multi->handle, fd, what, &running);
}

static int
wait_ms(const struct herald__poller *poller, int64_t timeout_ms)
{
	uint64_t due_ms = herald__multis_due_ms(&poller->multis);

	if (due_ms != UINT64_MAX) {
		uint64_t now = herald__multis_now_ms();
		int64_t curl_ms = due_ms > now ? (int64_t)(due_ms - now) : 0;

		if (timeout_ms < 0 || curl_ms < timeout_ms)
			timeout_ms = curl_ms;
	}
	return timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
}

void
herald__poller_wait(struct herald__poller *poller, int64_t timeout_ms)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count =
		epoll_wait(poller->epoll_fd, events, EVENTS_AT_ONCE, wait_ms(poller, timeout_ms));

	for (int i = 0; i < count; i++)
		run_event(poller, &events[i]);
	herald__poller_run_due(poller);
}

curl_socket_t
herald__poller_open(struct herald__poller *poller, int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	if (fd < 0)
		return CURL_SOCKET_BAD;

	struct herald__watch *watch = get_watch(poller, fd);
	if (!watch) {
		close(fd);
		errno = ENOMEM;
		return CURL_SOCKET_BAD;
	}
	*watch = (struct herald__watch){
		.is_ours = true, .opened = watch->opened + 1, .events = watch->events};
	return fd;
}

void
herald__poller_close(struct herald__poller *poller, curl_socket_t fd)
{
	struct herald__watch *watch = &poller->watches[fd];

	/* Closing alone would not unwatch it if a forked child has a copy. */
	set_watched(poller, fd, watch, 0);
	*watch = (struct herald__watch){.opened = watch->opened + 1, .events = watch->events};
	close(fd);
}

/* Counting. */

static uint64_t
hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return hash;
}

static uint64_t
hash_connection(const char *local_ip, unsigned local_port, const char *ip, unsigned port)
{
	char text[CONNECTION_BYTES];

	snprintf(text, sizeof(text), "%s %u %s %u", local_ip, local_port, ip, port);
	return hash_text(text);
}

/* Returns the port; 0 if the address is not known. */
static unsigned
read_address(const struct sockaddr_storage *address, char ip[INET6_ADDRSTRLEN])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	bool is_v4 = address->ss_family == AF_INET;
	const void *bytes = is_v4 ? (const void *)&v4->sin_addr : (const void *)&v6->sin6_addr;

	if ((!is_v4 && address->ss_family != AF_INET6) ||
	    !inet_ntop(address->ss_family, bytes, ip, INET6_ADDRSTRLEN))
		return 0;
	return ntohs(is_v4 ? v4->sin_port : v6->sin6_port);
}

/* Returns 0 if the socket is not connected. */
static uint64_t
connection_of_socket(int fd)
{
	struct sockaddr_storage local = {0}, remote = {0};
	socklen_t local_bytes = sizeof(local), remote_bytes = sizeof(remote);
	char local_ip[INET6_ADDRSTRLEN], ip[INET6_ADDRSTRLEN];

	if (getsockname(fd, (struct sockaddr *)&local, &local_bytes) != 0 ||
	    getpeername(fd, (struct sockaddr *)&remote, &remote_bytes) != 0)
		return 0;

	unsigned local_port = read_address(&local, local_ip), port = read_address(&remote, ip);
	return local_port && port ? hash_connection(local_ip, local_port, ip, port) : 0;
}

/* Returns 0 if the handle has no connection yet. */
static uint64_t
connection_of_handle(CURL *easy)
{
	char *local_ip = NULL, *ip = NULL;
	long local_port = 0, port = 0;

	curl_easy_getinfo(easy, CURLINFO_LOCAL_IP, &local_ip);
	curl_easy_getinfo(easy, CURLINFO_LOCAL_PORT, &local_port);
	curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &ip);
	curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port);
	if (!local_ip || !ip || local_port <= 0)
		return 0;
	return hash_connection(local_ip, (unsigned)local_port, ip, (unsigned)port);
}

void
herald__poller_find_socket(struct herald__poller *poller, CURL *easy, struct herald__polled *polled)
{
	uint64_t connection = connection_of_handle(easy);

	for (size_t fd = 0; connection != 0 && fd < poller->watches_count; fd++) {
		struct herald__watch *watch = &poller->watches[fd];

		if (!watch->is_ours)
			continue;
		if (watch->connection == 0)
			watch->connection = connection_of_socket((int)fd);
		if (watch->connection == connection) {
			set_socket(polled, (curl_socket_t)fd, watch);
			return;
		}
	}
}

static bool
read_received(int fd, uint64_t *out)
{
	struct tcp_info info = {0};
	socklen_t bytes = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0 ||
	    bytes < offsetof(struct tcp_info, tcpi_bytes_received) +
			    sizeof(info.tcpi_bytes_received))
		return false;
	*out = info.tcpi_bytes_received;
	return true;
}

uint64_t
herald__poller_bytes_received(struct herald__poller *poller, struct herald__polled *polled)
{
	if (polled->fd == CURL_SOCKET_BAD)
		return 0;

	struct herald__watch *watch = &poller->watches[polled->fd];
	if (event_key(polled->fd, watch) != polled->key ||
	    watch->events - polled->first_event < FIRST_COUNTED_EVENT)
		return 0;
	/* Once for each event, also if several transfers share the socket. */
	if (watch->counted_event != watch->events && !read_received(polled->fd, &watch->received))
		return 0;
	watch->counted_event = watch->events;
	if (!polled->is_counted) {
		polled->is_counted = true;
		polled->counted_from = watch->received;
	}
	return watch->received - polled->counted_from;
}
