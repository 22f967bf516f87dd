/*
 * Requests to a running service with libcurl. Owns the connection, the token, and what is said of
 * requests that fail. Redirects are not followed: they would get the token.
 */
#include "admin_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/text.h>
#include <herald/array.h>
#include <herald/buffer.h>

#include "scheme.h"
#include "text.h"
#include "tool_memory.h"

#define DEFAULT_TIMEOUT_MS 10000
#define DEFAULT_MAX_BYTES (8u << 20)

/* Options. */

const char *
admin_client_read_token(const char *value, void *state)
{
	return scheme_read_one_secret(value, &((struct admin_client *)state)->token);
}

const char *
admin_client_read_tls_ca(const char *value, void *state)
{
	return trust_read(value, &((struct admin_client *)state)->ca_file);
}

const char *
admin_client_read_timeout(const char *value, void *state)
{
	return options_number(value, 1, 86400000, &((struct admin_client *)state)->timeout_ms)
		       ? NULL
		       : "milliseconds, 1 to 86400000";
}

const char *
admin_client_read_max_bytes(const char *value, void *state)
{
	return options_number(value, 1, UINT64_C(1) << 30,
			      &((struct admin_client *)state)->max_bytes)
		       ? NULL
		       : "bytes, 1 to 1073741824";
}

void
admin_client_init(struct admin_client *client, const char *command)
{
	*client = (struct admin_client){
		.command = command,
		.token = getenv("HERALD_TOKEN"),
		.timeout_ms = DEFAULT_TIMEOUT_MS,
		.max_bytes = DEFAULT_MAX_BYTES,
	};
}

/* Opening. */

/* Wrong usage. */
static int
refuse(const struct admin_client *client, const char *problem)
{
	fprintf(stderr, "herald: %s: %s\n", client->command, problem);
	return 2;
}

