/*
 * One attempt: a handle of libcurl's and what came back.
 */
#ifndef HERALD_CURL_TRANSFER_H
#define HERALD_CURL_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include <herald/buffer.h>
#include <herald/codec.h>
#include <herald/delivery.h>
#include <herald/export.h>
#include <herald/status.h>

#include "address.h"
#include "hosts.h"
#include "poller.h"
#include "queue.h"
#include "request.h"
#include "timer_heap.h"

/* What all transfers of a deliverer share; borrowed by them. */
struct herald__transfer_settings {
	const struct herald_deliverer_options *options;
	struct herald__address_rules rules;
	struct herald__poller *poller;
	struct herald_codec *codec;      /* of the body; NULL: none is sent */
	struct curl_slist *more_headers; /* the options' */
	struct herald_allocator allocator;
};

/* Its handle is made once and serves one delivery after the other. */
struct herald__transfer {
	const struct herald__transfer_settings *settings;
	CURL *easy;
	struct herald__request request;
	struct herald_buffer body;

	/* The attempt's. */
	struct herald__queued *item;
	struct herald__host *host;
	struct herald__multi *multi;
	uint64_t begun_ms;
	struct herald__timer timeout;
	size_t header_bytes;
	size_t body_bytes;
	bool headers_too_large;
	bool body_is_enough;
	bool refused_address; /* at least one, by the address policy */
	bool opened_socket;   /* at least one */
	char retry_after[64]; /* the header's value, "" for none */
	char curl_error[CURL_ERROR_SIZE];

	CURLcode code; /* libcurl's result, once it has one */
	struct herald__transfer *next_finished;

	struct herald__transfer *next; /* idle, or under way */
	struct herald__transfer *previous;
};

/* How an attempt ended. */
struct herald__attempt_result {
	bool is_delivered;
	bool may_retry;
	unsigned http_status; /* 0: none */
	char error[256];      /* "" when it is delivered */
};

/* Errors: HERALD_NO_MEMORY; HERALD_BAD_OPTION when the user's setup says no. */
HERALD_MUST_CHECK enum herald_status
herald__transfer_create(const struct herald__transfer_settings *settings,
			struct herald__transfer **out);

/* It must not be under way. NULL is allowed. */
void herald__transfer_destroy(struct herald__transfer *transfer);

/* Begin an attempt of item, which goes to host. Errors: HERALD_NO_MEMORY. */
HERALD_MUST_CHECK enum herald_status
herald__transfer_begin(struct herald__transfer *transfer, struct herald__queued *item,
		       struct herald__host *host);

/* End it, with libcurl's result, and say what it means. */
void herald__transfer_end(struct herald__transfer *transfer, CURLcode code,
			  struct herald__attempt_result *out);

/* End it before libcurl does: it took too long. */
void herald__transfer_time_out(struct herald__transfer *transfer, uint64_t timeout_ms,
			       struct herald__attempt_result *out);

/* End it because the deliverer stops. */
void herald__transfer_cancel(struct herald__transfer *transfer);

#endif
