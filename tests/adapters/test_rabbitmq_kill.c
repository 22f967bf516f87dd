/*
 * A consumer on RabbitMQ under load: it is killed, and so is the server. Nothing is lost, and what
 * runs twice is no more than what was in flight.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <herald/consumer.h>
#include <herald/herald.h>
#include <herald/rabbitmq.h>

#include "support/draw.h"
#include "support/rabbitmq_server.h"

#define CONSUMER_KILLS 50
#define SERVER_KILLS 5
#define IN_FLIGHT 100
#define MAX_EVENTS 200000
/* Some events are retried once, and some become dead letters. */
#define IS_RETRIED(number) ((number) % 10 == 3)
#define IS_DEAD(number) ((number) % 97 == 5)

static struct rabbitmq_server server;
static struct rabbitmq_client client;
static char effects_path[96];

static void
pause_ms(long ms)
{
	const struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

/* The process that consumes. */

/* Where effects go. */
struct file {
	int fd;
};

struct thing {
	int32_t number;
};

HERALD_SCHEMA(thing, HERALD_FIELD(thing, number, .required = true));

static enum herald_verdict
on_thing(struct herald_context *ctx, const struct thing *thing, struct file *effects)
{
	char line[16];

	if (IS_DEAD(thing->number))
		return herald_fail(ctx, "not this one");
	if (IS_RETRIED(thing->number) && herald_context_attempt(ctx) == 1)
		return herald_retry(ctx, "not yet");

	const int bytes = snprintf(line, sizeof(line), "%d\n", thing->number);
	return write(effects->fd, line, (size_t)bytes) == bytes ? HERALD_DONE
								: herald_retry(ctx, "cannot write");
}
HERALD_FUNCTION(on_thing, thing, file);

static sigset_t
stop_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	return signals;
}

static void
consume(const char *queue)
{
	struct file effects = {open(effects_path, O_WRONLY | O_CREAT | O_APPEND, 0600)};
	const struct herald_route routes[] = {HERALD_ROUTE("thing", thing, on_thing, &effects)};
	struct herald_consumer_options options =
		HERALD_CONSUMER_OPTIONS(.lanes = 4, .max_in_flight = IN_FLIGHT,
					.first_delay_ms = 20, .backoff = HERALD_BACKOFF_NO_JITTER,
					.in_flight_folder = server.directory);
	struct herald_consumer *consumer;
	struct herald_error error;
	const sigset_t signals = stop_signals();
	int signal;

	enum herald_status status = herald_service_create(
		&HERALD_SERVICE_OPTIONS(HERALD_ROUTES(routes)), &options.service, &error);
	if (status == HERALD_OK)
		status = herald_rabbitmq_subscriber_create(
			&HERALD_RABBITMQ_SUBSCRIBER_OPTIONS(.url = server.url, .queue = queue),
			&options.subscriber, &error);
	if (status == HERALD_OK)
		status = herald_consumer_create(&options, &consumer, &error);
	if (status != HERALD_OK) {
		print_error("%s: %s\n", error.path, error.message);
		_exit(1);
	}
	sigwait(&signals, &signal);
	const size_t left = herald_consumer_stop(consumer, 10000);
	herald_consumer_destroy(consumer);
	herald_service_destroy(options.service);
	_exit(left == 0 ? 0 : 2);
}

static pid_t
start_consumer(const char *queue)
{
	const sigset_t signals = stop_signals();

	/* Before the fork: it may be stopped before it has begun. */
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid > 0) {
		pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	consume(queue);
	_exit(3);
}

