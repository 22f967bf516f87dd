/*
 * `herald store`.
 */
#ifndef HERALD_CMD_STORE_H
#define HERALD_CMD_STORE_H

#include <stdio.h>

/* Run the command that argv begins with. Returns the exit status. */
int store_main(int argc, char **argv);

void store_print_usage(FILE *out);

#endif
