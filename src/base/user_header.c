/*
 * What must hold for headers of users, wherever they go, and how Herald writes its own.
 * delivery/headers.c refuses more for HTTP.
 */
#include "base/user_header.h"

#include <string.h>

#include <herald/adapter/text.h>

#define MAX_BYTES 4096

const char *
herald__user_header_problem(const char *header)
{
	if (!header)
		return "is NULL";
	if (strlen(header) > MAX_BYTES)
		return "has more than 4096 bytes";

	const size_t bytes = herald_http_token_bytes(header);
	if (bytes == 0 || header[bytes] != ':')
		return "must begin with a name (letters, digits, '-') and a colon";
	if (bytes >= 7 && herald_ascii_same_bytes(header, "Herald-", 7))
		return "has the reserved prefix Herald-";
	if (bytes == 12 && herald_ascii_same_bytes(header, "Content-Type", bytes))
		return "is Content-Type; set content_type instead";

	const char *value = header + bytes + 1;
	return herald_http_value_bytes(value, strlen(value)) < strlen(value)
		       ? "has a control character in its value"
		       : NULL;
}

char *
herald__header_escape(char *out, const char *value)
{
	static const char digits[] = "0123456789ABCDEF";

	for (;;) {
		const char *plain = value;

		while (*value >= ' ' && *value <= '~' && *value != '%')
			value++;
		out = mempcpy(out, plain, (size_t)(value - plain));
		if (*value == '\0')
			return out;

		const unsigned char byte = (unsigned char)*value++;
		*out++ = '%';
		*out++ = digits[byte >> 4];
		*out++ = digits[byte & 15];
	}
}
