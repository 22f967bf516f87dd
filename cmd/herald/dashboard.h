/*
 * `herald dashboard`.
 */
#ifndef HERALD_CMD_DASHBOARD_H
#define HERALD_CMD_DASHBOARD_H

#include "options.h"

extern const struct tool_command dashboard_command;

#endif
