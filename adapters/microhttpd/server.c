/*
 * A server for those who have none: workers, each a libmicrohttpd daemon with one thread, and the
 * door that hands them their connections. It owns what is answered beside events (health, unknown
 * paths, heads that are too large), the start and the stop; not how an event's request is read
 * (microhttpd.c) nor who may connect for how long (door.c).
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <herald/microhttpd.h>

#include "door.h"
#include "options.h"
#include "thread.h"
#include "translate.h"

struct herald_server {
	struct herald_server_options options; /* Its texts are the server's own, but for TLS's. */
	char *address;
	char *path;
	char *health_path;
	struct herald_http *http;
	struct herald__door *door;
	struct herald__worker *workers;
	size_t workers_count; /* Those whose daemon runs. */
	atomic_size_t cut_off;
	bool started;
	char start_error[128]; /* What libmicrohttpd said last before `started`. */
};

/* Answers that are no event's. */

#define ANSWER(STATUS, BODY, ...)                                                                  \
	{                                                                                          \
		.status = (STATUS), .content_type = "application/json", .body = (BODY),            \
		.body_bytes = sizeof(BODY) - 1, __VA_ARGS__                                        \
	}

static const struct herald_http_response healthy = ANSWER(200, "{\"status\":\"ok\"}", );
static const struct herald_http_response stopping =
	ANSWER(503, "{\"status\":\"stopping\"}", .retry_after_s = 1);
static const struct herald_http_response health_method =
	ANSWER(405, "{\"error\":\"the health check takes GET and HEAD\"}", .allow = "GET, HEAD");
static const struct herald_http_response not_found =
	ANSWER(404, "{\"error\":\"there is nothing at this path\"}", );
static const struct herald_http_response malformed = ANSWER(
	400, "{\"error\":\"the request's head is malformed, or can be read in two ways\"}", );
static const struct herald_http_response head_too_large =
	ANSWER(431, "{\"error\":\"the request's head is too large\"}", );

/* What a target names; `server` compares it as it was sent. */
static enum herald__target
find_target(const struct herald_server *server, const char *target)
{
	struct herald_text path;

	if (!target)
		return HERALD__TARGET_MALFORMED;
	if (herald_http_target_is(target, server->path))
		return HERALD__TARGET_EVENT;
	if (herald_http_target_is(target, server->health_path))
		return HERALD__TARGET_HEALTH;
	return herald_http_target_path(target, &path) ? HERALD__TARGET_NOTHING
						      : HERALD__TARGET_MALFORMED;
}

/*
 * The callback of MHD_OPTION_URI_LOG_CALLBACK, which comes before libmicrohttpd decodes a target,
 * and takes the query apart. It does the latter in the connection's memory, and with some 200
 * arguments more than fit it (0.9.75) waits until the connection is closed. Nobody asks for them,
 * so that it gets an empty query.
 */
static void *
read_target(void *cls, const char *target, struct MHD_Connection *connection)
{
	struct herald__worker *worker = cls;
	struct herald__caller *caller = herald__caller_get(connection);
	char *query;

	caller->target = find_target(worker->owner, target);
	caller->target_bytes = target ? strlen(target) : 0;
	if (target && (query = strchr(target, '?')) && query[1] != '\0')
		query[1] = '\0';
	return caller; /* is *con_cls at the first call */
}

/* The answer to a request that is no event; NULL when it is one. */
static const struct herald_http_response *
answer_without_event(const struct herald_server *server, const struct herald__caller *caller,
		     struct MHD_Connection *connection, const char *method)
{
	size_t head_bytes =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
			->header_size;
	if (head_bytes > server->options.max_header_bytes)
		return &head_too_large;
	switch (caller->target) {
	case HERALD__TARGET_EVENT:
		return NULL;
	case HERALD__TARGET_MALFORMED:
		return &malformed;
	case HERALD__TARGET_NOTHING:
		return &not_found;
	case HERALD__TARGET_HEALTH:
		break;
	}
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return &health_method;
	return atomic_load(herald__door_stopping(server->door)) ? &stopping : &healthy;
}

/* Whether a request that is no event is answered at the first call, before its body is read. */
static bool
is_answered_at_once(struct herald__caller *caller, struct MHD_Connection *connection,
		    const char *method, const char *version)
{
	struct herald__head head;

	herald__head_read(connection, method, caller->target_bytes, version, &head);
	if (head.framing.ambiguous && caller->answer != &head_too_large)
		caller->answer = &malformed;
	return caller->answer == &malformed || herald_http_framing_must_close(&head.framing);
}

