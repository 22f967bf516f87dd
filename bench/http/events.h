/*
 * The service that all of Herald's servers of the http cases have: one event type, whose function
 * keeps a byte of what it gets.
 */
#ifndef BENCH_HTTP_EVENTS_H
#define BENCH_HTTP_EVENTS_H

#include <stdint.h>

#include <herald/herald.h>

/* Create the service, and allow the process all the sockets that it may have. */
enum herald_status bench_service_create(struct herald_service **out, struct herald_error *error);

/* The port of the command line; 0: any. */
uint16_t bench_port(int argc, char **argv);

#endif
