/*
 * The list of hosts that were tried last. Most attempts go to one of the first few, so it is
 * searched from the front; only the order moves.
 */
#include "delivery/recent_hosts.h"

#include <string.h>

#include "base/safe_text.h"

/* The place of a host in the order, or of the one that it replaces. */
static size_t
find(struct herald__recent_hosts *hosts, const char *origin)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (strcmp(hosts->all[hosts->order[i]].origin, origin) == 0)
			return i;
	if (hosts->count < HERALD__RECENT_HOSTS) {
		hosts->order[hosts->count] = (unsigned char)hosts->count;
		hosts->count++;
	}
	const size_t place = hosts->count - 1;
	struct herald__recent_host *host = &hosts->all[hosts->order[place]];
	*host = (struct herald__recent_host){0};
	memcpy(host->origin, origin, strlen(origin) + 1);
	return place;
}

void
herald__recent_hosts_note(struct herald__recent_hosts *hosts, const char *origin, const char *error,
			  uint64_t elapsed_ms, int64_t now_ms)
{
	const size_t place = find(hosts, origin);
	const unsigned char index = hosts->order[place];
	struct herald__recent_host *host = &hosts->all[index];

	memmove(hosts->order + 1, hosts->order, place);
	hosts->order[0] = index;
	host->attempts++;
	if (*error == '\0') {
		host->delivered++;
		host->failing = 0;
	} else {
		host->failing++;
	}
	herald__text_line(host->error, sizeof(host->error), error, strlen(error), false);
	host->elapsed_ms = elapsed_ms;
	host->ended_ms = now_ms;
}

size_t
herald__recent_hosts_copy(const struct herald__recent_hosts *hosts,
			  struct herald__recent_host out[HERALD__RECENT_HOSTS])
{
	for (size_t i = 0; i < hosts->count; i++)
		out[i] = hosts->all[hosts->order[i]];
	return hosts->count;
}
