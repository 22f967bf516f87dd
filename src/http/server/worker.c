/*
 * A worker: its paths, the health check, and the memory that its connections share. It owns no
 * connection and reads no clock but the wall's, for Date.
 */
#include "http/server/worker.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/options.h>

#include "base/options.h"
#include "http/endpoint.h"
#include "http/request.h"
#include "http/server/answer.h"
#include "http/server/methods.h"
#include "http/server/options.h"
#include <herald/adapter/memory.h>

/* The default of a path with a function. */
#define MAX_BODY_BYTES 65536

/* Requests. */

/* "/files/" is a prefix of "/files/a", "/files/" and "/files". */
static bool
begins_with(struct herald_text path, struct herald_text prefix)
{
	return path.bytes + 1 >= prefix.bytes &&
	       memcmp(path.data, prefix.data,
		      path.bytes < prefix.bytes ? path.bytes : prefix.bytes) == 0;
}

static struct herald__path *
longest_prefix(const struct herald_http_worker *worker, struct herald_text path)
{
	struct herald__path *longest = NULL;

	for (size_t i = 0; i < worker->paths_count; i++) {
		struct herald__path *known = &worker->paths[i];

		if (known->is_prefix && begins_with(path, known->path) &&
		    (!longest || known->path.bytes > longest->path.bytes))
			longest = known;
	}
	return longest;
}

struct herald__path *
herald__worker_path(const struct herald_http_worker *worker, struct herald_text path)
{
	for (size_t i = 0; i < worker->paths_count; i++) {
		struct herald__path *known = &worker->paths[i];

		if (known->path.bytes == path.bytes && !known->is_prefix &&
		    memcmp(known->path.data, path.data, path.bytes) == 0)
			return known;
	}
	struct herald__path *prefix = worker->has_prefixes ? longest_prefix(worker, path) : NULL;
	if (prefix)
		return prefix;
	/* The target of "OPTIONS *" is not a path. */
	return *path.data == '/' ? worker->any_path : NULL;
}

/* Answers. */

/* What changes with each second; RFC 9110 section 5.6.7. */
static void
write_date(struct herald_http_worker *worker, time_t now)
{
	static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm utc;

	gmtime_r(&now, &utc);
	snprintf(worker->date, sizeof(worker->date),
		 "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[utc.tm_wday], utc.tm_mday,
		 months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
	worker->date_s = now;
}

const char *
herald__worker_date(struct herald_http_worker *worker)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (now.tv_sec != worker->date_s) {
		write_date(worker, now.tv_sec);
		worker->usual_bytes = 0;
	}
	return worker->date;
}

/* Events that have a response. */

void
herald__worker_push_ready(struct herald_http_worker *worker, struct herald__ready *ready)
{
	struct herald__ready_list *list = &worker->ready;

	ready->next = NULL;
	pthread_mutex_lock(&worker->mutex);
	if (list->first)
		list->last->next = ready;
	else
		list->first = ready;
	list->last = ready;
	/* With the lock held: as soon as its thread finds the connection, the worker may be
	 * destroyed. */
	if (!worker->is_woken)
		worker->wake(worker->wake_state);
	worker->is_woken = true;
	pthread_cond_signal(&worker->arrived);
	pthread_mutex_unlock(&worker->mutex);
}

bool
herald__worker_wait(struct herald_http_worker *worker)
{
	if (worker->offloaded_count == 0)
		return false;
	pthread_mutex_lock(&worker->mutex);
	while (!worker->ready.first && !worker->resumed.first)
		pthread_cond_wait(&worker->arrived, &worker->mutex);
	pthread_mutex_unlock(&worker->mutex);
	return true;
}

struct herald__ready *
herald__worker_take_ready(struct herald_http_worker *worker)
{
	struct herald__ready_list *resumed = &worker->resumed;

	if (!resumed->first) {
		pthread_mutex_lock(&worker->mutex);
		*resumed = worker->ready;
		worker->ready = (struct herald__ready_list){0};
		/* A commit of a store answers many events, one after the other. */
		worker->is_woken = resumed->first;
		pthread_mutex_unlock(&worker->mutex);
	}
	struct herald__ready *first = resumed->first;
	if (first)
		resumed->first = first->next;
	return first;
}

/* The health check. */

static void
answer_health(struct herald_server_request *request, void *state)
{
	const struct herald_http_worker *worker = state;
	bool stops = atomic_load(&worker->is_stopping);
	const char *body = stops ? "{\"status\":\"stopping\"}" : "{\"status\":\"ok\"}";

	/* Out of memory: the answer that follows says so. */
	if (stops && herald_server_answer_header(request, "Retry-After", "1") != HERALD_OK)
		return;
	(void)herald_server_answer(request, stops ? 503 : 200, "application/json", body,
				   strlen(body));
}

/* Creation. */

/* Allow, of a path and of the whole server. */
static bool
add_methods(struct herald_http_worker *worker, struct herald__path *path, const char *given)
{
	struct herald_arena *arena = worker->arena;
	bool has_get = herald__methods_have(given, (struct herald_text){"GET", 3});

	path->methods = herald__methods_add(arena, given, has_get ? "HEAD" : "");
	if (path->methods)
		path->allow = herald__methods_add(arena, path->methods, "OPTIONS");
	if (path->allow)
		worker->allow = herald__methods_add(arena, worker->allow, path->allow);
	return path->allow && worker->allow;
}

