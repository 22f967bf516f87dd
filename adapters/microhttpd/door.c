/*
 * The door: who comes in, who is put out, and who is waited for at a stop. It owns the listening
 * socket, the table of connections and one thread; it knows nothing of HTTP.
 *
 * Three reasons why libmicrohttpd does not listen itself: its timeout is one of inactivity, so that
 * a client that sends a byte now and then is never late; MHD_quiesce_daemon() (0.9.75) can abort
 * the process when a worker leaves the listening socket at the same moment; and a connection limit
 * per thread refuses callers while other threads have room.
 *
 * A socket is shut down under the lock, and libmicrohttpd says under the same lock that it is about
 * to close one: so never is a number used that belongs to another file by now.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <herald/adapter/text.h>

#include "door.h"
#include "listen.h"
#include "thread.h"

#define MS_NS INT64_C(1000000)

/* At most this many are let in before the deadlines are looked at again. */
#define ACCEPT_BURST 64
/* For how long nobody is let in when the process has no more files or memory. */
#define EXHAUSTED_PAUSE_NS (100 * MS_NS)
/* A deadline is noticed late, by an eighth of the timeout, but never later than this. */
#define MAX_TICK_NS (250 * MS_NS)
/* At a stop, how often callers are looked at: that a worker has read all there is wakes nobody. */
#define DRAIN_TICK_NS (10 * MS_NS)

struct herald__door {
	struct herald__door_options options;
	int listen_fd;
	int wake_fd; /* An eventfd: something has changed that the thread waits for. */
	uint16_t port;
	pthread_t thread;
	bool running;
	atomic_bool stopping;
	int64_t drain_ns; /* For how long a stop waits. Set before `stopping`. */
	int64_t grace_ns; /* For how long of that idle callers may stay. Likewise. */
	int64_t tick_ns;  /* How late a deadline may be noticed. */

	pthread_mutex_t lock;
	struct herald__caller **callers; /* By file descriptor; NULL where there is none. */
	size_t callers_capacity;         /* Written by the thread only. */
	size_t callers_count;
};

static int64_t
shorter_timeout_ns(const struct herald__door *door)
{
	uint32_t header_ms = door->options.header_timeout_ms;
	uint32_t body_ms = door->options.body_timeout_ms;
	return (header_ms < body_ms ? header_ms : body_ms) * MS_NS;
}

static void
wake(struct herald__door *door)
{
	uint64_t one = 1;
	ssize_t written;
	do {
		written = write(door->wake_fd, &one, sizeof(one));
	} while (written < 0 && errno == EINTR);
}

/* What libmicrohttpd and the server say, on the workers' threads. */

static void
caller_started(struct herald__worker *worker, int fd, void **socket_context)
{
	struct herald__door *door = worker->door;

	pthread_mutex_lock(&door->lock);
	struct herald__caller *caller = door->callers[fd];
	caller->started = true;
	herald__caller_start(caller);
	pthread_mutex_unlock(&door->lock);
	*socket_context = caller;
}

static void
caller_closed(struct herald__worker *worker, struct herald__caller *caller)
{
	struct herald__door *door = worker->door;

	pthread_mutex_lock(&door->lock);
	bool was_full = door->callers_count == door->options.max_callers;
	door->callers[caller->fd] = NULL;
	door->callers_count--;
	pthread_mutex_unlock(&door->lock);
	atomic_fetch_sub(&worker->callers_count, 1);
	free(caller);
	if (was_full || atomic_load(&door->stopping))
		wake(door);
}

void
herald__door_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
		    enum MHD_ConnectionNotificationCode toe)
{
	if (toe == MHD_CONNECTION_NOTIFY_STARTED) {
		int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
				 ->connect_fd;
		caller_started(cls, fd, socket_context);
	} else if (*socket_context) {
		caller_closed(cls, *socket_context);
		*socket_context = NULL;
	}
}

void
herald__door_request_ended(struct herald__door *door)
{
	if (atomic_load(&door->stopping))
		wake(door);
}

/* Putting out, on the door's thread. */

