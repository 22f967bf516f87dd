/*
 * Shared by the tests of the pipeline: events as text, a trace of the steps that ran, a log as
 * text, and checks of whole results. Include cmocka.h (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_EVENTS_H
#define HERALD_TESTS_SUPPORT_EVENTS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <herald/service.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

#define EVENT(TYPE, PAYLOAD)                                                                       \
	"{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":\"" TYPE "\",\"payload\":" PAYLOAD \
	"}"
#define VERSIONED(TYPE, VERSION, PAYLOAD)                                                          \
	"{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":\"" TYPE                           \
	"\",\"metadata\":{\"version\":\"" VERSION "\"},\"payload\":" PAYLOAD "}"
#define WITHOUT_PAYLOAD(TYPE) "{\"timestamp\":\"2024-08-20T05:21:19Z\",\"event_type\":\"" TYPE "\"}"

/* The option `formats` of a service with one format. */
#define ONE_FORMAT(FORMAT)                                                                         \
	.formats = (const struct herald_format *const[]){FORMAT}, .formats_count = 1

/* The trace of the steps: "b0 f a0". Tests that do not clear it fill it up, which does no harm. */
static char trace[512] __attribute__((unused));

HERALD_PRINTF(1, 2)
static inline void
note(const char *format, ...)
{
	size_t used = strlen(trace);
	va_list arguments;

	if (used > sizeof(trace) - 2)
		return;
	if (used > 0)
		trace[used++] = ' ';
	va_start(arguments, format);
	vsnprintf(trace + used, sizeof(trace) - used, format, arguments);
	va_end(arguments);
}

/* The log records, one per line. */
static char logged[4096];

static inline void
keep_log(const struct herald_log_record *record, void *state)
{
	size_t used = strlen(logged);

	(void)state;
	used += (size_t)snprintf(logged + used, sizeof(logged) - used, "%s: %s",
				 herald_log_level_name(record->level), record->message);
	for (size_t i = 0; i < record->fields_count && used < sizeof(logged); i++) {
		const struct herald_log_field *field = &record->fields[i];

		if (field->text)
			used += (size_t)snprintf(logged + used, sizeof(logged) - used, " %s=%s",
						 field->key, field->text);
		else if (strcmp(field->key, "duration_us") != 0)
			used += (size_t)snprintf(logged + used, sizeof(logged) - used, " %s=%lld",
						 field->key, (long long)field->number);
		else
			used += (size_t)snprintf(logged + used, sizeof(logged) - used, " took=%s",
						 field->number >= 0 ? "some" : "?");
	}
	assert_true(used + 1 < sizeof(logged));
	strcpy(logged + used, "\n");
}

static const struct herald_log debug_log
	__attribute__((unused)) = {keep_log, NULL, HERALD_LOG_DEBUG};

static inline int
events_setup(void **state)
{
	(void)state;
	trace[0] = '\0';
	logged[0] = '\0';
	return 0;
}

static inline struct herald_service *
create_service(const struct herald_service_options *options)
{
	struct herald_service *service = NULL;
	struct herald_error error = {0};

	if (herald_service_create(options, &service, &error) != HERALD_OK)
		fail_msg("%s: %s", error.path, error.message);
	return service;
}

/* Copied to a block without a NUL, so that ASan detects every access beyond it. */
static inline struct herald_result
handle(struct herald_service *service, const char *json)
{
	struct herald_result result;
	size_t bytes = strlen(json);
	char *data = malloc(bytes ? bytes : 1);

	assert_non_null(data);
	memset(&result, 0xA5, sizeof(result));
	memcpy(data, json, bytes);
	herald_service_handle(service, data, bytes, &result);
	free(data);
	return result;
}

static inline void
check_rejected(const struct herald_result *result, enum herald_status status, const char *path,
	       size_t offset)
{
	if (result->status != status || result->error.status != status ||
	    strcmp(result->error.path, path) != 0 || result->error.offset != offset ||
	    result->error.message[0] == '\0')
		fail_msg("expected %s at \"%s\", byte %zd; got %s at \"%s\", byte %zd: %s",
			 herald_status_name(status), path, (ssize_t)offset,
			 herald_status_name(result->status), result->error.path,
			 (ssize_t)result->error.offset, result->error.message);
	assert_int_equal(result->verdict, HERALD_FAIL);
	assert_int_equal(result->http_status, 0);
	assert_int_equal(result->retry_after_ms, 0);
}

static inline void
check_verdict(const struct herald_result *result, enum herald_verdict verdict, const char *reason)
{
	assert_int_equal(result->status, HERALD_OK);
	assert_int_equal(result->error.status, HERALD_OK);
	assert_int_equal(result->verdict, verdict);
	assert_string_equal(result->error.message, reason);
	assert_string_equal(result->error.path, "");
	assert_true(result->error.offset == HERALD_NO_OFFSET);
}

#endif
