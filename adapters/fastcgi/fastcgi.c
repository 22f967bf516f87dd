/*
 * The translation between libfcgi's requests and the endpoint of herald/http.h. It owns how a
 * request of CGI's variables and a stream is read, and how an answer is written; it knows neither
 * events nor sockets nor threads, which are loop.c's, and holds nothing between requests.
 *
 * How HTTP said where the body ends is the web server's business. Here the body ends where its
 * stream does; CONTENT_LENGTH tells whether that is all, because a web server that loses its client
 * ends the stream, too.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <herald/adapter/text.h>
#include <herald/fastcgi.h>
#include <herald/http_adapter.h>

/* A variable; "" counts as none, because nginx sends that for a header that is not there. */
static const char *
get(const FCGX_Request *request, const char *name)
{
	const char *value = FCGX_GetParam(name, request->envp);
	return value && *value ? value : NULL;
}

bool
herald_fastcgi_path_is(const FCGX_Request *request, const char *path)
{
	const char *script = get(request, "SCRIPT_NAME");
	const char *info = get(request, "PATH_INFO");
	size_t script_bytes = script ? strlen(script) : 0;

	if (script && strncmp(path, script, script_bytes) != 0)
		return false;
	return strcmp(path + script_bytes, info ? info : "") == 0;
}

/* herald_http_head.header: "X-Name" is HTTP_X_NAME (RFC 3875 section 4.1.18). */
static const char *
find_header(const char *name, void *state)
{
	char variable[256] = "HTTP_";
	size_t at = strlen(variable);

	if (herald_ascii_same(name, "Content-Type"))
		return get(state, "CONTENT_TYPE");
	for (; *name && at < sizeof(variable) - 1; name++, at++)
		variable[at] = *name == '-' ? '_' : herald_ascii_upper(*name);
	variable[at] = '\0';
	return *name ? NULL : get(state, variable);
}

static bool
begins(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* What a variable tells of the request's head. */
static void
read_variable(struct herald_http_framing *framing, const char *variable)
{
	const char *value = strchr(variable, '=');

	if (!value || !begins(variable, "HTTP_"))
		return;
	value++;
	if (begins(variable, "HTTP_HOST="))
		herald_http_framing_add(framing, "Host", value);
	else if (begins(variable, "HTTP_CONTENT_TYPE="))
		/* There may be several, of which nginx (1.22) has put the first in CONTENT_TYPE. */
		herald_http_framing_add(framing, "Content-Type", value);
	else
		/* Length and encoding are settled; every value has to be one. */
		herald_http_framing_add(framing, "X", value);
}

static struct herald_http_framing
read_framing(const FCGX_Request *request)
{
	struct herald_http_framing framing = HERALD_HTTP_FRAMING_INIT;
	const char *length = get(request, "CONTENT_LENGTH");
	const char *version = get(request, "SERVER_PROTOCOL");

	if (length)
		herald_http_framing_add(&framing, "Content-Length", length);
	for (char **variable = request->envp; *variable; variable++)
		read_variable(&framing, *variable);
	/* nginx (1.22) takes HTTP/1.01. Of HTTP/2 the web server knows more. */
	if (version && begins(version, "HTTP/1."))
		herald_http_framing_version(&framing, version);
	return framing;
}

/* Returns false when the body is not whole. */
static bool
read_body(FCGX_Request *from, struct herald_http_request *to, uint64_t content_length)
{
	char piece[8192];
	uint64_t received = 0;
	int bytes;

	while ((bytes = FCGX_GetStr(piece, sizeof(piece), from->in)) > 0) {
		received += (unsigned)bytes;
		if (!herald_http_request_append(to, piece, (size_t)bytes))
			return true;
	}
	if (FCGX_GetError(from->in) != 0)
		return false;
	return content_length == HERALD_HTTP_NO_LENGTH || content_length == received;
}

/* herald_http_header_sink. */
static void
put_header(const char *name, const char *value, void *out)
{
	FCGX_FPrintF(out, "%s: %s\r\n", name, value);
}

/*
 * libfcgi writes by write(), and a web server that has gone would end the process by SIGPIPE,
 * unless the program has done something about that. Returns whether one was waiting already.
 */
static bool
block_sigpipe(sigset_t *before)
{
	sigset_t pipe, pending;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, before);
	sigpending(&pending);
	return sigismember(&pending, SIGPIPE) == 1;
}

static void
unblock_sigpipe(const sigset_t *before, bool was_pending)
{
	static const struct timespec at_once = {.tv_nsec = 0};
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	while (!was_pending && sigtimedwait(&pipe, NULL, &at_once) < 0 && errno == EINTR)
		;
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

static void
write_answer(FCGX_Request *request, const struct herald_http_response *response)
{
	const char *method = get(request, "REQUEST_METHOD");

	/* Without the phrase, nginx sends a status line that lacks the blank after the number. */
	FCGX_FPrintF(request->out, "Status: %u %s\r\n", response->status,
		     herald_http_reason(response->status));
	herald_http_response_headers(response, put_header, request->out);
	FCGX_PutS("\r\n", request->out);
	if (!method || strcmp(method, "HEAD") != 0)
		FCGX_PutStr(response->body, (int)response->body_bytes, request->out);
	/* The end, too: left to FCGX_Finish_r() it would be written where the signal is not blocked. */
	FCGX_FClose(request->err);
	FCGX_FClose(request->out);
}

static void
answer(FCGX_Request *request, const struct herald_http_response *response)
{
	sigset_t before;
	bool was_pending = block_sigpipe(&before);

	write_answer(request, response);
	unblock_sigpipe(&before, was_pending);
}

void
herald_fastcgi_handle(struct herald_http *http, FCGX_Request *from)
{
	const struct herald_http_framing framing = read_framing(from);
	const struct herald_http_head head = {
		.method = get(from, "REQUEST_METHOD"),
		.content_type = get(from, "CONTENT_TYPE"),
		.content_length = framing.content_length,
		.header = find_header,
		.state = from,
	};
	struct herald_http_request *request = herald_http_request_create(http, &head);
	if (!request) {
		answer(from, herald_http_unavailable());
		return;
	}
	const struct herald_http_response *response = herald_http_request_response(request);
	if (framing.ambiguous)
		response = herald_http_request_ambiguous(request);
	if (!response && read_body(from, request, framing.content_length))
		response = herald_http_request_finish(request);
	if (!response)
		response = herald_http_request_unreadable(request);
	answer(from, response);
	herald_http_request_destroy(request);
}
