/*
 * The answer of a receiver: it is counted, not kept, and never more of it is read than the options
 * allow. Which bytes come when is libcurl's business; sending the request is transfer.c's.
 */
#include "answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* From which event of its socket on an answer is counted: most take two, and counting is a system call. */
#define FIRST_COUNTED_EVENT 3

/* Limits. */

/* There is more of it than the limit. What libcurl takes as an end is 0. */
static size_t
exceed(struct herald__answer *answer, const char *what, size_t limit)
{
	answer->is_too_large = true;
	snprintf(answer->limit, sizeof(answer->limit), "%s of more than %zu bytes", what, limit);
	return 0;
}

static bool
is_end_of_head(const char *line, size_t bytes)
{
	return bytes <= 2 && (line[0] == '\r' || line[0] == '\n');
}

/* A head is complete: the final answer's, or that of an interim one. Nothing follows 101 here. */
static void
note_status(struct herald__answer *answer)
{
	long status = 0;

	curl_easy_getinfo(answer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 || status == 101)
		answer->http_status = (unsigned)status;
}

static size_t
on_header(char *data, size_t size, size_t count, void *state)
{
	struct herald__answer *answer = state;
	size_t bytes = size * count, limit = answer->options->max_answer_header_bytes;

	answer->header_bytes += bytes;
	if (answer->header_bytes > limit)
		return exceed(answer, "headers", limit);
	if (is_end_of_head(data, bytes))
		note_status(answer);
	return bytes;
}

static size_t
on_body(char *data, size_t size, size_t count, void *state)
{
	struct herald__answer *answer = state;
	size_t bytes = size * count, limit = answer->options->max_answer_body_bytes;

	(void)data;
	answer->body_bytes += bytes;
	if (answer->body_bytes > limit)
		return exceed(answer, "a body", limit);
	return bytes;
}

/* Streams of HTTP/2 share a socket, up to as many as a host has slots. */
static uint64_t
socket_limit(const struct herald__answer *answer)
{
	uint64_t limit = answer->options->max_answer_bytes;
	long version = CURL_HTTP_VERSION_1_1;

	curl_easy_getinfo(answer->easy, CURLINFO_HTTP_VERSION, &version);
	return version < CURL_HTTP_VERSION_2_0 ? limit : limit * answer->options->slots_per_host;
}

static bool
is_to_be_counted(const struct herald__answer *answer)
{
	unsigned events = answer->polled.events;

	return events >= FIRST_COUNTED_EVENT && events != answer->counted_events;
}

/*
 * After each read. What libcurl reads and hands to nobody, such as extensions of chunks and frames of
 * HTTP/2 without data, only the socket's own count knows.
 */
static int
on_progress(void *state, curl_off_t to_receive, curl_off_t received, curl_off_t to_send,
	    curl_off_t sent)
{
	struct herald__answer *answer = state;
	uint64_t bytes;

	(void)to_receive, (void)received, (void)to_send, (void)sent;
	if (!is_to_be_counted(answer) || !herald__poller_bytes_received(answer->polled.fd, &bytes))
		return 0;
	if (answer->counted_events == 0)
		answer->counted_from = bytes;
	answer->counted_events = answer->polled.events;
	if (bytes - answer->counted_from <= socket_limit(answer))
		return 0;
	exceed(answer, "an answer", answer->options->max_answer_bytes);
	return 1;
}

void
herald__answer_init(struct herald__answer *answer, CURL *easy,
		    const struct herald_deliverer_options *options)
{
	answer->easy = easy;
	answer->options = options;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, answer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, answer->text);
	curl_easy_setopt(easy, CURLOPT_FAILONERROR, 0L); /* Statuses are judged here. */
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* Those are a proxy's. */
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, answer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, answer);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}

void
herald__answer_reset(struct herald__answer *answer)
{
	answer->polled = (struct herald__polled){.fd = CURL_SOCKET_BAD};
	answer->http_status = 0;
	answer->header_bytes = 0;
	answer->body_bytes = 0;
	answer->counted_events = 0;
	answer->is_too_large = false;
	answer->text[0] = '\0';
}

/* Judgement. */

void
herald__attempt_result_explain(struct herald__attempt_result *out, const char *format, ...)
{
	struct herald_error line;
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	/* An error's message is one line of UTF-8, whatever is put into it. */
	herald_error_set(&line, HERALD_OK, HERALD_NO_OFFSET, "%s", text);
	snprintf(out->error, sizeof(out->error), "%s", line.message);
}

