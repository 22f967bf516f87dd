/*
 * What a request is for: its target and its Host, and the path that an adapter serves. It reads
 * text and owns nothing; that a request without Host is refused is http_adapter.c's.
 *
 * A target is compared as it was sent. "/%65vent" is another path than "/event": whoever decodes it
 * can be told a path by one reader and another by the next.
 */
#include <stdint.h>
#include <string.h>

#include <herald/adapter/text.h>
#include <herald/http_adapter.h>

#include "http.h"
#include "options.h"

#define MAX_PATH_BYTES 1024
#define MAX_PORT 65535

/* Letters, digits and -._~!$&'()*+;= (RFC 3986 section 2.3, and 2.2's sub-delims without the
 * comma), a bit each. */
static bool
is_name_byte(char c)
{
	static const uint64_t bits[4] = {0x2bff6fd200000000, 0x47fffffe87fffffe, 0, 0};
	unsigned char byte = (unsigned char)c;

	return bits[byte / 64] >> byte % 64 & 1;
}

/* "%41" at the beginning of a text; "%00" is none that anybody means. */
static bool
is_escape(const char *text, size_t bytes)
{
	return bytes >= 3 && herald_ascii_is_hex_digit(text[1]) &&
	       herald_ascii_is_hex_digit(text[2]) && !(text[1] == '0' && text[2] == '0');
}

/* Hosts. */

/* What is within the brackets of "[::1]": hexadecimal digits, colons and dots. Whether it is an
 * address is not looked at. */
static size_t
ip_literal_bytes(const char *text, size_t bytes)
{
	size_t at = 1;

	while (at < bytes &&
	       (herald_ascii_is_hex_digit(text[at]) || text[at] == ':' || text[at] == '.'))
		at++;
	return at > 1 && at < bytes && text[at] == ']' ? at + 1 : 0;
}

/* A name or an IPv4 address; no comma, by which frameworks join several headers. */
static size_t
name_bytes(const char *text, size_t bytes)
{
	size_t at = 0;

	for (;;) {
		while (at < bytes && is_name_byte(text[at]))
			at++;
		if (at == bytes || text[at] != '%' || !is_escape(text + at, bytes - at))
			return at;
		at += 3;
	}
}

static bool
is_port(const char *text, size_t bytes)
{
	unsigned port = 0;

	for (size_t i = 0; i < bytes; i++) {
		if (!herald_ascii_is_digit(text[i]) || port > MAX_PORT)
			return false;
		port = port * 10 + (unsigned)(text[i] - '0');
	}
	return port <= MAX_PORT;
}

bool
herald__http_is_host(struct herald_text text)
{
	bool is_literal = text.bytes > 0 && text.data[0] == '[';
	size_t host = is_literal ? ip_literal_bytes(text.data, text.bytes)
				 : name_bytes(text.data, text.bytes);

	if (is_literal && host == 0)
		return false;
	return host == text.bytes ||
	       (text.data[host] == ':' && is_port(text.data + host + 1, text.bytes - host - 1));
}

/* Targets. */

/* Without it, the bytes of "http://" or "https://", in any case. */
static size_t
scheme_bytes(const char *target)
{
	static const char http[] = "http";
	size_t at = 0;

	while (at < 4 && (target[at] | 0x20) == http[at])
		at++;
	if (at < 4)
		return 0;
	at += (target[at] | 0x20) == 's';
	return strncmp(target + at, "://", 3) == 0 ? at + 3 : 0;
}

/* Whether all of it may be in a path: visible ASCII, and escapes that are whole. */
static bool
is_path(struct herald_text path)
{
	for (size_t i = 0; i < path.bytes; i++) {
		if (path.data[i] <= ' ' || path.data[i] > '~' || path.data[i] == '#')
			return false;
		if (path.data[i] == '%' && !is_escape(path.data + i, path.bytes - i))
			return false;
	}
	return true;
}

/* A query is not looked into; it is one word of visible ASCII. */
static bool
is_query(const char *query)
{
	for (; *query != '\0'; query++)
		if (*query <= ' ' || *query > '~' || *query == '#')
			return false;
	return true;
}

bool
herald_http_target_path(const char *target, struct herald_text *path)
{
	size_t scheme = scheme_bytes(target);
	struct herald_text out = {.data = target};

	if (scheme > 0) {
		struct herald_text host = {.data = target + scheme};

		host.bytes = strcspn(host.data, "/?#");
		if (host.bytes == 0 || !herald__http_is_host(host))
			return false;
		out.data = host.data + host.bytes;
	} else if (*target != '/' && strcmp(target, "*") != 0) {
		return false;
	}
	out.bytes = strcspn(out.data, "?");
	if (!is_path(out) || !is_query(out.data + out.bytes))
		return false;
	if (out.bytes == 0)
		out = (struct herald_text){.data = "/", .bytes = 1};
	*path = out;
	return true;
}

bool
herald_http_target_is(const char *target, const char *path)
{
	struct herald_text found;

	/* As nearly all are: such a path is a target, too. */
	if (strcmp(target, path) == 0)
		return true;
	return herald_http_target_path(target, &found) && found.bytes == strlen(path) &&
	       memcmp(found.data, path, found.bytes) == 0;
}

/* Paths of an adapter's options. */

/* Clients resolve these before they send (RFC 3986 section 5.2.4). */
static bool
has_dot_segment(const char *path)
{
	for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
		size_t bytes = strcspn(slash + 1, "/");

		if ((bytes == 1 || bytes == 2) && strspn(slash + 1, ".") == bytes)
			return true;
	}
	return false;
}

/* What is not as RFC 3986 section 3.3 has it; NULL: nothing. */
static const char *
wrong_byte(const char *path)
{
	for (size_t left = strlen(path); left > 0; path++, left--) {
		bool allowed = *path == '%' ? is_escape(path, left)
					    : is_name_byte(*path) || strchr("/:@,", *path) != NULL;

		if (!allowed)
			return path;
	}
	return NULL;
}

enum herald_status
herald_http_path_check(const char *option, const char *path, struct herald_error *error)
{
	struct herald__option place = {option, HERALD__NO_INDEX, NULL};
	const char *wrong = wrong_byte(path);

	if (path[0] != '/')
		return herald__option_error(error, HERALD_BAD_OPTION, place,
					    "%s must begin with '/', unlike \"%.64s\"", option,
					    path);
	if (strpbrk(path, "?#"))
		return herald__option_error(error, HERALD_BAD_OPTION, place,
					    "%s must have no query and no fragment", option);
	if (wrong)
		return herald__option_error(error, HERALD_BAD_OPTION, place,
					    "%s must be as it is sent, escaped (RFC 3986 section "
					    "3.3): byte 0x%02x at offset %zu is not allowed there",
					    option, (unsigned)(unsigned char)*wrong,
					    (size_t)(wrong - path));
	if (has_dot_segment(path))
		return herald__option_error(error, HERALD_BAD_OPTION, place,
					    "%s must have no segment \".\" or \"..\": clients "
					    "resolve them",
					    option);
	if (strlen(path) > MAX_PATH_BYTES)
		return herald__option_error(error, HERALD_BAD_OPTION, place,
					    "%s must have at most %d bytes", option,
					    MAX_PATH_BYTES);
	return HERALD_OK;
}