static bool
is_visible(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* NULL, or what is wrong with it. What is wrong may be a password, so it is not printed. */
static const char *
check_url(const char *url)
{
	const char *host = strstr(url, "://");

	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return "expected a URL that begins with http:// or https://";
	if (!is_visible(url))
		return "expected a URL of visible ASCII characters";
	if (strcspn(host + 3, "/?#") == 0)
		return "expected a URL with a host";
	if (memchr(host + 3, '@', strcspn(host + 3, "/")))
		return "expected a URL without a name and a password; the dashboard takes --token";
	if (strpbrk(url, "?#"))
		return "expected the dashboard's address, without '?' and '#'";
	return NULL;
}

/* The address of the page, with its last '/'. */
static const char *
page_of(struct herald_arena *arena, const char *url)
{
	const char *path = strchr(strstr(url, "://") + 3, '/');
	const char *last = url + strlen(url) - 1;

	if (!path || strcmp(path, "/") == 0)
		return memory_print(arena, "%s%sadmin/", url, path ? "" : "/");
	return memory_print(arena, "%s%s", url, *last == '/' ? "" : "/");
}

/* The libcurl callback, called about once a second. */
static int
check_stop(void *state, curl_off_t to_get, curl_off_t got, curl_off_t to_send, curl_off_t sent)
{
	const struct admin_client *client = state;

	(void)to_get;
	(void)got;
	(void)to_send;
	(void)sent;
	return client->should_stop();
}

static bool
has_prefix(const char *text, const char *prefix)
{
	const size_t bytes = strlen(prefix);

	return strlen(text) >= bytes && herald_ascii_same_bytes(text, prefix, bytes);
}

/* Whether the address is this machine's: then no proxy of the environment may have the token. */
static bool
is_local(const char *url)
{
	static const char *const hosts[] = {"localhost", "127.", "[::1]"};
	const char *host = strstr(url, "://") + 3;

	for (size_t i = 0; i < HERALD_COUNT(hosts); i++)
		if (has_prefix(host, hosts[i]))
			return true;
	return false;
}

static bool
open_curl(struct admin_client *client)
{
	const char *bearer = memory_print(client->arena, "Authorization: Bearer %s", client->token);
	struct curl_slist *headers = curl_slist_append(NULL, bearer);

	client->headers = headers;
	client->curl = curl_easy_init();
	if (!headers || !client->curl)
		return false;
	curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(client->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, (long)client->timeout_ms);
	curl_easy_setopt(client->curl, CURLOPT_USERAGENT, "herald");
	trust_set(client->curl, client->ca_file);
	if (is_local(client->page))
		curl_easy_setopt(client->curl, CURLOPT_PROXY, "");
	if (client->should_stop) {
		curl_easy_setopt(client->curl, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(client->curl, CURLOPT_XFERINFOFUNCTION, check_stop);
		curl_easy_setopt(client->curl, CURLOPT_XFERINFODATA, client);
	}
	return true;
}

int
admin_client_open(struct admin_client *client, const char *url)
{
	const char *problem = url ? check_url(url) : "the URL is missing";

	if (!problem && client->ca_file && strncmp(url, "https://", 8) != 0)
		problem = "--tls-ca needs a URL that begins with https://";
	if (problem)
		return refuse(client, problem);
	if (!client->token || *client->token == '\0')
		return refuse(client, "needs --token, or HERALD_TOKEN");
	if (!is_visible(client->token))
		return refuse(client, "the token must be visible ASCII");
	client->arena = memory_create();
	client->page = page_of(client->arena, url);
	if (open_curl(client))
		return 0;
	fprintf(stderr, "herald: out of memory\n");
	admin_client_close(client);
	return 1;
}

void
admin_client_close(struct admin_client *client)
{
	curl_easy_cleanup(client->curl);
	curl_slist_free_all(client->headers);
	herald_arena_destroy(client->arena);
}

/* Requests. */

/* A request, and what came back. */
struct request {
	struct admin_client *client;
	struct herald_buffer body;
	bool is_too_large;
	char reason[CURL_ERROR_SIZE];
};

/* The libcurl callback. */
static size_t
take_body(char *data, size_t size, size_t count, void *state)
{
	struct request *request = state;
	const size_t bytes = size * count;

	request->is_too_large = bytes > request->client->max_bytes - request->body.bytes;
	if (request->is_too_large || herald_buffer_append(&request->body, data, bytes) != HERALD_OK)
		return 0;
	return bytes;
}

static const char *
url_of(const struct admin_client *client, const char *resource,
       const struct admin_argument *arguments, size_t count, struct herald_arena *arena)
{
	char *url = memory_print(arena, "%sapi/%s", client->page, resource);
	char separator = '?';

	for (size_t i = 0; i < count; i++) {
		if (!arguments[i].value)
			continue;
		char *value = curl_easy_escape(client->curl, arguments[i].value, 0);
		url = memory_print(arena, "%s%c%s=%s", url, separator, arguments[i].name,
				   value ? value : "");
		curl_free(value);
		separator = '&';
	}
	return url;
}

/* Failures. */

/* The text may come from the service, and be hostile. */
/* 429: others have sent wrong tokens. */
bool
admin_client_is_refused(const struct admin_client *client)
{
	return client->status >= 400 && client->status < 500 && client->status != 429;
}

bool
admin_client_fail(struct admin_client *client, const char *problem)
{
	if (client->is_quiet) {
		snprintf(client->problem, sizeof(client->problem), "%s", problem);
		return false;
	}
	fprintf(stderr, "herald: %s: ", client->page);
	text_print_safe(stderr, text_of(problem));
	putc('\n', stderr);
	return false;
}

/* What is longer is cut. */
HERALD_PRINTF(2, 3)
static bool
fail(struct admin_client *client, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return admin_client_fail(client, text);
}

static bool
fail_transfer(const struct request *request, CURLcode code)
{
	struct admin_client *client = request->client;
	long os_error = 0;

	curl_easy_getinfo(client->curl, CURLINFO_OS_ERRNO, &os_error);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return false;
	if (request->is_too_large)
		return fail(client, "the answer has more than %" PRIu64 " bytes; see --max-bytes",
			    client->max_bytes);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return fail(client, "no answer within %" PRIu64 " ms; see --timeout-ms",
			    client->timeout_ms);
	if (code == CURLE_COULDNT_CONNECT && os_error == ECONNREFUSED)
		return fail(client, "connection refused; does the service run, on this port?");
	return fail(client, "%s",
		    request->reason[0] != '\0' ? request->reason : curl_easy_strerror(code));
}

/* All answers of a dashboard have this header; other paths of the server have not. */
static bool
is_from_dashboard(const struct admin_client *client)
{
	struct curl_header *header;

	return curl_easy_header(client->curl, "Content-Security-Policy", 0, CURLH_HEADER, -1,
				&header) == CURLHE_OK;
}

static bool
fail_status(struct admin_client *client, long status, const char *error)
{
	char *target = NULL;

	curl_easy_getinfo(client->curl, CURLINFO_REDIRECT_URL, &target);
	if (target)
		return fail(client, "%ld: it has moved: %s", status, target);
	if (status == 404 && error && strcmp(error, "there is no such page") == 0)
		return fail(client, "404: expected the dashboard's own address, such as "
				    "http://127.0.0.1:8080/admin/");
	if (status == 404 && error && is_from_dashboard(client))
		return admin_client_fail(client, error); /* it lists all types */
	if (status == 404)
		return fail(client, "404: there is no dashboard at this address");
	if (status == 403)
		return fail(client,
			    "403: %s; it takes IP addresses, localhost, and the names in `hosts` "
			    "of the dashboard's path or of `herald dashboard --host`",
			    error ? error : "forbidden");
	return fail(client, "%ld: %s", status, error ? error : "no reason was given");
}

static bool
fail_json(struct admin_client *client, const struct herald_error *error)
{
	char *type = NULL;

	curl_easy_getinfo(client->curl, CURLINFO_CONTENT_TYPE, &type);
	return fail(client, "expected JSON, found %s: %s (byte %zu); is this a dashboard?",
		    type ? type : "no content type", error->message, error->offset);
}

/* Take the body as an answer, or print why there is none. */
static bool
read_answer(const struct request *request, struct herald_arena *arena, struct admin_answer *out)
{
	struct admin_client *client = request->client;
	const struct herald_buffer *body = &request->body;
	struct admin_answer answer = {
		.text = {memory_copy(arena, body->bytes > 0 ? body->data : "", body->bytes),
			 body->bytes},
	};
	struct herald_error error;

	curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &client->status);
	const bool is_json =
		json_tree_read(arena, answer.text.data, answer.text.bytes, &answer.root, &error);
	if (client->status != 200)
		return fail_status(client, client->status,
				   is_json ? json_tree_string(answer.root, "error") : NULL);
	if (!is_json)
		return fail_json(client, &error);
	*out = answer;
	return true;
}

bool
admin_client_get(struct admin_client *client, const char *resource,
		 const struct admin_argument *arguments, size_t count, struct herald_arena *arena,
		 struct admin_answer *out)
{
	struct request request = {.client = client};
	CURL *curl = client->curl;

	client->status = 0;
	herald_buffer_init(&request.body, NULL, 0);
	curl_easy_setopt(curl, CURLOPT_URL, url_of(client, resource, arguments, count, arena));
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &request);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, request.reason);
	const CURLcode code = curl_easy_perform(curl);
	const bool is_there = code == CURLE_OK ? read_answer(&request, arena, out)
					       : fail_transfer(&request, code);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL); /* it is on the stack */
	herald_buffer_finish(&request.body);
	return is_there;
}
