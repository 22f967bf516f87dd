/*
 * `herald top`: reads what a running service has counted, again and again, and prints what changed.
 * Owns the time between two samples, and what signals do.
 */
#include "top.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include <herald/array.h>

#include "text.h"
#include "top_print.h"

#define NS INT64_C(1000000000)

struct top {
	struct admin_client client;
	uint64_t interval_ms;
	uint64_t count; /* 0: until a signal */
	bool is_json;
	struct screen screen;
	sigset_t signals;           /* blocked; taken while it waits */
	struct herald_arena *arena; /* of what is being printed */
	struct top_sample samples[2];
	bool has_from;       /* the older sample comes before the newer one */
	size_t newest;       /* of the samples */
	const char *problem; /* why the newest one is old; NULL: it is not */
};

/* Options. */

static const char *
read_interval(const char *value, void *state)
{
	return options_number(value, 10, 3600000, &((struct top *)state)->interval_ms)
		       ? NULL
		       : "milliseconds, 10 to 3600000";
}

static const char *
read_count(const char *value, void *state)
{
	return options_number(value, 1, 1000000000, &((struct top *)state)->count)
		       ? NULL
		       : "a number from 1 to 1000000000";
}

static const char *
read_json(const char *value, void *state)
{
	(void)value;
	((struct top *)state)->is_json = true;
	return NULL;
}

static const struct tool_option options[] = {
	{"interval-ms", "N", read_interval, "time between two readings. Default 1000"},
	{"count", "N", read_count, "end after so many intervals. Default: at SIGINT or SIGTERM"},
	{"json", NULL, read_json, "print one JSON object a line"},
	ADMIN_CLIENT_OPTIONS,
};

/* Signals. */

/* Block what wait_until() takes. What the caller ignores stays ignored, as in a background job of a
 * script. */
static void
block_signals(struct top *top)
{
	static const int always[] = {SIGINT, SIGTERM, SIGHUP}, live[] = {SIGTSTP, SIGWINCH};
	struct sigaction before;

	sigemptyset(&top->signals);
	for (size_t i = 0; i < HERALD_COUNT(always); i++)
		if (sigaction(always[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaddset(&top->signals, always[i]);
	for (size_t i = 0; top->screen.is_terminal && i < HERALD_COUNT(live); i++)
		sigaddset(&top->signals, live[i]);
	sigprocmask(SIG_BLOCK, &top->signals, NULL);
}

static bool
is_end(int number)
{
	return number == SIGINT || number == SIGTERM || number == SIGHUP;
}

/* Whether a signal has come that ends the command: it does not wait for a service that hangs. */
static bool
has_ended(void)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
	       sigismember(&pending, SIGHUP) == 1;
}

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * NS + now.tv_nsec;
}

/* Wait for a signal. Returns its number, or 0 at the time. */
static int
wait_until(const struct top *top, int64_t until_ns)
{
	for (;;) {
		const int64_t left_ns = until_ns - now_ns();
		const int64_t wait_ns = left_ns > 0 ? left_ns : 0;
		const struct timespec left = {.tv_sec = (time_t)(wait_ns / NS),
					      .tv_nsec = (long)(wait_ns % NS)};
		const int number = sigtimedwait(&top->signals, NULL, &left);

		if (number > 0)
			return number;
		if (errno == EAGAIN)
			return 0;
	}
}

/* The terminal gets its contents back as long as the command is stopped. */
static void
pause_screen(const struct top *top)
{
	screen_leave(&top->screen);
	raise(SIGSTOP);
	screen_enter(&top->screen);
}

/* Samples. */

static bool
print(struct top *top)
{
	const struct top_view view = {
		.from = top->has_from ? &top->samples[1 - top->newest] : NULL,
		.to = &top->samples[top->newest],
		.arena = top->arena,
		.page = top->client.page,
		.problem = top->problem,
	};

	herald_arena_reset(top->arena);
	return top->is_json ? top_print_json(&view) : top_print(&top->screen, &view);
}

/* Read the next sample in place of the older one, which is then the newest. */
static bool
read_next(struct top *top)
{
	struct top_sample *next = &top->samples[1 - top->newest];

	top->has_from = false; /* The older one is gone. */
	if (!top_sample_read(&top->client, next))
		return false;
	top->has_from = top_sample_follows(&top->samples[top->newest], next);
	top->newest = 1 - top->newest;
	return true;
}

/* Read and print, once. Returns false if that ends the command. */
static bool
step(struct top *top, uint64_t *printed)
{
	const bool has_sample = read_next(top);

	if (!has_sample &&
	    (!top->screen.is_terminal || has_ended() || admin_client_is_refused(&top->client)))
		return false;
	/* Of programs that were started again there is nothing to print yet. */
	if (!top->has_from && !top->screen.is_terminal)
		return true;
	++*printed;
	top->problem = has_sample ? NULL : top->client.problem;
	return print(top);
}

/* Returns whether it ended as it should. */
static bool
watch(struct top *top)
{
	int64_t due_ns = now_ns();
	uint64_t printed = 0;

	while (top->count == 0 || printed < top->count) {
		due_ns += (int64_t)top->interval_ms * 1000000;
		if (due_ns < now_ns())
			due_ns = now_ns();
		for (int number; (number = wait_until(top, due_ns)) != 0;) {
			if (is_end(number))
				return true;
			if (number == SIGTSTP)
				pause_screen(top);
			if (!print(top))
				return false;
		}
		if (!step(top, &printed))
			return has_ended();
	}
	return true;
}

/* Returns the exit status. */
static int
begin_and_watch(struct top *top)
{
	if (!top_sample_read(&top->client, &top->samples[0]))
		return has_ended() ? 0 : 1;
	top->client.is_quiet = top->screen.is_terminal;
	screen_enter(&top->screen);
	const bool is_done = (!top->screen.is_terminal || print(top)) && watch(top);
	screen_leave(&top->screen);
	/* What was kept for the screen. */
	if (!is_done && top->client.is_quiet && admin_client_is_refused(&top->client)) {
		top->client.is_quiet = false;
		(void)admin_client_fail(&top->client, top->client.problem);
	} else if (!is_done && ferror(stdout)) {
		(void)tool_flush();
	}
	return is_done ? 0 : 1;
}

static int
open_and_watch(struct top *top, const char *url)
{
	int status = admin_client_open(&top->client, url);

	if (status != 0)
		return status;
	top->arena = memory_create();
	for (size_t i = 0; i < 2; i++)
		top_sample_init(&top->samples[i]);
	block_signals(top);
	status = begin_and_watch(top);
	for (size_t i = 0; i < 2; i++)
		top_sample_finish(&top->samples[i]);
	herald_arena_destroy(top->arena);
	admin_client_close(&top->client);
	return status;
}

static int
run(int argc, char **argv)
{
	struct top top = {.interval_ms = 1000};
	char **words;

	admin_client_init(&top.client, "top");
	top.client.should_stop = has_ended;
	enum options_result result = options_read(&top_command, argc, argv, &top, 1, &words);
	if (result != OPTIONS_OK)
		return result == OPTIONS_HELP ? 0 : 2;
	screen_init(&top.screen);
	if (top.is_json)
		top.screen.is_terminal = false;
	return open_and_watch(&top, words[0]);
}

const struct tool_command top_command = {
	.name = "top",
	.words = "URL",
	.doc = "Print what a running service does, again and again",
	.options = options,
	.options_count = HERALD_COUNT(options),
	.run = run,
};
