/*
 * `herald send`.
 */
#ifndef HERALD_CMD_SEND_H
#define HERALD_CMD_SEND_H

#include "options.h"

extern const struct tool_command send_command;

#endif