/* A request that is no event: what is sent with it is dropped, and the answer follows. */
static enum MHD_Result
answer_without_handling(struct herald__caller *caller, struct MHD_Connection *connection,
			const char *method, const char *version, bool first,
			size_t *upload_data_size, const struct herald__answer_options *options)
{
	bool last = !first && *upload_data_size == 0;

	*upload_data_size = 0;
	if (!last && !(first && is_answered_at_once(caller, connection, method, version)))
		return MHD_YES;
	herald__caller_answer(caller);
	return herald__answer(connection, caller->answer, options);
}

/*
 * MHD_AccessHandlerCallback; see microhttpd.c for how often it is called. *con_cls is the caller,
 * by read_target().
 */
static enum MHD_Result
handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
       const char *version, const char *upload_data, size_t *upload_data_size, void **con_cls)
{
	struct herald__worker *worker = cls;
	struct herald_server *server = worker->owner;
	struct herald__caller *caller = *con_cls;
	bool first = !atomic_load_explicit(&caller->in_request, memory_order_relaxed);
	const struct herald__answer_options options = {
		.target_bytes = caller->target_bytes,
		.kept = &worker->kept,
		.close = herald__door_stopping(server->door),
	};

	(void)url; /* decoded; see read_target() */
	if (first) {
		herald__caller_begin(caller);
		caller->answer = answer_without_event(server, caller, connection, method);
		caller->request = NULL;
	}
	if (caller->answer)
		return answer_without_handling(caller, connection, method, version, first,
					       upload_data_size, &options);

	bool complete = !first && *upload_data_size == 0;
	if (complete)
		herald__caller_enter(caller);
	enum MHD_Result result =
		herald__handle(server->http, connection, method, version, upload_data,
			       upload_data_size, &caller->request, &options);
	if (complete)
		herald__caller_leave(caller);
	return result;
}

/* MHD_RequestCompletedCallback. */
static void
completed(void *cls, struct MHD_Connection *connection, void **con_cls,
	  enum MHD_RequestTerminationCode toe)
{
	struct herald__worker *worker = cls;
	struct herald_server *server = worker->owner;
	struct herald__caller *caller = *con_cls;

	/* It may not have come to the end of its head. */
	if (caller && atomic_load_explicit(&caller->in_request, memory_order_relaxed)) {
		if (toe == MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN)
			atomic_fetch_add(&server->cut_off, 1);
		herald_microhttpd_completed(NULL, connection, &caller->request, toe);
		herald__caller_end(caller);
	}
	herald__door_request_ended(worker->door);
}

/* Logging. */

static bool
logs(const struct herald_server *server, enum herald_log_level level)
{
	return server->options.log.write && server->options.log.level <= level;
}

static void
log_record(const struct herald_server *server, enum herald_log_level level, const char *message,
	   const struct herald_log_field *fields, size_t fields_count)
{
	struct herald_log_record record = {
		.level = level,
		.time = herald_time_now(),
		.message = message,
		.fields = fields,
		.fields_count = fields_count,
	};
	if (logs(server, level))
		server->options.log.write(&record, server->options.log.state);
}

/* MHD_LogCallback: while it runs, libmicrohttpd speaks of what single clients do wrong. */
static void
log_daemon(void *cls, const char *format, va_list arguments)
{
	struct herald_server *server = cls;
	char text[sizeof(server->start_error)];

	if (server->started && !logs(server, HERALD_LOG_DEBUG))
		return;
	vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = '\0';
	if (!server->started)
		memcpy(server->start_error, text, sizeof(text));
	struct herald_log_field field = {.key = "text", .text = text};
	log_record(server, HERALD_LOG_DEBUG, "libmicrohttpd", &field, 1);
}

static void
log_address(const struct herald_server *server, const char *message)
{
	struct herald_log_field fields[] = {
		{.key = "address", .text = server->address},
		{.key = "port", .number = herald_server_port(server)},
		{.key = "path", .text = server->path},
	};
	log_record(server, HERALD_LOG_INFO, message, fields, HERALD_COUNT(fields));
}

/* Starting. */

/*
 * The memory of one connection: the head, what libmicrohttpd notes about each header (56 bytes),
 * and the answer's head. A body passes through what is left.
 */
static size_t
connection_bytes(const struct herald_server *server)
{
	size_t head_bytes = server->options.max_header_bytes;
	return head_bytes + head_bytes / 2 + 2048;
}

