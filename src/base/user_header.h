/*
 * Headers of the form "Name: value" that users give to deliveries and to messages of brokers.
 */
#ifndef HERALD_SRC_BASE_USER_HEADER_H
#define HERALD_SRC_BASE_USER_HEADER_H

#include <stddef.h>

#define HERALD__MAX_HEADERS 64

/* The room for a value of `bytes` bytes that is escaped. */
#define HERALD__ESCAPED_BYTES(bytes) ((size_t)3 * (bytes))

/* Write a value of one of Herald's own headers, without a NUL: printable ASCII as it is, but '%'
 * and all other bytes as %XX, as in gRPC's grpc-message. Returns the end. */
char *herald__header_escape(char *out, const char *value);

/* Returns what is wrong with a header, as "is NULL", or NULL. */
const char *herald__user_header_problem(const char *header);

#endif
