/*
 * Herald: event handling for C services. This header includes all of the core; see
 * herald/service.h for where to begin.
 */
#ifndef HERALD_H
#define HERALD_H

#include <herald/allocator.h>
#include <herald/arena.h>
#include <herald/array.h>
#include <herald/backoff.h>
#include <herald/buffer.h>
#include <herald/codec.h>
#include <herald/context.h>
#include <herald/deadline.h>
#include <herald/export.h>
#include <herald/handler.h>
#include <herald/http.h>
#include <herald/http_adapter.h>
#include <herald/log.h>
#include <herald/message.h>
#include <herald/pool.h>
#include <herald/retry.h>
#include <herald/route.h>
#include <herald/schema.h>
#include <herald/service.h>
#include <herald/status.h>
#include <herald/time.h>
#include <herald/value.h>
#include <herald/version.h>

#endif
