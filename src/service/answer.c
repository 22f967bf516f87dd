/*
 * Answers: what functions and handlers send to the sender besides the verdict. Answers are in the
 * event's arena. They are replaced instead of changed, so that a pointer is enough to restore an
 * earlier answer when a function runs again. The adapters send them.
 */
#include "service/answer.h"

#include <string.h>

#include <herald/adapter/text.h>

#include "base/arena.h"
#include "base/options.h"
#include "base/safe_text.h"
#include "service/codecs.h"
#include "service/service.h"

#define MAX_TYPE_BYTES 255
#define DEFAULT_TYPE "text/plain; charset=utf-8"

/* Shared functions. */

static struct herald_answer
current(const struct herald_context *ctx)
{
	return ctx->answer ? *ctx->answer : (struct herald_answer){0};
}

/* Set the event's answer. Returns false when out of memory. */
static bool
replace(struct herald_context *ctx, const struct herald_answer *answer)
{
	struct herald_answer *copy = herald__arena_take(ctx->arena, sizeof(*copy));

	if (!copy)
		return false;
	*copy = *answer;
	ctx->answer = copy;
	return true;
}

/* The verdict, with its reason, if an answer is not possible. */
static enum herald_verdict
fail(struct herald_context *ctx, const struct herald_error *error)
{
	const char *at = error->path[0] != '\0' ? " at " : "";

	if (herald_status_may_retry(error->status))
		return herald_retry(ctx, "the answer could not be made: %s", error->message);
	return herald_fail_status(ctx, 500, "the answer is not valid%s%s: %s", at, error->path,
				  error->message);
}

static enum herald_verdict
fail_for_memory(struct herald_context *ctx)
{
	struct herald_error error = {.message = ""};

	error.status = herald__context_arena_status(ctx, &error);
	return fail(ctx, &error);
}

static bool
is_without_body(unsigned status)
{
	return status == 204 || status == 205;
}

/* Status and body. */

/* Whether an answer may have this status, with or without a body. */
static bool
is_status_good(unsigned status, bool has_body, struct herald_error *error)
{
	error->status = HERALD_BAD_VALUE;
	if (status < 200 || status > 299)
		herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
				 "expected a status from 200 to 299, found %u", status);
	else if (has_body && is_without_body(status))
		herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET, "status %u has no body",
				 status);
	else
		error->status = HERALD_OK;
	return error->status == HERALD_OK;
}

/* Set an answer with a status and a body in the arena. If `type` is NULL, there is no body. */
static enum herald_verdict
done(struct herald_context *ctx, unsigned status, const char *type, const char *body, size_t bytes)
{
	struct herald_answer answer = current(ctx);

	answer.status = status;
	answer.content_type = type;
	answer.body = body;
	answer.body_bytes = bytes;
	return replace(ctx, &answer) ? HERALD_DONE : fail_for_memory(ctx);
}

enum herald_verdict
herald_done_status(struct herald_context *ctx, unsigned status)
{
	struct herald_error error;

	if (!is_status_good(status, false, &error))
		return fail(ctx, &error);
	return done(ctx, status, NULL, NULL, 0);
}

/* Whether a text is "type/subtype", followed only by bytes that a header's value may have. */
static bool
is_type_good(const char *type, struct herald_error *error)
{
	struct herald__shown shown;
	size_t bytes = strlen(type), first = herald_http_token_bytes(type);
	size_t second = type[first] == '/' ? herald_http_token_bytes(type + first + 1) : 0;
	const char *end = type + first + 1 + second;

	end += second > 0 ? strspn(end, " \t") : 0;
	bool good = first > 0 && second > 0 && (*end == '\0' || *end == ';') &&
		    herald_http_value_bytes(type, bytes) == bytes && bytes <= MAX_TYPE_BYTES;

	if (!good)
		herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
				 "expected a media type of at most %d bytes, found %s",
				 MAX_TYPE_BYTES, herald__show_string(&shown, type, bytes));
	return good;
}

static bool
is_size_good(const struct herald_context *ctx, size_t bytes, struct herald_error *error)
{
	size_t limit = ctx->service->answer_limits.max_body_bytes;

	if (bytes > limit)
		herald_error_set(error, HERALD_TOO_LARGE, HERALD_NO_OFFSET,
				 "it is larger than %zu bytes", limit);
	return bytes <= limit;
}

