/*
 * Saves requests as files: `herald listen --save DIR`.
 */
#ifndef HERALD_CMD_SAVED_H
#define HERALD_CMD_SAVED_H

#include <stdbool.h>

#include <herald/server.h>

#include "inspect.h"

/* Write DIR/000001.http, or the next number that is free. Prints to stderr why it failed. */
bool saved_write(const char *directory, const struct herald_server_request *from,
		 const struct inspect_request *request);

#endif
