/*
 * `herald schema`: the schemas of a running service.
 */
#ifndef HERALD_CMD_SCHEMA_H
#define HERALD_CMD_SCHEMA_H

#include "options.h"

extern const struct tool_command schema_command;

#endif