static bool
is_data_good(const char *data, size_t bytes, struct herald_error *error)
{
	bool good = data || bytes == 0;

	if (!good)
		herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
				 "the data is NULL, but has %zu bytes", bytes);
	return good;
}

enum herald_verdict
herald_done_text(struct herald_context *ctx, unsigned status, const char *content_type,
		 const char *data, size_t bytes)
{
	const char *type = content_type ? content_type : DEFAULT_TYPE;
	struct herald_error error;

	if (!is_status_good(status, bytes > 0, &error) || !is_type_good(type, &error) ||
	    !is_size_good(ctx, bytes, &error) || !is_data_good(data, bytes, &error))
		return fail(ctx, &error);
	if (is_without_body(status))
		return done(ctx, status, NULL, NULL, 0);

	const char *body = herald_arena_copy(ctx->arena, data, bytes);
	type = herald_arena_copy(ctx->arena, type, strlen(type));
	if (!body || !type)
		return fail_for_memory(ctx);
	return done(ctx, status, type, body, bytes);
}

/* An allocator for the encoder's buffer that takes the arena's memory and releases nothing. */

static void *
arena_allocate(size_t bytes, void *state)
{
	return herald_arena_alloc(state, bytes);
}

static void *
arena_reallocate(void *block, size_t old_bytes, size_t bytes, void *state)
{
	if (herald__arena_extend(state, block, old_bytes, bytes))
		return block;

	void *larger = herald_arena_alloc(state, bytes);
	if (larger)
		memcpy(larger, block, old_bytes < bytes ? old_bytes : bytes);
	return larger;
}

static void
arena_release(void *block, size_t bytes, void *state)
{
	(void)block;
	(void)bytes;
	(void)state;
}

/* Encode a value into the arena. */
static enum herald_status
encode(struct herald_context *ctx, const struct herald_schema *schema, const void *value,
       struct herald_buffer *out, struct herald_error *error)
{
	const struct herald_allocator allocator = {
		.allocate = arena_allocate,
		.reallocate = arena_reallocate,
		.release = arena_release,
		.state = ctx->arena,
	};
	struct herald__borrowed_codec codec;
	enum herald_status status = herald__codec_borrow(ctx->service, schema, &codec, error);

	if (status != HERALD_OK)
		return status;
	herald_buffer_init(out, &allocator, ctx->service->answer_limits.max_body_bytes);
	status = herald_codec_encode(codec.codec, value, out, error);
	herald__codec_give_back(&codec);
	if (status == HERALD_NO_MEMORY)
		return herald__context_arena_status(ctx, error);
	return status;
}

enum herald_verdict
herald_done_json(struct herald_context *ctx, unsigned status, const struct herald_schema *schema,
		 const void *value)
{
	struct herald_error error;
	struct herald_buffer out;

	if (!is_status_good(status, true, &error) ||
	    (error.status = encode(ctx, schema, value, &out, &error)) != HERALD_OK)
		return fail(ctx, &error);
	return done(ctx, status, "application/json", out.data, out.bytes);
}

/* Headers. */

/* Headers that control framing or the connection, or that each answer has already. Status belongs
 * to CGI. */
static bool
is_reserved(const char *name)
{
	static const char *const reserved[] = {
		"Connection", "Content-Length", "Content-Type",      "Date",
		"Keep-Alive", "Status",         "Proxy-Connection",  "TE",
		"Trailer",    "Upgrade",        "Transfer-Encoding",
	};

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (herald_ascii_same(reserved[i], name))
			return true;
	return false;
}

const char *
herald__answer_name_problem(const char *name)
{
	if (!name)
		return "the name is NULL";
	if (*name == '\0' || name[herald_http_token_bytes(name)] != '\0')
		return "the name is not a token (RFC 9110 section 5.6.2)";
	return is_reserved(name) ? "the name is reserved: Herald or the connection sets it" : NULL;
}

const char *
herald__answer_value_problem(struct herald_text value)
{
	if (value.bytes == 0)
		return "the value is empty";
	if (herald_http_value_bytes(value.data, value.bytes) < value.bytes ||
	    memchr(value.data, '\t', value.bytes))
		return "the value has a control character";
	return NULL;
}

/* Log why a header is not set. */
static enum herald_status
refuse(struct herald_context *ctx, const char *name, enum herald_status status, const char *why)
{
	const struct herald_log_field fields[] = {
		{"header", name ? name : "NULL", 0},
		{"reason", why, 0},
	};

	herald_context_log(ctx, HERALD_LOG_ERROR, "a header of the answer was refused", fields,
			   sizeof(fields) / sizeof(fields[0]));
	return status;
}

