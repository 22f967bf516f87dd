/*
 * URLs are read by libcurl's own parser, so that what is checked here is what is connected to later.
 * No message repeats the URL: it may hold secrets. An address in it is judged here, one that a name leads
 * to when its socket is opened.
 */
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <herald/adapter/text.h>

static enum herald_status
refuse(struct herald_error *error, const char *what)
{
	return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET, "%s", what);
}

static enum herald_status
from_curl(CURLUcode code, struct herald_error *error)
{
	if (code == CURLUE_OUT_OF_MEMORY)
		return herald_error_set(error, HERALD_NO_MEMORY, HERALD_NO_OFFSET, "out of memory");
	if (code == CURLUE_UNSUPPORTED_SCHEME || code == CURLUE_BAD_SCHEME)
		return refuse(error, "expected an http or https URL");
	return herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET, "not a URL: %s",
				curl_url_strerror(code));
}

static bool
has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	CURLUcode code = curl_url_get(url, part, &text, 0);

	curl_free(text);
	return code == CURLUE_OK;
}

static void
to_lower(char *text)
{
	for (; *text; text++)
		*text = herald_ascii_lower(*text);
}

/*
 * RFC 3986: a URL is printable ASCII. libcurl would encode other bytes in the path, send those of the query
 * as they are, and take blanks out at the ends.
 */
static enum herald_status
check_bytes(const char *url, struct herald_error *error)
{
	for (size_t i = 0; url[i] != '\0'; i++) {
		unsigned char byte = (unsigned char)url[i];

		if (byte <= ' ' || byte > '~')
			return herald_error_set(
				error, HERALD_BAD_VALUE, i,
				"expected a URL in ASCII without blanks: its byte %zu, 0x%02X, is "
				"to be written as %%%02X%s",
				i, byte, byte,
				byte < 0x80 ? "" : ", or in a host name as xn--... (Punycode)");
	}
	return HERALD_OK;
}

/* libcurl translates any other host by the locale, which in a service is "C": not at all. */
static bool
is_printable_ascii(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* Of a host "[fe80::1%25eth0]"; libcurl's host is without it. "": none. */
static enum herald_status
read_zone(CURLU *url, char *out, size_t size, struct herald_error *error)
{
	char *zone = NULL;
	CURLUcode code = curl_url_get(url, CURLUPART_ZONEID, &zone, 0);

	if (code == CURLUE_OUT_OF_MEMORY)
		return from_curl(code, error);
	snprintf(out, size, "%s%s", zone ? "%" : "", zone ? zone : "");
	curl_free(zone);
	return HERALD_OK;
}

/* "https://host:443", whichever way it was written; "http://[fe80::1]%eth0:80" with a zone. */
static enum herald_status
read_host(const struct herald__url_rules *rules, CURLU *url, char *out, struct herald_error *error)
{
	char *scheme = NULL, *host = NULL, *port = NULL;
	char zone[64];
	uint64_t number;
	enum herald_status status = HERALD_OK;
	CURLUcode code = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);

	if (code == CURLUE_OK)
		code = curl_url_get(url, CURLUPART_HOST, &host, 0);
	if (code == CURLUE_OK)
		code = curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
	if (code != CURLUE_OK)
		status = from_curl(code, error);
	else if (!herald_ascii_same(scheme, "http") && !herald_ascii_same(scheme, "https"))
		status = refuse(error, "expected an http or https URL");
	else if (strlen(host) > 253)
		status = refuse(error, "a host name has at most 253 bytes");
	else if (!is_printable_ascii(host))
		status = refuse(error, "expected a host name in ASCII, its other characters as "
				       "xn--... (Punycode)");
	else if (!herald__host_is_allowed(rules->addresses, host))
		status = herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					  "the address %s is not allowed", host);
	else if (!herald_ascii_number(port, UINT16_MAX, &number) ||
		 !herald__port_is_allowed(&rules->ports, (uint16_t)number))
		status = herald_error_set(error, HERALD_BAD_VALUE, HERALD_NO_OFFSET,
					  "port %s is not allowed", port);
	else if (out && (status = read_zone(url, zone, sizeof(zone), error)) == HERALD_OK) {
		to_lower(host);
		to_lower(scheme);
		/* The names of interfaces have a case. */
		snprintf(out, HERALD__HOST_BYTES, "%s://%s%s:%s", scheme, host, zone, port);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	return status;
}

enum herald_status
herald__url_check(const struct herald__url_rules *rules, const char *url, char *host, CURLU **out,
		  struct herald_error *error)
{
	if (!url || *url == '\0')
		return refuse(error, "expected a URL");
	if (strlen(url) > rules->max_bytes)
		return herald_error_set(error, HERALD_BAD_LENGTH, HERALD_NO_OFFSET,
					"expected a URL of at most %zu bytes", rules->max_bytes);

	enum herald_status status = check_bytes(url, error);
	if (status != HERALD_OK)
		return status;

	CURLU *parsed = curl_url();
	if (!parsed)
		return from_curl(CURLUE_OUT_OF_MEMORY, error);

	CURLUcode code = curl_url_set(parsed, CURLUPART_URL, url, 0);
	if (code != CURLUE_OK)
		status = from_curl(code, error);
	else if (!rules->allow_credentials &&
		 (has_part(parsed, CURLUPART_USER) || has_part(parsed, CURLUPART_PASSWORD)))
		status = refuse(error, "expected a URL without user name and password");
	else
		status = read_host(rules, parsed, host, error);
	if (status == HERALD_OK && out)
		*out = parsed;
	else
		curl_url_cleanup(parsed);
	return status;
}
