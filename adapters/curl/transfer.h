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
#include "answer.h"
#include "headers.h"
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
	struct herald_codec *codec; /* of the body; NULL: none is sent */
	struct herald__destinations destinations;
	struct herald_allocator allocator;
};

/* Its handle is made once and serves one delivery after the other. */
struct herald__transfer {
	const struct herald__transfer_settings *settings;
	struct herald__answer answer;
	CURL *easy;
	bool opens_connection; /* CURLOPT_FRESH_CONNECT, as it is set */
	bool is_post;          /* CURLOPT_POST, as it is set */
	struct herald__request request;
	struct herald_buffer body;

	/* The attempt's. */
	struct herald__queued *item;
	struct herald__host *host;
	struct herald__multi *multi;
	uint64_t begun_ms;
	struct herald__timer timeout;
	bool refused_address; /* at least one, by the address policy */
	bool opened_socket;   /* at least one */
	bool is_sent;         /* its request: there is to be no other one */
	bool refused_resend;  /* libcurl was about to send another one */

	CURLcode code; /* libcurl's result, once it has one */
	struct herald__transfer *next_finished;

	struct herald__transfer *next; /* idle, or under way */
	struct herald__transfer *previous;
};

/* The transfer of a handle. */
static inline struct herald__transfer *
herald__transfer_of(CURL *easy)
{
	void *answer;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &answer);
	return (struct herald__transfer *)((char *)answer -
					   offsetof(struct herald__transfer, answer));
}

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
