/*
 * The log records of events. Private.
 */
#ifndef HERALD_SRC_SERVICE_EVENT_LOG_H
#define HERALD_SRC_SERVICE_EVENT_LOG_H

#include <stdint.h>

#include "service/context.h"

/*
 * The level for a verdict other than HERALD_DONE. A failure caused by the sender (4xx, such as a
 * refused key) is a warning, and so is a retry.
 */
static inline enum herald_log_level
herald__log_level_of(enum herald_verdict verdict, unsigned http_status)
{
	bool senders = http_status >= 400 && http_status <= 499;

	return verdict == HERALD_FAIL && !senders ? HERALD_LOG_ERROR : HERALD_LOG_WARNING;
}

/* Read the service's `log_fields`; `names` may be NULL. Their names become attributes too. */
HERALD_MUST_CHECK enum herald_status
herald__log_fields_init(struct herald_service *service, const char *const *names,
			struct herald_error *error);

/* Log the outcome of an event. `ctx` is NULL if there was no memory for one. */
void herald__event_log(const struct herald_service *service, struct herald_context *ctx,
		       const struct herald_result *result, uint64_t nanoseconds);

#endif
