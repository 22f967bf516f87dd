/*
 * A consumer on a broker in memory, and a service whose events say what happens to them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/adapter/random.h>
#include <herald/adapter/thread.h>

#include "support/consumer_fixture.h"

struct task {
	const char *id;
	const char *action;
};
HERALD_SCHEMA(task, HERALD_FIELD(task, id, .required = true), HERALD_FIELD(task, action));

/* With the mutex held. */
static void
note_run(struct consumer_fixture *f, size_t index, unsigned attempt)
{
	size_t used = strlen(f->runs);

	snprintf(f->runs + used, sizeof(f->runs) - used, "%s%zu/%u", used ? " " : "", index,
		 attempt);
	f->runs_count++;
	f->running++;
	if (f->running > f->abreast)
		f->abreast = f->running;
	pthread_cond_broadcast(&f->changed);
}

static void
check_order(struct consumer_fixture *f, size_t index)
{
	const struct fake_message *messages = f->broker->messages;

	for (size_t i = 0; i < index; i++)
		if (strcmp(messages[i].key, messages[index].key) == 0 && !messages[i].has_finished)
			fake_broker_fault(f->broker, "%zu runs before %zu of its key", index, i);
}

static void
begin(struct consumer_fixture *f, struct fake_message *message, size_t index, unsigned attempt)
{
	pthread_mutex_lock(&f->mutex);
	note_run(f, index, attempt);
	if (message->is_running && !f->options.allows_repeats)
		fake_broker_fault(f->broker, "%zu runs twice at a time", index);
	if (message->has_finished && !f->options.allows_repeats)
		fake_broker_fault(f->broker, "%zu runs again", index);
	const unsigned least = message->runs + 1 - message->done_runs;
	if ((attempt < least || attempt > message->runs + 1) && !message->is_unsure &&
	    !(f->options.allows_gaps && attempt > message->runs))
		fake_broker_fault(f->broker, "%zu: run %u is attempt %u in delivery %u", index,
				  message->runs + 1, attempt, message->deliveries);
	if (f->options.checks_order && message->key[0] != '\0')
		check_order(f, index);
	message->is_running = true;
	message->runs++;
	message->last_attempt = attempt;
	pthread_mutex_unlock(&f->mutex);
}

static void
end(struct consumer_fixture *f, struct fake_message *message, enum herald_verdict verdict)
{
	const unsigned most = f->options.consumer.max_attempts;

	pthread_mutex_lock(&f->mutex);
	message->is_running = false;
	message->done_runs += verdict == HERALD_DONE;
	message->has_finished |=
		verdict != HERALD_RETRY || message->last_attempt >= (most > 0 ? most : 20);
	f->running--;
	pthread_mutex_unlock(&f->mutex);
}

static void
wait_blocked(struct consumer_fixture *f)
{
	pthread_mutex_lock(&f->mutex);
	f->waiting++;
	pthread_cond_broadcast(&f->changed);
	while (f->is_blocked)
		pthread_cond_wait(&f->changed, &f->mutex);
	f->waiting--;
	pthread_mutex_unlock(&f->mutex);
}

static unsigned
number_of(const char *action)
{
	const char *space = strchr(action, ' ');

	return space ? (unsigned)strtoul(space, NULL, 10) : 0;
}

static bool
is(const char *action, const char *name)
{
	return strncmp(action, name, strlen(name)) == 0;
}

static enum herald_verdict
act(struct consumer_fixture *f, struct herald_context *ctx, const struct task *task)
{
	const unsigned number = number_of(task->action);
	const unsigned attempt = herald_context_attempt(ctx);

	if (is(task->action, "retry") && attempt < number)
		return herald_retry(ctx, "not yet");
	if (is(task->action, "later") && attempt < number)
		return herald_retry_after(ctx, 70, "in a while");
	if (is(task->action, "fail"))
		return number > 0 ? herald_fail_status(ctx, number, "no good")
				  : herald_fail(ctx, "no good");
	if (is(task->action, "crash"))
		abort();
	if (is(task->action, "take"))
		f->broker->now_ms += number;
	if (is(task->action, "wait"))
		wait_blocked(f);
	return HERALD_DONE;
}

