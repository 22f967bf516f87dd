/*
 * Metrics of a server and of a pool.
 */
#ifndef HERALD_SRC_METRICS_SERVER_METRICS_H
#define HERALD_SRC_METRICS_SERVER_METRICS_H

#include "metrics/text.h"

void
herald__server_metrics_write(const struct herald_server *server, struct herald__metrics_text *text);

void herald__pool_metrics_write(struct herald_pool *pool, struct herald__metrics_text *text);

#endif
