/*
 * Reads the hosts of a DSN, and looks up their addresses. Does not connect.
 */
#include "hosts.h"

#include <stdbool.h>
#include <string.h>

#include <netdb.h>
#include <sys/socket.h>

#include <libpq-fe.h>

/* Lists of the DSN: "a,b". "": there is none. */
struct lists {
	const char *hosts, *numbers, *ports;
};

static void
read_lists(const PQconninfoOption *options, struct lists *out)
{
	*out = (struct lists){"", "", ""};
	for (; options->keyword; options++) {
		const char *value = options->val ? options->val : "";

		if (strcmp(options->keyword, "host") == 0)
			out->hosts = value;
		else if (strcmp(options->keyword, "hostaddr") == 0)
			out->numbers = value;
		else if (strcmp(options->keyword, "port") == 0)
			out->ports = value;
	}
}

/* Copy the element at `*list`, and go to the next one. Returns false if it does not fit. */
static bool
take_element(const char **list, char *out, size_t size)
{
	const size_t bytes = strcspn(*list, ",");

	if (bytes >= size)
		return false;
	memcpy(out, *list, bytes);
	out[bytes] = '\0';
	*list += bytes + ((*list)[bytes] == ',');
	return true;
}

/* Add the addresses of a host: those that it has, or the host alone. */
static size_t
add_host(const struct postgres_address *host, struct postgres_address *out, size_t room)
{
	const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	size_t count = 0;

	if (host->number[0] == '\0' && host->host[0] != '/' && host->host[0] != '@' &&
	    getaddrinfo(host->host, NULL, &wanted, &found) != 0)
		found = NULL;
	for (const struct addrinfo *at = found; at && count < room; at = at->ai_next) {
		struct postgres_address *address = &out[count];

		*address = *host;
		count += getnameinfo(at->ai_addr, at->ai_addrlen, address->number,
				     sizeof(address->number), NULL, 0, NI_NUMERICHOST) == 0;
	}
	if (found)
		freeaddrinfo(found);
	if (count == 0 && room > 0)
		out[count++] = *host;
	return count;
}

static size_t
count_of(const char *list)
{
	size_t count = 1;

	for (; *list != '\0'; list++)
		count += *list == ',';
	return count;
}

/* Returns 0 if a list has an element that is empty, too long, or missing. */
static size_t
add_hosts(const struct lists *lists, struct postgres_address *out)
{
	const char *hosts = lists->hosts, *numbers = lists->numbers, *ports = lists->ports;
	const size_t hosts_count = count_of(*numbers != '\0' ? numbers : hosts);
	const bool has_one_port = !strchr(ports, ',');
	size_t count = 0;

	for (size_t i = 0; i < hosts_count; i++) {
		struct postgres_address host = {.host = ""};

		if (!take_element(&hosts, host.host, sizeof(host.host)) ||
		    !take_element(&numbers, host.number, sizeof(host.number)) ||
		    !take_element(&ports, host.port, sizeof(host.port)))
			return 0;
		if (has_one_port)
			ports = lists->ports;
		if ((host.host[0] == '\0' && *lists->hosts != '\0') ||
		    (host.number[0] == '\0' && *lists->numbers != '\0') ||
		    (host.port[0] == '\0' && *lists->ports != '\0'))
			return 0;
		count += add_host(&host, out + count, POSTGRES_ADDRESSES_MAX - count);
	}
	return count;
}

size_t
herald__postgres_addresses(const char *dsn, struct postgres_address out[POSTGRES_ADDRESSES_MAX])
{
	PQconninfoOption *options = PQconninfoParse(dsn, NULL);
	struct lists lists = {"", "", ""};
	size_t count = 0;

	if (options)
		read_lists(options, &lists);
	if (*lists.hosts != '\0' || *lists.numbers != '\0')
		count = add_hosts(&lists, out);
	PQconninfoFree(options);
	if (count == 0)
		out[count++] = (struct postgres_address){.host = ""};
	return count;
}
