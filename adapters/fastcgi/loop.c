/*
 * Threads that accept requests from a web server and answer them, until they are stopped. It owns
 * the threads; the socket is the user's, and how a request is answered is fastcgi.c's.
 *
 * libfcgi has no call that wakes a thread from accept() or from reading; shutting the socket down
 * does, the one that listens or the request's, whose number only libfcgi knows: FCGX_Request.ipcFd.
 * A connection is closed after each request even if the web server would keep it: a thread that
 * waited for the next one would serve nobody else, and could not be stopped.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <herald/adapter/text.h>
#include <herald/fastcgi.h>
#include <herald/http_adapter.h>

#include "thread.h"

#define DEFAULT_PATH "/event"
#define DEFAULT_THREADS 4
#define MAX_THREADS 1024
#define DEFAULT_READ_TIMEOUT_MS 30000
#define DEFAULT_DRAIN_TIMEOUT_MS 10000

/* At the end of a stop, how often sockets are shut down: libfcgi may be about to accept one. */
#define CUT_OFF_TICK_MS 100

/* How long a thread accepts nothing when the process has no more files or memory. */
#define EXHAUSTED_PAUSE_NS 100000000

struct thread {
	struct herald_fastcgi *owner;
	pthread_t id;
	FCGX_Request request;
};

struct herald_fastcgi {
	struct herald_http *http;
	struct herald_fastcgi_options options;
	char *path;
	atomic_bool stopping;
	pthread_mutex_t lock;
	pthread_cond_t ended;   /* signalled when a thread ends; waits on the monotonic clock */
	unsigned ended_count;   /* under the lock */
	unsigned threads_count; /* started */
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
		herald_fastcgi_handle(fastcgi->http, request);
	else if (options->other)
		options->other(request, options->other_state);
	else
		answer_not_found(request);
}

/* FCGX_Finish_r(), but that the connection is closed in any case. */
static void
finish(FCGX_Request *request)
{
	FCGX_FClose(request->err);
	FCGX_FClose(request->out);
	FCGX_Free(request, 1);
}

/* Whether to accept again, after an error number of accept()'s. */
static bool
recover(int error)
{
	static const struct timespec pause = {.tv_nsec = EXHAUSTED_PAUSE_NS};

	if (error == EAGAIN || error == EINTR)
		return true;
	if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM)
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

	while (!atomic_load(&fastcgi->stopping)) {
		/* It is not set when a signal has ended libfcgi's accepting; see the header. */
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
	pthread_mutex_lock(&fastcgi->lock);
	fastcgi->ended_count++;
	pthread_cond_signal(&fastcgi->ended);
	pthread_mutex_unlock(&fastcgi->lock);
	return NULL;
}

/* Options. */

HERALD_PRINTF(3, 4)
static enum herald_status
bad_option(struct herald_error *error, const char *option, const char *format, ...)
{
	char message[sizeof(error->message)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	herald_error_set(error, HERALD_BAD_OPTION, HERALD_NO_OFFSET, "%s", message);
	if (error)
		snprintf(error->path, sizeof(error->path), "%s", option);
	return HERALD_BAD_OPTION;
}

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
	*out = (struct herald_fastcgi_options){.path = DEFAULT_PATH};
	if (options && options->struct_size < sizeof(options->struct_size))
		return bad_option(error, "struct_size",
				  "use HERALD_FASTCGI_OPTIONS, which sets it");
	if (options)
		memcpy(out, options,
		       options->struct_size < sizeof(*out) ? options->struct_size : sizeof(*out));
	if (!out->path)
		out->path = DEFAULT_PATH;
	if (out->threads == 0)
		out->threads = DEFAULT_THREADS;
	if (out->read_timeout_ms == 0)
		out->read_timeout_ms = DEFAULT_READ_TIMEOUT_MS;
	if (out->drain_timeout_ms == 0)
		out->drain_timeout_ms = DEFAULT_DRAIN_TIMEOUT_MS;

	enum herald_status status = herald_http_path_check("path", out->path, error);
	if (status != HERALD_OK)
		return status;
	if (strchr(out->path, '%'))
		return bad_option(error, "path",
				  "path must have no escapes: web servers decode them");
	if (out->threads > MAX_THREADS)
		return bad_option(error, "threads", "must be at most %d, not %u", MAX_THREADS,
				  out->threads);
	if (!is_listening(out->listen_fd))
		return bad_option(error, "listen_fd", "%d is no socket that listens",
				  out->listen_fd);
	return HERALD_OK;
}