/* Put out whoever is late. Returns when to look again, INT64_MAX for when there is a caller. */
static int64_t
scan(struct herald__door *door, int64_t now)
{
	/* A deadline that is set after this is not nearer. */
	int64_t next = shorter_timeout_ns(door);

	pthread_mutex_lock(&door->lock);
	for (size_t fd = 0; fd < door->callers_capacity; fd++) {
		struct herald__caller *caller = door->callers[fd];
		if (!caller)
			continue;
		int64_t left = herald__caller_remaining_ns(caller, now);
		if (left <= 0)
			shutdown(caller->fd, SHUT_RDWR);
		else if (left < next)
			next = left;
	}
	size_t callers_count = door->callers_count;
	pthread_mutex_unlock(&door->lock);

	if (callers_count == 0)
		return INT64_MAX;
	return now + (next > door->tick_ns ? next : door->tick_ns);
}

/* Wait until `until`, a wake-up, or, if `listening`, a caller. Returns whether there may be one. */
static bool
wait_until(struct herald__door *door, int64_t until, bool listening)
{
	struct pollfd fds[] = {
		{.fd = door->wake_fd, .events = POLLIN},
		{.fd = listening ? door->listen_fd : -1, .events = POLLIN},
	};
	struct timespec timeout;
	int64_t left = until == INT64_MAX ? 0 : until - herald__now_ns();

	if (left < 0)
		left = 0;
	timeout.tv_sec = (time_t)(left / (1000 * MS_NS));
	timeout.tv_nsec = (long)(left % (1000 * MS_NS));
	if (ppoll(fds, 2, until == INT64_MAX ? NULL : &timeout, NULL) <= 0)
		return false;
	if (fds[0].revents != 0) {
		uint64_t count;
		ssize_t got = read(door->wake_fd, &count, sizeof(count));
		(void)got; /* It is enough to be awake. */
	}
	return fds[1].revents != 0;
}

/* Letting in, on the door's thread. */

