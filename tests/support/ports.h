/*
 * Ports for programs that have to be told one. They are below those that the kernel gives to
 * sockets without a port, so no connection and no server of another test takes one before the
 * program does. tests/examples/ports.py does the same in the same way.
 */
#ifndef HERALD_TESTS_SUPPORT_PORTS_H
#define HERALD_TESTS_SUPPORT_PORTS_H

#include <stdint.h>

/* A port of 127.0.0.1 that is free, and that no other test gets before this process ends. */
uint16_t ports_take(void);

#endif