static void
kill_consumer(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

static void
stop_consumer(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The events. */

static int published;
static uint8_t seen[MAX_EVENTS];

static void
publish(const char *queue, int count)
{
	char event[160];

	assert_true(published + count <= MAX_EVENTS);
	for (int i = 0; i < count; i++) {
		const int bytes =
			snprintf(event, sizeof(event),
				 "{\"event_type\":\"thing\",\"timestamp\":\"2024-08-20T05:21:19Z\","
				 "\"payload\":{\"number\":%d},\"metadata\":{\"id\":\"%d\"}}",
				 published + i, published + i);
		rabbitmq_client_send(&client, queue, event, (size_t)bytes, NULL);
	}
	rabbitmq_client_await(&client);
	published += count;
}

/* Returns how many have run or will not; *again: how often one ran again. */
static int
count_effects(int *again)
{
	FILE *file = fopen(effects_path, "r");
	int number, count = 0;

	memset(seen, 0, sizeof(seen));
	*again = 0;
	while (file && fscanf(file, "%d", &number) == 1) {
		assert_true(number >= 0 && number < MAX_EVENTS);
		assert_false(IS_DEAD(number));
		count += seen[number] == 0;
		*again += seen[number] > 0;
		seen[number] = 1;
	}
	if (file)
		fclose(file);
	return count;
}

static int
dead_events(void)
{
	int count = 0;

	for (int i = 0; i < published; i++)
		count += IS_DEAD(i);
	return count;
}

/* Wait until the file has all events. */
static void
await_effects(int *again)
{
	const int expected = published - dead_events();
	int count = -1;

	for (int i = 0; i < 600 && count != expected; i++) {
		pause_ms(100);
		count = count_effects(again);
	}
	for (int i = 0; i < published; i++)
		if (!seen[i] && !IS_DEAD(i))
			print_error("lost: %d\n", i);
	assert_int_equal(count, expected);
}

/* Each that failed is a dead letter, and no other. */
static void
check_dead_letters(const char *dead)
{
	amqp_message_t message;
	char text[160];

	memset(seen, 0, sizeof(seen));
	while (rabbitmq_client_get(&client, dead, 0, &message)) {
		snprintf(text, sizeof(text), "%.*s", (int)message.body.len,
			 (const char *)message.body.bytes);
		const long number = strtol(strstr(text, "\"number\":") + 9, NULL, 10);
		if (!IS_DEAD(number))
			print_error("%s: %s\n", text, rabbitmq_header(&message, "herald-reason"));
		assert_true(IS_DEAD(number));
		seen[number] = 1;
		amqp_destroy_message(&message);
	}
	for (int i = 0; i < published; i++)
		assert_int_equal(seen[i], IS_DEAD(i));
}

static void
begin(const char *name)
{
	published = 0;
	snprintf(effects_path, sizeof(effects_path), "%s/%s", server.directory, name);
}

static void
killing_the_consumer_loses_nothing(void **unused)
{
	uint64_t draw = draw_seed();
	int again;

	(void)unused;
	begin("consumer");
	stop_consumer(start_consumer("consumer"));
	for (int i = 0; i < CONSUMER_KILLS; i++) {
		pid_t pid = start_consumer("consumer");

		publish("consumer", 200);
		pause_ms((long)draw_below(&draw, 60));
		kill_consumer(pid);
	}
	pid_t pid = start_consumer("consumer");
	await_effects(&again);
	stop_consumer(pid);
	print_message("# %d events, %d consumers killed: %d more runs\n", published, CONSUMER_KILLS,
		      again);
	assert_true(again <= CONSUMER_KILLS * IN_FLIGHT);
	assert_int_equal(rabbitmq_client_count(&client, "consumer"), 0);
	check_dead_letters("consumer.dead");
}

static void
killing_the_server_loses_nothing(void **unused)
{
	uint64_t draw = draw_seed();
	int again;

	(void)unused;
	begin("server");
	pid_t pid = start_consumer("server");
	while (rabbitmq_client_count(&client, "server.dead") < 0)
		pause_ms(20);
	/* One is retried, so that there is the queue for it. */
	publish("server", 10);
	await_effects(&again);
	for (int i = 0; i < SERVER_KILLS; i++) {
		publish("server", 1000);
		pause_ms((long)draw_below(&draw, 60));
		rabbitmq_server_crash(&server);
		rabbitmq_client_abandon(&client);
		rabbitmq_server_restart(&server);
		rabbitmq_client_open(&client, &server);
	}
	publish("server", 1000);
	await_effects(&again);
	stop_consumer(pid);
	print_message("# %d events, the server killed %d times: %d more runs\n", published,
		      SERVER_KILLS, again);
	assert_true(again <= SERVER_KILLS * IN_FLIGHT);
	assert_int_equal(rabbitmq_client_count(&client, "server"), 0);
	check_dead_letters("server.dead");
}

static int
start_server(void **unused)
{
	(void)unused;
	rabbitmq_server_start(&server);
	rabbitmq_client_open(&client, &server);
	return 0;
}

static int
stop_server(void **unused)
{
	(void)unused;
	rabbitmq_client_close(&client);
	rabbitmq_server_stop(&server);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killing_the_consumer_loses_nothing),
		cmocka_unit_test(killing_the_server_loses_nothing),
	};

	if (!rabbitmq_server_exists())
		return rabbitmq_server_left_out("rabbitmq_kill");
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
