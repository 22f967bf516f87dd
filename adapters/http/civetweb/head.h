/*
 * Compares what CivetWeb says of a request's head with the bytes of the head. Private to the
 * CivetWeb adapter.
 */
#ifndef HERALD_ADAPTERS_HTTP_CIVETWEB_HEAD_H
#define HERALD_ADAPTERS_HTTP_CIVETWEB_HEAD_H

#include <stdbool.h>

#include <civetweb.h>

/* Whether CivetWeb has reported everything in the head, and has read it as a strict reader
 * would. */
bool herald__head_is_whole(const struct mg_request_info *info);

/* The path as it was sent, without the query; NULL if it had escapes, which are decoded. */
const char *herald__head_path(const struct mg_request_info *info);

/* Whether a request is for this path as it was sent: not decoded, and followed at most by a
 * query. */
bool herald__head_path_is(const struct mg_request_info *info, const char *path);

#endif
