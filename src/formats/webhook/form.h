/*
 * Fields of HTML forms (application/x-www-form-urlencoded). Private.
 */
#ifndef HERALD_SRC_FORMATS_WEBHOOK_FORM_H
#define HERALD_SRC_FORMATS_WEBHOOK_FORM_H

#include <stddef.h>

#include <herald/context.h>
#include <herald/status.h>

/*
 * Find a field and decode it.
 *
 * out     a copy in the event's memory.
 * Errors  HERALD_MISSING, HERALD_DUPLICATE, HERALD_BAD_FORMAT (a bad escape), HERALD_NO_MEMORY,
 *         HERALD_LIMIT.
 */
HERALD_MUST_CHECK enum herald_status
herald__form_field(const char *form, size_t bytes, const char *name, struct herald_context *ctx,
		   char **out, size_t *out_bytes, struct herald_error *error);

#endif
