/*
 * A store on a model of a database, and a service whose events say what happens to them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>

#include <cmocka.h>

#include "support/store_fixture.h"

#include "store/store.h"

#define FIRST_MS 1000000

struct task {
	const char *id;
	const char *action;
	const char *key;
};
HERALD_SCHEMA(task, HERALD_FIELD(task, id, .required = true), HERALD_FIELD(task, action),
	      HERALD_FIELD(task, key));

static void
add_to_runs(struct store_fixture *f, const char *text)
{
	size_t used = strlen(f->runs);

	snprintf(f->runs + used, sizeof(f->runs) - used, "%s%s", used ? " " : "", text);
}

void
store_note(struct store_fixture *f, const char *text)
{
	pthread_mutex_lock(&f->mutex);
	add_to_runs(f, text);
	pthread_mutex_unlock(&f->mutex);
}

static void
note_run(struct store_fixture *f, const char *id, unsigned attempt)
{
	char text[64];

	snprintf(text, sizeof(text), "%s/%u", id, attempt);
	pthread_mutex_lock(&f->mutex);
	add_to_runs(f, text);
	f->runs_count++;
	f->running++;
	if (f->running > f->abreast)
		f->abreast = f->running;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->mutex);
}

static void
wait_blocked(struct store_fixture *f)
{
	pthread_mutex_lock(&f->mutex);
	f->waiting++;
	pthread_cond_broadcast(&f->changed);
	while (f->is_blocked)
		pthread_cond_wait(&f->changed, &f->mutex);
	f->waiting--;
	pthread_mutex_unlock(&f->mutex);
}

static enum herald_verdict
act(struct store_fixture *f, struct herald_context *ctx, const struct task *task)
{
	if (strcmp(task->action, "retry") == 0)
		return herald_retry(ctx, "not yet");
	if (strcmp(task->action, "later") == 0)
		return herald_retry_after(ctx, 70, "in a while");
	if (strcmp(task->action, "fail") == 0)
		return herald_fail(ctx, "no good");
	if (strcmp(task->action, "wait") == 0)
		wait_blocked(f);
	return HERALD_DONE;
}

static enum herald_verdict
on_task(struct herald_context *ctx, const struct task *task, struct store_fixture *f)
{
	note_run(f, task->id, herald_context_attempt(ctx));
	enum herald_verdict verdict = act(f, ctx, task);
	pthread_mutex_lock(&f->mutex);
	f->running--;
	pthread_mutex_unlock(&f->mutex);
	return verdict;
}
HERALD_FUNCTION(on_task, task, store_fixture);

static enum herald_verdict
on_join(struct herald_context *ctx, const struct task *task, struct store_fixture *f)
{
	struct herald_session *session = herald_context_session(ctx);
	struct model_connection *connection = session->database->ops->handle(session);

	note_run(f, task->id, herald_context_attempt(ctx));
	model_write_effect(connection, strtoull(task->id, NULL, 10));
	pthread_mutex_lock(&f->mutex);
	f->running--;
	pthread_mutex_unlock(&f->mutex);
	if (strcmp(task->action, "join-end") == 0)
		model_connection_rollback(connection);
	if (strcmp(task->action, "join-commit") == 0)
		model_connection_commit(connection);
	return strcmp(task->action, "join-retry") == 0 ? herald_retry(ctx, "not yet") : HERALD_DONE;
}
HERALD_FUNCTION(on_join, task, store_fixture);

static void
keep_log(const struct herald_log_record *record, void *state)
{
	struct store_fixture *f = state;

	pthread_mutex_lock(&f->mutex);
	size_t used = strlen(f->log), size = sizeof(f->log);
	used += (size_t)snprintf(f->log + used, size - used, "%s %s",
				 herald_log_level_name(record->level), record->message);
	for (size_t i = 0; i < record->fields_count && used < size; i++) {
		const struct herald_log_field *field = &record->fields[i];

		used += field->text ? (size_t)snprintf(f->log + used, size - used, " %s=%s",
						       field->key, field->text)
				    : (size_t)snprintf(f->log + used, size - used, " %s=%lld",
						       field->key, (long long)field->number);
	}
	if (used + 1 < size)
		strcpy(f->log + used, "\n");
	pthread_mutex_unlock(&f->mutex);
}

static uint64_t
fixture_now_ms(void *state)
{
	return (uint64_t)((struct store_fixture *)state)->wall_ms;
}

static int64_t
fixture_wall_ms(void *state)
{
	return ((struct store_fixture *)state)->wall_ms;
}

static uint64_t
fixture_random(void *state)
{
	(void)state;
	return UINT64_MAX;
}

static enum herald_status
create_service(struct store_fixture *f, const char *queue, struct herald_error *error)
{
	const struct herald_route routes[] = {
		HERALD_ROUTE("task", task, on_task, f, .key = "key"),
		HERALD_ROUTE("join", task, on_join, f, .transaction = HERALD_TRANSACTION_JOIN),
	};

	return herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .store = f->store, .queue = queue,
					.handlers = f->handler ? &f->handler : NULL,
					.handlers_count = f->handler != NULL,
					.allocator = f->service_allocator),
		&f->service, error);
}

enum herald_status
store_fixture_try(struct store_fixture *f, const struct store_fixture_options *options,
		  struct herald_error *error)
{
	const struct herald__delivery_clock clock = {.now_ms = fixture_now_ms,
						     .wall_ms = fixture_wall_ms,
						     .random = fixture_random,
						     .state = f};
	struct herald_store_options store = options->store;

	memset(f, 0, sizeof(*f));
	pthread_mutex_init(&f->mutex, NULL);
	pthread_cond_init(&f->changed, NULL);
	f->wall_ms = FIRST_MS;
	f->owns_model = !options->model;
	f->handler = options->handler;
	f->model = options->model ? options->model : model_create(&options->model_options);
	store.struct_size = sizeof(store);
	store.database = model_open(f->model);
	if (options->adapt) {
		f->ops = *store.database->ops;
		options->adapt(&f->ops);
		store.database->ops = &f->ops;
	}
	store.log = (struct herald_log){keep_log, f, HERALD_LOG_DEBUG};
	if (options->allocator)
		store.allocator = *options->allocator;
	if (options->service_allocator)
		f->service_allocator = *options->service_allocator;
	enum herald_status status =
		herald__store_create(&store, options->has_threads ? NULL : &clock,
				     options->has_threads, &f->store, error);
	return status == HERALD_OK ? create_service(f, options->queue, error) : status;
}

void
store_fixture_init(struct store_fixture *f, const struct store_fixture_options *options)
{
	struct herald_error error;

	if (store_fixture_try(f, options, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

void
store_fixture_service(struct store_fixture *f)
{
	struct herald_error error;

	if (create_service(f, NULL, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

static void
finish_rest(struct store_fixture *f)
{
	if (f->owns_model)
		model_destroy(f->model);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->mutex);
}

void
store_fixture_finish(struct store_fixture *f)
{
	if (f->store && !f->store->has_threads) {
		herald_store_stop(f->store, 0);
		store_settle(f);
	}
	herald_service_destroy(f->service);
	herald_store_destroy(f->store);
	f->store = NULL;
	finish_rest(f);
}

void
store_fixture_die(struct store_fixture *f)
{
	const struct herald__in_flight *in_flight = &f->store->node.in_flight;
	struct flock lock = {.l_type = F_UNLCK, .l_len = 1};

	model_kill(f->store->database);
	if (in_flight->map)
		assert_int_equal(fcntl(in_flight->fd, F_OFD_SETLK, &lock), 0);
}

void
store_fixture_kill(struct store_fixture *f)
{
	store_fixture_die(f);
	herald_store_stop(f->store, 0);
	for (int i = 0; i < 4; i++)
		store_step(f);
	herald_service_destroy(f->service);
	herald__store_abandon(f->store);
	finish_rest(f);
}

/* Events. */

