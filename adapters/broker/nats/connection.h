/*
 * A connection to the server.
 */
#ifndef HERALD_NATS_CONNECTION_H
#define HERALD_NATS_CONNECTION_H

#include "subscriber.h"

/* As in the options of a subscriber. Files may be NULL. */
struct nats_connection_settings {
	const char *url, *name; /* the name is for the server's lists */
	int server;             /* the only one of the URL's that is tried, from 1; 0: all */
	uint32_t timeout_ms;
	const char *credentials_file, *ca_file, *certificate_file, *key_file;
	struct nats_link *link; /* whose thread reads and writes; NULL: threads of libnats */
};

/* As the options of a subscriber say. */
struct nats_connection_settings herald__nats_settings(const struct nats *nats);

/* Errors: HERALD_UNAVAILABLE, HERALD_BAD_OPTION, HERALD_NO_MEMORY. */
enum herald_status herald__nats_connect(const struct nats_connection_settings *settings,
					natsConnection **out, struct herald_error *error);

#endif
