/*
 * The response in one attempt: how much of it is read, and its meaning.
 */
#ifndef HERALD_ADAPTERS_TRANSPORT_CURL_ANSWER_H
#define HERALD_ADAPTERS_TRANSPORT_CURL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include <herald/adapter/transport.h>

#include "poller.h"
#include "settings.h"

struct herald__answer {
	struct herald__polled polled; /* the first member: CURLINFO_PRIVATE points to it */
	CURL *easy;
	const struct herald__curl_settings *settings;

	/* Of the current attempt. */
	unsigned http_status;       /* of the final answer once its head is complete, else 0 */
	size_t header_bytes;        /* of all heads, including interim ones, and of trailers */
	size_t body_bytes;          /* after decoding */
	bool has_run;               /* libcurl has begun */
	unsigned first_event;       /* the poller's `events` when the socket was looked for */
	bool is_too_large;          /* a limit is exceeded */
	char limit[64];             /* the name of that limit */
	char text[CURL_ERROR_SIZE]; /* libcurl's error text */
};

/* Install the callbacks of answer.c in the handle. Both pointers are borrowed. */
void herald__answer_init(struct herald__answer *answer, CURL *easy,
			 const struct herald__curl_settings *settings);

/* Prepare for another attempt. */
void herald__answer_reset(struct herald__answer *answer);

/* Set the result of an attempt that ended with libcurl's `code`. */
void herald__answer_judge(const struct herald__answer *answer, CURLcode code,
			  struct herald_attempt_result *out);

/* Set the result from the answer's status, which must be known. */
void
herald__answer_read_status(const struct herald__answer *answer, struct herald_attempt_result *out);

/* Add the receiver's address and the number of bytes to the result. */
void
herald__answer_describe(const struct herald__answer *answer, struct herald_attempt_result *out);

#endif
