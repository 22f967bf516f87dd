/*
 * The header Host of a request. What it says is only compared with names: the path decides which
 * ones it has.
 */
#include "http/server/host.h"

#include <string.h>

#include <herald/adapter/text.h>

/* Without the port, and without the dot at the end that a full name may have. */
static size_t
name_bytes(const char *host)
{
	size_t bytes = *host == '[' ? strcspn(host, "]") : strcspn(host, ":");

	if (bytes > 0 && host[bytes - 1] == '.')
		bytes--;
	return bytes;
}

static bool
ends_in_localhost(const char *name, size_t bytes)
{
	static const char end[] = ".localhost";
	const size_t end_bytes = sizeof(end) - 1;

	return bytes >= end_bytes &&
	       herald_ascii_same_bytes(name + bytes - end_bytes, end, end_bytes);
}

bool
herald__host_is_safe(const char *host)
{
	const size_t bytes = name_bytes(host);

	return *host == '[' || strspn(host, "0123456789.") >= bytes || !memchr(host, '.', bytes) ||
	       ends_in_localhost(host, bytes);
}

bool
herald__host_is_listed(const char *host, const char *hosts)
{
	const size_t bytes = name_bytes(host);

	while (*hosts != '\0') {
		const size_t listed = strcspn(hosts, ", ");

		if (bytes > 0 && listed == bytes && herald_ascii_same_bytes(host, hosts, bytes))
			return true;
		hosts += listed;
		hosts += strspn(hosts, ", ");
	}
	return false;
}

/* Of letters, digits, hyphens and underscores, with dots in between. */
static bool
is_name(const char *name, size_t bytes)
{
	if (bytes == 0 || name[0] == '.' || name[bytes - 1] == '.')
		return false;
	for (size_t i = 0; i < bytes; i++)
		if (!herald_ascii_is_letter(name[i]) && !herald_ascii_is_digit(name[i]) &&
		    !strchr("-_.", name[i]))
			return false;
	return true;
}

bool
herald__host_is_list(const char *hosts)
{
	do {
		const size_t bytes = strcspn(hosts, ", ");

		if (!is_name(hosts, bytes))
			return false;
		hosts += bytes;
		if (*hosts == '\0')
			return true;
		hosts += strspn(hosts, ", ");
	} while (*hosts != '\0');
	return false;
}
