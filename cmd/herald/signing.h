/*
 * `herald sign` and `herald verify`.
 */
#ifndef HERALD_CMD_SIGNING_H
#define HERALD_CMD_SIGNING_H

#include "options.h"

extern const struct tool_command sign_command;
extern const struct tool_command verify_command;

#endif
