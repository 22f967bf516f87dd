/*
 * One attempt with libcurl: the options of its handle, the limits on what comes back, the address
 * policy on each socket, and what a result means. When attempts are made is the deliverer's business.
 */
#include "transfer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <herald/version.h>

#include "memory.h"

#define MAX_HEADER_BYTES ((size_t)64 * 1024)
#define MAX_BODY_BYTES ((size_t)64 * 1024)

/* libcurl's buffer for what it receives; one per attempt under way. */
#define RECEIVE_BUFFER_BYTES 4096L

/* What libcurl calls. */

static size_t
on_header(char *data, size_t size, size_t count, void *state)
{
	static const char name[] = "Retry-After:";
	struct herald__transfer *transfer = state;
	size_t bytes = size * count;

	transfer->header_bytes += bytes;
	if (transfer->header_bytes > MAX_HEADER_BYTES) {
		transfer->headers_too_large = true;
		return 0;
	}
	if (bytes > 5 && memcmp(data, "HTTP/", 5) == 0) {
		transfer->retry_after[0] = '\0'; /* That of an interim answer. */
	} else if (bytes >= sizeof(name) && strncasecmp(data, name, sizeof(name) - 1) == 0) {
		const char *value = data + sizeof(name) - 1, *end = data + bytes;

		while (value < end && (*value == ' ' || *value == '\t'))
			value++;
		while (end > value && (unsigned char)end[-1] <= ' ')
			end--;
		snprintf(transfer->retry_after, sizeof(transfer->retry_after), "%.*s",
			 (int)(end - value), value);
	}
	return bytes;
}

static size_t
on_body(char *data, size_t size, size_t count, void *state)
{
	struct herald__transfer *transfer = state;

	(void)data;
	transfer->body_bytes += size * count;
	if (transfer->body_bytes <= MAX_BODY_BYTES)
		return size * count;
	transfer->body_is_enough = true;
	return 0;
}

static curl_socket_t
on_open(void *state, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct herald__transfer *transfer = state;
	const struct herald__transfer_settings *settings = transfer->settings;

	(void)purpose;
	if (!herald__address_is_allowed(&settings->rules, &address->addr, address->addrlen)) {
		transfer->refused_address = true;
		return CURL_SOCKET_BAD;
	}
	transfer->opened_socket = true;
	return herald__poller_open(settings->poller, address->family, address->socktype,
				   address->protocol);
}

/* A connection may outlive the transfer that opened it. */
static int
on_close(void *state, curl_socket_t fd)
{
	herald__poller_close(state, fd);
	return 0;
}

/* Handles. */

/* What a user's setup may set otherwise. */
static void
set_defaults(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "Herald/" HERALD_VERSION);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES);
	/* None from the environment: the address policy would see the proxy. */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	/* Nor an exception from there to the user's own. */
	curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
}

static bool
set_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
#else
	return curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS) ==
	       CURLE_OK;
#endif
}

/* What must be as it is. */
static bool
set_required(struct herald__transfer *transfer)
{
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Else ending a transfer waits for its name lookup, which holds up all the others. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 0L);
	curl_easy_setopt(easy, CURLOPT_FAILONERROR, 0L); /* Statuses are judged here. */
	curl_easy_setopt(easy, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)0);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL,
			 transfer->settings->options->allow_credentials ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 0L);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->curl_error);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, transfer->settings->poller);
	return set_protocols(easy);
}

enum herald_status
herald__transfer_create(const struct herald__transfer_settings *settings,
			struct herald__transfer **out)
{
	const struct herald_deliverer_options *options = settings->options;
	struct herald__transfer *transfer =
		herald__allocate_zeroed(&settings->allocator, 1, sizeof(*transfer));
	enum herald_status status = HERALD_NO_MEMORY;

	if (!transfer)
		return status;
	transfer->settings = settings;
	herald_buffer_init(&transfer->body, &settings->allocator, 0);
	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		goto fail;
	set_defaults(transfer->easy);
	if (options->setup && !options->setup(transfer->easy, options->state)) {
		status = HERALD_BAD_OPTION;
		goto fail;
	}
	if (!set_required(transfer))
		goto fail;
	*out = transfer;
	return HERALD_OK;

fail:
	herald__transfer_destroy(transfer);
	return status;
}

void
herald__transfer_destroy(struct herald__transfer *transfer)
{
	if (!transfer)
		return;

	const struct herald_allocator allocator = transfer->settings->allocator;
	curl_easy_cleanup(transfer->easy);
	herald_buffer_finish(&transfer->body);
	herald__release(&allocator, transfer, sizeof(*transfer));
}

/* Attempts. */

