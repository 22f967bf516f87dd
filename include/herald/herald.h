/*
 * Herald: event handling for C services. This header includes all of the core; see
 * herald/service.h for where to begin.
 */
#ifndef HERALD_H
#define HERALD_H

#include <herald/admin.h>
#include <herald/allocator.h>
#include <herald/answer.h>
#include <herald/arena.h>
#include <herald/array.h>
#include <herald/asyncapi.h>
#include <herald/backoff.h>
#include <herald/base64.h>
#include <herald/buffer.h>
#include <herald/callback.h>
#include <herald/check.h>
#include <herald/cloudevent.h>
#include <herald/cloudevents.h>
#include <herald/codec.h>
#include <herald/consumer.h>
#include <herald/context.h>
#include <herald/deadline.h>
#include <herald/delivery.h>
#include <herald/durations.h>
#include <herald/endpoint.h>
#include <herald/export.h>
#include <herald/format.h>
#include <herald/handler.h>
#include <herald/json.h>
#include <herald/json_schema.h>
#include <herald/log.h>
#include <herald/many.h>
#include <herald/message.h>
#include <herald/metrics.h>
#include <herald/otlp.h>
#include <herald/pool.h>
#include <herald/publish.h>
#include <herald/retry.h>
#include <herald/route.h>
#include <herald/schema.h>
#include <herald/server.h>
#include <herald/service.h>
#include <herald/span.h>
#include <herald/status.h>
#include <herald/store.h>
#include <herald/thread_hooks.h>
#include <herald/time.h>
#include <herald/trace.h>
#include <herald/value.h>
#include <herald/version.h>
#include <herald/webhook.h>

#endif
