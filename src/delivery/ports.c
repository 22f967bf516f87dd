/*
 * The port policy. A sender must not be able to have HTTP sent to, for example, a mail server,
 * which would read parts of an event as commands.
 */
#include "delivery/ports.h"

/*
 * In ascending order: the ports that browsers block (Fetch standard, "port blocking"), and the
 * ports of Redis and memcached, whose protocols are lines of text.
 */
static const uint16_t blocked[] = {
	0,    1,    7,    9,    11,   13,   15,   17,   19,    20,   21,   22,   23,   25,   37,
	42,   43,   53,   69,   77,   79,   87,   95,   101,   102,  103,  104,  109,  110,  111,
	113,  115,  117,  119,  123,  135,  137,  139,  143,   161,  179,  389,  427,  465,  512,
	513,  514,  515,  526,  530,  531,  532,  540,  548,   554,  556,  563,  587,  601,  636,
	989,  990,  993,  995,  1719, 1720, 1723, 2049, 3659,  4045, 4190, 5060, 5061, 6000, 6379,
	6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080, 11211};

static bool
is_blocked(uint16_t port)
{
	size_t first = 0, end = sizeof(blocked) / sizeof(blocked[0]);

	while (first < end) {
		size_t middle = (first + end) / 2;

		if (blocked[middle] == port)
			return true;
		if (blocked[middle] < port)
			first = middle + 1;
		else
			end = middle;
	}
	return false;
}

bool
herald__port_is_allowed(const struct herald__port_rules *rules, uint16_t port)
{
	if (rules->allowed_count == 0)
		return !is_blocked(port);
	for (size_t i = 0; i < rules->allowed_count; i++) {
		const struct herald_port_range *range = &rules->allowed[i];

		if (port >= range->first && port <= (range->last ? range->last : range->first))
			return true;
	}
	return false;
}
