/*
 * libcurl's multi handles: several, because some of what libcurl does per transfer grows with the
 * connections of a handle.
 */
#ifndef HERALD_CURL_MULTIS_H
#define HERALD_CURL_MULTIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include <herald/allocator.h>

struct herald__multi {
	CURLM *handle;
	void *owner;      /* the poller */
	size_t under_way; /* transfers */
	uint64_t due_ms;  /* of the system's clock, when libcurl wants to run; UINT64_MAX: never */
};

struct herald__multis {
	struct herald__multi *all;
	size_t count;
	size_t capacity; /* transfers of each; also the connections that it keeps */
	struct herald_allocator allocator;
};

/* The system's clock, which libcurl's timers follow. */
uint64_t herald__multis_now_ms(void);

/*
 * For up to `max_transfers` at a time. `on_interest` gets a struct herald__multi as its state, and there
 * `owner`. Returns false when memory is out; finish it then, too.
 */
bool herald__multis_init(struct herald__multis *multis, const struct herald_allocator *allocator,
			 size_t max_transfers, curl_socket_callback on_interest, void *owner);

/* No transfer may be in them. */
void herald__multis_finish(struct herald__multis *multis);

/*
 * Begin a transfer: those of the same `place` share connections, as far as one handle has room for
 * them. NULL when memory is out. End it with herald__multi_remove().
 */
struct herald__multi *herald__multis_add(struct herald__multis *multis, CURL *easy, uint64_t place);
void herald__multi_remove(struct herald__multi *multi, CURL *easy);

/* One that libcurl has finished, each once; it is still to be removed. NULL: no more. */
CURL *herald__multis_next_finished(struct herald__multis *multis, CURLcode *code);

/* When the next one is due; UINT64_MAX: none is. */
uint64_t herald__multis_due_ms(const struct herald__multis *multis);

/* Run those that are due. */
void herald__multis_run_due(struct herald__multis *multis);

#endif
