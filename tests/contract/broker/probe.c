/*
 * Consumers for the cases. Owns their service, whose function does what an event says.
 */
#include "probe.h"

#include <stdio.h>

#include <time.h>
#include <unistd.h>

const struct contract_broker *broker;

uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
probe_pause(void)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	nanosleep(&pause, NULL);
}

/* Events. */

struct task {
	int32_t id;
	const char *action;
	int32_t number;
};

HERALD_SCHEMA(task,
	HERALD_FIELD(task, id, .required = true),
	HERALD_FIELD(task, action, .required = true),
	HERALD_FIELD(task, number));

static void
note_run(struct probe *probe, int id, unsigned attempt)
{
	if (probe->tally)
		__atomic_fetch_add(&probe->tally[id], 1, __ATOMIC_RELAXED);
	pthread_mutex_lock(&probe->mutex);
	if (probe->runs_count < MAX_RUNS)
		probe->runs[probe->runs_count++] = (struct run){id, attempt, now_ms()};
	pthread_mutex_unlock(&probe->mutex);
}

static void
wait_release(struct probe *probe)
{
	pthread_mutex_lock(&probe->mutex);
	probe->waiting++;
	while (probe->is_blocked)
		pthread_cond_wait(&probe->changed, &probe->mutex);
	probe->waiting--;
	pthread_mutex_unlock(&probe->mutex);
}

static enum herald_verdict
on_task(struct herald_context *ctx, const struct task *task, struct probe *probe)
{
	const unsigned attempt = herald_context_attempt(ctx);

	note_run(probe, task->id, attempt);
	if (strcmp(task->action, "crash") == 0)
		_exit(99);
	if (strcmp(task->action, "fail") == 0)
		return herald_fail_status(ctx, 422, "line\none, %d", task->number);
	if (strcmp(task->action, "retry") == 0 && attempt < (unsigned)task->number)
		return herald_retry(ctx, "not yet");
	if (strcmp(task->action, "wait") == 0)
		wait_release(probe);
	if (strcmp(task->action, "sleep") == 0) {
		const struct timespec time = {task->number / 1000, task->number % 1000 * 1000000};

		nanosleep(&time, NULL);
	}
	return HERALD_DONE;
}
HERALD_FUNCTION(on_task, task, probe);

static void
write_event(char out[256], int id, const char *action, int number)
{
	snprintf(out, 256,
		 "{\"event_type\":\"task\",\"timestamp\":\"2024-08-20T05:21:19Z\",\"payload\":"
		 "{\"id\":%d,\"action\":\"%s\",\"number\":%d},\"metadata\":{\"id\":\"e-%d\"}}",
		 id, action, number, id);
}

void
probe_publish_keyed(struct probe *probe, int id, const char *action, int number, const char *key)
{
	const struct herald_pair headers[] = {{"key", key}};
	char event[256];

	write_event(event, id, action, number);
	probe->kind->publish(probe->source, event, strlen(event), headers, key ? 1 : 0);
}

void
probe_publish(struct probe *probe, int id, const char *action, int number)
{
	probe_publish_keyed(probe, id, action, number, NULL);
}

void
probe_publish_many(struct probe *probe, int first, int count)
{
	char(*events)[256] = test_malloc((size_t)count * sizeof(*events));
	const char **data = test_malloc((size_t)count * sizeof(*data));

	for (int i = 0; i < count; i++) {
		write_event(events[i], first + i, "done", 0);
		data[i] = events[i];
	}
	probe->kind->publish_all(probe->source, data, (size_t)count);
	test_free(data);
	test_free(events);
}

/* Consumers. */

static struct probe *
create_on(const char *source)
{
	struct probe *probe = test_calloc(1, sizeof(*probe));
	const struct herald_route routes[] = {HERALD_ROUTE("task", task, on_task, probe)};

	probe->kind = broker;
	strcpy(probe->source, source);
	pthread_mutex_init(&probe->mutex, NULL);
	pthread_cond_init(&probe->changed, NULL);
	assert_int_equal(herald_service_create(&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)),
					       &probe->service, NULL),
			 HERALD_OK);
	return probe;
}

