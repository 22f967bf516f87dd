/*
 * What an operator asks at three in the morning: which event is a dead letter, and why; which one
 * may have run twice.
 */
#include "store/report.h"

#include <herald/adapter/log.h>

#include "store/state.h"

static void
log_job(const struct herald_store *store, enum herald_log_level level, const char *message,
	const struct herald__job *job, const char *why, const struct herald_error *error)
{
	/* The runs that began: not a claim that was only for its end. */
	const unsigned attempts = job->attempts - job->has_not_run;
	const struct herald_log_field fields[] = {
		{"id", NULL, (int64_t)job->id},
		{"queue", job->queue->name, 0},
		{"event_type", job->event_type, 0},
		{"event_id", job->event_id, 0},
		{"source", job->source, 0},
		{"attempts", NULL, attempts},
		{"why", why, 0},
		{"reason", error ? error->message : "", 0},
		{"path", error ? error->path : "", 0},
	};

	herald_log_write(&store->settings.log, level, message, fields,
			 sizeof(fields) / sizeof(fields[0]));
}

void
herald__report_end(struct herald_store *store, const struct herald__job *job, bool is_lost)
{
	if (is_lost && job->has_ended_join) {
		log_job(store, HERALD_LOG_ERROR,
			"function has committed the store's transaction: its event is done", job,
			"committed", job->error);
		return;
	}
	if (is_lost) {
		/* Not if it was stored by a commit whose outcome was unknown, or has not begun. */
		if (job->may_be_stored || job->kind == HERALD_COMPLETE_RELEASE)
			return;
		store->counts.lost++;
		log_job(store, HERALD_LOG_WARNING,
			"event was taken over by another process; its outcome is thrown away", job,
			"lease_lost", job->error);
		return;
	}
	switch (job->kind) {
	case HERALD_COMPLETE_DONE:
		store->counts.done++;
		break;
	case HERALD_COMPLETE_RETRY:
		store->counts.retries++;
		break;
	case HERALD_COMPLETE_RELEASE:
		break;
	case HERALD_COMPLETE_DEAD:
		store->counts.dead++;
		log_job(store, HERALD_LOG_WARNING, "event is a dead letter", job,
			herald_dead_reason_name(job->why), job->error);
		break;
	}
}

void
herald__report_refused(struct herald_store *store, const struct herald__job *job,
		       const struct herald_error *error)
{
	log_job(store, HERALD_LOG_ERROR, "database refuses the end of an event", job,
		herald_status_name(error->status), error);
}