static enum herald_verdict
on_task(struct herald_context *ctx, const struct task *task, struct consumer_fixture *f)
{
	const size_t index = strtoul(task->id, NULL, 10);
	struct fake_message *message = &f->broker->messages[index];

	begin(f, message, index, herald_context_attempt(ctx));
	enum herald_verdict verdict = act(f, ctx, task);
	end(f, message, verdict);
	return verdict;
}
HERALD_FUNCTION(on_task, task, consumer_fixture);

static void
keep_log(const struct herald_log_record *record, void *state)
{
	struct consumer_fixture *f = state;

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

/* The broker moves the clock. */

static uint64_t
fixture_now_ms(void *state)
{
	return ((struct consumer_fixture *)state)->broker->now_ms;
}

static int64_t
fixture_wall_ms(void *state)
{
	return (int64_t)((struct consumer_fixture *)state)->broker->now_ms;
}

static uint64_t
fixture_random(void *state)
{
	struct consumer_fixture *f = state;

	return herald_random_bits(f->random += HERALD_RANDOM_STEP);
}

static void
fixture_idle(uint64_t due_ms, size_t in_flight, void *state)
{
	struct consumer_fixture *f = state;

	(void)in_flight;
	if (due_ms > f->broker->now_ms && due_ms != UINT64_MAX)
		f->broker->now_ms = due_ms;
}

static enum herald_status
create_service(struct consumer_fixture *f, struct herald_error *error)
{
	const struct herald_route routes[] = {HERALD_ROUTE("task", task, on_task, f)};

	return herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes), .store = f->options.store,
					.attributes = f->options.attributes,
					.formats = f->options.format ? &f->options.format : NULL,
					.formats_count = f->options.format != NULL,
					.handlers = f->options.handler ? &f->options.handler : NULL,
					.handlers_count = f->options.handler != NULL),
		&f->service, error);
}

static void
take_broker(struct consumer_fixture *f)
{
	const struct consumer_fixture_options *options = &f->options;

	f->broker = options->broker;
	if (f->broker)
		return;
	f->broker = f->own_broker = malloc(sizeof(*f->own_broker));
	assert_non_null(f->own_broker);
	fake_broker_init(f->broker);
	f->broker->ops.counts_releases = !options->keeps_releases;
	f->broker->writes_attempts = options->writes_attempts;
	f->broker->visibility_ms = options->visibility_ms;
	f->broker->is_threaded = options->has_threads;
}

enum herald_status
consumer_fixture_try(struct consumer_fixture *f, const struct consumer_fixture_options *options,
		     struct herald_error *error)
{
	const struct herald__delivery_clock clock = {.now_ms = fixture_now_ms,
						     .wall_ms = fixture_wall_ms,
						     .random = fixture_random,
						     .idle = fixture_idle,
						     .state = f};
	struct herald_consumer_options consumer = options->consumer;

	memset(f, 0, sizeof(*f));
	f->options = *options;
	pthread_mutex_init(&f->mutex, NULL);
	if (herald_condition_init(&f->changed) != 0)
		return HERALD_SYSTEM;
	take_broker(f);
	snprintf(f->folder, sizeof(f->folder), "/tmp/herald-consumer-XXXXXX");
	if (!consumer.in_flight_folder && mkdtemp(f->folder))
		consumer.in_flight_folder = f->folder;
	enum herald_status status = create_service(f, error);
	if (status != HERALD_OK)
		return status;
	consumer.struct_size = sizeof(consumer);
	if (!options->has_jitter)
		consumer.backoff = HERALD_BACKOFF_NO_JITTER;
	consumer.service = f->service;
	consumer.subscriber = fake_subscriber_create(f->broker);
	consumer.log = (struct herald_log){keep_log, f, HERALD_LOG_DEBUG};
	return herald__consumer_create(&consumer, options->has_threads ? NULL : &clock,
				       options->has_threads, &f->consumer, error);
}

