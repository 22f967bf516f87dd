/*
 * Connects libfcgi's requests to an endpoint: reads a request from CGI variables and a stream, and
 * writes the response. Knows no events, sockets or threads (see loop.c), and keeps nothing between
 * requests.
 *
 * The web server reads the framing of HTTP. Here the body ends where its stream ends. If the web
 * server loses its client, it ends the stream too; CONTENT_LENGTH then shows that the body is
 * incomplete.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include <herald/adapter/http.h>
#include <herald/adapter/text.h>
#include <herald/fastcgi.h>

/* The value of a variable, or NULL. nginx sends "" for a missing header, so "" counts as
 * missing. */
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

static bool
begins(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* The maximum length of a header's name that is passed on. */
#define MAX_NAME_BYTES 255

/* HTTP_X_NAME is "x-name" (RFC 3875 section 4.1.18). Returns false if it is too long. */
static bool
read_name(const char *variable, char out[MAX_NAME_BYTES + 1])
{
	size_t bytes = strcspn(variable, "=");

	if (bytes > MAX_NAME_BYTES)
		return false;
	for (size_t i = 0; i < bytes; i++)
		out[i] = variable[i] == '_' ? '-' : herald_ascii_lower(variable[i]);
	out[bytes] = '\0';
	return true;
}

/* Whether the header has a variable without HTTP_ as well. */
static bool
has_own_variable(const FCGX_Request *request, const char *name)
{
	return (strcmp(name, "content-type") == 0 && get(request, "CONTENT_TYPE")) ||
	       (strcmp(name, "content-length") == 0 && get(request, "CONTENT_LENGTH"));
}

/* The herald_http_head.headers_visit callback. A variable "" is a header without a value. */
static void
visit_headers(herald_attribute_visitor *visit, void *visit_state, void *state)
{
	const FCGX_Request *request = state;
	const char *type = get(request, "CONTENT_TYPE"), *length = get(request, "CONTENT_LENGTH");
	char name[MAX_NAME_BYTES + 1];

	if ((type && !visit("content-type", type, visit_state)) ||
	    (length && !visit("content-length", length, visit_state)))
		return;
	for (char **variable = request->envp; *variable; variable++) {
		const char *value = strchr(*variable, '=');

		if (!value || !begins(*variable, "HTTP_") || !read_name(*variable + 5, name) ||
		    has_own_variable(request, name))
			continue;
		if (!visit(name, value + 1, visit_state))
			return;
	}
}

/* Read a variable of the request's head. */
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
		/* There may be several; nginx (1.22) puts the first one in CONTENT_TYPE. */
		herald_http_framing_add(framing, "Content-Type", value);
	else if (begins(variable, "HTTP_CONTENT_ENCODING="))
		herald_http_framing_add(framing, "Content-Encoding", value);
	else
		/* The web server has read length and encoding; only the value needs a check. */
		herald_http_framing_add(framing, "X", value);
}

/* nginx sets HTTPS only if it decrypts; other web servers also set it to "off", or to nothing. */
static bool
is_secured(const char *https)
{
	return https && *https != '\0' && !herald_ascii_same(https, "off");
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
	/* nginx (1.22) accepts HTTP/1.01. Versions such as HTTP/2 are checked by the web server. */
	if (version && !begins(version, "HTTP/1."))
		version = NULL;
	framing.is_secured = is_secured(get(request, "HTTPS"));
	herald_http_framing_request_line(&framing, get(request, "REQUEST_METHOD"),
					 get(request, "REQUEST_URI"), version);
	return framing;
}

/* Returns false if the body is incomplete. */
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

/* The herald_http_header_sink. FCGX_FPrintF() has no room for long values. */
static bool
put_header(const char *name, const char *value, void *out)
{
	return FCGX_PutS(name, out) >= 0 && FCGX_PutS(": ", out) >= 0 &&
	       FCGX_PutS(value, out) >= 0 && FCGX_PutS("\r\n", out) >= 0;
}

/*
 * Block SIGPIPE. libfcgi uses write(), which raises it if the web server has gone, and by default
 * it ends the process. Returns whether a SIGPIPE was already pending.
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

	/* Without the reason phrase, nginx would send a status line without the blank after the
	 * number. */
	FCGX_FPrintF(request->out, "Status: %u %s\r\n", response->status,
		     herald_http_reason(response->status));
	/* Report an error of the stream: the web server then sees an incomplete response. */
	herald_http_response_headers(response, put_header, request->out);
	FCGX_PutS("\r\n", request->out);
	if (response->body_bytes > 0 && (!method || strcmp(method, "HEAD") != 0))
		FCGX_PutStr(response->body, (int)response->body_bytes, request->out);
	/* Close the streams here: FCGX_Finish_r() would write their end after SIGPIPE is
	 * unblocked. */
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
herald_fastcgi_handle(struct herald_endpoint *endpoint, FCGX_Request *from)
{
	const struct herald_http_framing framing = read_framing(from);
	const struct herald_http_head head = {
		.method = get(from, "REQUEST_METHOD"),
		.content_type = get(from, "CONTENT_TYPE"),
		.content_encoding = framing.content_encoding,
		.content_length = framing.content_length,
		.headers_visit = visit_headers,
		.query = get(from, "QUERY_STRING"),
		.state = from,
	};
	struct herald_http_request *request = herald_http_request_create(endpoint, &head);
	if (!request) {
		answer(from, herald_http_unavailable());
		return;
	}
	const struct herald_http_response *response = herald_http_request_response(request);
	if (framing.problem)
		response = herald_http_request_ambiguous(request, framing.problem);
	if (!response && read_body(from, request, framing.content_length))
		response = herald_http_request_finish(request);
	if (!response)
		response = herald_http_request_unreadable(request);
	answer(from, response);
	herald_http_request_destroy(request);
}