static void
address_of(const struct sockaddr_storage *from, uint8_t address[16])
{
	memset(address, 0, 16);
	if (from->ss_family == AF_INET6) {
		memcpy(address, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
	} else if (from->ss_family == AF_INET) {
		address[10] = address[11] = 0xff;
		memcpy(address + 12, &((const struct sockaddr_in *)from)->sin_addr, 4);
	}
}

/* Under the lock. Linear, and only when there is such a limit. */
static bool
address_is_full(const struct herald__door *door, const uint8_t address[16])
{
	size_t count = 0;
	if (door->options.max_callers_per_ip == 0)
		return false;
	for (size_t fd = 0; fd < door->callers_capacity; fd++)
		if (door->callers[fd] && memcmp(door->callers[fd]->address, address, 16) == 0)
			count++;
	return count >= door->options.max_callers_per_ip;
}

/* Under the lock. */
static bool
reserve_place(struct herald__door *door, int fd)
{
	size_t capacity = door->callers_capacity;
	while (capacity <= (size_t)fd)
		capacity = capacity == 0 ? 64 : capacity * 2;
	if (capacity == door->callers_capacity)
		return true;

	struct herald__caller **callers =
		realloc(door->callers, capacity * sizeof(struct herald__caller *));
	if (!callers)
		return false;
	memset(callers + door->callers_capacity, 0,
	       (capacity - door->callers_capacity) * sizeof(struct herald__caller *));
	door->callers = callers;
	door->callers_capacity = capacity;
	return true;
}

/* Enter a caller into the table; NULL when memory is out or the address has its share already. */
static struct herald__caller *
register_caller(struct herald__door *door, int fd, const struct sockaddr_storage *from)
{
	struct herald__caller *caller = NULL;
	uint8_t address[16];

	address_of(from, address);
	pthread_mutex_lock(&door->lock);
	if (!reserve_place(door, fd) || address_is_full(door, address))
		goto out;
	/* One with the same number is there if libmicrohttpd had no memory for it: it said nothing. */
	caller = door->callers[fd];
	if (caller) {
		atomic_fetch_sub(&caller->worker->callers_count, 1);
	} else {
		caller = calloc(1, sizeof(*caller));
		if (!caller)
			goto out;
		door->callers[fd] = caller;
		door->callers_count++;
	}
	caller->fd = fd;
	memcpy(caller->address, address, sizeof(address));
out:
	pthread_mutex_unlock(&door->lock);
	return caller;
}

static void
unregister_caller(struct herald__door *door, struct herald__caller *caller)
{
	pthread_mutex_lock(&door->lock);
	door->callers[caller->fd] = NULL;
	door->callers_count--;
	pthread_mutex_unlock(&door->lock);
	atomic_fetch_sub(&caller->worker->callers_count, 1);
	free(caller);
}

/* A worker whose thread is free before one whose thread is busy, then the one with fewest callers. */
static struct herald__worker *
choose_worker(const struct herald__door *door)
{
	struct herald__worker *best = NULL;
	bool best_busy = true;
	size_t best_count = SIZE_MAX;

	for (size_t i = 0; i < door->options.workers_count; i++) {
		struct herald__worker *worker = &door->options.workers[i];
		bool busy = atomic_load(&worker->busy_since_ns) != 0;
		size_t count = atomic_load(&worker->callers_count);
		if (best && (busy > best_busy || (busy == best_busy && count >= best_count)))
			continue;
		best = worker;
		best_busy = busy;
		best_count = count;
	}
	return best;
}

static void
admit(struct herald__door *door, int fd, const struct sockaddr_storage *from, socklen_t from_bytes)
{
	struct herald__caller *caller = register_caller(door, fd, from);
	if (!caller) {
		close(fd);
		return;
	}
	caller->worker = choose_worker(door);
	atomic_fetch_add(&caller->worker->callers_count, 1);
	/* From here on the worker may use the caller, and libmicrohttpd closes the socket. */
	if (MHD_add_connection(caller->worker->daemon, fd, (const struct sockaddr *)from,
			       from_bytes) != MHD_YES)
		unregister_caller(door, caller);
}

static bool
is_full(struct herald__door *door)
{
	pthread_mutex_lock(&door->lock);
	bool full = door->callers_count >= door->options.max_callers;
	pthread_mutex_unlock(&door->lock);
	return full;
}

/* Let in who waits. Returns false when the process has no more files or memory for now. */
static bool
let_in(struct herald__door *door)
{
	for (int i = 0; i < ACCEPT_BURST && !is_full(door); i++) {
		struct sockaddr_storage from = {0};
		socklen_t from_bytes = sizeof(from);
		int fd = accept4(door->listen_fd, (struct sockaddr *)&from, &from_bytes,
				 SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0)
			admit(door, fd, &from, from_bytes);
		else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			return false;
		else if (errno == EAGAIN)
			return true;
		/* Any other error is one caller's that has gone already. */
	}
	return true;
}

static void
log_problem(const struct herald__door *door, const char *message, const char *key, int64_t number,
	    const char *text)
{
	struct herald_log_field field = {.key = key, .number = number, .text = text};
	struct herald_log_record record = {
		.level = HERALD_LOG_WARNING,
		.time = herald_time_now(),
		.message = message,
		.fields = &field,
		.fields_count = 1,
	};
	if (door->options.log.write && door->options.log.level <= record.level)
		door->options.log.write(&record, door->options.log.state);
}

/* Stopping, on the door's thread. */

static bool
has_unread_bytes(const struct herald__caller *caller)
{
	int bytes = 0;
	return ioctl(caller->fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

static bool
has_hung_up(const struct herald__caller *caller)
{
	struct pollfd poller = {.fd = caller->fd, .events = POLLRDHUP};
	return poll(&poller, 1, 0) == 1;
}

/* Whether a caller must be waited for: it is in a request, or what nobody has read yet may be one. */
static bool
is_active(const struct herald__caller *caller)
{
	if (!caller->started)
		return true;
	if (!atomic_load(&caller->in_request))
		return has_unread_bytes(caller);
	/* libmicrohttpd (0.9.75 with epoll) does not see an end that came together with the last
	 * bytes. This makes it look again. */
	if (!has_unread_bytes(caller) && has_hung_up(caller))
		shutdown(caller->fd, SHUT_RD);
	return true;
}

/*
 * Send everyone away once there are only idle callers, if `idle_too`: before, one of them may be
 * sending a request. Returns how many callers are left.
 */
static size_t
send_away(struct herald__door *door, bool idle_too)
{
	size_t left = 0;
	size_t active = 0;

	pthread_mutex_lock(&door->lock);
	for (size_t fd = 0; fd < door->callers_capacity; fd++) {
		if (!door->callers[fd])
			continue;
		left++;
		active += is_active(door->callers[fd]);
	}
	for (size_t fd = 0; fd < door->callers_capacity && active == 0 && idle_too; fd++)
		if (door->callers[fd])
			shutdown((int)fd, SHUT_RD);
	pthread_mutex_unlock(&door->lock);
	return left;
}

static void
drain(struct herald__door *door)
{
	int64_t now = herald__now_ns();
	int64_t deadline = now + door->drain_ns;
	int64_t grace_end = now + door->grace_ns;
	size_t left;

	close(door->listen_fd);
	door->listen_fd = -1;
	while ((left = send_away(door, now >= grace_end)) > 0) {
		if (now >= deadline) {
			log_problem(door, "drain_timeout_ms is over", "connections", (int64_t)left,
				    NULL);
			return;
		}
		int64_t next = scan(door, now);
		if (next > now + DRAIN_TICK_NS)
			next = now + DRAIN_TICK_NS;
		wait_until(door, next < deadline ? next : deadline, false);
		now = herald__now_ns();
	}
}

static void *
run(void *cls)
{
	struct herald__door *door = cls;
	int64_t next_scan = INT64_MAX;
	int64_t paused_until = 0;

	while (!atomic_load(&door->stopping)) {
		int64_t now = herald__now_ns();
		if (now >= next_scan)
			next_scan = scan(door, now);
		bool paused = now < paused_until;
		int64_t until = paused && paused_until < next_scan ? paused_until : next_scan;
		if (!wait_until(door, until, !paused && !is_full(door)))
			continue;
		if (!let_in(door)) {
			log_problem(door, "cannot accept connections", "error", 0,
				    herald_errno_text(errno));
			paused_until = herald__now_ns() + EXHAUSTED_PAUSE_NS;
		}
		if (next_scan == INT64_MAX)
			next_scan = scan(door, herald__now_ns());
	}
	drain(door);
	return NULL;
}

/* Opening and closing. */

static enum herald_status
system_error(struct herald_error *error, const char *what, int reason)
{
	return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET, "%s: %s", what,
				herald_errno_text(reason));
}

enum herald_status
herald__door_create(const struct herald__door_options *options, struct herald__door **out,
		    struct herald_error *error)
{
	struct herald__door *door = calloc(1, sizeof(*door));
	if (!door)
		return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "%s",
					herald_status_text(HERALD_NO_MEMORY));
	door->options = *options;
	door->port = options->port;
	door->listen_fd = -1;
	door->tick_ns = shorter_timeout_ns(door) / 8;
	if (door->tick_ns > MAX_TICK_NS)
		door->tick_ns = MAX_TICK_NS;
	pthread_mutex_init(&door->lock, NULL); /* Without attributes it cannot fail. */

	enum herald_status status = HERALD_OK;
	door->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (door->wake_fd < 0)
		status = system_error(error, "cannot create an eventfd", errno);
	if (status == HERALD_OK)
		status = herald__listen(options->address, &door->port, &door->listen_fd, error);
	if (status != HERALD_OK) {
		herald__door_destroy(door);
		return status;
	}
	*out = door;
	return HERALD_OK;
}

void
herald__door_destroy(struct herald__door *door)
{
	if (!door)
		return;
	if (door->listen_fd >= 0)
		close(door->listen_fd);
	if (door->wake_fd >= 0)
		close(door->wake_fd);
	/* Left are those that libmicrohttpd closed before it had begun with them. */
	for (size_t fd = 0; fd < door->callers_capacity; fd++)
		free(door->callers[fd]);
	free(door->callers);
	pthread_mutex_destroy(&door->lock);
	free(door);
}

uint16_t
herald__door_port(const struct herald__door *door)
{
	return door->port;
}

enum herald_status
herald__door_start(struct herald__door *door, struct herald_error *error)
{
	int failed = herald__thread_create(&door->thread, run, door);
	if (failed != 0)
		return system_error(error, "cannot start a thread", failed);
	door->running = true;
	return HERALD_OK;
}

const atomic_bool *
herald__door_stopping(const struct herald__door *door)
{
	return &door->stopping;
}

void
herald__door_stop(struct herald__door *door, uint32_t timeout_ms, uint32_t idle_grace_ms)
{
	if (!door->running)
		return;
	door->drain_ns = timeout_ms * MS_NS;
	door->grace_ns = idle_grace_ms * MS_NS;
	atomic_store(&door->stopping, true);
	wake(door);
	pthread_join(door->thread, NULL);
	door->running = false;
}
