/*
 * Strict parsing of URLs by RFC 3986 section 3, so that every other parser, such as the
 * transport's, finds the same scheme, host and port. Ambiguous URLs are refused. Messages do not
 * repeat the URL, which may contain secrets. An address in a URL is checked here; the address of a
 * name is checked when its socket is opened.
 */
#include "delivery/url.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>

#include "delivery/broker_url.h"

#define MAX_NAME_BYTES 253 /* RFC 1035 section 2.3.4 */

/* The relevant parts of a URL, as pointers into its text. */
struct part {
	const char *text; /* NULL: missing */
	size_t bytes;
};

struct parts {
	bool is_https;
	struct part credentials;
	struct part host; /* including the brackets of an IPv6 address */
	struct part port;
};

/* A normalised host: in lower case, or an address in its usual form. */
struct host {
	char text[MAX_NAME_BYTES + 1];
	char zone[IF_NAMESIZE + 1]; /* "%eth0" for an IPv6 address; "" for none */
};

static enum herald_status
refuse(struct herald_error *error, const char *what)
{
	return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET, "%s", what);
}

/* A URL must be printable ASCII, because parsers disagree about other bytes. */
static enum herald_status
check_bytes(const char *url, struct herald_error *error)
{
	for (size_t i = 0; url[i] != '\0'; i++) {
		unsigned char byte = (unsigned char)url[i];

		if (byte <= ' ' || byte > '~')
			return herald_error_set(
				error, HERALD_BAD_VALUE, i,
				"expected a URL in ASCII without spaces: write byte %zu, 0x%02X, "
				"as %%%02X%s",
				i, byte, byte,
				byte < 0x80 ? "" : ", or a host name in Punycode (xn--...)");
	}
	return HERALD_OK;
}

static bool
starts_with(const char *text, const char *prefix)
{
	size_t bytes = strlen(prefix);

	return strnlen(text, bytes) == bytes && herald_ascii_same_bytes(text, prefix, bytes);
}

/* RFC 3986 section 2.3 */
static bool
is_unreserved(char byte)
{
	char lower = herald_ascii_lower(byte);

	return (lower >= 'a' && lower <= 'z') || herald_ascii_is_digit(byte) || byte == '-' ||
	       byte == '.' || byte == '_' || byte == '~';
}

/* Whether every byte is unreserved or one of `others`. */
static bool
consists_of_unreserved(struct part part, const char *others)
{
	for (size_t i = 0; i < part.bytes; i++)
		if (!is_unreserved(part.text[i]) && !strchr(others, part.text[i]))
			return false;
	return true;
}

/* Split "user:password@host:port", which ends before "/", "?", "#" or the end of the URL. */
static void
split_authority(const char *text, struct parts *out)
{
	const char *end = text + strcspn(text, "/?#");
	const char *at = memrchr(text, '@', (size_t)(end - text));

	out->credentials = (struct part){0};
	out->port = (struct part){0};
	if (at) {
		out->credentials = (struct part){text, (size_t)(at - text)};
		text = at + 1;
	}
	const char *bracket = memrchr(text, ']', (size_t)(end - text));
	const char *host_end = bracket ? bracket + 1 : text;
	const char *colon = memchr(host_end, ':', (size_t)(end - host_end));
	if (colon)
		out->port = (struct part){colon + 1, (size_t)(end - colon - 1)};
	out->host = (struct part){text, (size_t)((colon ? colon : end) - text)};
}

static enum herald_status
split(const char *url, struct parts *out, struct herald_error *error)
{
	out->is_https = starts_with(url, "https://");
	if (!out->is_https && !starts_with(url, "http://"))
		return refuse(error, "expected an http or https URL");
	split_authority(strchr(url, ':') + 3, out);
	if (out->host.bytes == 0)
		return refuse(error, "not a URL: it has no host");
	if (out->credentials.text && !consists_of_unreserved(out->credentials, "!$&'()*+,;=:%"))
		return refuse(error, "not a URL: user name or password have a character that is to "
				     "be written as %XX");
	return HERALD_OK;
}

/* Without a port, or with an empty one, use the scheme's default. */
static enum herald_status
read_port(const struct parts *parts, uint16_t *out, struct herald_error *error)
{
	uint32_t port = 0;

	*out = parts->is_https ? 443 : 80;
	if (!parts->port.text || parts->port.bytes == 0)
		return HERALD_OK;
	for (size_t i = 0; i < parts->port.bytes; i++) {
		char digit = parts->port.text[i];

		if (!herald_ascii_is_digit(digit))
			return refuse(error, "not a URL: its port is not a number");
		port = port * 10 + (uint32_t)(digit - '0');
		if (port > UINT16_MAX)
			return refuse(error, "not a URL: its port is more than 65535");
	}
	*out = (uint16_t)port;
	return HERALD_OK;
}

/* Parse "[fe80::1%25eth0]", or without "25" (RFC 6874 section 3), as "[fe80::1]" with the zone
 * "%eth0". */
