/*
 * The option --tls-ca of commands that send HTTP requests: whose certificates are trusted.
 */
#ifndef HERALD_CMD_TRUST_H
#define HERALD_CMD_TRUST_H

#include <curl/curl.h>

/* The option's line in a command's table. */
#define TRUST_OPTION(READ)                                                                         \
	{                                                                                          \
		"tls-ca", "FILE", READ,                                                            \
			"CA certificates (PEM) to trust for https://. Default: the system's"       \
	}

/* Take the option's value. Returns NULL, or what was expected. */
const char *trust_read(const char *value, const char **ca_file);

/* Trust the CA certificates of this file alone; NULL: the system's. */
void trust_set(CURL *curl, const char *ca_file);

#endif