struct probe *
probe_create(void)
{
	static unsigned number;
	char source[32];

	snprintf(source, sizeof(source), "contract-%u", number++);
	return create_on(source);
}

struct probe *
probe_beside(const struct probe *other)
{
	return create_on(other->source);
}

void
probe_start(struct probe *probe, const struct herald_consumer_options *given)
{
	struct herald_consumer_options options = *given;
	struct herald_error error;

	options.service = probe->service;
	options.backoff = HERALD_BACKOFF_NO_JITTER;
	if (options.first_delay_ms == 0)
		options.first_delay_ms = 50;
	if (probe->kind->subscribe(probe->source, "group", VISIBILITY_MS, &options.subscriber,
				   &error) != HERALD_OK ||
	    herald_consumer_create(&options, &probe->consumer, &error) != HERALD_OK)
		fail_msg("%s", error.message);
}

size_t
probe_stop(struct probe *probe)
{
	const size_t left = herald_consumer_stop(probe->consumer, WAIT_MS);

	herald_consumer_destroy(probe->consumer);
	probe->consumer = NULL;
	return left;
}

void
probe_destroy(struct probe *probe)
{
	probe_release(probe);
	if (probe->consumer)
		probe_stop(probe);
	herald_service_destroy(probe->service);
	pthread_mutex_destroy(&probe->mutex);
	pthread_cond_destroy(&probe->changed);
	test_free(probe);
}

/* What has happened. */

struct run
probe_last(struct probe *probe, int id)
{
	struct run last = {.id = id};

	pthread_mutex_lock(&probe->mutex);
	for (size_t i = 0; i < probe->runs_count; i++)
		if (probe->runs[i].id == id)
			last = probe->runs[i];
	pthread_mutex_unlock(&probe->mutex);
	return last;
}

unsigned
probe_runs(struct probe *probe, int id)
{
	unsigned count = 0;

	pthread_mutex_lock(&probe->mutex);
	for (size_t i = 0; i < probe->runs_count; i++)
		count += probe->runs[i].id == id;
	pthread_mutex_unlock(&probe->mutex);
	return count;
}

size_t
probe_all_runs(struct probe *probe)
{
	pthread_mutex_lock(&probe->mutex);
	const size_t count = probe->runs_count;
	pthread_mutex_unlock(&probe->mutex);
	return count;
}

unsigned
probe_waiting(struct probe *probe)
{
	pthread_mutex_lock(&probe->mutex);
	const unsigned waiting = probe->waiting;
	pthread_mutex_unlock(&probe->mutex);
	return waiting;
}

void
probe_block(struct probe *probe)
{
	pthread_mutex_lock(&probe->mutex);
	probe->is_blocked = true;
	pthread_mutex_unlock(&probe->mutex);
}

void
probe_release(struct probe *probe)
{
	pthread_mutex_lock(&probe->mutex);
	probe->is_blocked = false;
	pthread_cond_broadcast(&probe->changed);
	pthread_mutex_unlock(&probe->mutex);
}

struct herald_consumer_statistics
probe_counts(struct probe *probe)
{
	struct herald_consumer_statistics counts;

	herald_consumer_statistics_read(probe->consumer, &counts);
	return counts;
}

size_t
probe_left(const struct probe *probe)
{
	return probe->kind->left(probe->source, "group");
}

size_t
probe_dead(const struct probe *probe)
{
	return probe->kind->dead_count(probe->source);
}

void
probe_finish(struct probe *probe)
{
	WAIT(probe_left(probe) == 0);
	/* The test now sees what the functions have noted. */
	pthread_mutex_lock(&probe->mutex);
	pthread_mutex_unlock(&probe->mutex);
}

void
dead_free(struct contract_dead *dead)
{
	free(dead->data);
	for (size_t i = 0; i < dead->headers_count; i++) {
		free((void *)(uintptr_t)dead->headers[i].key);
		free((void *)(uintptr_t)dead->headers[i].value);
	}
}

const char *
dead_header(const struct contract_dead *dead, const char *name)
{
	for (size_t i = 0; i < dead->headers_count; i++)
		if (strcmp(dead->headers[i].key, name) == 0)
			return dead->headers[i].value;
	return NULL;
}