static bool
add_path(struct herald_http_worker *worker, const struct herald_server_path *given)
{
	const char *methods = given->endpoint ? "POST" : given->methods ? given->methods : "GET";
	struct herald__path *path = &worker->paths[worker->paths_count++];
	size_t bytes = strlen(given->path);
	bool is_any = strcmp(given->path, "*") == 0;
	bool is_prefix = bytes > 1 && strcmp(given->path + bytes - 2, "/*") == 0;

	if (is_any)
		worker->any_path = path;
	worker->has_prefixes |= is_prefix;
	bytes -= is_any || is_prefix;
	*path = (struct herald__path){
		.path.bytes = bytes,
		.is_prefix = is_prefix,
		.path.data = herald_arena_copy(worker->arena, given->path, bytes),
		.endpoint = given->endpoint,
		.function = given->function,
		.state = given->state,
		.max_body_bytes = given->max_body_bytes ? given->max_body_bytes : MAX_BODY_BYTES,
	};
	if (given->hosts)
		path->hosts =
			herald_arena_copy(worker->arena, given->hosts, strlen(given->hosts) + 1);
	return path->path.data && (path->hosts || !given->hosts) &&
	       add_methods(worker, path, methods);
}

static bool
add_paths(struct herald_http_worker *worker, struct herald_endpoint *endpoint)
{
	const struct herald_server_options *options = &worker->options;
	const struct herald_server_path events = {.path = options->path, .endpoint = endpoint};
	const struct herald_server_path health = {
		.path = options->health_path, .function = answer_health, .state = worker};

	worker->allow = "";
	worker->paths = herald__arena_array(worker->arena, options->paths_count + 2,
					    sizeof(*worker->paths));
	if (!worker->paths || (endpoint && !add_path(worker, &events)) ||
	    (options->health_path && !add_path(worker, &health)))
		return false;
	for (size_t i = 0; i < options->paths_count; i++)
		if (!add_path(worker, &options->paths[i]))
			return false;
	return true;
}

static bool
fill_worker(struct herald_http_worker *worker, struct herald_endpoint *endpoint)
{
	const struct herald_server_options *options = &worker->options;

	worker->limits = (struct herald__head_limits){
		.max_bytes = options->max_header_bytes,
		.max_target_bytes = options->max_target_bytes,
		.max_headers = options->max_headers,
		.is_secured = options->tls || options->behind_https,
	};
	herald_buffer_init(&worker->spare, &options->allocator, 0);
	/* They cannot fail without attributes. */
	pthread_mutex_init(&worker->mutex, NULL);
	pthread_cond_init(&worker->arrived, NULL);
	if (herald_arena_create(&options->allocator, SIZE_MAX, &worker->arena) != HERALD_OK)
		return false;
	worker->headers =
		herald__arena_array(worker->arena, options->max_headers, sizeof(*worker->headers));
	if (!worker->headers || !add_paths(worker, endpoint))
		return false;
	if (endpoint)
		worker->limits.usual_target = worker->paths[0].path;
	return true;
}

static bool
has_store(const struct herald_endpoint *endpoint, const struct herald_server_options *options)
{
	bool found = endpoint && herald__endpoint_is_durable(endpoint);

	for (size_t i = 0; i < options->paths_count && !found; i++)
		found = options->paths[i].endpoint &&
			herald__endpoint_is_durable(options->paths[i].endpoint);
	return found;
}

enum herald_status
herald_http_worker_create(struct herald_endpoint *endpoint,
			  const struct herald_server_options *options, herald_http_wake *wake,
			  void *state, struct herald_http_worker **out, struct herald_error *error)
{
	struct herald_server_options resolved;
	enum herald_status status = herald__server_options_resolve(options, &resolved, error);

	if (status != HERALD_OK)
		return status;
	bool is_durable = has_store(endpoint, &resolved);
	if ((resolved.pool || is_durable) && !wake)
		return herald_option_refuse(error, resolved.pool ? "pool" : "store",
					    "needs a function that wakes the worker's thread");
	resolved.allocator = herald_allocator_or_libc(&resolved.allocator);
	struct herald_http_worker *worker =
		herald_memory_allocate_zeroed(&resolved.allocator, 1, sizeof(*worker));
	if (!worker)
		return herald_out_of_memory(error);
	worker->options = resolved;
	worker->wake = wake;
	worker->wake_state = state;
	worker->handles_later = resolved.pool || is_durable;
	if (!fill_worker(worker, endpoint)) {
		herald__worker_destroy(worker);
		return herald_out_of_memory(error);
	}
	*out = worker;
	return HERALD_OK;
}

void
herald_http_worker_drain(struct herald_http_worker *worker)
{
	atomic_store(&worker->is_stopping, true);
}

void
herald__worker_destroy(struct herald_http_worker *worker)
{
	if (!worker)
		return;
	struct herald_allocator allocator = worker->options.allocator;
	for (size_t i = 0; i < worker->paths_count; i++)
		if (worker->paths[i].spare)
			herald__http_request_free_spare(worker->paths[i].endpoint,
							worker->paths[i].spare);
	herald_arena_destroy(worker->arena);
	herald_buffer_finish(&worker->spare);
	pthread_cond_destroy(&worker->arrived);
	pthread_mutex_destroy(&worker->mutex);
	herald_memory_release(&allocator, worker, sizeof(*worker));
}
