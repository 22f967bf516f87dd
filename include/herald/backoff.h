/*
 * Backoff: how the delay grows from one attempt to the next. The options of the retry handler and
 * of the deliverer use it.
 */
#ifndef HERALD_BACKOFF_H
#define HERALD_BACKOFF_H

/**
 * How the delay before the next attempt grows. The n-th delay is first_delay_ms * factor^(n - 1),
 * limited to max_delay_ms.
 */
enum herald_backoff {
	HERALD_BACKOFF_FULL_JITTER, /**< A random time from 0 to that delay, to spread the load. */
	HERALD_BACKOFF_NO_JITTER,   /**< Exactly that delay. */
	HERALD_BACKOFF_FIXED,       /**< Always first_delay_ms. */
};

#endif
