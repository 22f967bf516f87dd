/*
 * Measures for the user's server and its loop. Private.
 */
#ifndef HERALD_ADAPTERS_HTTP_LIBEVENT_SERVER_H
#define HERALD_ADAPTERS_HTTP_LIBEVENT_SERVER_H

#include <stdbool.h>

#include "adapter.h"

/* Block SIGPIPE on the calling thread, which must be the loop's. */
void herald__block_sigpipe(struct herald_libevent *adapter);

/*
 * Pause accepting on all current listeners of the server when descriptors or memory run out.
 * Returns false when out of memory.
 */
bool herald__listeners_watch(struct herald_libevent *adapter);

/* End all pauses. */
void herald__listeners_resume(struct herald_libevent *adapter);

#endif
