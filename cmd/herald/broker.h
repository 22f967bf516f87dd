/*
 * `herald broker`.
 */
#ifndef HERALD_CMD_BROKER_H
#define HERALD_CMD_BROKER_H

/* Run the command that argv begins with. Returns the exit status. */
int broker_main(int argc, char **argv);

#endif
