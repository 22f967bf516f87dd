/*
 * Metrics of a deliverer: deliveries and attempts by the class of their destination, and what
 * waits. Events choose hosts, so a host is not a label.
 */
#include "metrics/delivery_metrics.h"

#include "delivery/deliverer.h"
#include "delivery/tally.h"

static uint64_t
get(const _Atomic uint64_t *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}

static const char *
class_name(size_t class)
{
	return herald__host_class_name((enum herald__host_class) class);
}

static void
write_outcomes(const struct herald_deliverer *deliverer, struct herald__metrics_text *text)
{
	herald__metrics_family(text, HERALD__METRIC_COUNTER, "herald_deliveries",
			       "Deliveries that have ended, by outcome and class of destination.");
	for (size_t class = 0; class < HERALD__HOST_CLASSES; class ++)
		for (size_t i = 0; i < HERALD__TALLY_OUTCOMES; i++)
			herald__metrics_value(
				text,
				HERALD__LABELS({"class", class_name(class)},
					       {"outcome", herald__tally_outcome_name(
								   (enum herald__tally_outcome)i)}),
				get(&deliverer->tallies[class].outcomes[i]));
}

static void
write_attempts(const struct herald_deliverer *deliverer, struct herald__metrics_text *text)
{
	herald__metrics_family(text, HERALD__METRIC_COUNTER, "herald_delivery_attempts",
			       "Attempts that have ended, by the class of their response; none: "
			       "there was no complete one.");
	for (size_t class = 0; class < HERALD__HOST_CLASSES; class ++)
		for (size_t i = 0; i < HERALD__TALLY_RESULTS; i++)
			herald__metrics_value(
				text,
				HERALD__LABELS({"class", class_name(class)},
					       {"result", herald__tally_result_name(
								  (enum herald__tally_result)i)}),
				get(&deliverer->tallies[class].results[i]));
	herald__metrics_family(text, HERALD__METRIC_HISTOGRAM,
			       "herald_delivery_attempt_duration_seconds",
			       "Duration of attempts, with the response.");
	for (size_t class = 0; class < HERALD__HOST_CLASSES; class ++) {
		struct herald__histogram_sums sums = {0};

		herald__histogram_read(&deliverer->tallies[class].attempts, &sums);
		herald__metrics_histogram(text, HERALD__LABELS({"class", class_name(class)}),
					  &deliverer->duration_bounds, &sums);
	}
}

static void
write_queue(const struct herald_delivery_statistics *counts, struct herald__metrics_text *text)
{
	herald__metrics_single(text, HERALD__METRIC_COUNTER, "herald_delivery_accepted",
			       "Deliveries that were submitted in this process.", counts->accepted);
	herald__metrics_single(text, HERALD__METRIC_COUNTER, "herald_delivery_resumed",
			       "Deliveries that were taken out of a store.", counts->resumed);
	herald__metrics_single(text, HERALD__METRIC_COUNTER, "herald_delivery_refused",
			       "Deliveries that were not accepted: there was no room.",
			       counts->refused);
	herald__metrics_single(text, HERALD__METRIC_COUNTER, "herald_delivery_retries",
			       "Attempts other than the first of a delivery.", counts->retries);
	herald__metrics_single(text, HERALD__METRIC_GAUGE, "herald_delivery_pending",
			       "Deliveries in memory: queued, waiting or in flight.",
			       counts->pending);
	herald__metrics_single(text, HERALD__METRIC_GAUGE, "herald_delivery_reserved",
			       "Places that are reserved for events that run.", counts->reserved);
	herald__metrics_single(text, HERALD__METRIC_GAUGE, "herald_delivery_in_flight",
			       "Attempts in progress.", counts->in_flight);
	herald__metrics_single(text, HERALD__METRIC_GAUGE, "herald_delivery_content_bytes",
			       "Bodies and headers of pending and reserved deliveries.",
			       counts->content_bytes);
}

void
herald__delivery_metrics_write(struct herald_deliverer *deliverer,
			       struct herald__metrics_text *text)
{
	struct herald_delivery_statistics counts;

	write_outcomes(deliverer, text);
	write_attempts(deliverer, text);
	herald_deliverer_statistics(deliverer, &counts);
	write_queue(&counts, text);
}
