/*
 * A consumer whose function takes as long as the event says, for tests/capacity/check.py, which
 * compares it with the model of tools/capacity.
 *
 *	capacity_consumer URL SOURCE LANES key|none IN_FLIGHT
 *
 * URL is redis:// or nats://. On SIGTERM it prints a line for each event that is done: its number,
 * the microseconds from when it was sent until its function returned, and those that the function
 * took: on a busy machine more than it was told.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <herald/consumer.h>
#include <herald/herald.h>
#include <herald/nats.h>
#include <herald/redis.h>

#define GROUP "capacity"
#define MAX_EVENTS 1000000
#define DRAIN_MS 10000

struct task {
	int32_t number;
	int64_t sent_us, takes_us;
};

HERALD_SCHEMA(task,
	HERALD_FIELD(task, number, .required = true, HERALD_RANGE(0, MAX_EVENTS - 1)),
	HERALD_FIELD(task, sent_us, .required = true),
	HERALD_FIELD(task, takes_us, .required = true));

/* By number; 0: not done. */
struct delays {
	int64_t us[MAX_EVENTS], ran_us[MAX_EVENTS];
};

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void
wait_us(int64_t us)
{
	struct timespec left = {us / 1000000, us % 1000000 * 1000};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

static enum herald_verdict
on_task(struct herald_context *ctx, const struct task *task, struct delays *delays)
{
	const int64_t begin_us = now_us();

	(void)ctx;
	wait_us(task->takes_us);
	const int64_t end_us = now_us();
	delays->ran_us[task->number] = end_us - begin_us;
	delays->us[task->number] = end_us - task->sent_us;
	return HERALD_DONE;
}
HERALD_FUNCTION(on_task, task, delays);

static enum herald_status
subscribe(const char *url, const char *source, struct herald_subscriber **out,
	  struct herald_error *error)
{
	if (strncmp(url, "nats://", 7) == 0)
		return herald_nats_subscriber_create(
			&HERALD_NATS_SUBSCRIBER_OPTIONS(.url = url, .stream = source,
							.group = GROUP),
			out, error);
	return herald_redis_subscriber_create(
		&HERALD_REDIS_SUBSCRIBER_OPTIONS(.url = url, .stream = source, .group = GROUP), out,
		error);
}

static enum herald_status
consume(char **argv, struct herald_service *service, const sigset_t *signals,
	struct herald_error *error)
{
	struct herald_consumer_options options =
		HERALD_CONSUMER_OPTIONS(.service = service,
					.lanes = (unsigned)strtoul(argv[3], NULL, 10),
					.max_in_flight = strtoul(argv[5], NULL, 10));
	struct herald_consumer *consumer;
	int signal;

	if (strcmp(argv[4], "key") == 0) {
		options.order = HERALD_ORDER_KEY;
		options.key_attribute = "key";
	}
	enum herald_status status = subscribe(argv[1], argv[2], &options.subscriber, error);
	if (status == HERALD_OK)
		status = herald_consumer_create(&options, &consumer, error);
	if (status != HERALD_OK)
		return status;
	puts("ready");
	fflush(stdout);
	sigwait(signals, &signal);
	herald_consumer_stop(consumer, DRAIN_MS);
	herald_consumer_destroy(consumer);
	return HERALD_OK;
}

int
main(int argc, char **argv)
{
	static struct delays delays;
	const struct herald_route routes[] = {HERALD_ROUTE("task", task, on_task, &delays)};
	struct herald_service *service;
	struct herald_error error;
	sigset_t signals;

	if (argc != 6) {
		fprintf(stderr, "usage: %s URL SOURCE LANES key|none IN_FLIGHT\n", argv[0]);
		return 2;
	}
	/* In all threads, so that only sigwait() gets it. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &service, &error);
	if (status == HERALD_OK) {
		status = consume(argv, service, &signals, &error);
		herald_service_destroy(service);
	}
	if (status != HERALD_OK) {
		herald_error_print(stderr, argv[0], &error);
		return 1;
	}
	for (size_t i = 0; i < MAX_EVENTS; i++)
		if (delays.us[i] > 0)
			printf("%zu %lld %lld\n", i, (long long)delays.us[i],
			       (long long)delays.ran_us[i]);
	return 0;
}
