/*
 * Progress of long work, and signals meanwhile. Owns what SIGINT and SIGTERM do.
 */
#include "progress.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <herald/array.h>

static volatile sig_atomic_t interrupted_by;

static void
note_signal(int number)
{
	interrupted_by = number;
}

static void
catch_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM};
	const struct sigaction action = {.sa_handler = note_signal, .sa_flags = (int)SA_RESETHAND};
	struct sigaction before;

	/* What the caller ignores stays ignored, as in a background job of a script. */
	for (size_t i = 0; i < HERALD_COUNT(numbers); i++)
		if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
			sigaction(numbers[i], &action, NULL);
}

void
progress_begin(struct progress *progress, const char *doing, bool is_dry_run)
{
	*progress = (struct progress){.doing = doing, .told = time(NULL)};
	if (!is_dry_run)
		catch_signals();
}

bool
progress_tell(struct progress *progress, uint64_t count)
{
	time_t now = time(NULL);

	if (now != progress->told && isatty(STDERR_FILENO))
		fprintf(stderr, "herald: %s %llu so far\n", progress->doing,
			(unsigned long long)count);
	progress->told = now;
	return interrupted_by == 0;
}

bool
progress_is_interrupted(void)
{
	return interrupted_by != 0;
}

void
progress_end(const struct progress *progress)
{
	if (interrupted_by == 0)
		return;
	fprintf(stderr, "herald: interrupted: the rest, if any, was not %s\n", progress->doing);
	signal(interrupted_by, SIG_DFL);
	raise(interrupted_by);
}
