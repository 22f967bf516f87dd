/*
 * The response of a receiver. It is counted but not stored, and never more of it is read than the
 * options allow. libcurl does the reading; requests are sent in transfer.c.
 */
#include "answer.h"

#include <stdio.h>
#include <string.h>

/* Limits. */

/* Record that a limit is exceeded. Returns 0, which makes libcurl stop. */
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

/* A head is complete: of the final or of an interim answer. No answer follows a 101 here. */
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
	size_t bytes = size * count, limit = answer->settings->options.max_answer_header_bytes;

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
	size_t bytes = size * count, limit = answer->settings->options.max_answer_body_bytes;

	(void)data;
	answer->body_bytes += bytes;
	if (answer->body_bytes > limit)
		return exceed(answer, "a body", limit);
	return bytes;
}

/*
 * The limit for a socket. Streams of HTTP/2, which only a user's setup enables, share a socket: up
 * to as many as a host has slots. libcurl reports the version once it has read a head, and 0
 * before.
 */
static uint64_t
socket_limit(const struct herald__answer *answer)
{
	uint64_t limit = answer->settings->options.max_answer_bytes;
	long version = 0;

	curl_easy_getinfo(answer->easy, CURLINFO_HTTP_VERSION, &version);
	if (!answer->settings->options.setup || version == CURL_HTTP_VERSION_1_0 ||
	    version == CURL_HTTP_VERSION_1_1)
		return limit;
	return limit * answer->settings->max_attempts_per_origin;
}

/*
 * Find the socket of a stream that shares a connection. libcurl reports the socket of any other
 * transfer before it handles another event.
 */
static void
find_shared_socket(struct herald__answer *answer)
{
	struct herald__poller *poller = answer->settings->poller;

	if (!answer->has_run) {
		answer->has_run = true;
		answer->first_event = poller->events;
	} else if (answer->first_event != poller->events) {
		answer->first_event = poller->events;
		herald__poller_find_socket(poller, answer->easy, &answer->polled);
	}
}

/*
 * Called after each read. Only the socket's own count includes what libcurl does not pass on, such
 * as chunk extensions and HTTP/2 frames without data.
 */
static int
on_progress(void *state, curl_off_t to_receive, curl_off_t received, curl_off_t to_send,
	    curl_off_t sent)
{
	struct herald__answer *answer = state;
	size_t limit = answer->settings->options.max_answer_bytes;

	(void)to_receive, (void)received, (void)to_send, (void)sent;
	if (answer->polled.fd == CURL_SOCKET_BAD)
		find_shared_socket(answer);

	uint64_t bytes = herald__poller_bytes_received(answer->settings->poller, &answer->polled);
	if (bytes <= limit || bytes <= socket_limit(answer))
		return 0;
	exceed(answer, "an answer", limit);
	return 1;
}

void
herald__answer_init(struct herald__answer *answer, CURL *easy,
		    const struct herald__curl_settings *settings)
{
	answer->easy = easy;
	answer->settings = settings;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, answer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, answer->text);
	curl_easy_setopt(easy, CURLOPT_FAILONERROR, 0L); /* Statuses are checked here. */
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* They come from a proxy. */
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
	answer->has_run = false;
	answer->is_too_large = false;
	answer->text[0] = '\0';
}

/* The result. */

/* The errors of libcurl after which another attempt would fail again. */
static const struct {
	CURLcode code;
	const char *text;
} passing[] = {
	{CURLE_COULDNT_RESOLVE_HOST, "cannot resolve the host name"},
	{CURLE_COULDNT_RESOLVE_PROXY, "cannot resolve the proxy's name"},
	{CURLE_COULDNT_CONNECT, "cannot connect"},
	{CURLE_PROXY, "the proxy cannot connect"},
	{CURLE_SSL_CONNECT_ERROR, "the TLS handshake failed"},
	{CURLE_SEND_ERROR, "the connection failed"},
	{CURLE_RECV_ERROR, "the connection failed"},
	{CURLE_GOT_NOTHING, "the connection was closed before an answer"},
	{CURLE_PARTIAL_FILE, "the answer was cut off"},
	{CURLE_HTTP2, "the connection failed"},
	{CURLE_HTTP2_STREAM, "the HTTP/2 stream failed"},
	{CURLE_OPERATION_TIMEDOUT, "timed out"},
	{CURLE_OUT_OF_MEMORY, "out of memory"},
};

/* Append libcurl's own text, which may quote the other side, such as a certificate's name. */
static void
explain_code(const struct herald__answer *answer, CURLcode code, struct herald_attempt_result *out)
{
	const char *detail = *answer->text ? answer->text : curl_easy_strerror(code);

	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
		if (passing[i].code != code)
			continue;
		herald_attempt_result_fail(out, true, "%s: %s", passing[i].text, detail);
		return;
	}
	herald_attempt_result_fail(out, false, "%s", detail);
}

/* Whether a header line was too long: libcurl accepts at most 100 KiB. */
static bool
has_too_long_line(const struct herald__answer *answer, CURLcode code)
{
#if LIBCURL_VERSION_NUM >= 0x080600
	return code == CURLE_TOO_LARGE && answer->body_bytes == 0;
#else
	/* libcurl then reports that it is out of memory. A real lack of memory is unlikely between
	 * the first byte and the body. */
	curl_off_t first_byte_us = 0;

	if (code != CURLE_OUT_OF_MEMORY || answer->body_bytes > 0)
		return false;
	curl_easy_getinfo(answer->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte_us);
	return first_byte_us > 0;
#endif
}

/* Only from the head of the final answer, not from trailers or interim answers. */
static void
read_retry_after(const struct herald__answer *answer, struct herald_attempt_result *out)
{
	struct curl_header *header;

	if (curl_easy_header(answer->easy, "Retry-After", 0, CURLH_HEADER, -1, &header) ==
	    CURLHE_OK)
		snprintf(out->retry_after, sizeof(out->retry_after), "%s", header->value);
}

void
herald__answer_read_status(const struct herald__answer *answer, struct herald_attempt_result *out)
{
	*out = (struct herald_attempt_result){.http_status = answer->http_status};
	/* Only used for failures. */
	if (answer->http_status >= 300)
		read_retry_after(answer, out);
}

void
herald__answer_judge(const struct herald__answer *answer, CURLcode code,
		     struct herald_attempt_result *out)
{
	if (code == CURLE_OK && answer->http_status == 0)
		/* The head was incomplete, but libcurl is content with a status line. */
		herald_attempt_result_fail(out, true, "the answer was cut off");
	else if (code == CURLE_OK || (answer->is_too_large && answer->http_status > 0))
		/* The status is valid even if the rest was cut off here. */
		herald__answer_read_status(answer, out);
	else if (answer->is_too_large)
		herald_attempt_result_fail(out, false, "%s", answer->limit);
	else if (has_too_long_line(answer, code))
		herald_attempt_result_fail(out, false, "headers of more than %zu bytes",
					   answer->settings->options.max_answer_header_bytes);
	else
		explain_code(answer, code, out);
}

void
herald__answer_describe(const struct herald__answer *answer, struct herald_attempt_result *out)
{
	char *address = NULL;

	curl_easy_getinfo(answer->easy, CURLINFO_PRIMARY_IP, &address);
	snprintf(out->address, sizeof(out->address), "%s", address ? address : "");
	out->answer_bytes = answer->header_bytes + answer->body_bytes;
}