/* Why a daemon did not start. */
static enum herald_status
daemon_error(const struct herald_server *server, struct herald_error *error)
{
	const char *reason =
		server->start_error[0] != '\0' ? server->start_error : "no reason given";

	if (server->options.tls_certificate)
		return herald__bad_option(error, "tls_certificate",
					  "or tls_key is not usable (libmicrohttpd: %s)", reason);
	return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET,
				"libmicrohttpd does not start: %s", reason);
}

static enum herald_status
start_worker(struct herald_server *server, struct herald__worker *worker,
	     struct herald_error *error)
{
	const struct herald_server_options *options = &server->options;
	const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
	bool tls = options->tls_certificate;
	struct MHD_OptionItem tls_options[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)options->tls_certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)options->tls_key},
		{MHD_OPTION_END, 0, NULL},
	};

	worker->owner = server;
	worker->door = server->door;
	worker->header_timeout_ms = options->header_timeout_ms;
	worker->body_timeout_ms = options->body_timeout_ms;
	/* More connections than the door lets in: libmicrohttpd counts one until it is freed. */
	worker->daemon = MHD_start_daemon(
		MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC |
			MHD_USE_ERROR_LOG | (tls ? MHD_USE_TLS : 0),
		0, NULL, NULL, handle, worker, MHD_OPTION_EXTERNAL_LOGGER, log_daemon, server,
		MHD_OPTION_NOTIFY_CONNECTION, herald__door_notify, worker,
		MHD_OPTION_URI_LOG_CALLBACK, read_target, worker, MHD_OPTION_NOTIFY_COMPLETED,
		completed, worker, MHD_OPTION_CONNECTION_LIMIT, options->max_connections + 8u,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_bytes(server),
		MHD_OPTION_THREAD_STACK_SIZE, herald__stack_bytes(), MHD_OPTION_ARRAY,
		tls ? tls_options : none, MHD_OPTION_ARRAY,
		options->daemon_options ? options->daemon_options : none, MHD_OPTION_END);
	return worker->daemon ? HERALD_OK : daemon_error(server, error);
}

static enum herald_status
open_door(struct herald_server *server, struct herald_error *error)
{
	const struct herald_server_options *options = &server->options;

	return herald__door_create(
		&(struct herald__door_options){
			.address = server->address,
			.port = options->port,
			.max_callers = options->max_connections,
			.max_callers_per_ip = options->max_connections_per_ip,
			.header_timeout_ms = options->header_timeout_ms,
			.body_timeout_ms = options->body_timeout_ms,
			.workers = server->workers,
			.workers_count = options->threads,
			.log = options->log,
		},
		&server->door, error);
}

static enum herald_status
start(struct herald_server *server, struct herald_service *service, struct herald_error *error)
{
	size_t workers_bytes = server->options.threads * sizeof(struct herald__worker);

	server->address = strdup(server->options.address);
	server->path = strdup(server->options.path);
	server->health_path = strdup(server->options.health_path);
	server->workers = aligned_alloc(_Alignof(struct herald__worker), workers_bytes);
	if (!server->address || !server->path || !server->health_path || !server->workers)
		return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "%s",
					herald_status_text(HERALD_NO_MEMORY));
	memset(server->workers, 0, workers_bytes);

	enum herald_status status =
		herald_http_create(service, server->options.http, &server->http, error);
	if (status == HERALD_OK)
		status = open_door(server, error);
	while (status == HERALD_OK && server->workers_count < server->options.threads) {
		status = start_worker(server, &server->workers[server->workers_count], error);
		if (status == HERALD_OK)
			server->workers_count++;
	}
	if (status == HERALD_OK) {
		server->started = true;
		status = herald__door_start(server->door, error);
	}
	return status;
}

static void
stop_workers(struct herald_server *server)
{
	for (size_t i = 0; i < server->workers_count; i++) {
		MHD_stop_daemon(server->workers[i].daemon);
		herald__kept_release(&server->workers[i].kept);
	}
	server->workers_count = 0;
}

/* Also what is half started. */
static void
destroy(struct herald_server *server)
{
	stop_workers(server);
	herald__door_destroy(server->door);
	herald_http_destroy(server->http);
	free(server->workers);
	free(server->health_path);
	free(server->path);
	free(server->address);
	free(server);
}

enum herald_status
herald_server_start(struct herald_service *service, const struct herald_server_options *options,
		    struct herald_server **out, struct herald_error *error)
{
	struct herald_server_options resolved;

	enum herald_status status = herald__server_options_resolve(options, &resolved, error);
	if (status != HERALD_OK)
		return status;
	struct herald_server *server = calloc(1, sizeof(*server));
	if (!server)
		return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "%s",
					herald_status_text(HERALD_NO_MEMORY));
	server->options = resolved;
	status = start(server, service, error);
	if (status != HERALD_OK) {
		destroy(server);
		return status;
	}
	log_address(server, "server started");
	*out = server;
	return HERALD_OK;
}

