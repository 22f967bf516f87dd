/*
 * libcurl's multi handles. There are several, because the cost of a transfer grows with the number
 * of connections of its handle.
 */
#ifndef HERALD_ADAPTERS_TRANSPORT_CURL_MULTIS_H
#define HERALD_ADAPTERS_TRANSPORT_CURL_MULTIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include <herald/allocator.h>

struct herald__multi {
	CURLM *handle;
	void *owner;      /* the poller */
	size_t under_way; /* transfers in progress */
	uint64_t due_ms;  /* when libcurl wants to run, by the system's clock; UINT64_MAX: never */
};

struct herald__multis {
	struct herald__multi *all;
	size_t count;
	size_t capacity; /* transfers for each handle; also the connections that it keeps */
	struct herald_allocator allocator;
};

/* The system's clock, which libcurl's timers use. */
uint64_t herald__multis_now_ms(void);

/*
 * Initialise for up to `max_transfers` concurrent transfers. The state of `on_interest` is a struct
 * herald__multi, whose `owner` is set. Returns false when out of memory; call finish then, too.
 */
bool herald__multis_init(struct herald__multis *multis, const struct herald_allocator *allocator,
			 size_t max_transfers, curl_socket_callback on_interest, void *owner);

/* No transfer may be in progress. */
void herald__multis_finish(struct herald__multis *multis);

/*
 * Begin a transfer. Transfers of the same `place` share connections, as long as one handle has room
 * for them. Returns NULL when out of memory. End it with herald__multi_remove().
 */
struct herald__multi *herald__multis_add(struct herald__multis *multis, CURL *easy, uint64_t place);
void herald__multi_remove(struct herald__multi *multi, CURL *easy);

/* Returns a transfer that libcurl has finished, each one once, or NULL. It still has to be
 * removed. */
CURL *herald__multis_next_finished(struct herald__multis *multis, CURLcode *code);

/* When the next handle is due; UINT64_MAX: none is. */
uint64_t herald__multis_due_ms(const struct herald__multis *multis);

/* Run the handles that are due. */
void herald__multis_run_due(struct herald__multis *multis);

#endif
