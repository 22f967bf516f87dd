/*
 * URLs as the option `url` may have them, and what subjects mean. libnats takes nearly anything for
 * a URL, so mistakes are found here.
 */
#include "address.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

int
herald__nats_address_split(const char *url, char copy[NATS_URL_BYTES_MAX + 1],
			   const char *servers[NATS_SERVERS_MAX])
{
	int count = 0;

	snprintf(copy, NATS_URL_BYTES_MAX + 1, "%s", url);
	for (char *at = copy; at && count < NATS_SERVERS_MAX;) {
		servers[count++] = at;
		at = strchr(at, ',');
		if (at)
			*at++ = '\0';
	}
	return count;
}

static const char *
skip_scheme(const char *server)
{
	if (strncmp(server, "nats://", 7) == 0)
		return server + 7;
	return strncmp(server, "tls://", 6) == 0 ? server + 6 : NULL;
}

static const char *
skip_user(const char *rest)
{
	const char *at = strrchr(rest, '@');

	return at ? at + 1 : rest;
}

/* "host", "host:port", "[::1]:port". */
static bool
is_host(const char *host)
{
	const bool is_address = *host == '[';
	const char *end = is_address ? strchr(host, ']') : host + strcspn(host, ":");
	uint64_t port;

	if (!end || end == host + is_address)
		return false;
	for (const char *at = host + is_address; at < end; at++)
		if (!herald_ascii_is_letter(*at) && !herald_ascii_is_digit(*at) &&
		    !strchr(is_address ? ":.%" : "-._", *at))
			return false;
	end += is_address;
	return *end == '\0' || (*end == ':' && herald_ascii_number(end + 1, 65535, &port) && port);
}

static enum herald_status
check_server(const char *server, struct herald_error *error)
{
	const char *rest = skip_scheme(server);

	if (!rest)
		return herald_option_refuse(error, "url",
					    "must begin with \"nats://\" or \"tls://\"");
	for (const char *at = rest; *at != '\0'; at++)
		if ((unsigned char)*at <= ' ' || *at == '\x7f')
			return herald_option_refuse(error, "url",
						    "must not have blanks or control characters");
	const char *host = skip_user(rest);
	if (*rest == ':' || (host == rest + 1 && *rest == '@'))
		return herald_option_refuse(error, "url", "the user before '@' is empty");
	if (!is_host(host))
		return herald_option_refuse(error, "url",
					    "expected host or host:port, found \"%s\"", host);
	return HERALD_OK;
}

enum herald_status
herald__nats_address_check(const char *url, struct herald_error *error)
{
	const char *servers[NATS_SERVERS_MAX];
	char copy[NATS_URL_BYTES_MAX + 1];
	size_t commas = 0;

	if (!url)
		return herald_option_refuse(error, "url", "must be set");
	if (strlen(url) > NATS_URL_BYTES_MAX)
		return herald_option_refuse(error, "url", "must have at most %d bytes",
					    NATS_URL_BYTES_MAX);
	for (const char *at = url; *at != '\0'; at++)
		commas += *at == ',';
	if (commas >= NATS_SERVERS_MAX)
		return herald_option_refuse(error, "url", "must have at most %d servers",
					    NATS_SERVERS_MAX);
	int count = herald__nats_address_split(url, copy, servers);
	enum herald_status status = HERALD_OK;
	for (int i = 0; i < count && status == HERALD_OK; i++)
		status = check_server(servers[i], error);
	return status;
}

const char *
herald__nats_address_host(const char *server)
{
	return skip_user(skip_scheme(server));
}

bool
herald__nats_address_is_secure(const char *url)
{
	for (const char *server = url; server; server = strchr(server, ',')) {
		server += strspn(server, ", ");
		if (strncmp(server, "tls://", 6) == 0)
			return true;
	}
	return false;
}

void
herald__nats_address_describe(const char *url, char out[NATS_URL_BYTES_MAX + 32])
{
	const char *servers[NATS_SERVERS_MAX];
	char copy[NATS_URL_BYTES_MAX + 1];
	int count = herald__nats_address_split(url, copy, servers);
	size_t used = 0;

	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(out + used, NATS_URL_BYTES_MAX + 32 - used, "%s ",
					 skip_user(skip_scheme(servers[i])));
}

bool
herald__nats_is_subject(const char *text)
{
	bool is_in_token = false;

	for (const char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at <= ' ' || strchr("\x7f*>", *at))
			return false;
		if (*at == '.' && !is_in_token)
			return false;
		is_in_token = *at != '.';
	}
	return is_in_token;
}

bool
herald__nats_subjects_overlap(const char *a, const char *b)
{
	for (;;) {
		const size_t a_bytes = strcspn(a, "."), b_bytes = strcspn(b, ".");

		if (*a == '>' || *b == '>')
			return true;
		if (*a != '*' && *b != '*' && (a_bytes != b_bytes || strncmp(a, b, a_bytes) != 0))
			return false;
		a += a_bytes;
		b += b_bytes;
		if (*a == '\0' || *b == '\0')
			return *a == *b;
		a++, b++;
	}
}
