/*
 * Verdicts become ends of runs. One budget of attempts covers all of them: runs that asked for
 * another one, and runs that a crash or a lost commit has ended.
 */
#include "store/outcome.h"

#include <string.h>

#include <herald/adapter/backoff.h>

#include "base/safe_text.h"
#include "store/state.h"

static uint32_t
backoff_ms(const struct herald_store *store, unsigned attempts)
{
	const struct herald_store_options *options = &store->settings.options;
	const struct herald__delivery_clock *clock = &store->settings.clock;

	return herald_backoff_delay_ms(&HERALD_BACKOFF_OF(options), attempts,
				       clock->random(clock->state));
}

static void
make_dead(struct herald_store *store, struct herald__job *job, enum herald_dead_reason why,
	  const struct herald_error *error)
{
	job->kind = HERALD_COMPLETE_DEAD;
	job->why = why;
	herald__job_set_error(job, &store->settings.allocator, error);
}

void
herald__outcome_retry(struct herald_store *store, struct herald__job *job, uint32_t delay_ms,
		      const struct herald_error *error)
{
	job->kind = HERALD_COMPLETE_RETRY;
	job->due_ms = herald__clock_wall_ms(&store->settings.clock) +
		      (delay_ms ? delay_ms : backoff_ms(store, job->attempts));
	herald__job_set_error(job, &store->settings.allocator, error);
}

/*
 * An event whose attempts are used up, and whose handlers were not told: its last run has ended in
 * a crash, or a commit has failed. It does not run again.
 */
bool
herald__outcome_is_due(const struct herald_store *store, const struct herald__job *job,
		       struct herald__death *death)
{
	const struct herald_store_options *options = &store->settings.options;
	const bool is_interrupted = job->interrupted >= options->max_interrupted;

	if (!is_interrupted && job->attempts <= options->max_attempts)
		return false;
	death->why = is_interrupted ? HERALD_DEAD_INTERRUPTED : HERALD_DEAD_ATTEMPTS;
	if (is_interrupted)
		herald_error_set(&death->error, HERALD_OK, HERALD_NO_OFFSET,
				 "the process died while it ran (%u times), in attempt %u",
				 job->interrupted, job->attempts - 1);
	else if (*job->last_error != '\0')
		herald_error_set(&death->error, HERALD_OK, HERALD_NO_OFFSET, "%s", job->last_error);
	else
		herald_error_set(&death->error, HERALD_OK, HERALD_NO_OFFSET,
				 "its last attempt, number %u, did not end", job->attempts - 1);
	return true;
}

void
herald__outcome_bury(struct herald_store *store, struct herald__job *job,
		     const struct herald__death *death)
{
	make_dead(store, job, death->why, &death->error);
	job->has_not_run = true;
}

void
herald__outcome_put_off(const struct herald_store *store, struct herald__job *job)
{
	job->kind = HERALD_COMPLETE_RETRY;
	job->due_ms =
		herald__clock_wall_ms(&store->settings.clock) + backoff_ms(store, job->attempts);
	job->has_not_run = true;
}

/* The reason must not be what is refused: plain text, and short. */
static void
set_refusal(struct herald_store *store, struct herald__job *job, const struct herald_error *error)
{
	struct herald_error refusal;
	char message[128];

	herald__text_line(message, sizeof(message), error->message, strlen(error->message), false);
	for (char *byte = message; *byte != '\0'; byte++)
		if ((unsigned char)*byte > '~')
			*byte = '?';
	herald_error_set(&refusal, error->status, HERALD_NO_OFFSET,
			 "the database refuses the end of the run: %s", message);
	herald__job_set_error(job, &store->settings.allocator, &refusal);
}

bool
herald__outcome_refused(struct herald_store *store, struct herald__job *job,
			const struct herald_error *error)
{
	const bool is_dead = job->kind == HERALD_COMPLETE_DEAD;
	uint32_t delay_ms = backoff_ms(store, job->attempts);

	/* A dead letter is tried as one with a small record first. What it has published, such as a
	 * callback of its failure, is stored with it or not at all. */
	if (job->refusals >= (is_dead ? 2 : 1))
		return false;
	job->refusals++;
	set_refusal(store, job, error);
	if (is_dead && job->refusals == 1)
		return true;
	/* As after a commit that has failed: the next run may publish something else. What cannot
	 * be a dead letter stays where it is, so that nothing of it is lost. */
	if (is_dead)
		delay_ms = store->settings.options.max_delay_ms;
	job->published.bytes = 0;
	job->kind = HERALD_COMPLETE_RETRY;
	job->due_ms = herald__clock_wall_ms(&store->settings.clock) + delay_ms;
	return true;
}

static enum herald_dead_reason
reason_of(enum herald_status status)
{
	switch (status) {
	case HERALD_OK:
	case HERALD_UNAUTHORIZED: /* by a handler */
		return HERALD_DEAD_FAILED;
	case HERALD_UNKNOWN_TYPE:
	case HERALD_UNKNOWN_VERSION:
		return HERALD_DEAD_NO_ROUTE;
	default:
		return HERALD_DEAD_UNDECODABLE;
	}
}

void
herald__outcome_set(struct herald_store *store, struct herald__job *job,
		    const struct herald_result *result, bool is_exhausted)
{
	switch (result->verdict) {
	case HERALD_DONE:
		job->kind = HERALD_COMPLETE_DONE;
		break;
	case HERALD_RETRY:
		herald__outcome_retry(store, job, result->retry_after_ms, &result->error);
		break;
	default:
		make_dead(store, job,
			  is_exhausted ? HERALD_DEAD_ATTEMPTS : reason_of(result->status),
			  &result->error);
		break;
	}
}
