/*
 * `herald explain`: what happens to an event in a running service.
 */
#ifndef HERALD_CMD_EXPLAIN_H
#define HERALD_CMD_EXPLAIN_H

#include "options.h"

extern const struct tool_command explain_command;

#endif