static enum herald_status
read_ipv6(struct part host, struct host *out, struct herald_error *error)
{
	static const char *const problem = "not a URL: expected an IPv6 address in the brackets";
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	struct part inner = {host.text + 1, host.bytes - 2};

	if (host.bytes < 2 || host.text[host.bytes - 1] != ']')
		return refuse(error, problem);

	const char *percent = memchr(inner.text, '%', inner.bytes);
	if (percent) {
		struct part zone = {percent + 1, (size_t)(inner.text + inner.bytes - percent - 1)};

		if (zone.bytes > 2 && zone.text[0] == '2' && zone.text[1] == '5')
			zone = (struct part){zone.text + 2, zone.bytes - 2};
		if (zone.bytes == 0 || zone.bytes >= IF_NAMESIZE ||
		    !consists_of_unreserved(zone, ""))
			return refuse(error,
				      "not a URL: expected the name of an interface after %");
		snprintf(out->zone, sizeof(out->zone), "%%%.*s", (int)zone.bytes, zone.text);
		inner.bytes = (size_t)(percent - inner.text);
	}
	if (inner.bytes >= sizeof(text))
		return refuse(error, problem);
	memcpy(text, inner.text, inner.bytes);
	text[inner.bytes] = '\0';
	if (inet_pton(AF_INET6, text, &address) != 1)
		return refuse(error, problem);
	inet_ntop(AF_INET6, &address, text, sizeof(text));
	snprintf(out->text, sizeof(out->text), "[%s]", text);
	return HERALD_OK;
}

/* Parse a name, or an IPv4 address in any form that inet_aton() accepts: 127.1 and 0x7f000001 mean
 * 127.0.0.1. */
static enum herald_status
read_name(struct part host, struct host *out, struct herald_error *error)
{
	struct in_addr address;

	if (host.bytes > MAX_NAME_BYTES)
		return refuse(error, "expected a host name of at most 253 bytes");
	if (memchr(host.text, '%', host.bytes))
		return refuse(error, "expected a host name in ASCII; write others in Punycode "
				     "(xn--...)");
	if (!consists_of_unreserved(host, ""))
		return refuse(error, "not a URL: expected a host name of letters, digits, '-', "
				     "'.', '_' and '~'");
	for (size_t i = 0; i < host.bytes; i++)
		out->text[i] = herald_ascii_lower(host.text[i]);
	out->text[host.bytes] = '\0';
	if (herald_ascii_is_digit(out->text[0]) && inet_aton(out->text, &address))
		inet_ntop(AF_INET, &address, out->text, sizeof(out->text));
	return HERALD_OK;
}

static enum herald_status
check_policy(const struct herald__url_rules *rules, const char *host, uint16_t port,
	     struct herald_error *error)
{
	if (!herald__host_is_allowed(rules->addresses, host))
		return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					"the address %s is not allowed", host);
	if (!herald__port_is_allowed(&rules->ports, port))
		return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					"port %u is not allowed", port);
	return HERALD_OK;
}

/* Without printf(), which would take a tenth of the time of accepting a delivery. */
static void
write_origin(bool is_https, const struct host *host, uint16_t port, char *out)
{
	char digits[6];
	size_t first = sizeof(digits);

	digits[--first] = '\0';
	do {
		digits[--first] = (char)('0' + port % 10);
		port /= 10;
	} while (port > 0);
	out = stpcpy(out, is_https ? "https://" : "http://");
	out = stpcpy(stpcpy(out, host->text), host->zone);
	*out = ':';
	memcpy(out + 1, digits + first, sizeof(digits) - first);
}

const struct herald_named_producer *
herald__url_producer(const struct herald__url_rules *rules, const char *name)
{
	return herald__named_producers_find(rules->producers, rules->producers_count, name);
}

static enum herald_status
check_broker(const struct herald__url_rules *rules, const char *url, char *origin,
	     struct herald_error *error)
{
	struct herald__broker_url broker;
	enum herald_status status = herald__broker_url_read(url, &broker, error);

	if (status != HERALD_OK)
		return status;
	if (!rules->any_producer && !herald__url_producer(rules, broker.name))
		return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					"the deliverer has no producer of the name %s",
					broker.name);
	if (origin)
		stpcpy(stpcpy(origin, "broker://"), broker.name);
	return HERALD_OK;
}

enum herald_status
herald__url_check(const struct herald__url_rules *rules, const char *url, char *origin,
		  struct herald_error *error)
{
	struct host host = {.zone = ""};
	struct parts parts = {.host = {.text = ""}};
	uint16_t port;

	if (!url || *url == '\0')
		return refuse(error, "expected a URL");
	if (strlen(url) > rules->max_bytes)
		return herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
					"expected a URL of at most %zu bytes", rules->max_bytes);

	enum herald_status status = check_bytes(url, error);
	if (status == HERALD_OK && herald__is_broker_url(url))
		return check_broker(rules, url, origin, error);
	if (status == HERALD_OK && rules->only_producers)
		return refuse(error, "the deliverer has no transport for URLs, only producers");
	if (status == HERALD_OK)
		status = split(url, &parts, error);
	if (status == HERALD_OK && parts.credentials.text && !rules->allow_credentials)
		status = refuse(error, "expected a URL without user name and password");
	if (status == HERALD_OK)
		status = read_port(&parts, &port, error);
	if (status == HERALD_OK)
		status = parts.host.text[0] == '[' ? read_ipv6(parts.host, &host, error)
						   : read_name(parts.host, &host, error);
	if (status == HERALD_OK)
		status = check_policy(rules, host.text, port, error);
	if (status == HERALD_OK && origin)
		write_origin(parts.is_https, &host, port, origin);
	return status;
}
