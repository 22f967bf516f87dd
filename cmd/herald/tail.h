/*
 * `herald tail`: the events of a running service, as they end.
 */
#ifndef HERALD_CMD_TAIL_H
#define HERALD_CMD_TAIL_H

#include "options.h"

extern const struct tool_command tail_command;

#endif
