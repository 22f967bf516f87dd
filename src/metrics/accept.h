/*
 * Which format a request accepts.
 */
#ifndef HERALD_SRC_METRICS_ACCEPT_H
#define HERALD_SRC_METRICS_ACCEPT_H

#include <herald/metrics.h>

/* The best weights of a request's Accept so far, in thousandths; -1: none. Initialise with
 * HERALD__ACCEPT_INIT. */
struct herald__accept {
	int openmetrics;
	int text;     /* of "text/plain" */
	int any_text; /* of the ranges "text" and any subtype */
	int anything; /* of the range of all types */
};

#define HERALD__ACCEPT_INIT                                                                        \
	{                                                                                          \
		-1, -1, -1, -1                                                                     \
	}

/* Read the value of an Accept header (RFC 9110 section 12.5.1). There may be several. */
void herald__accept_add(struct herald__accept *accept, const char *value);

enum herald_metrics_format herald__accept_format(const struct herald__accept *accept);

#endif
