/*
 * One attempt with libcurl: sets the options of its handle, applies the address policy to each
 * socket, and prevents a second request. Responses are handled in answer.c. The deliverer decides
 * when to make attempts.
 */
#include "transfer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <herald/adapter/memory.h>
#include <herald/version.h>

/* The receive buffer of libcurl; each attempt in progress has one. */
#define RECEIVE_BUFFER_BYTES 4096L

/* Callbacks of libcurl. */

/*
 * Checks the address of the request's connection. It may not have been opened here: libcurl opens
 * one itself to look up names over HTTPS, and a request to the same host reuses it.
 */
static bool
may_send_to(struct herald__transfer *transfer, const char *ip, uint16_t port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	bool is_v4 = inet_pton(AF_INET, ip, &v4.sin_addr) == 1;

	/* Neither: no such address is allowed. */
	if (!is_v4 && inet_pton(AF_INET6, ip, &v6.sin6_addr) != 1)
		v6.sin6_family = AF_UNSPEC;
	transfer->refusal = herald_transport_address_problem(transfer->settings->transport,
							     is_v4 ? (const struct sockaddr *)&v4
								   : (const struct sockaddr *)&v6,
							     is_v4 ? sizeof(v4) : sizeof(v6));
	return !transfer->refusal;
}

/*
 * Ensures that an attempt is one request on the wire. libcurl would send it again, up to five
 * times, if a kept connection ends without a response, if HTTP/2 refuses the stream, or if
 * authentication takes two requests. But the deliverer decides whether to make another attempt.
 */
static int
on_request(void *state, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct herald__transfer *transfer = state;

	(void)local_ip, (void)local_port;
	if (!may_send_to(transfer, remote_ip, (uint16_t)remote_port))
		return CURL_PREREQFUNC_ABORT;
	transfer->refused_resend = transfer->is_sent;
	transfer->is_sent = true;
	return transfer->refused_resend ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static curl_socket_t
on_open(void *state, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct herald__transfer *transfer = state;
	const struct herald__curl_settings *settings = transfer->settings;

	(void)purpose;
	if (transfer->is_sent) {
		/* The connection is for a second request. Refuse it here, without waiting for the
		 * connection. */
		transfer->refused_resend = true;
		return CURL_SOCKET_BAD;
	}

	const char *problem = herald_transport_address_problem(settings->transport, &address->addr,
							       address->addrlen);
	if (problem) {
		transfer->refusal = problem;
		return CURL_SOCKET_BAD;
	}
	transfer->opened_socket = true;
	return herald__poller_open(settings->poller, address->family, address->socktype,
				   address->protocol);
}

/* The transfer may be gone, because connections live longer than the transfer that opened them. */
static int
on_close(void *state, curl_socket_t fd)
{
	herald__poller_close(state, fd);
	return 0;
}

/* Handles. */

/* Defaults that a user's setup may change. */
static void
set_defaults(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "Herald/" HERALD_VERSION);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES);
	/* No proxy from the environment: the address policy would check the proxy's address. */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	/* And no exceptions to the user's own proxy. */
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

/* Settings that the transport needs. */
static bool
set_required(struct herald__transfer *transfer)
{
	CURL *easy = transfer->easy;

	herald__answer_init(&transfer->answer, easy, transfer->settings);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Otherwise ending a transfer waits for its name lookup, which delays all others. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	/* A connection is closed by the poller that opened it, and judged by its deliverer. */
	curl_easy_setopt(easy, CURLOPT_SHARE, NULL);
	curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 0L);
	curl_easy_setopt(easy, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)0);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
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
herald__transfer_create(const struct herald__curl_settings *settings, struct herald__transfer **out)
{
	const struct herald_curl_transport_options *options = &settings->options;
	struct herald__transfer *transfer =
		herald_memory_allocate_zeroed(&settings->allocator, 1, sizeof(*transfer));
	enum herald_status status = HERALD_NO_MEMORY;

	if (!transfer)
		return status;
	transfer->settings = settings;
	herald__curl_headers_init(&transfer->headers, &settings->allocator);
	transfer->url = curl_url();
	transfer->easy = curl_easy_init();
	if (!transfer->url || !transfer->easy)
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
	curl_url_cleanup(transfer->url);
	herald__curl_headers_finish(&transfer->headers);
	herald_memory_release(&allocator, transfer, sizeof(*transfer));
}

