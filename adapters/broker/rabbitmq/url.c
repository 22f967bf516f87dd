/*
 * amqp:// and amqps:// URLs, read strictly: what is not understood is refused, and no message has
 * a password.
 * Owns nothing; the texts are in the caller's arena.
 */
#include "url.h"

#include <stdbool.h>
#include <string.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

#define DEFAULT_PORT 5672
#define DEFAULT_SECURE_PORT 5671

static enum herald_status
refuse(struct herald_error *error, const char *what)
{
	return herald_option_refuse(error, "url",
				    "expected amqp://USER:PASSWORD@HOST:PORT/VHOST; %s", what);
}

/* Percent-decode into the arena. */
static enum herald_status
decode(struct herald_text part, const char *what, struct herald_arena *arena, const char **out,
       struct herald_error *error)
{
	char *copy = herald_arena_copy(arena, part.data, part.bytes);
	size_t bytes = 0;

	if (!copy)
		return herald_out_of_memory(error);
	for (size_t i = 0; i < part.bytes; i++) {
		int byte = (unsigned char)copy[i];

		if (byte == '%') {
			int high = i + 2 < part.bytes ? herald_ascii_hex_value(copy[i + 1]) : -1;
			int low = high >= 0 ? herald_ascii_hex_value(copy[i + 2]) : -1;
			byte = low >= 0 ? high * 16 + low : 0;
			i += 2;
		} else if (byte <= ' ' || byte == 0x7f || strchr("/?#@[]", byte)) {
			byte = 0;
		}
		if (byte == 0)
			return refuse(error, what);
		copy[bytes++] = (char)byte;
	}
	copy[bytes] = '\0';
	if (bytes > 255)
		return refuse(error, what);
	*out = copy;
	return HERALD_OK;
}

/* Take what is before the first `byte` off the text. Returns false if it lacks one. */
static bool
cut(struct herald_text *text, char byte, struct herald_text *out)
{
	const char *at = memchr(text->data, byte, text->bytes);

	if (!at)
		return false;
	*out = (struct herald_text){text->data, (size_t)(at - text->data)};
	*text = (struct herald_text){at + 1, text->bytes - out->bytes - 1};
	return true;
}

static enum herald_status
read_login(struct herald_text login, struct herald_arena *arena, struct rabbitmq_url *out,
	   struct herald_error *error)
{
	struct herald_text user;

	if (!cut(&login, ':', &user))
		return refuse(error, "the password is missing (USER:PASSWORD@)");

	enum herald_status status =
		decode(user, "USER must be percent-encoded", arena, &out->user, error);
	if (status == HERALD_OK)
		status = decode(login, "PASSWORD must be percent-encoded", arena, &out->password,
				error);
	return status;
}

static enum herald_status
read_host(struct herald_text place, struct herald_arena *arena, struct rabbitmq_url *out,
	  struct herald_error *error)
{
	struct herald_text host = place;
	const bool is_ipv6 = place.bytes > 0 && *place.data == '[';
	bool has_port;
	uint64_t port = out->is_secure ? DEFAULT_SECURE_PORT : DEFAULT_PORT;

	if (is_ipv6) {
		place = (struct herald_text){place.data + 1, place.bytes - 1};
		if (!cut(&place, ']', &host) || (place.bytes > 0 && *place.data != ':'))
			return refuse(error, "an IPv6 address is in square brackets");
		has_port = place.bytes > 0;
		place.data += has_port, place.bytes -= has_port;
	} else {
		has_port = cut(&place, ':', &host);
	}
	if (has_port) {
		const char *text = herald_arena_copy(arena, place.data, place.bytes);

		if (!text)
			return herald_out_of_memory(error);
		if (!herald_ascii_number(text, UINT16_MAX, &port) || port == 0)
			return refuse(error, "PORT must be a number from 1 to 65535");
	}
	if (host.bytes == 0)
		return refuse(error, "HOST is missing");
	out->port = (uint16_t)port;
	return decode(host, "HOST must be a name or an address", arena, &out->host, error);
}

enum herald_status
herald__rabbitmq_url_read(const char *url, struct herald_arena *arena, struct rabbitmq_url *out,
			  struct herald_error *error)
{
	static const char scheme[] = "amqp://", secure_scheme[] = "amqps://";
	struct herald_text place, login, vhost;
	enum herald_status status = HERALD_OK;

	*out = (struct rabbitmq_url){.user = "guest", .password = "guest", .vhost = "/"};
	if (!url)
		return herald_option_refuse(error, "url", "must be set");
	out->is_secure = strncmp(url, secure_scheme, sizeof(secure_scheme) - 1) == 0;
	if (!out->is_secure && strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return refuse(error, "it must begin with amqp:// or amqps://");
	url += (out->is_secure ? sizeof(secure_scheme) : sizeof(scheme)) - 1;
	vhost = (struct herald_text){url, strlen(url)};
	if (!cut(&vhost, '/', &place)) {
		place = vhost;
		vhost.bytes = 0;
	}
	if (cut(&place, '@', &login))
		status = read_login(login, arena, out, error);
	if (status == HERALD_OK)
		status = read_host(place, arena, out, error);
	if (status == HERALD_OK && vhost.bytes > 0)
		status = decode(vhost, "VHOST must be percent-encoded, without a query", arena,
				&out->vhost, error);
	return status;
}