static void
on_done(struct herald__inbox_event *event)
{
	struct store_arrival *arrival = (struct store_arrival *)event;
	struct store_fixture *f = arrival->fixture;

	pthread_mutex_lock(&f->mutex);
	arrival->answers++;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->mutex);
}

static const char *
type_of(const char *action)
{
	if (strcmp(action, "unknown") == 0)
		return "other";
	return strncmp(action, "join", 4) == 0 ? "join" : "task";
}

struct store_arrival *
store_submit_keyed(struct store_fixture *f, const char *id, const char *action, const char *key)
{
	struct store_arrival *arrival = &f->arrivals[f->arrivals_count++];

	assert_true(f->arrivals_count <= STORE_MAX_ARRIVALS);
	snprintf(arrival->id, sizeof(arrival->id), "%s", id);
	int bytes =
		snprintf(arrival->data, sizeof(arrival->data),
			 "{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":\"%s\","
			 "\"metadata\":{\"id\":\"%s\"},\"payload\":{\"%s\":\"%s\",\"action\":"
			 "\"%s\"}}",
			 type_of(action), id, strcmp(action, "bad") == 0 ? "no" : "id", id, action);
	arrival->fixture = f;
	arrival->event = (struct herald__inbox_event){
		.service = f->service,
		.event_type = type_of(action),
		.source = "",
		.id = arrival->id,
		.content_type = "application/json",
		.attributes = {"", 0},
		.data = {arrival->data, (size_t)bytes},
		.key = {key, key ? strlen(key) : 0},
		.holds_key = f->holds_keys,
		.due_ms = f->due_ms,
		.done = on_done,
	};
	f->store->inbox.ops->accept(&f->store->inbox, &arrival->event);
	return arrival;
}

