/*
 * What comes back in one attempt: how much of it is read, and what it means.
 */
#ifndef HERALD_CURL_ANSWER_H
#define HERALD_CURL_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#include <herald/delivery.h>

#include "poller.h"

/* How an attempt ended. */
struct herald__attempt_result {
	bool is_delivered;
	bool may_retry;
	unsigned http_status; /* 0: none */
	char retry_after[64]; /* the header's value; "" for none */
	char error[256];      /* "" when it is delivered */
};

struct herald__answer {
	struct herald__polled polled; /* first: CURLINFO_PRIVATE points to it */
	CURL *easy;
	const struct herald_deliverer_options *options;

	/* The attempt's. */
	unsigned http_status;       /* of the final answer, once its head is complete; else 0 */
	size_t header_bytes;        /* of all heads, interim ones too, and trailers */
	size_t body_bytes;          /* decoded */
	unsigned counted_events;    /* of the socket, when its bytes were counted last */
	uint64_t counted_from;      /* what it had received when counting began */
	bool is_too_large;          /* one of the limits is exceeded */
	char limit[64];             /* which one, then */
	char text[CURL_ERROR_SIZE]; /* libcurl's */
};

/* Have the handle call the functions of answer.c. Both pointers are borrowed. */
void herald__answer_init(struct herald__answer *answer, CURL *easy,
			 const struct herald_deliverer_options *options);

/* Another attempt begins. */
void herald__answer_reset(struct herald__answer *answer);

/* The attempt ended with libcurl's `code`: what does it mean? */
void herald__answer_judge(const struct herald__answer *answer, CURLcode code,
			  struct herald__attempt_result *out);

/* The same of an answer's status. */
void herald__answer_judge_status(const struct herald__answer *answer, unsigned status,
				 struct herald__attempt_result *out);

/* Set the error's text: one line of UTF-8. */
HERALD_PRINTF(2, 3)
void herald__attempt_result_explain(struct herald__attempt_result *out, const char *format, ...);

#endif