uint16_t
herald_server_port(const struct herald_server *server)
{
	return herald__door_port(server->door);
}

size_t
herald_server_stop(struct herald_server *server)
{
	if (!server)
		return 0;
	log_address(server, "server stopping");
	herald__door_stop(server->door, server->options.drain_timeout_ms,
			  server->options.idle_grace_ms);
	stop_workers(server);

	size_t cut_off = atomic_load(&server->cut_off);
	struct herald_log_field field = {.key = "cut_off", .number = (int64_t)cut_off};
	log_record(server, cut_off > 0 ? HERALD_LOG_WARNING : HERALD_LOG_INFO, "server stopped",
		   &field, 1);
	destroy(server);
	return cut_off;
}

/* Serving until a signal. */

static void
print_url(const struct herald_server *server)
{
	bool is_v6 = strchr(server->address, ':') != NULL;

	fprintf(stderr, "listening on %s://%s%s%s:%u%s\n",
		server->options.tls_certificate ? "https" : "http", is_v6 ? "[" : "",
		server->address, is_v6 ? "]" : "", herald_server_port(server), server->path);
}

/*
 * The second signal. What it does by default would be enough, were it not for a container's first
 * process, which Linux protects from that.
 */
static void
end_process(int number)
{
	struct sigaction by_default = {.sa_handler = SIG_DFL};

	sigaction(number, &by_default, NULL);
	raise(number); /* blocked until this returns, where it is not ignored */
	sigset_t one;
	sigemptyset(&one);
	sigaddset(&one, number);
	pthread_sigmask(SIG_UNBLOCK, &one, NULL);
	_exit(128 + number);
}

static const int stop_signals[] = {SIGINT, SIGTERM};

/* What a program had installed for the signals that stop it, to be given back. */
struct dispositions {
	struct sigaction before[HERALD_COUNT(stop_signals)];
};

/* From here on a signal ends the process, unless the program has said what else it does. */
static void
let_signals_end(const sigset_t *signals, struct dispositions *out)
{
	const struct timespec at_once = {0};
	const struct sigaction end = {.sa_handler = end_process};

	/* Those sent together with the first ask for the same stop. */
	while (sigtimedwait(signals, NULL, &at_once) > 0)
		;
	for (size_t i = 0; i < HERALD_COUNT(stop_signals); i++) {
		sigaction(stop_signals[i], NULL, &out->before[i]);
		if (out->before[i].sa_handler == SIG_DFL)
			sigaction(stop_signals[i], &end, NULL);
	}
	pthread_sigmask(SIG_UNBLOCK, signals, NULL);
}

static void
give_back(const struct dispositions *dispositions)
{
	for (size_t i = 0; i < HERALD_COUNT(stop_signals); i++)
		sigaction(stop_signals[i], &dispositions->before[i], NULL);
}

static enum herald_status
start_and_wait(struct herald_service *service, const struct herald_server_options *options,
	       const sigset_t *signals, struct herald_error *error)
{
	struct herald_server_options resolved;
	struct herald_server *server = NULL;
	struct dispositions dispositions;
	int signal_number;

	enum herald_status status = herald__server_options_resolve(options, &resolved, error);
	if (status == HERALD_OK)
		status = herald_server_start(service, &resolved, &server, error);
	if (!server)
		return status; /* not HERALD_OK */
	if (!resolved.quiet)
		print_url(server);
	if (resolved.started)
		resolved.started(server, resolved.started_state);
	sigwait(signals, &signal_number);
	let_signals_end(signals, &dispositions);
	herald_server_stop(server);
	give_back(&dispositions);
	return HERALD_OK;
}

enum herald_status
herald_serve(struct herald_service *service, const struct herald_server_options *options,
	     struct herald_error *error)
{
	sigset_t signals, blocked, before;

	sigemptyset(&signals);
	for (size_t i = 0; i < HERALD_COUNT(stop_signals); i++)
		sigaddset(&signals, stop_signals[i]);
	blocked = signals;
	sigaddset(&blocked, SIGPIPE);
	int failed = pthread_sigmask(SIG_BLOCK, &blocked, &before);
	if (failed != 0)
		return herald_error_set(error, HERALD_SYSTEM, HERALD_NO_OFFSET,
					"cannot block signals: error %d", failed);

	enum herald_status status = start_and_wait(service, options, &signals, error);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return status;
}