/* Attempts. */

/* Clear the state of the previous attempt. */
static void
reset(struct herald__transfer *transfer)
{
	herald__answer_reset(&transfer->answer);
	transfer->refusal = NULL;
	transfer->opened_socket = false;
	transfer->is_sent = false;
	transfer->refused_resend = false;
}

static void
set_body(struct herald__transfer *transfer, const struct herald_attempt *attempt)
{
	bool is_post = attempt->method == HERALD_DELIVERY_POST;

	if (is_post) {
		curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS,
				 attempt->body ? attempt->body : "");
		curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)attempt->body_bytes);
	} else if (transfer->is_post) {
		curl_easy_setopt(transfer->easy, CURLOPT_HTTPGET, 1L);
	}
	transfer->is_post = is_post;
}

/*
 * Set the parsed URL. If libcurl had only the text, it would parse and write it once more for each
 * attempt. Returns false when out of memory.
 */
static bool
set_url(struct herald__transfer *transfer, const char *url)
{
	return curl_url_set(transfer->url, CURLUPART_URL, url, 0) == CURLUE_OK &&
	       curl_easy_setopt(transfer->easy, CURLOPT_CURLU, transfer->url) == CURLE_OK &&
	       curl_easy_setopt(transfer->easy, CURLOPT_URL, url) == CURLE_OK;
}

/* Set options that rarely differ from the previous attempt's. */
static void
set_switches(struct herald__transfer *transfer, const struct herald_attempt *attempt)
{
	bool refuses_credentials = !transfer->settings->allow_credentials;

	if (transfer->opens_connection != attempt->opens_connection) {
		transfer->opens_connection = attempt->opens_connection;
		curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT,
				 (long)attempt->opens_connection);
	}
	if (transfer->refuses_credentials != refuses_credentials) {
		transfer->refuses_credentials = refuses_credentials;
		curl_easy_setopt(transfer->easy, CURLOPT_DISALLOW_USERNAME_IN_URL,
				 (long)refuses_credentials);
	}
}

enum herald_status
herald__transfer_begin(struct herald__transfer *transfer, struct herald_attempt *attempt)
{
	struct curl_slist *headers;
	enum herald_status status =
		herald__curl_headers_write(&transfer->headers, attempt, &headers);

	if (status != HERALD_OK)
		return status;
	reset(transfer);
	set_body(transfer, attempt);
	set_switches(transfer, attempt);
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, headers);
	if (!set_url(transfer, attempt->url))
		return HERALD_NO_MEMORY;
	transfer->multi = herald__multis_add(&transfer->settings->poller->multis, transfer->easy,
					     attempt->origin_hash);
	if (!transfer->multi)
		return HERALD_NO_MEMORY;
	transfer->attempt = attempt;
	return HERALD_OK;
}

static void
detach(struct herald__transfer *transfer)
{
	herald__multi_remove(transfer->multi, transfer->easy);
	transfer->attempt = NULL;
}

void
herald__transfer_end(struct herald__transfer *transfer, struct herald_attempt_result *out)
{
	const struct herald__answer *answer = &transfer->answer;

	if (transfer->refused_resend && answer->http_status == 0)
		herald_attempt_result_fail(out, true, "the connection was closed before an answer");
	else if (transfer->refused_resend)
		/* libcurl wanted to send another request, as in HTTP authentication. */
		herald__answer_read_status(answer, out);
	else if (transfer->code != CURLE_OK && transfer->refusal && !transfer->opened_socket)
		herald_attempt_result_fail(out, false, "%s", transfer->refusal);
	else
		herald__answer_judge(answer, transfer->code, out);
	herald__answer_describe(answer, out);
	detach(transfer);
}

void
herald__transfer_cancel(struct herald__transfer *transfer)
{
	detach(transfer);
}
