/*
 * Backoff: how the delay grows from one attempt to the next. What is tried again, and how often, is
 * said in the options of who does it.
 */
#ifndef HERALD_BACKOFF_H
#define HERALD_BACKOFF_H

/**
 * How the delay before the next attempt grows. The n-th delay is first_delay_ms * factor^(n - 1), at
 * most max_delay_ms.
 */
enum herald_backoff {
	HERALD_BACKOFF_FULL_JITTER, /**< A random time up to that delay, so that senders spread. */
	HERALD_BACKOFF_NO_JITTER,   /**< That delay. */
	HERALD_BACKOFF_FIXED,       /**< first_delay_ms, each time. */
};

#endif
