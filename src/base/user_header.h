/*
 * Headers of the form "Name: value" that users give to deliveries and to messages of brokers.
 */
#ifndef HERALD_SRC_BASE_USER_HEADER_H
#define HERALD_SRC_BASE_USER_HEADER_H

#define HERALD__MAX_HEADERS 64

/* Returns what is wrong with a header, as "is NULL", or NULL. */
const char *herald__user_header_problem(const char *header);

#endif
