/*
 * Threads that accept requests from a web server and answer them until they are stopped. Owns the
 * threads, but not the socket, which belongs to the user. Requests are answered in fastcgi.c.
 *
 * libfcgi has no call that wakes a thread from accept() or from reading. Shutting down the socket
 * does: the listening socket, or the request's, whose number is in FCGX_Request.ipcFd. A connection
 * is closed after each request even if the web server would keep it: a thread waiting for the next
 * request on it would serve no other connection and could not be stopped.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <herald/adapter/http.h>
#include <herald/adapter/options.h>
#include <herald/adapter/thread.h>
#include <herald/fastcgi.h>

#define DEFAULT_PATH "/event"
#define DEFAULT_THREADS 4
#define MAX_THREADS 1024
#define DEFAULT_READ_TIMEOUT_MS 30000

/* The interval at which sockets are shut down at the end of a stop: libfcgi may still accept
 * one. */
#define CUT_OFF_TICK_MS 100

/* The pause in accepting when the process is out of file descriptors or memory, or the network
 * fails. */
#define ACCEPT_PAUSE_NS 100000000

/* The error number of FCGX_Accept_r() after a signal has ended libfcgi's accepting for good. */
#define LIBFCGI_SHUT_DOWN 9999

struct thread {
	struct herald_fastcgi *owner;
	pthread_t id;
	FCGX_Request request;
};

struct herald_fastcgi {
	struct herald_endpoint *endpoint;
	struct herald_fastcgi_options options;
	char *path;
	atomic_bool stopping;
	size_t left_count; /* when the stop ended */
	pthread_mutex_t lock;
	pthread_cond_t ended;   /* signalled when a thread ends; uses the monotonic clock */
	unsigned ended_count;   /* protected by `lock` */
	unsigned threads_count; /* threads that were started */
	struct thread threads[];
};

/* The threads. */

static void
answer_not_found(FCGX_Request *request)
{
	FCGX_PutS("Status: 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: "
		  "21\r\n\r\n"
		  "{\"error\":\"Not Found\"}",
		  request->out);
}

static void
answer(struct herald_fastcgi *fastcgi, FCGX_Request *request)
{
	const struct herald_fastcgi_options *options = &fastcgi->options;

	if (herald_fastcgi_path_is(request, fastcgi->path))
		herald_fastcgi_handle(fastcgi->endpoint, request);
	else if (options->other)
		options->other(request, options->other_state);
	else
		answer_not_found(request);
}

/* As FCGX_Finish_r(), but always closes the connection. */
static void
finish(FCGX_Request *request)
{
	FCGX_FClose(request->err);
	FCGX_FClose(request->out);
	FCGX_Free(request, 1);
}

/*
 * Whether to accept again after an error of accept(): always, unless the socket no longer listens.
 * Linux also reports errors of the connection and the network here.
 */
static bool
recover(int error)
{
	static const struct timespec pause = {.tv_nsec = ACCEPT_PAUSE_NS};

	if (error == EAGAIN || error == EINTR)
		return true;
	if (error == EBADF || error == EINVAL || error == ENOTSOCK || error == LIBFCGI_SHUT_DOWN)
		return false;
	nanosleep(&pause, NULL);
	return true;
}

