/*
 * The URL of a server.
 */
#ifndef HERALD_REDIS_URL_H
#define HERALD_REDIS_URL_H

#include <stdbool.h>

#include <herald/status.h>

#include "../common/tls.h"

struct redis_url {
	bool is_secure;
	struct broker_tls_settings tls; /* set by the caller */
	char host[256];
	int port;
	char user[256]; /* "": the default one */
	char password[512];
	int database;
};

/* Returns HERALD_BAD_OPTION with the path "url". The message has no password. */
enum herald_status
herald__redis_url_parse(const char *text, struct redis_url *out, struct herald_error *error);

#endif