static size_t
index_of(const struct herald_answer *answer, const char *name)
{
	size_t i = 0;

	while (i < answer->headers_count && !herald_ascii_same(answer->headers[i].name, name))
		i++;
	return i;
}

/* A copy of the answer, whose array of headers has room for one more. */
static struct herald_answer_header *
copy_headers(struct herald_context *ctx, struct herald_answer *answer)
{
	struct herald_answer_header *headers = herald__arena_array(
		ctx->arena, answer->headers_count + 1, sizeof(*answer->headers));

	if (headers && answer->headers_count > 0)
		memcpy(headers, answer->headers, answer->headers_count * sizeof(*headers));
	answer->headers = headers;
	return headers;
}

static enum herald_status
remove_header(struct herald_context *ctx, const char *name)
{
	struct herald_answer answer = current(ctx);
	size_t at = index_of(&answer, name);

	if (at == answer.headers_count)
		return HERALD_OK;
	struct herald_answer_header *headers = copy_headers(ctx, &answer);
	if (!headers)
		return refuse(ctx, name, HERALD_NO_MEMORY, "out of memory");
	answer.headers_count--;
	memmove(&headers[at], &headers[at + 1], (answer.headers_count - at) * sizeof(*headers));
	return replace(ctx, &answer) ? HERALD_OK
				     : refuse(ctx, name, HERALD_NO_MEMORY, "out of memory");
}

/* Whether the limits allow a new value for the header at `at`, which may be a new header. */
static bool
is_within_limits(const struct herald_context *ctx, const struct herald_answer *answer, size_t at,
		 size_t bytes)
{
	const struct herald__answer_limits *limits = &ctx->service->answer_limits;

	for (size_t i = 0; i < answer->headers_count; i++)
		if (i != at)
			bytes += strlen(answer->headers[i].name) + strlen(answer->headers[i].value);
	return bytes <= limits->max_headers_bytes &&
	       (at < answer->headers_count || at < limits->max_headers);
}

static enum herald_status
set_header(struct herald_context *ctx, const char *name, struct herald_text value)
{
	struct herald_answer answer = current(ctx);
	size_t at = index_of(&answer, name);

	if (!is_within_limits(ctx, &answer, at, strlen(name) + value.bytes))
		return refuse(ctx, name, HERALD_LIMIT,
			      "more than max_answer_headers or max_answer_headers_bytes");

	struct herald_answer_header *headers = copy_headers(ctx, &answer);
	const struct herald_answer_header copy = {
		herald_arena_copy(ctx->arena, name, strlen(name)),
		herald_arena_copy(ctx->arena, value.data, value.bytes),
	};
	if (!headers || !copy.name || !copy.value)
		return refuse(ctx, name, HERALD_NO_MEMORY, "out of memory");
	headers[at] = copy;
	answer.headers_count += at == answer.headers_count;
	return replace(ctx, &answer) ? HERALD_OK
				     : refuse(ctx, name, HERALD_NO_MEMORY, "out of memory");
}

enum herald_status
herald_context_header(struct herald_context *ctx, const char *name, const char *value)
{
	const char *problem = herald__answer_name_problem(name);

	if (problem)
		return refuse(ctx, name, HERALD_BAD_VALUE, problem);
	if (!value)
		return remove_header(ctx, name);

	struct herald_text text = herald_http_trimmed(value, strlen(value));
	problem = herald__answer_value_problem(text);
	if (problem)
		return refuse(ctx, name, HERALD_BAD_VALUE, problem);
	return set_header(ctx, name, text);
}

/* The final answer. */

struct herald_answer
herald__answer_of(const struct herald_context *ctx, enum herald_verdict verdict)
{
	struct herald_answer answer = ctx ? current(ctx) : (struct herald_answer){0};

	if (verdict == HERALD_DONE)
		return answer;
	return (struct herald_answer){
		.headers = answer.headers,
		.headers_count = answer.headers_count,
	};
}

bool
herald__answer_is_empty(const struct herald_answer *answer)
{
	return answer->status == 0 && answer->headers_count == 0;
}

const char *
herald__answer_header(const struct herald_answer *answer, const char *name)
{
	size_t at = index_of(answer, name);

	return at < answer->headers_count ? answer->headers[at].value : NULL;
}
