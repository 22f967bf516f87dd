/*
 * The formats that can be asserted: date-time, uuid, uri and email. Others are annotations.
 */
#include <arpa/inet.h>
#include <string.h>

#include <herald/time.h>

#include "check.h"
#include "uri.h"

/* RFC 3339 section 5.6. Second 60 exists at the end of a day in UTC only. */
static bool
is_date_time(struct herald_text text)
{
	char changed[HERALD_TIME_TEXT_BYTES + 16];
	struct herald_time time;
	bool is_leap = text.bytes > 19 && text.bytes < sizeof(changed) &&
		       memcmp(text.data + 16, ":60", 3) == 0;

	if (is_leap) {
		memcpy(changed, text.data, text.bytes);
		memcpy(changed + 16, ":59", 3);
		text.data = changed;
	}
	return herald_time_parse(text.data, text.bytes, &time, NULL) == HERALD_OK &&
	       (!is_leap || (time.seconds + 1) % 86400 == 0);
}

static bool
is_hex_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* RFC 4122 section 3. */
static bool
is_uuid(struct herald_text text)
{
	if (text.bytes != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool is_hyphen = i == 8 || i == 13 || i == 18 || i == 23;

		if (is_hyphen ? text.data[i] != '-' : !is_hex_digit(text.data[i]))
			return false;
	}
	return true;
}

static bool
is_atom(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* Atoms with single dots between them (RFC 5321 section 4.1.2); of a domain, names. */
static bool
is_dotted(const char *at, const char *end, bool is_domain)
{
	bool is_begin = true;

	for (; at < end; at++) {
		if (*at == '.' && is_begin)
			return false;
		if (*at != '.' && (!is_atom(*at) ||
				   (is_domain && *at != '-' && strchr("!#$%&'*+/=?^_`{|}~", *at))))
			return false;
		if (is_domain && *at == '-' && (is_begin || at + 1 == end || at[1] == '.'))
			return false;
		is_begin = *at == '.';
	}
	return !is_begin;
}

/* An address in brackets (RFC 5321 section 4.1.3). */
static bool
is_address(const char *at, const char *end)
{
	char text[64];
	struct in6_addr address;
	bool is_6 = end - at > 7 && memcmp(at + 1, "IPv6:", 5) == 0;

	at += is_6 ? 6 : 1;
	if (end - at > 60)
		return false;
	memcpy(text, at, (size_t)(end - at) - 1);
	text[end - at - 1] = '\0';
	return inet_pton(is_6 ? AF_INET6 : AF_INET, text, &address) == 1;
}

/* A mailbox (RFC 5321 section 4.1.2). */
static bool
is_email(struct herald_text text)
{
	const char *end = text.data + text.bytes, *at = end;

	while (at > text.data && at[-1] != '@')
		at--;
	if (at == text.data || memchr(text.data, '\0', text.bytes))
		return false;
	const char *local_end = at - 1;
	bool is_quoted = local_end - text.data >= 2 && text.data[0] == '"' && local_end[-1] == '"';
	if (!is_quoted && !is_dotted(text.data, local_end, false))
		return false;
	return end - at > 2 && *at == '[' && end[-1] == ']' ? is_address(at, end)
							    : is_dotted(at, end, true);
}

bool
check_format(const struct check_call *call, const struct json_tree *keyword)
{
	static const struct {
		const char *name, *text;
		bool (*is_valid)(struct herald_text text);
	} formats[] = {
		{"date-time", "an RFC 3339 timestamp", is_date_time},
		{"uuid", "a UUID", is_uuid},
		{"uri", "a URI with its scheme", uri_is_valid},
		{"email", "an email address", is_email},
	};

	if (!call->checker->asserts_formats || call->value->type != HERALD_JSON_STRING)
		return true;
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (json_text_equal(keyword->text, formats[i].name))
			return formats[i].is_valid(call->value->text) ||
			       check_fail(call, "expected %s, found %s", formats[i].text,
					  check_show(call, call->value));
	return true;
}