enum herald_status
herald__transfer_begin(struct herald__transfer *transfer, struct herald__queued *item,
		       struct herald__host *host)
{
	const struct herald__transfer_settings *settings = transfer->settings;
	bool has_body = settings->codec != NULL;
	struct curl_slist *headers =
		herald__request_headers(&transfer->request, item, has_body, settings->more_headers);

	transfer->header_bytes = 0;
	transfer->body_bytes = 0;
	transfer->headers_too_large = false;
	transfer->body_is_enough = false;
	transfer->refused_address = false;
	transfer->opened_socket = false;
	transfer->retry_after[0] = '\0';
	transfer->curl_error[0] = '\0';
	if (has_body) {
		enum herald_status status =
			herald__request_body(settings->codec, item, &transfer->body);

		if (status != HERALD_OK)
			return status;
		curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, transfer->body.data);
		curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE, (long)transfer->body.bytes);
	}
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, headers);
	/*
	 * libcurl goes by the first, which takes 4 % off the CPU of a delivery, and parses the second
	 * only when that is NULL.
	 */
	curl_easy_setopt(transfer->easy, CURLOPT_CURLU, item->parsed_url);
	if (curl_easy_setopt(transfer->easy, CURLOPT_URL, item->delivery.url) != CURLE_OK)
		return HERALD_NO_MEMORY;
	transfer->multi = herald__multis_add(&settings->poller->multis, transfer->easy, host->hash);
	if (!transfer->multi)
		return HERALD_NO_MEMORY;
	transfer->item = item;
	transfer->host = host;
	return HERALD_OK;
}

static void
detach(struct herald__transfer *transfer)
{
	herald__multi_remove(transfer->multi, transfer->easy);
	transfer->item = NULL;
}

static bool
status_may_retry(unsigned status)
{
	return status == 408 || status == 425 || status == 429 || (status >= 500 && status <= 599);
}

/* Failures of the network, of name lookup, and of memory; not those that stay the same. */
static bool
code_may_retry(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PROXY:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_OUT_OF_MEMORY:
		return true;
	default:
		return false;
	}
}

/* libcurl takes no line of more than 100 KiB; before 8.6 it says that memory is out. */
#if LIBCURL_VERSION_NUM >= 0x080600
#define LINE_TOO_LONG CURLE_TOO_LARGE
#else
#define LINE_TOO_LONG CURLE_OUT_OF_MEMORY
#endif

/* Memory is hardly out just between the first byte of an answer and its body. */
static bool
has_too_long_line(const struct herald__transfer *transfer, CURLcode code)
{
	curl_off_t first_byte_us = 0;

	if (code != LINE_TOO_LONG || transfer->body_bytes > 0)
		return false;
	curl_easy_getinfo(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte_us);
	return first_byte_us > 0;
}

/* libcurl's text as one line: it may quote the other side, such as the name in its certificate. */
static void
set_error(struct herald__attempt_result *out, const char *text)
{
	struct herald_error line;

	herald_error_set(&line, HERALD_OK, HERALD_NO_OFFSET, "%s", text);
	snprintf(out->error, sizeof(out->error), "%s", line.message);
}

static void
judge_status(unsigned status, struct herald__attempt_result *out)
{
	out->http_status = status;
	out->is_delivered = status >= 200 && status <= 299;
	out->may_retry = status_may_retry(status);
	if (!out->is_delivered)
		snprintf(out->error, sizeof(out->error), "HTTP status %u", status);
}

void
herald__transfer_end(struct herald__transfer *transfer, CURLcode code,
		     struct herald__attempt_result *out)
{
	long status = 0;

	*out = (struct herald__attempt_result){0};
	if (code == CURLE_OK || transfer->body_is_enough) {
		curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
		judge_status((unsigned)status, out);
	} else if (transfer->headers_too_large || has_too_long_line(transfer, code)) {
		snprintf(out->error, sizeof(out->error), "headers of more than %zu bytes",
			 MAX_HEADER_BYTES);
	} else if (transfer->refused_address && !transfer->opened_socket) {
		snprintf(out->error, sizeof(out->error), "the host's address is not allowed");
	} else {
		const char *text = transfer->curl_error;

		out->may_retry = code_may_retry(code);
		set_error(out, *text ? text : curl_easy_strerror(code));
	}
	detach(transfer);
}

void
herald__transfer_time_out(struct herald__transfer *transfer, uint64_t timeout_ms,
			  struct herald__attempt_result *out)
{
	*out = (struct herald__attempt_result){.may_retry = true};
	snprintf(out->error, sizeof(out->error), "no complete answer within %llu ms",
		 (unsigned long long)timeout_ms);
	detach(transfer);
}

void
herald__transfer_cancel(struct herald__transfer *transfer)
{
	detach(transfer);
}
