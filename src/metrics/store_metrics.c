/*
 * Metrics of a store: what it has done since it was created, and what is in its database, as far as
 * that was counted in the background. It reads no database itself.
 */
#include "metrics/store_metrics.h"

#include <herald/store.h>

#define MS_NS UINT64_C(1000000)

static void
write_events(const struct herald_store_statistics *counts, struct herald__metrics_text *text)
{
	herald__metrics_family(text, HERALD__METRIC_COUNTER, "herald_store_arrivals",
			       "Events that were to be stored, of all services. Refused ones were "
			       "answered with 503.");
	herald__metrics_value(text, HERALD__LABELS({"result", "accepted"}), counts->accepted);
	herald__metrics_value(text, HERALD__LABELS({"result", "duplicate"}), counts->duplicates);
	herald__metrics_value(text, HERALD__LABELS({"result", "refused"}), counts->refused);
	herald__metrics_single(text, HERALD__METRIC_COUNTER, "herald_store_runs",
			       "Runs of events that have begun: the attempts.", counts->runs);
	herald__metrics_single(text, HERALD__METRIC_COUNTER, "herald_store_retries",
			       "Runs that ended with HERALD_RETRY, and will be repeated.",
			       counts->retries);
	herald__metrics_single(text, HERALD__METRIC_COUNTER, "herald_store_done_events",
			       "Events that are finished.", counts->done);
	herald__metrics_single(text, HERALD__METRIC_COUNTER, "herald_store_dead_letters",
			       "Events that became dead letters.", counts->dead);
	herald__metrics_single(text, HERALD__METRIC_COUNTER, "herald_store_interrupted_events",
			       "Events of dead processes that this process took over.",
			       counts->interrupted);
	herald__metrics_single(text, HERALD__METRIC_COUNTER, "herald_store_lost_outcomes",
			       "Outcomes that were thrown away, because another process had taken "
			       "the event over.",
			       counts->lost);
}

static void
write_process(struct herald_store *store, const struct herald_store_statistics *counts,
	      struct herald__metrics_text *text)
{
	herald__metrics_single(text, HERALD__METRIC_GAUGE, "herald_store_up",
			       "1 while the store works; 0 if the last commit failed.",
			       herald_store_health(store, NULL) == HERALD_OK);
	herald__metrics_single(text, HERALD__METRIC_GAUGE, "herald_store_running_events",
			       "Events that workers of this process run.", counts->running);
	herald__metrics_single(text, HERALD__METRIC_GAUGE, "herald_store_claimed_events",
			       "Events in memory that wait for a worker of this process.",
			       counts->claimed);
	herald__metrics_single(text, HERALD__METRIC_COUNTER, "herald_store_commits",
			       "Transactions.", counts->commits);
	herald__metrics_single(text, HERALD__METRIC_COUNTER, "herald_store_commit_failures",
			       "Transactions that failed.", counts->failures);
}

/* What is in the database. */

#define STATES (HERALD_COUNT_DEAD + 1)

static void
put_counts(struct herald__metrics_text *text, const char *kind,
	   const struct herald_backlog_count *counts, bool are_ages)
{
	for (size_t i = 0; i < STATES; i++) {
		const struct herald__labels *labels = HERALD__LABELS(
			{"kind", kind},
			{"state", herald_count_state_name((enum herald_count_state)i)});

		if (are_ages)
			herald__metrics_seconds(text, labels, counts[i].oldest_age_ms * MS_NS);
		else
			herald__metrics_value(text, labels, counts[i].count);
	}
}

static void
write_backlog(const struct herald_store_backlog *backlog, struct herald__metrics_text *text)
{
	herald__metrics_family(text, HERALD__METRIC_GAUGE, "herald_store_rows",
			       "Events and deliveries in the database, by state, when they were "
			       "last counted.");
	put_counts(text, "event", backlog->events, false);
	put_counts(text, "delivery", backlog->deliveries, false);
	herald__metrics_family(text, HERALD__METRIC_GAUGE, "herald_store_oldest_age_seconds",
			       "Age of the oldest of them, since it was accepted; of dead letters "
			       "since they are dead.");
	put_counts(text, "event", backlog->events, true);
	put_counts(text, "delivery", backlog->deliveries, true);
	herald__metrics_family(text, HERALD__METRIC_GAUGE, "herald_store_counted_timestamp_seconds",
			       "When they were last counted, since 1970; 0: not yet.");
	herald__metrics_seconds(text, NULL, (uint64_t)backlog->counted_ms * MS_NS);
}

void
herald__store_metrics_write(struct herald_store *store, struct herald__metrics_text *text)
{
	struct herald_store_statistics counts;
	struct herald_store_backlog backlog;

	herald_store_statistics_read(store, &counts);
	herald_store_backlog_read(store, &backlog);
	write_events(&counts, text);
	write_process(store, &counts, text);
	write_backlog(&backlog, text);
}
