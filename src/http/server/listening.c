/*
 * The listening sockets of a loop: accepts connections, and gives each to the loop that runs no
 * function and has the fewest clients. Owns their places in the epoll set; acceptor.c owns the
 * sockets and decides who may connect.
 */
#include "http/server/listening.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <herald/adapter/log.h>
#include <herald/adapter/memory.h>
#include <herald/adapter/text.h>

#include "http/server/client.h"
#include "http/server/wake.h"

/* The number of connections accepted before other events are handled. */
#define ACCEPT_BURST 16
/* The pause in accepting when the process is out of descriptors or memory. */
#define EXHAUSTED_PAUSE_MS 100
/* How often a full server's loop looks whether others have closed connections. */
#define FULL_PAUSE_MS 100

/* Choose a loop that runs no function, if there is one, and of these the one with the fewest
 * clients. */
static struct herald__loop *
choose_loop(struct herald__loop *self)
{
	struct herald__loop *best = self;
	size_t least = atomic_load(&self->clients_count);

	for (size_t i = 0; i < self->all_count; i++) {
		struct herald__loop *loop = &self->all[i];
		size_t count = atomic_load(&loop->clients_count);

		if (count >= least ||
		    !atomic_load_explicit(&loop->is_waiting, memory_order_relaxed))
			continue;
		best = loop;
		least = count;
	}
	return best;
}

static void
hand_over(struct herald__loop *self, int fd, const struct herald__peer *peer)
{
	struct herald__loop *loop = choose_loop(self);
	struct herald__client *client = herald__client_create(loop, fd, peer);

	if (!client) {
		close(fd);
		herald__acceptor_closed(self->acceptor, peer);
		return;
	}
	atomic_fetch_add(&loop->clients_count, 1);
	if (loop == self) {
		herald__client_add(client);
		return;
	}
	pthread_mutex_lock(&loop->mutex);
	client->next_queued = loop->arrived;
	loop->arrived = client;
	pthread_mutex_unlock(&loop->mutex);
	herald__wake(loop->wake_fd);
}

/* The process has no more files or memory: nothing is accepted for a while, on all loops. */
static void
pause_accepting(struct herald__loop *loop, int number)
{
	struct herald_log_field field = {.key = "error", .text = herald_errno_text(number)};

	herald_log_write(&loop->options->log, HERALD_LOG_WARNING, "cannot accept connections",
			 &field, 1);
	atomic_store(&loop->acceptor->resume_ms, herald__monotonic_ms() + EXHAUSTED_PAUSE_MS);
}

/* Whether the loop should wait for new connections. */
static bool
wants_clients(struct herald__loop *loop)
{
	return !loop->end.is_wanted && !herald__acceptor_is_full(loop->acceptor) &&
	       loop->clock_ms >= atomic_load(&loop->acceptor->resume_ms);
}

static void
listening_run(struct herald__source *source, uint32_t events)
{
	const struct herald__listening *listening = (const struct herald__listening *)source;
	struct herald__loop *loop = listening->loop;
	enum herald__accepted accepted = HERALD__ACCEPTED;
	struct herald__peer peer;
	int fd;

	(void)events;
	if (!wants_clients(loop))
		return;
	for (int i = 0; i < ACCEPT_BURST && accepted != HERALD__NOTHING_TO_ACCEPT; i++) {
		accepted = herald__acceptor_accept(loop->acceptor, listening->fd, &fd, &peer);
		if (accepted == HERALD__ACCEPTED)
			hand_over(loop, fd, &peer);
		if (accepted == HERALD__FULL)
			return;
		if (accepted == HERALD__EXHAUSTED) {
			pause_accepting(loop, errno);
			return;
		}
	}
}

/* Returns false if epoll has no memory. */
static bool
watch_listener(struct herald__loop *loop, struct herald__listening *listening, bool accepts)
{
	/* It is enough to wake one of the loops that wait. */
	struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.ptr = listening};

	return epoll_ctl(loop->epoll_fd, accepts ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listening->fd,
			 &event) == 0 ||
	       !accepts;
}

void
herald__listening_update(struct herald__loop *loop)
{
	size_t count = loop->acceptor->listeners.count;
	bool accepts = wants_clients(loop);

	if (accepts == loop->accepts)
		return;
	for (size_t i = 0; i < count; i++) {
		if (watch_listener(loop, &loop->listening[i], accepts))
			continue;
		for (size_t added = 0; added < i; added++)
			watch_listener(loop, &loop->listening[added], false);
		pause_accepting(loop, errno);
		return;
	}
	loop->accepts = accepts;
}

uint64_t
herald__listening_again_ms(const struct herald__loop *loop)
{
	uint64_t resume_ms = atomic_load(&loop->acceptor->resume_ms);

	if (loop->end.is_wanted)
		return UINT64_MAX;
	return loop->clock_ms < resume_ms ? resume_ms : loop->clock_ms + FULL_PAUSE_MS;
}

bool
herald__listening_init(struct herald__loop *loop)
{
	const struct herald__listeners *listeners = &loop->acceptor->listeners;

	loop->listening = herald_memory_allocate_zeroed(&loop->options->allocator, listeners->count,
							sizeof(*loop->listening));
	for (size_t i = 0; loop->listening && i < listeners->count; i++)
		loop->listening[i] = (struct herald__listening){
			.source.run = listening_run, .loop = loop, .fd = listeners->all[i].fd};
	return loop->listening;
}

void
herald__listening_finish(struct herald__loop *loop)
{
	herald_memory_release(&loop->options->allocator, loop->listening,
			      loop->acceptor->listeners.count * sizeof(*loop->listening));
}