static void
limit_reading(const FCGX_Request *request, uint32_t timeout_ms)
{
	const struct timeval timeout = {
		.tv_sec = timeout_ms / 1000,
		.tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000,
	};

	setsockopt(request->ipcFd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

static void *
run(void *state)
{
	struct thread *thread = state;
	struct herald_fastcgi *fastcgi = thread->owner;
	FCGX_Request *request = &thread->request;

	herald_thread_begins(&fastcgi->options.thread_hooks);
	while (!atomic_load(&fastcgi->stopping)) {
		/* Not set if a signal has ended libfcgi's accepting; see the header. */
		errno = 0;
		int accepted = FCGX_Accept_r(request);

		if (accepted == 0) {
			limit_reading(request, fastcgi->options.read_timeout_ms);
			answer(fastcgi, request);
			finish(request);
		} else if (!recover(-accepted)) {
			break;
		}
	}
	FCGX_Free(request, 1);
	herald_thread_ends(&fastcgi->options.thread_hooks);
	pthread_mutex_lock(&fastcgi->lock);
	fastcgi->ended_count++;
	pthread_cond_signal(&fastcgi->ended);
	pthread_mutex_unlock(&fastcgi->lock);
	return NULL;
}

/* Options. */

static bool
is_listening(int fd)
{
	int listens = 0;
	socklen_t bytes = sizeof(listens);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &bytes) == 0 && listens;
}

static enum herald_status
read_options(const struct herald_fastcgi_options *options, struct herald_fastcgi_options *out,
	     struct herald_error *error)
{
	enum herald_status status =
		herald_options_read(options, out, sizeof(*out), "HERALD_FASTCGI_OPTIONS", error);

	if (status != HERALD_OK)
		return status;
	if (!out->path)
		out->path = DEFAULT_PATH;
	if (out->threads == 0)
		out->threads = DEFAULT_THREADS;
	if (out->read_timeout_ms == 0)
		out->read_timeout_ms = DEFAULT_READ_TIMEOUT_MS;

	status = herald_http_path_check("path", out->path, error);
	if (status != HERALD_OK)
		return status;
	if (strchr(out->path, '%'))
		return herald_option_refuse(error, "path",
					    "must have no escapes: web servers decode them");
	if (out->threads > MAX_THREADS)
		return herald_option_refuse(error, "threads", "must be at most %d, not %u",
					    MAX_THREADS, out->threads);
	if (!is_listening(out->listen_fd))
		return herald_option_refuse(error, "listen_fd", "not a listening socket: %d",
					    out->listen_fd);
	return HERALD_OK;
}

/* Starting and stopping. */

static enum herald_status
start_threads(struct herald_fastcgi *fastcgi, struct herald_error *error)
{
	int failed = 0;

	while (failed == 0 && fastcgi->threads_count < fastcgi->options.threads) {
		struct thread *thread = &fastcgi->threads[fastcgi->threads_count];

		thread->owner = fastcgi;
		FCGX_InitRequest(&thread->request, fastcgi->options.listen_fd, 0);
		failed = herald_thread_create(&thread->id, run, thread);
		if (failed == 0)
			fastcgi->threads_count++;
	}
	if (failed == 0)
		return HERALD_OK;
	return herald_system_error(error, "cannot start a thread", failed);
}

enum herald_status
herald_fastcgi_create(struct herald_endpoint *endpoint,
		      const struct herald_fastcgi_options *options, struct herald_fastcgi **out,
		      struct herald_error *error)
{
	struct herald_fastcgi_options read;
	enum herald_status status = read_options(options, &read, error);

	if (status != HERALD_OK)
		return status;
	if (FCGX_Init() != 0)
		return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET,
					"libfcgi cannot be initialised");

	struct herald_fastcgi *fastcgi =
		calloc(1, sizeof(*fastcgi) + read.threads * sizeof(fastcgi->threads[0]));
	if (fastcgi)
		fastcgi->path = strdup(read.path);
	if (!fastcgi || !fastcgi->path || herald_condition_init(&fastcgi->ended) != 0) {
		if (fastcgi)
			free(fastcgi->path);
		free(fastcgi);
		return herald_out_of_memory(error);
	}
	pthread_mutex_init(&fastcgi->lock, NULL); /* Cannot fail without attributes. */
	fastcgi->endpoint = endpoint;
	fastcgi->options = read;
	status = start_threads(fastcgi, error);
	if (status != HERALD_OK) {
		herald_fastcgi_destroy(fastcgi);
		return status;
	}
	*out = fastcgi;
	return HERALD_OK;
}

/* Wait until all threads have ended. Returns false after `wait_ms`. Call it with the lock held. */
static bool
wait_ended(struct herald_fastcgi *fastcgi, uint32_t wait_ms)
{
	const struct timespec deadline = herald_deadline_after(wait_ms);
	int failed = 0;

	while (fastcgi->ended_count < fastcgi->threads_count && failed == 0)
		failed = pthread_cond_timedwait(&fastcgi->ended, &fastcgi->lock, &deadline);
	return fastcgi->ended_count == fastcgi->threads_count;
}

/* Shut down the sockets of the requests in progress, so that threads blocked in reading or writing
 * return. Returns the number of sockets. */
static size_t
cut_off(const struct herald_fastcgi *fastcgi)
{
	size_t count = 0;

	for (unsigned i = 0; i < fastcgi->threads_count; i++) {
		int fd = fastcgi->threads[i].request.ipcFd;

		if (fd >= 0) {
			shutdown(fd, SHUT_RDWR);
			count++;
		}
	}
	return count;
}

/* Returns the number of requests that were cut off. */
static size_t
drain(struct herald_fastcgi *fastcgi, uint32_t drain_ms)
{
	size_t left = 0;

	pthread_mutex_lock(&fastcgi->lock);
	if (!wait_ended(fastcgi, drain_ms)) {
		left = cut_off(fastcgi);
		while (!wait_ended(fastcgi, CUT_OFF_TICK_MS))
			cut_off(fastcgi);
	}
	pthread_mutex_unlock(&fastcgi->lock);
	return left;
}

size_t
herald_fastcgi_stop(struct herald_fastcgi *fastcgi, uint32_t drain_ms)
{
	if (!fastcgi)
		return 0;
	for (unsigned i = 0; i < fastcgi->threads_count; i++)
		assert(!pthread_equal(fastcgi->threads[i].id, pthread_self()));
	if (atomic_exchange(&fastcgi->stopping, true))
		return fastcgi->left_count;
	shutdown(fastcgi->options.listen_fd, SHUT_RDWR);
	fastcgi->left_count = drain(fastcgi, drain_ms);
	for (unsigned i = 0; i < fastcgi->threads_count; i++)
		pthread_join(fastcgi->threads[i].id, NULL);
	return fastcgi->left_count;
}

void
herald_fastcgi_destroy(struct herald_fastcgi *fastcgi)
{
	if (!fastcgi)
		return;
	herald_fastcgi_stop(fastcgi, 0);
	pthread_cond_destroy(&fastcgi->ended);
	pthread_mutex_destroy(&fastcgi->lock);
	free(fastcgi->path);
	free(fastcgi);
}
