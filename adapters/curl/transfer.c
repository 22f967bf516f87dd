/*
 * One attempt with libcurl: the options of its handle, the address policy on each socket, and that no
 * more than one request is sent. What comes back is answer.c's, when attempts are made the engine's.
 */
#include "transfer.h"

#include <string.h>

#include <herald/version.h>

#include "memory.h"

/* libcurl's buffer for what it receives; one per attempt under way. */
#define RECEIVE_BUFFER_BYTES 4096L

/* What libcurl calls. */

/*
 * An attempt is one request on the wire. libcurl would send it again by itself, up to five times: when a
 * connection that was kept ends without an answer, when HTTP/2 refuses the stream, when authentication
 * takes two requests. Whether there is another attempt is the engine's decision.
 */
static int
on_request(void *state, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct herald__transfer *transfer = state;

	(void)remote_ip, (void)local_ip, (void)remote_port, (void)local_port;
	transfer->refused_resend = transfer->is_sent;
	transfer->is_sent = true;
	return transfer->refused_resend ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static curl_socket_t
on_open(void *state, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct herald__transfer *transfer = state;
	const struct herald__transfer_settings *settings = transfer->settings;

	(void)purpose;
	if (transfer->is_sent) {
		/* For another request: refused already, so that nobody waits for a connection. */
		transfer->refused_resend = true;
		return CURL_SOCKET_BAD;
	}
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

	herald__answer_init(&transfer->answer, easy, transfer->settings->options);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Else ending a transfer waits for its name lookup, which holds up all the others. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 0L);
	curl_easy_setopt(easy, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)0);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL,
			 transfer->settings->options->allow_credentials ? 0L : 1L);
	curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, NULL);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 0L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 0L);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
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
	herald__request_init(&transfer->request, &settings->allocator);
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
	herald__request_finish(&transfer->request);
	herald__release(&allocator, transfer, sizeof(*transfer));
}

/* Attempts. */

/* The delivery's body, or Herald's: a POST. Or none: a GET. */
static enum herald_status
set_body(struct herald__transfer *transfer, const struct herald__queued *item)
{
	const struct herald_codec *codec = transfer->settings->codec;
	const void *body = item->delivery.body;
	size_t bytes = item->delivery.body_bytes;

	if (!body && codec) {
		enum herald_status status = herald__request_body(codec, item, &transfer->body);

		if (status != HERALD_OK)
			return status;
		body = transfer->body.data;
		bytes = transfer->body.bytes;
	}
	if (body) {
		curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)bytes);
	} else if (transfer->is_post) {
		curl_easy_setopt(transfer->easy, CURLOPT_HTTPGET, 1L);
	}
	transfer->is_post = body != NULL;
	return HERALD_OK;
}

enum herald_status
herald__transfer_begin(struct herald__transfer *transfer, struct herald__queued *item,
		       struct herald__host *host)
{
	const struct herald__transfer_settings *settings = transfer->settings;
	struct curl_slist *headers;
	enum herald_status status = herald__request_headers(
		&transfer->request, item, settings->codec != NULL,
		herald__destinations_find(&settings->destinations, item->host), &headers);

	if (status == HERALD_OK)
		status = set_body(transfer, item);
	if (status != HERALD_OK)
		return status;
	herald__answer_reset(&transfer->answer);
	transfer->refused_address = false;
	transfer->opened_socket = false;
	transfer->is_sent = false;
	transfer->refused_resend = false;
	if (transfer->opens_connection != item->opens_connection) {
		transfer->opens_connection = item->opens_connection;
		curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT,
				 (long)item->opens_connection);
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

void
herald__transfer_end(struct herald__transfer *transfer, CURLcode code,
		     struct herald__attempt_result *out)
{
	const struct herald__answer *answer = &transfer->answer;

	if (transfer->refused_resend && answer->http_status == 0) {
		*out = (struct herald__attempt_result){.may_retry = true};
		herald__attempt_result_explain(out, "the connection was closed before an answer");
	} else if (transfer->refused_resend) {
		/* Another request was to follow this answer, as in HTTP authentication. */
		herald__answer_judge_status(answer, answer->http_status, out);
	} else if (code != CURLE_OK && transfer->refused_address && !transfer->opened_socket) {
		*out = (struct herald__attempt_result){0};
		herald__attempt_result_explain(out, "the host's address is not allowed");
	} else {
		herald__answer_judge(answer, code, out);
	}
	detach(transfer);
}

void
herald__transfer_time_out(struct herald__transfer *transfer, uint64_t timeout_ms,
			  struct herald__attempt_result *out)
{
	*out = (struct herald__attempt_result){.may_retry = true};
	herald__attempt_result_explain(out, "no complete answer within %llu ms",
				       (unsigned long long)timeout_ms);
	detach(transfer);
}

void
herald__transfer_cancel(struct herald__transfer *transfer)
{
	detach(transfer);
}
