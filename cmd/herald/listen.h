/*
 * `herald listen`.
 */
#ifndef HERALD_CMD_LISTEN_H
#define HERALD_CMD_LISTEN_H

#include "options.h"

extern const struct tool_command listen_command;

#endif
