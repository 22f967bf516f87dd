/*
 * A request to the dashboard: its headers, and the beginning of its answer. Private.
 */
#ifndef HERALD_SRC_ADMIN_CALL_H
#define HERALD_SRC_ADMIN_CALL_H

#include "admin/admin.h"

/* The value of a header of the request; NULL: there is none. */
const char *herald__admin_header(const struct herald__admin_call *call, const char *name);

/* Add a header to the answer. Both texts are borrowed until the answer is sent. */
void herald__admin_add_header(struct herald__admin_call *call, const char *name, const char *value);

/* Answer with {"error":"..."}. What was written before is dropped. The formatted text is cut if it
 * is longer than the message of an error. */
HERALD_PRINTF(3, 4)
void
herald__admin_refuse(struct herald__admin_call *call, unsigned status, const char *format, ...);

/* The same with a text of any length. */
void herald__admin_refuse_text(struct herald__admin_call *call, unsigned status, const char *text);

/* The same with the path and the message of an error, and a status that suits it. */
void herald__admin_refuse_error(struct herald__admin_call *call, const struct herald_error *error);

/* Answer with 429 or 503, and say when to try again. */
void herald__admin_refuse_for_now(struct herald__admin_call *call, unsigned status,
				  uint64_t wait_ms, const char *what);

/* Write members of an object. */
void herald__admin_put(struct herald__admin_call *call, const char *key, uint64_t value);
void herald__admin_put_text(struct herald__admin_call *call, const char *key, const char *text);
void herald__admin_put_bool(struct herald__admin_call *call, const char *key, bool value);
/* Milliseconds since 1970, as an RFC 3339 time. */
void herald__admin_put_time(struct herald__admin_call *call, const char *key, int64_t ms);

#endif
