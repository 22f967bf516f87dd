/*
 * The hosts that were tried last, and how their attempts ended: for the dashboard. Only so many,
 * as URLs come from events; for the same reason metrics have no label for them. The caller of all
 * functions must hold the deliverer's mutex.
 */
#ifndef HERALD_SRC_DELIVERY_RECENT_HOSTS_H
#define HERALD_SRC_DELIVERY_RECENT_HOSTS_H

#include <stddef.h>
#include <stdint.h>

#include "delivery/url.h"

#define HERALD__RECENT_HOSTS 64

struct herald__recent_host {
	char origin[HERALD__ORIGIN_BYTES];
	uint64_t attempts;  /* since it is in the list */
	uint64_t delivered; /* those that ended well */
	uint64_t failing;   /* those since the last one that did */
	char error[96];     /* of the last attempt; "": none */
	uint64_t elapsed_ms;
	int64_t ended_ms; /* since 1970 */
};

/* Zeroed: empty. */
struct herald__recent_hosts {
	struct herald__recent_host all[HERALD__RECENT_HOSTS];
	unsigned char order[HERALD__RECENT_HOSTS]; /* indices, the last one that was tried first */
	size_t count;
};

/* An attempt has ended. A host that is not in the list takes the place of the one that was tried
 * the longest time ago. */
void herald__recent_hosts_note(struct herald__recent_hosts *hosts, const char *origin,
			       const char *error, uint64_t elapsed_ms, int64_t now_ms);

/* The hosts, the last one that was tried first. Returns how many there are. */
size_t herald__recent_hosts_copy(const struct herald__recent_hosts *hosts,
				 struct herald__recent_host out[HERALD__RECENT_HOSTS]);

#endif
