/*
 * epoll beneath libcurl's multi interface. It owns which sockets are watched for what, and the wakeup
 * of the thread; which transfers there are, and in which multi handle, is not its business.
 *
 * libcurl tells the end of interest in a socket after every transfer and the beginning before the
 * next one. For sockets of connections, whose closing is told too, the end is not passed on: a
 * connection that is kept stays watched, which saves two system calls per transfer. If something
 * comes from it while nobody is interested (the other side closed it), it is watched no longer.
 */
#include "poller.h"

#include <errno.h>
#include <limits.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "memory.h"

#define EVENTS_AT_ONCE 256
#define FIRST_WATCHES 64

struct herald__watch {
	struct herald__multi *multi;   /* the last that was interested */
	struct herald__polled *polled; /* the transfer's; NULL: none is interested */
	uint32_t wanted;               /* by libcurl; 0: nothing */
	uint32_t watched;              /* by epoll; 0: not at all */
	bool is_ours;                  /* of a connection: we hear when it is closed */
	uint32_t opened;               /* how often one of ours has had this number */
};

/* NULL when memory is out. */
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

	struct herald__watch *watches = herald__reallocate(&poller->allocator, poller->watches,
							   poller->watches_count * sizeof(*watches),
							   count * sizeof(*watches));
	if (!watches)
		return NULL;
	memset(watches + poller->watches_count, 0,
	       (count - poller->watches_count) * sizeof(*watches));
	poller->watches = watches;
	poller->watches_count = count;
	return &watches[fd];
}

/* An event of a socket that was closed meanwhile must not be taken for one of its successor. */
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
	/* A failure leaves the attempt to its timeout. */
	watch->watched = epoll_ctl(poller->epoll_fd, operation, fd, &event) == 0 ? events : 0;
}

/* NULL for a handle of libcurl's own, such as that of a name lookup by DNS over HTTPS. */
static struct herald__polled *
note_socket(CURL *easy, curl_socket_t fd)
{
	struct herald__polled *polled = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &polled);
	if (polled)
		polled->fd = fd;
	return polled;
}

/* libcurl: CURLMOPT_SOCKETFUNCTION. */
static int
on_interest(CURL *easy, curl_socket_t fd, int what, void *state, void *socket_state)
{
	struct herald__multi *multi = state;
	struct herald__poller *poller = multi->owner;
	struct herald__watch *watch = get_watch(poller, fd);

	(void)socket_state;
	if (!watch)
		return 0; /* Not watched: the attempt runs into its timeout. */
	watch->multi = multi;
	watch->polled = what == CURL_POLL_REMOVE ? NULL : note_socket(easy, fd);
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
	atomic_init(&poller->signals, 0);
	atomic_init(&poller->asleep, false);
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
	herald__release(&poller->allocator, poller->watches,
			poller->watches_count * sizeof(struct herald__watch));
	poller->watches = NULL;
}

void
herald__poller_wake(struct herald__poller *poller)
{
	const uint64_t one = 1;

	/* The other side sets `asleep` first and reads `signals` then: one of the two sees it. */
	atomic_fetch_add(&poller->signals, 1);
	if (atomic_exchange(&poller->asleep, false))
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
	if (watch->polled)
		watch->polled->events++;
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
herald__poller_wait(struct herald__poller *poller, unsigned seen, int64_t timeout_ms)
{
	struct epoll_event events[EVENTS_AT_ONCE];

	int wait = wait_ms(poller, timeout_ms);
	if (wait != 0) {
		atomic_store(&poller->asleep, true);
		if (atomic_load(&poller->signals) != seen)
			wait = 0;
	}
	int count = epoll_wait(poller->epoll_fd, events, EVENTS_AT_ONCE, wait);
	atomic_store(&poller->asleep, false);
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
	*watch = (struct herald__watch){.is_ours = true, .opened = watch->opened + 1};
	return fd;
}

void
herald__poller_close(struct herald__poller *poller, curl_socket_t fd)
{
	struct herald__watch *watch = &poller->watches[fd];

	/* Closing it ends epoll's interest only if no forked child has a copy. */
	set_watched(poller, fd, watch, 0);
	*watch = (struct herald__watch){.opened = watch->opened + 1};
	close(fd);
}

bool
herald__poller_bytes_received(curl_socket_t fd, uint64_t *out)
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