void
consumer_fixture_init(struct consumer_fixture *f, const struct consumer_fixture_options *options)
{
	struct herald_error error;

	if (consumer_fixture_try(f, options, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
}

/* The notes of messages that may come again are kept. */
static void
remove_folder(const struct consumer_fixture *f)
{
	char command[256];

	if (f->folder[0] == '\0' || rmdir(f->folder) == 0)
		return;
	snprintf(command, sizeof(command), "rm -f %s/herald-consumer-* && rmdir %s 2>&1", f->folder,
		 f->folder);
	assert_int_equal(f->options.consumer.in_flight_folder ? 0 : system(command), 0);
}

void
consumer_fixture_free(struct consumer_fixture *f)
{
	herald_consumer_destroy(f->consumer);
	herald_service_destroy(f->service);
	if (f->own_broker) {
		fake_broker_finish(f->own_broker);
		free(f->own_broker);
	}
	remove_folder(f);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->mutex);
}

void
consumer_fixture_finish(struct consumer_fixture *f)
{
	if (!f->options.has_threads)
		consumer_stop(f);
	herald_consumer_destroy(f->consumer);
	f->consumer = NULL;
	if (f->broker->fault[0] != '\0')
		fail_msg("%s", f->broker->fault);
	assert_int_equal(f->broker->given, f->broker->returned);
	consumer_fixture_free(f);
}

/* Steps. */

bool
consumer_turn(struct consumer_fixture *f)
{
	bool goes_on = herald__intake_turn(f->consumer);

	for (unsigned i = 0; i < f->options.consumer.lanes; i++)
		while (herald__lane_step(&f->consumer->lanes[i]))
			;
	return goes_on;
}

static bool
is_settled(struct fake_broker *broker)
{
	return fake_broker_count(broker, FAKE_DONE) + fake_broker_count(broker, FAKE_DEAD) ==
	       broker->count;
}

void
consumer_settle(struct consumer_fixture *f)
{
	for (unsigned i = 0; !is_settled(f->broker); i++) {
		if (i == 100000)
			fail_msg("it never ends: %s", f->runs);
		consumer_turn(f);
		if (f->broker->fault[0] != '\0')
			fail_msg("%s", f->broker->fault);
	}
}

void
consumer_stop(struct consumer_fixture *f)
{
	herald_consumer_stop(f->consumer, 1000);
	if (herald_consumer_stop(f->consumer, 1000) == 0 &&
	    consumer_counts(f).state == HERALD_CONSUMER_STOPPED)
		return;
	for (unsigned i = 0; consumer_turn(f); i++)
		if (i == 1000)
			fail_msg("it does not stop");
}

struct herald_consumer_statistics
consumer_counts(struct consumer_fixture *f)
{
	struct herald_consumer_statistics counts;

	herald_consumer_statistics_read(f->consumer, &counts);
	return counts;
}

bool
consumer_logged(struct consumer_fixture *f, const char *text)
{
	pthread_mutex_lock(&f->mutex);
	bool has = strstr(f->log, text);
	pthread_mutex_unlock(&f->mutex);
	return has;
}

/* Threads. */

void
consumer_wait_some(struct consumer_fixture *f)
{
	const struct timespec until = herald_deadline_after(2);

	pthread_mutex_lock(&f->mutex);
	pthread_cond_timedwait(&f->changed, &f->mutex, &until);
	pthread_mutex_unlock(&f->mutex);
}

unsigned
consumer_waiting(struct consumer_fixture *f)
{
	pthread_mutex_lock(&f->mutex);
	unsigned waiting = f->waiting;
	pthread_mutex_unlock(&f->mutex);
	return waiting;
}

void
consumer_block(struct consumer_fixture *f)
{
	pthread_mutex_lock(&f->mutex);
	f->is_blocked = true;
	pthread_mutex_unlock(&f->mutex);
}

void
consumer_release(struct consumer_fixture *f)
{
	pthread_mutex_lock(&f->mutex);
	f->is_blocked = false;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->mutex);
}