/* How libcurl fails where another attempt may not; anything else stays the same. */
static const struct {
	CURLcode code;
	const char *text;
} passing[] = {
	{CURLE_COULDNT_RESOLVE_HOST, "the host's name cannot be resolved"},
	{CURLE_COULDNT_RESOLVE_PROXY, "the proxy's name cannot be resolved"},
	{CURLE_COULDNT_CONNECT, "cannot connect"},
	{CURLE_PROXY, "the proxy cannot connect"},
	{CURLE_SSL_CONNECT_ERROR, "cannot agree on TLS"},
	{CURLE_SEND_ERROR, "the connection failed"},
	{CURLE_RECV_ERROR, "the connection failed"},
	{CURLE_GOT_NOTHING, "the connection was closed before an answer"},
	{CURLE_PARTIAL_FILE, "the answer was cut off"},
	{CURLE_HTTP2, "the connection failed"},
	{CURLE_HTTP2_STREAM, "the stream failed"},
	{CURLE_OPERATION_TIMEDOUT, "timed out"},
	{CURLE_OUT_OF_MEMORY, "out of memory"},
};

/* The text ends with libcurl's own, which may quote the other side, such as a certificate's name. */
static void
explain_code(const struct herald__answer *answer, CURLcode code, struct herald__attempt_result *out)
{
	const char *detail = *answer->text ? answer->text : curl_easy_strerror(code);

	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
		if (passing[i].code != code)
			continue;
		out->may_retry = true;
		herald__attempt_result_explain(out, "%s: %s", passing[i].text, detail);
		return;
	}
	herald__attempt_result_explain(out, "%s", detail);
}

/* libcurl takes no line of more than 100 KiB. */
static bool
has_too_long_line(const struct herald__answer *answer, CURLcode code)
{
#if LIBCURL_VERSION_NUM >= 0x080600
	return code == CURLE_TOO_LARGE && answer->body_bytes == 0;
#else
	/* It says that it is out of memory; hardly just between the first byte and the body. */
	curl_off_t first_byte_us = 0;

	if (code != CURLE_OUT_OF_MEMORY || answer->body_bytes > 0)
		return false;
	curl_easy_getinfo(answer->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte_us);
	return first_byte_us > 0;
#endif
}

static bool
status_may_retry(unsigned status)
{
	return status == 408 || status == 425 || status == 429 || (status >= 500 && status <= 599);
}

/* Of the final answer's head alone: trailers and interim answers have no say. */
static void
read_retry_after(const struct herald__answer *answer, struct herald__attempt_result *out)
{
	struct curl_header *header;

	if (curl_easy_header(answer->easy, "Retry-After", 0, CURLH_HEADER, -1, &header) ==
	    CURLHE_OK)
		snprintf(out->retry_after, sizeof(out->retry_after), "%s", header->value);
}

void
herald__answer_judge_status(const struct herald__answer *answer, unsigned status,
			    struct herald__attempt_result *out)
{
	*out = (struct herald__attempt_result){
		.http_status = status,
		.is_delivered = status >= 200 && status <= 299,
		.may_retry = status_may_retry(status),
	};
	if (out->may_retry)
		read_retry_after(answer, out);
	if (!out->is_delivered)
		herald__attempt_result_explain(out, "HTTP status %u", status);
}

void
herald__answer_judge(const struct herald__answer *answer, CURLcode code,
		     struct herald__attempt_result *out)
{
	*out = (struct herald__attempt_result){0};
	if (code == CURLE_OK && answer->http_status == 0) {
		/* It ended within the head; libcurl is content with a status line. */
		out->may_retry = true;
		herald__attempt_result_explain(out, "the answer was cut off");
	} else if (code == CURLE_OK || (answer->is_too_large && answer->http_status > 0)) {
		/* What is cut off here has no say in it. */
		herald__answer_judge_status(answer, answer->http_status, out);
	} else if (answer->is_too_large) {
		herald__attempt_result_explain(out, "%s", answer->limit);
	} else if (has_too_long_line(answer, code)) {
		herald__attempt_result_explain(out, "headers of more than %zu bytes",
					       answer->options->max_answer_header_bytes);
	} else {
		explain_code(answer, code, out);
	}
}
