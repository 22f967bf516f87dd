/*
 * One attempt: a handle of libcurl and the response.
 */
#ifndef HERALD_ADAPTERS_TRANSPORT_CURL_TRANSFER_H
#define HERALD_ADAPTERS_TRANSPORT_CURL_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include <herald/adapter/transport.h>
#include <herald/export.h>
#include <herald/status.h>

#include "answer.h"
#include "header_list.h"
#include "multis.h"
#include "settings.h"

/* The handle is created once and used for one delivery after the other. */
struct herald__transfer {
	const struct herald__curl_settings *settings;
	struct herald__answer answer;
	CURL *easy;
	bool opens_connection;    /* the current value of CURLOPT_FRESH_CONNECT */
	bool is_post;             /* the current value of CURLOPT_POST */
	bool refuses_credentials; /* the current value of CURLOPT_DISALLOW_USERNAME_IN_URL */
	CURLU *url;               /* of the attempt, parsed by libcurl */
	struct herald__curl_headers headers;

	/* Of the current attempt. */
	struct herald_attempt *attempt;
	struct herald__multi *multi;
	const char *refusal; /* why the deliverer's options refuse an address; NULL: they do not */
	bool opened_socket;  /* at least one was opened */
	bool is_sent;        /* the request was sent; prevent a second one */
	bool refused_resend; /* a second request was prevented */

	CURLcode code; /* libcurl's result, once known */

	struct herald__transfer *next; /* in the list of idle or finished ones */
};

/* The transfer that a handle belongs to. */
static inline struct herald__transfer *
herald__transfer_of(CURL *easy)
{
	void *answer;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &answer);
	return (struct herald__transfer *)((char *)answer -
					   offsetof(struct herald__transfer, answer));
}

/*
 * Errors  HERALD_NO_MEMORY; HERALD_BAD_OPTION if the user's setup returns false. The settings may
 *         change until the first transfer begins.
 */
HERALD_MUST_CHECK enum herald_status
herald__transfer_create(const struct herald__curl_settings *settings,
			struct herald__transfer **out);

/* It must not be in progress. Accepts NULL. */
void herald__transfer_destroy(struct herald__transfer *transfer);

/* Begin an attempt. Errors: HERALD_NO_MEMORY. */
HERALD_MUST_CHECK enum herald_status
herald__transfer_begin(struct herald__transfer *transfer, struct herald_attempt *attempt);

/* End an attempt that libcurl has finished, and set its result. */
void herald__transfer_end(struct herald__transfer *transfer, struct herald_attempt_result *out);

/* End an attempt that libcurl has not finished. */
void herald__transfer_cancel(struct herald__transfer *transfer);

#endif
