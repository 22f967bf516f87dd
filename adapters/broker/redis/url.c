/*
 * Reads redis:// and rediss:// URLs, strictly: what is not understood is refused, not ignored.
 */
#include "url.h"

#include <stdbool.h>
#include <string.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#define DEFAULT_PORT 6379
#define MAX_DATABASE 1000000

static enum herald_status
refuse(struct herald_error *error, const char *why)
{
	return herald_option_refuse(error, "url", "%s", why);
}

/* Returns false if it does not fit, has a NUL, or has an incomplete escape. */
static bool
decode(const char *text, size_t bytes, char *out, size_t size)
{
	for (size_t i = 0; i < bytes; i++) {
		char byte = text[i];

		if (byte == '%') {
			const int high = bytes - i < 3 ? -1 : herald_ascii_hex_value(text[i + 1]);
			const int low = high < 0 ? -1 : herald_ascii_hex_value(text[i + 2]);

			if (low < 0)
				return false;
			byte = (char)(high * 16 + low);
			i += 2;
		}
		if (byte == '\0' || size <= 1)
			return false;
		*out++ = byte;
		size--;
	}
	*out = '\0';
	return true;
}

/* A number up to `max`, as all that is there. */
static bool
read_number(const char *text, size_t bytes, unsigned max, int *out)
{
	char digits[12];
	uint64_t number;

	if (bytes >= sizeof(digits))
		return false;
	memcpy(digits, text, bytes);
	digits[bytes] = '\0';
	if (!herald_ascii_number(digits, max, &number))
		return false;
	*out = (int)number;
	return true;
}

/* [user]:password; returns what follows the '@', or NULL. */
static const char *
read_login(const char *text, const char *end, struct redis_url *out)
{
	const char *at = memchr(text, '@', (size_t)(end - text));

	if (!at)
		return text;
	const char *colon = memchr(text, ':', (size_t)(at - text));
	if (!colon || colon + 1 == at ||
	    !decode(text, (size_t)(colon - text), out->user, sizeof(out->user)) ||
	    !decode(colon + 1, (size_t)(at - colon - 1), out->password, sizeof(out->password)))
		return NULL;
	return at + 1;
}

/* A name, an IPv4 address, or an IPv6 address in brackets. Returns what follows, or NULL. */
static const char *
read_host(const char *text, const char *end, struct redis_url *out)
{
	const bool is_bracketed = text < end && *text == '[';
	const char *from = text + is_bracketed, *to = from;

	while (to < end && (is_bracketed ? *to != ']' : *to != ':')) {
		const bool is_allowed =
			is_bracketed ? herald_ascii_is_hex_digit(*to) || strchr(":.", *to)
				     : herald_ascii_is_letter(*to) || herald_ascii_is_digit(*to) ||
					       strchr("-._", *to);

		if (!is_allowed)
			return NULL;
		to++;
	}
	const size_t bytes = (size_t)(to - from);
	if (bytes == 0 || bytes >= sizeof(out->host) || (is_bracketed && to == end))
		return NULL;
	memcpy(out->host, from, bytes);
	out->host[bytes] = '\0';
	return to + is_bracketed;
}

enum herald_status
herald__redis_url_parse(const char *text, struct redis_url *out, struct herald_error *error)
{
	*out = (struct redis_url){.port = DEFAULT_PORT};
	if (!text)
		return refuse(error, "must be set");
	out->is_secure = strncmp(text, "rediss://", 9) == 0;
	if (!out->is_secure && strncmp(text, "redis://", 8) != 0)
		return refuse(error, "must begin with \"redis://\" or \"rediss://\"");
	text += out->is_secure ? 9 : 8;
	const char *end = text + strcspn(text, "/?#");
	if (!(text = read_login(text, end, out)))
		return refuse(error, "before the '@' must be [user]:password, percent-encoded");
	if (!(text = read_host(text, end, out)))
		return refuse(error,
			      "must have a host name, an IPv4 address, or an IPv6 address in "
			      "brackets");
	if (text < end &&
	    (*text != ':' || !read_number(text + 1, (size_t)(end - text - 1), 65535, &out->port)))
		return refuse(error, "the port must be a number from 1 to 65535");
	if (out->port == 0)
		return refuse(error, "the port must be a number from 1 to 65535");
	if (strcmp(end, "") == 0 || strcmp(end, "/") == 0)
		return HERALD_OK;
	if (*end != '/' || !read_number(end + 1, strlen(end + 1), MAX_DATABASE, &out->database))
		return refuse(error, "after the '/' must be the number of a database, and nothing "
				     "else");
	return HERALD_OK;
}
