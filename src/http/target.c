/*
 * What a request refers to: its target and its Host, and the path that an adapter serves. Only
 * reads text. framing.c refuses a request without Host.
 *
 * A target is compared as it was sent. "/%65vent" is another path than "/event": if it were
 * decoded, one reader could see another path than the next.
 */
#include "http/target.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include <herald/adapter/http.h>
#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#define MAX_PORT 65535

/* Letters, digits and -._~!$&'()*+;= (the unreserved characters of RFC 3986 section 2.3, and the
 * sub-delims of 2.2 except for the comma). A row is 16 bytes. */
static const uint8_t is_name_byte[256] = {
	[0x20] = 0, 1, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, /* !"#$%&'()*+,-./ */
	[0x30] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, /* 0 to 9, :;<=>? */
	[0x40] = 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* @, A to O */
	[0x50] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, /* P to Z, [\]^_ */
	[0x60] = 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* `, a to o */
	[0x70] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0, /* p to z, {|}~ */
};

/* Whether the text begins with an escape such as "%41". "%00" is not accepted. */
static bool
is_escape(const char *text, size_t bytes)
{
	return bytes >= 3 && herald_ascii_is_hex_digit(text[1]) &&
	       herald_ascii_is_hex_digit(text[2]) && !(text[1] == '0' && text[2] == '0');
}

/* Hosts. */

/* The length of an IPv6 address in brackets, such as "[::1]"; 0 if there is none. Addresses of
 * later versions, such as "[v7.a]", have no meaning yet: they are refused (RFC 3986 section 3.2.2).
 */
static size_t
ip_literal_bytes(const char *text, size_t bytes)
{
	const char *end = memchr(text, ']', bytes);
	size_t length = end ? (size_t)(end - text) - 1 : 0;
	char address[INET6_ADDRSTRLEN] = "";
	struct in6_addr number;

	if (!end || length >= sizeof(address))
		return 0;
	memcpy(address, text + 1, length);
	/* A NUL would hide what follows it. */
	if (strlen(address) != length || inet_pton(AF_INET6, address, &number) != 1)
		return 0;
	return length + 2;
}

/* The length of a name or an IPv4 address. Without commas, because frameworks use them to join
 * headers. */
static size_t
name_bytes(const char *text, size_t bytes)
{
	size_t at = 0;

	for (;;) {
		while (at < bytes && is_name_byte[(unsigned char)text[at]])
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

/* The length of "http://" or "https://" at the beginning, in any case; 0 if there is neither. */
static size_t
scheme_bytes(const char *target)
{
	static const char endpoint[] = "http";
	size_t at = 0;

	while (at < 4 && (target[at] | 0x20) == endpoint[at])
		at++;
	if (at < 4)
		return 0;
	at += (target[at] | 0x20) == 's';
	return strncmp(target + at, "://", 3) == 0 ? at + 3 : 0;
}

/* The end of a path or query: `end`, or the end of the target. NULL if it has anything but visible
 * ASCII and complete escapes. */
static const char *
part_end(const char *part, char end)
{
	for (; *part != '\0' && *part != end; part++) {
		if (*part <= ' ' || *part > '~' || *part == '#')
			return NULL;
		if (*part == '%' && !is_escape(part, strnlen(part, 3)))
			return NULL;
	}
	return part;
}

bool
herald_http_target_path(const char *target, struct herald_text *path)
{
	size_t scheme = scheme_bytes(target);
	struct herald_text out = {.data = target};

	if (scheme > 0) {
		struct herald_text host = {.data = target + scheme};

		host.bytes = strcspn(host.data, "/?#");
		/* Only Host may be empty (RFC 9110 section 4.2.1). */
		if (host.bytes == 0 || *host.data == ':' || !herald__http_is_host(host))
			return false;
		out.data = host.data + host.bytes;
	} else if (*target != '/' && strcmp(target, "*") != 0) {
		return false;
	}
	const char *end = part_end(out.data, '?');
	/* The query is not parsed. */
	if (!end || !part_end(end, '\0'))
		return false;
	out.bytes = (size_t)(end - out.data);
	if (out.bytes == 0)
		out = (struct herald_text){.data = "/", .bytes = 1};
	*path = out;
	return true;
}

bool
herald__http_is_target_part(const char *part)
{
	return part_end(part, '\0');
}

const char herald__http_bad_target[] = "the request's target is not valid (RFC 9112 section 3.2)";

const char herald__http_no_tunnels[] = "the server opens no tunnels (RFC 9110 section 9.3.6)";

const char herald__http_not_secured[] =
	"a target with https needs an encrypted connection (RFC 9110 section 7.4)";

const char *
herald__http_target_problem(const char *method, const char *target, bool is_secured,
			    struct herald_text *path)
{
	struct herald_text found;

	/* Some readers take what follows for a body, others for the bytes of a tunnel. Methods are
	 * case-sensitive (RFC 9110 section 9.1). */
	if (strcmp(method, "CONNECT") == 0)
		return herald__http_no_tunnels;
	if (!herald_http_target_path(target, &found))
		return herald__http_bad_target;
	if (*found.data == '*' && strcmp(method, "OPTIONS") != 0)
		return "the target * is for OPTIONS only (RFC 9112 section 3.2.4)";
	if (!is_secured && scheme_bytes(target) == strlen("https://"))
		return herald__http_not_secured;
	*path = found;
	return NULL;
}

bool
herald_http_target_is(const char *target, const char *path)
{
	struct herald_text found;

	/* A fast path for nearly all requests; such a path is a valid target. */
	if (strcmp(target, path) == 0)
		return true;
	return herald_http_target_path(target, &found) && found.bytes == strlen(path) &&
	       memcmp(found.data, path, found.bytes) == 0;
}

/* Paths in an adapter's options. */

/* Clients resolve dot segments before they send a request (RFC 3986 section 5.2.4). */
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

/* The first byte that RFC 3986 section 3.3 does not allow in a path, or NULL. */
static const char *
wrong_byte(const char *path)
{
	for (size_t left = strlen(path); left > 0; path++, left--) {
		bool allowed =
			*path == '%' ? is_escape(path, left)
				     : is_name_byte[(unsigned char)*path] || strchr("/:@,", *path);

		if (!allowed)
			return path;
	}
	return NULL;
}

enum herald_status
herald_http_path_check(const char *option, const char *path, struct herald_error *error)
{
	const char *wrong = path ? wrong_byte(path) : NULL;

	if (!path)
		return herald_option_refuse(error, option, "must not be NULL");
	if (path[0] != '/')
		return herald_option_refuse(error, option, "must begin with '/', not \"%s\"", path);
	if (strpbrk(path, "?#"))
		return herald_option_refuse(error, option,
					    "must not contain a query or a fragment");
	if (wrong)
		return herald_option_refuse(
			error, option,
			"must be percent-encoded (RFC 3986 section 3.3): byte 0x%02x at "
			"offset %zu is not allowed",
			(unsigned)(unsigned char)*wrong, (size_t)(wrong - path));
	if (has_dot_segment(path))
		return herald_option_refuse(
			error, option,
			"must not contain the segment \".\" or \"..\": clients resolve them");
	if (strlen(path) > HERALD__MAX_PATH_BYTES)
		return herald_option_refuse(error, option, "must have at most %d bytes",
					    HERALD__MAX_PATH_BYTES);
	return HERALD_OK;
}
