/*
 * `herald validate`.
 */
#ifndef HERALD_CMD_VALIDATE_H
#define HERALD_CMD_VALIDATE_H

#include "options.h"

extern const struct tool_command validate_command;

#endif