/* Beginning and end. */

static enum herald_status
start_threads(struct herald_fastcgi *fastcgi, struct herald_error *error)
{
	sigset_t all, before;
	int failed = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (failed == 0 && fastcgi->threads_count < fastcgi->options.threads) {
		struct thread *thread = &fastcgi->threads[fastcgi->threads_count];

		thread->owner = fastcgi;
		FCGX_InitRequest(&thread->request, fastcgi->options.listen_fd, 0);
		failed = herald__thread_create(&thread->id, run, thread);
		if (failed == 0)
			fastcgi->threads_count++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed == 0)
		return HERALD_OK;
	return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET, "cannot start a thread: %s",
				herald_errno_text(failed));
}

static void
init_lock(struct herald_fastcgi *fastcgi)
{
	pthread_condattr_t monotonic;

	/* None of them can fail: the GNU C library allocates nothing for them. */
	pthread_mutex_init(&fastcgi->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&fastcgi->ended, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

enum herald_status
herald_fastcgi_start(struct herald_http *http, const struct herald_fastcgi_options *options,
		     struct herald_fastcgi **out, struct herald_error *error)
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
	if (!fastcgi || !fastcgi->path) {
		free(fastcgi);
		return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "%s",
					herald_status_text(HERALD_NO_MEMORY));
	}
	init_lock(fastcgi);
	fastcgi->http = http;
	fastcgi->options = read;
	status = start_threads(fastcgi, error);
	if (status != HERALD_OK) {
		herald_fastcgi_stop(fastcgi);
		return status;
	}
	*out = fastcgi;
	return HERALD_OK;
}

/* Wait until all threads have ended; false after `wait_ms`. Under the lock. */
static bool
wait_ended(struct herald_fastcgi *fastcgi, uint32_t wait_ms)
{
	struct timespec deadline;
	int failed = 0;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += wait_ms / 1000;
	deadline.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_sec++;
		deadline.tv_nsec -= 1000000000;
	}
	while (fastcgi->ended_count < fastcgi->threads_count && failed == 0)
		failed = pthread_cond_timedwait(&fastcgi->ended, &fastcgi->lock, &deadline);
	return fastcgi->ended_count == fastcgi->threads_count;
}

/* Shut down the sockets of what is in progress, so that a thread that reads or writes goes on. Returns
 * how many there are. */
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

/* Returns how many requests were cut off. */
static size_t
drain(struct herald_fastcgi *fastcgi)
{
	size_t left = 0;

	pthread_mutex_lock(&fastcgi->lock);
	if (!wait_ended(fastcgi, fastcgi->options.drain_timeout_ms)) {
		left = cut_off(fastcgi);
		while (!wait_ended(fastcgi, CUT_OFF_TICK_MS))
			cut_off(fastcgi);
	}
	pthread_mutex_unlock(&fastcgi->lock);
	return left;
}

size_t
herald_fastcgi_stop(struct herald_fastcgi *fastcgi)
{
	if (!fastcgi)
		return 0;
	atomic_store(&fastcgi->stopping, true);
	shutdown(fastcgi->options.listen_fd, SHUT_RDWR);
	size_t left = drain(fastcgi);
	for (unsigned i = 0; i < fastcgi->threads_count; i++)
		pthread_join(fastcgi->threads[i].id, NULL);
	pthread_cond_destroy(&fastcgi->ended);
	pthread_mutex_destroy(&fastcgi->lock);
	free(fastcgi->path);
	free(fastcgi);
	return left;
}
