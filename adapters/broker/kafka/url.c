/*
 * kafka:// URLs, read strictly: what is not understood is refused, and no message has a password.
 * Owns nothing; the texts are in the caller's arena.
 */
#include "url.h"

#include <stdbool.h>
#include <string.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#define SCHEME "kafka://"
#define MAX_SERVERS_BYTES 1000

static enum herald_status
refuse(struct herald_error *error, const char *what)
{
	return herald_option_refuse(
		error, "url", "expected kafka://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]...]; %s",
		what);
}

/* Percent-decode into the arena; "" is refused. */
static enum herald_status
decode(const char *text, size_t bytes, const char *what, struct herald_arena *arena,
       const char **out, struct herald_error *error)
{
	char *copy = herald_arena_copy(arena, text, bytes), *to = copy;

	if (!copy)
		return herald_out_of_memory(error);
	for (size_t i = 0; i < bytes; i++) {
		int byte = (unsigned char)text[i];

		if (byte == '%') {
			const int high = i + 2 < bytes ? herald_ascii_hex_value(text[i + 1]) : -1;
			const int low = high >= 0 ? herald_ascii_hex_value(text[i + 2]) : -1;

			byte = low >= 0 ? high * 16 + low : 0;
			i += 2;
		}
		if (byte == 0)
			return refuse(error, what);
		*to++ = (char)byte;
	}
	*to = '\0';
	*out = copy;
	return bytes > 0 ? HERALD_OK : refuse(error, what);
}

static enum herald_status
read_login(const char *login, size_t bytes, struct herald_arena *arena, struct kafka_url *out,
	   struct herald_error *error)
{
	const char *colon = memchr(login, ':', bytes);

	if (!colon)
		return refuse(error, "the password is missing (USER:PASSWORD@)");
	const size_t user_bytes = (size_t)(colon - login);
	enum herald_status status =
		decode(login, user_bytes, "USER must be percent-encoded", arena, &out->user, error);
	if (status == HERALD_OK)
		status = decode(colon + 1, bytes - user_bytes - 1,
				"PASSWORD must be percent-encoded", arena, &out->password, error);
	return status;
}

static bool
is_port(const char *text, size_t bytes)
{
	char digits[8];
	uint64_t port;

	if (bytes >= sizeof(digits))
		return false;
	memcpy(digits, text, bytes);
	digits[bytes] = '\0';
	return herald_ascii_number(digits, UINT16_MAX, &port) && port > 0;
}

/* HOST, HOST:PORT, [IPv6], or [IPv6]:PORT. */
static enum herald_status
check_server(const char *text, size_t bytes, struct herald_error *error)
{
	const bool is_ipv6 = bytes > 0 && *text == '[';
	const char *end = text + bytes, *at = text + is_ipv6;

	while (at < end && (herald_ascii_is_letter(*at) || herald_ascii_is_digit(*at) ||
			    (is_ipv6 ? *at == ':' || *at == '.' : strchr("-._", *at) != 0)))
		at++;
	if (at == text + is_ipv6)
		return refuse(error, "HOST is missing");
	if (is_ipv6 && (at == end || *at++ != ']'))
		return refuse(error, "an IPv6 address is in square brackets");
	if (at < end && *at != ':')
		return refuse(error, "HOST must be a name or an address, and nothing follows PORT");
	if (at < end && !is_port(at + 1, (size_t)(end - at - 1)))
		return refuse(error, "PORT must be a number from 1 to 65535");
	return HERALD_OK;
}

enum herald_status
herald__kafka_url_read(const char *url, struct herald_arena *arena, struct kafka_url *out,
		       struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	*out = (struct kafka_url){0};
	if (!url)
		return herald_option_refuse(error, "url", "must be set");
	if (strncmp(url, SCHEME, strlen(SCHEME)) != 0)
		return refuse(error, "it must begin with " SCHEME);
	const char *servers = url + strlen(SCHEME), *at = strchr(servers, '@');
	if (at) {
		status = read_login(servers, (size_t)(at - servers), arena, out, error);
		servers = at + 1;
	}
	if (status == HERALD_OK && strlen(servers) > MAX_SERVERS_BYTES)
		return refuse(error, "it is too long");
	for (const char *server = servers; status == HERALD_OK;) {
		const size_t bytes = strcspn(server, ",");

		status = check_server(server, bytes, error);
		if (server[bytes] == '\0')
			break;
		server += bytes + 1;
	}
	if (status != HERALD_OK)
		return status;
	out->servers = herald_arena_copy(arena, servers, strlen(servers));
	return out->servers ? HERALD_OK : herald_out_of_memory(error);
}
