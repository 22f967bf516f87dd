/*
 * Herald's queue, with the commands of ../go/peer/peer.go and some that only Herald is measured
 * with. All answer a count and a figure, which is seconds unless another one is named.
 *
 *	queue_herald_sqlite|queue_herald_postgres STORE EVENT
 *
 *	insert COUNT BATCH [IDS]  by transactions of the bench's own; IDS: 1 in order of time,
 *	                          2 random
 *	stuck COUNT KEYS          store events with so many keys of an order, all due in an hour
 *	join COUNT                as work; each function writes a row in its event's transaction
 *	serve [HOLDS]             1: functions wait, so that events are stored and not run
 *	close                     end the server and what runs
 *	open                      how long it takes to open the store; it stays open, and holds
 *	hold COUNT                run events until so many functions have begun, which do not
 *	                          return
 *	listen                    run events; it stays open
 *	recover COUNT             the same, until so many functions have begun; the figure is the
 *	                          time (CLOCK_MONOTONIC)
 *	send COUNT                accept events one by one; the answer is COUNT times (as above) at
 *	                          which they were on disk
 *	watch SECONDS             the first number is how many times processes tell each other
 *	                          of new events
 *	begun COUNT               the answer is the times at which their functions began, or 0
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "database.h"
#include "runner.h"

#define MAX_TIMES 1000

struct program {
	struct place place;
	struct runner *runner; /* of serve, open, hold, recover and listen */
	/* Of the last command, if it answers with times. */
	double times[MAX_TIMES];
	size_t times_count;
};

/* The numbers of a command; the first one is answered. */
struct numbers {
	uint64_t first, second, third;
};

/* Returns the figure. Commands that answer with times return 0. */
typedef double command(struct program *program, struct numbers *numbers);

static double
run_insert(struct program *program, struct numbers *numbers)
{
	return place_fill(&program->place, &(struct load){.count = numbers->first,
							  .batch = numbers->second,
							  .ids = (enum ids)numbers->third});
}

static double
run_stuck(struct program *program, struct numbers *numbers)
{
	return place_fill(&program->place, &(struct load){.count = numbers->first,
							  .batch = 256,
							  .keys = numbers->second,
							  .delay_ms = 3600000});
}

/* Run what is stored until `count` events are done; `batch`: store them at the same time. */
static double
run_events(struct program *program, uint64_t count, enum mode mode, uint64_t batch)
{
	double start = now_s();
	struct runner *runner = runner_open(&program->place, mode);

	if (batch > 0)
		runner_accept(runner, count, batch);
	runner_await_done(runner, count);
	double seconds = now_s() - start;
	runner_close(runner);
	return seconds;
}

static double
run_work(struct program *program, struct numbers *numbers)
{
	return run_events(program, numbers->first, MODE_RUN, 0);
}

static double
run_flow(struct program *program, struct numbers *numbers)
{
	return run_events(program, numbers->first, MODE_RUN, numbers->second);
}

static double
run_join(struct program *program, struct numbers *numbers)
{
	effects_create(&program->place);
	uint64_t before = effects_count(&program->place);
	double seconds = run_events(program, numbers->first, MODE_JOIN, 0);
	uint64_t rows = effects_count(&program->place) - before;

	if (rows != numbers->first) {
		fprintf(stderr, "queue_herald: %" PRIu64 " effects of %" PRIu64 " events\n", rows,
			numbers->first);
		exit(1);
	}
	return seconds;
}

static double
run_close(struct program *program, struct numbers *numbers)
{
	(void)numbers;
	runner_close(program->runner);
	program->runner = NULL;
	return 0;
}

static double
run_clear(struct program *program, struct numbers *numbers)
{
	run_close(program, numbers);
	place_clear(&program->place);
	return 0;
}

static double
run_open(struct program *program, struct numbers *numbers)
{
	(void)numbers;
	double start = now_s();

	program->runner = runner_open(&program->place, MODE_HOLD);
	return now_s() - start;
}

static double
run_serve(struct program *program, struct numbers *numbers)
{
	program->runner = runner_open(&program->place, numbers->first == 1 ? MODE_HOLD : MODE_RUN);
	numbers->first = runner_serve(program->runner);
	return 0;
}

static double
run_hold(struct program *program, struct numbers *numbers)
{
	program->runner = runner_open(&program->place, MODE_HOLD);
	runner_await_runs(program->runner, numbers->first);
	return 0;
}

/* Events during which a process died run alone, so their functions must return. */
static double
run_recover(struct program *program, struct numbers *numbers)
{
	if (!program->runner)
		program->runner = runner_open(&program->place, MODE_RUN);
	runner_await_runs(program->runner, numbers->first);
	return now_s();
}

static double
run_listen(struct program *program, struct numbers *numbers)
{
	(void)numbers;
	program->runner = runner_open(&program->place, MODE_RUN);
	return 0;
}

static double
run_send(struct program *program, struct numbers *numbers)
{
	program->times_count = numbers->first < MAX_TIMES ? numbers->first : MAX_TIMES;
	runner_accept_slowly(program->runner, program->times_count, program->times);
	return 0;
}

static double
run_begun(struct program *program, struct numbers *numbers)
{
	program->times_count = numbers->first < MAX_TIMES ? numbers->first : MAX_TIMES;
	runner_begun(program->runner, program->times_count, program->times);
	return 0;
}

static double
run_watch(struct program *program, struct numbers *numbers)
{
	double seconds = (double)numbers->first;

	numbers->first = place_watch(&program->place, seconds);
	return seconds;
}

static const struct {
	const char *name;
	command *run;
} commands[] = {
	{"insert", run_insert}, {"stuck", run_stuck},     {"work", run_work},
	{"flow", run_flow},     {"join", run_join},       {"clear", run_clear},
	{"close", run_close},   {"open", run_open},       {"serve", run_serve},
	{"hold", run_hold},     {"recover", run_recover}, {"listen", run_listen},
	{"send", run_send},     {"begun", run_begun},     {"watch", run_watch},
};

static void
print_answer(struct program *program, uint64_t number, double figure)
{
	if (program->times_count == 0)
		printf("%" PRIu64 " %.6f", number, figure);
	for (size_t i = 0; i < program->times_count; i++)
		printf("%.6f ", program->times[i]);
	program->times_count = 0;
	putchar('\n');
	fflush(stdout);
}

static void
answer(struct program *program, const char *line)
{
	struct numbers numbers = {0};
	char name[16];

	if (sscanf(line, "%15s %" SCNu64 " %" SCNu64 " %" SCNu64, name, &numbers.first,
		   &numbers.second, &numbers.third) < 1)
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0) {
			double figure = commands[i].run(program, &numbers);
			print_answer(program, numbers.first, figure);
			return;
		}
	}
	fprintf(stderr, "queue_herald: no command %s\n", name);
	exit(2);
}

static size_t
read_event(const char *path, char *event, size_t capacity)
{
	FILE *file = fopen(path, "rb");

	if (!file) {
		perror(path);
		exit(1);
	}
	size_t bytes = fread(event, 1, capacity, file);
	fclose(file);
	return bytes;
}

int
main(int argc, char **argv)
{
	static char event[65536], line[256];

	if (argc != 3) {
		fprintf(stderr, "usage: %s STORE EVENT\n", argv[0]);
		return 2;
	}
	static struct program program;
	program.place = (struct place){.where = argv[1], .event = event};
	program.place.event_bytes = read_event(argv[2], event, sizeof(event));
	while (fgets(line, sizeof(line), stdin))
		answer(&program, line);
	runner_close(program.runner);
	return 0;
}
