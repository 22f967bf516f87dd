/*
 * `herald top`: what a running service does, again and again.
 */
#ifndef HERALD_CMD_TOP_H
#define HERALD_CMD_TOP_H

#include "options.h"

extern const struct tool_command top_command;

#endif