struct store_arrival *
store_submit(struct store_fixture *f, const char *id, const char *action)
{
	return store_submit_keyed(f, id, action, NULL);
}

/* Steps. */

bool
store_step(struct store_fixture *f)
{
	bool has_run = false;

	herald__committer_turn(f->store);
	for (unsigned i = 0; i < f->store->settings.options.workers; i++)
		has_run |= herald__worker_step(&f->store->workers[i]);
	return has_run;
}

void
store_settle(struct store_fixture *f)
{
	for (int quiet = 0; quiet < 3;) {
		bool has_run = store_step(f);
		bool is_due = herald__committer_turn(f->store) <= (uint64_t)f->wall_ms;

		quiet = has_run || is_due ? 0 : quiet + 1;
	}
}

void
store_pass(struct store_fixture *f, uint64_t ms)
{
	f->wall_ms += (int64_t)ms;
	store_settle(f);
}

/* Threads. */

static bool
all_answered(const struct store_fixture *f)
{
	for (size_t i = 0; i < f->arrivals_count; i++)
		if (f->arrivals[i].answers == 0)
			return false;
	return true;
}

static void
wait_changed(struct store_fixture *f)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	if (pthread_cond_timedwait(&f->changed, &f->mutex, &until) != 0)
		fail_msg("nothing has happened for 20 s");
}

void
store_await_answers(struct store_fixture *f)
{
	pthread_mutex_lock(&f->mutex);
	while (!all_answered(f))
		wait_changed(f);
	pthread_mutex_unlock(&f->mutex);
}

void
store_await_runs(struct store_fixture *f, size_t count)
{
	pthread_mutex_lock(&f->mutex);
	while (f->runs_count < count)
		wait_changed(f);
	pthread_mutex_unlock(&f->mutex);
}

/* Looking. */

const struct model_row *
store_row(struct store_fixture *f, const char *id)
{
	const struct model_tables *tables = model_committed(f->model);

	for (size_t i = 0; i < tables->rows_count; i++)
		if (strcmp(tables->rows[i]->texts[MODEL_EVENT_ID], id) == 0)
			return tables->rows[i];
	return NULL;
}

bool
store_logged(struct store_fixture *f, const char *text)
{
	pthread_mutex_lock(&f->mutex);
	bool found = strstr(f->log, text) != NULL;
	pthread_mutex_unlock(&f->mutex);
	return found;
}

struct herald_store_statistics
store_counts(struct store_fixture *f)
{
	struct herald_store_statistics counts;

	herald_store_statistics_read(f->store, &counts);
	return counts;
}
