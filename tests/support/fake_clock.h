/*
 * A clock for a service under test. It moves only by what is slept on it or added to it, and
 * records each sleep. Include cmocka.h (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_FAKE_CLOCK_H
#define HERALD_TESTS_SUPPORT_FAKE_CLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "service/service.h"

struct fake_clock {
	struct herald__clock clock;
	uint64_t now_ns;
	uint32_t oversleeps_ms; /* How much longer than requested each sleep takes. */
	size_t sleeps_count;
	char sleeps[1024]; /* "50 100 200" */
};

static inline uint64_t
fake_now_ns(void *state)
{
	return ((struct fake_clock *)state)->now_ns;
}

static inline void
fake_sleep_ms(uint32_t ms, void *state)
{
	struct fake_clock *fake = state;
	size_t used = strlen(fake->sleeps);

	assert_true(ms > 0);
	fake->now_ns += ((uint64_t)ms + fake->oversleeps_ms) * HERALD__MS_NS;
	fake->sleeps_count++;
	snprintf(fake->sleeps + used, sizeof(fake->sleeps) - used, "%s%u", used ? " " : "",
		 (unsigned)ms);
}

/* Set the service's clock. The clock must outlive the service. */
static inline void
fake_clock_init(struct fake_clock *fake, struct herald_service *service)
{
	*fake = (struct fake_clock){
		.clock = {fake_now_ns, fake_sleep_ms, fake},
		.now_ns = 1000 * HERALD__MS_NS,
	};
	service->clock = &fake->clock;
}

static inline void
fake_clock_add_ms(struct fake_clock *fake, uint32_t ms)
{
	fake->now_ns += ms * HERALD__MS_NS;
}

#endif
