/*
 * Who may use the API. It checks tokens, where a browser's request comes from, and how many wrong
 * tokens and actions there were. It reads no body.
 */
#include "admin/access.h"

#include <string.h>

#include <herald/adapter/log.h>
#include <herald/adapter/text.h>

#include "admin/call.h"
#include "base/media_type.h"

/* Tokens. */

/* What follows "Bearer " in the header; NULL: there is none. */
static const char *
bearer_of(const struct herald__admin_call *call)
{
	const char *value = herald__admin_header(call, "Authorization");

	if (!value || !herald_ascii_same_bytes(value, "Bearer ", 7))
		return NULL;
	return value + 7 + strspn(value + 7, " ");
}

/* The time depends on the length of what was given, and on nothing else. */
static bool
is_token(const char *given, const char *token)
{
	const size_t given_bytes = strlen(given), bytes = strlen(token);
	volatile unsigned char difference = given_bytes != bytes;

	for (size_t i = 0; i < given_bytes; i++)
		difference |= (unsigned char)(given[i] ^ token[i < bytes ? i : bytes]);
	return difference == 0;
}

/* How long to wait after a wrong token, or 0: it takes one of the allowance. The right one needs
 * none, or a client that sends wrong ones would lock out the others. */
static uint64_t
take_wrong_token(struct herald_admin *admin)
{
	pthread_mutex_lock(&admin->mutex);
	uint64_t wait_ms = herald__allowance_wait_ms(&admin->wrong_tokens,
						     herald__clock_now_ms(&admin->clock));
	if (wait_ms == 0)
		herald__allowance_take(&admin->wrong_tokens);
	pthread_mutex_unlock(&admin->mutex);
	return wait_ms;
}

static void
refuse_token(struct herald__admin_call *call, const char *text)
{
	herald__admin_refuse(call, 401, "%s", text);
	herald__admin_add_header(call, "WWW-Authenticate", "Bearer");
}

static bool
has_token(struct herald__admin_call *call)
{
	const char *given = bearer_of(call);

	if (!given) {
		refuse_token(call, "a token is required: Authorization: Bearer TOKEN");
		return false;
	}
	if (is_token(given, call->admin->options.token))
		return true;
	uint64_t wait_ms = take_wrong_token(call->admin);
	if (wait_ms > 0) {
		herald__admin_refuse_for_now(call, 429, wait_ms,
					     "there were too many wrong tokens");
		return false;
	}
	refuse_token(call, "the token is wrong");
	herald_log_write(&call->admin->options.log, HERALD_LOG_WARNING,
			 "wrong token for the dashboard", NULL, 0);
	return false;
}

/* Sites. */

/* A browser says where a request comes from; a script cannot change that. Other clients say
 * nothing. */
static bool
is_own_site(const struct herald__admin_call *call)
{
	const char *site = herald__admin_header(call, "Sec-Fetch-Site");
	const char *origin = herald__admin_header(call, "Origin");
	const char *host = herald__admin_header(call, "Host");

	if (site)
		return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
	if (!origin)
		return true;
	const char *name = strstr(origin, "://");
	return name && host && herald_ascii_same(name + 3, host);
}

bool
herald__admin_may_read(struct herald__admin_call *call)
{
	if (!has_token(call))
		return false;
	if (is_own_site(call))
		return true;
	herald__admin_refuse(call, 403, "the request comes from another site");
	return false;
}

/* Actions. */

static bool
may_act_now(struct herald__admin_call *call)
{
	struct herald_admin *admin = call->admin;

	pthread_mutex_lock(&admin->mutex);
	uint64_t wait_ms =
		herald__allowance_wait_ms(&admin->actions, herald__clock_now_ms(&admin->clock));
	if (wait_ms == 0)
		herald__allowance_take(&admin->actions);
	pthread_mutex_unlock(&admin->mutex);
	if (wait_ms > 0)
		herald__admin_refuse_for_now(call, 429, wait_ms, "there were too many actions");
	return wait_ms == 0;
}

/* JSON is UTF-8: text in another charset would be read wrongly. */
static bool
has_other_charset(const char *content_type)
{
	const char *at = content_type + strcspn(content_type, ";");

	while (*at != '\0') {
		at += strspn(at, "; \t");
		if (herald_ascii_same_bytes(at, "charset=", 8)) {
			const char *name = at + 8 + (at[8] == '"');
			const size_t bytes = strcspn(name, "\"; \t");

			if (bytes != 5 || !herald_ascii_same_bytes(name, "utf-8", 5))
				return true;
		}
		at += strcspn(at, ";");
	}
	return false;
}

bool
herald__admin_may_act(struct herald__admin_call *call)
{
	const char *content_type = herald__admin_header(call, "Content-Type");
	const struct herald__media_type type = herald__media_type_of(content_type);

	if (call->admin->options.is_read_only) {
		herald__admin_refuse(call, 403, "the dashboard is read-only");
		return false;
	}
	if (!herald__media_type_is(&type, "application/json")) {
		herald__admin_refuse(call, 415, "expected the content type application/json");
		return false;
	}
	if (has_other_charset(content_type)) {
		herald__admin_refuse(call, 415, "the charset must be utf-8");
		return false;
	}
	return may_act_now(call);
}
