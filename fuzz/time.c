/*
 * Fuzzes RFC 3339: parses any text as a time and writes it again. A valid text is written and then
 * parses as the same time. The bytes are also used as a struct herald_time, which is written only
 * if the output parses as exactly the same time.
 */
#include <stdlib.h>
#include <string.h>

#include <herald/time.h>

#include "target.h"

#define CHECK(CONDITION) ((CONDITION) ? (void)0 : abort())

static bool
is_equal(const struct herald_time *a, const struct herald_time *b)
{
	return a->seconds == b->seconds && a->nanoseconds == b->nanoseconds &&
	       a->offset_minutes == b->offset_minutes;
}

/* Write a time that may be none. */
static void
check_written(const struct herald_time *time, bool must_be_possible)
{
	char text[HERALD_TIME_TEXT_BYTES];
	size_t bytes;
	struct herald_time back;

	memset(text, 0x55, sizeof(text));
	bytes = herald_time_format(time, text);
	CHECK(bytes < sizeof(text));
	CHECK(text[bytes] == '\0');
	CHECK(strlen(text) == bytes);
	CHECK(bytes > 0 || !must_be_possible);
	if (bytes == 0)
		return;
	CHECK(herald_time_parse(text, bytes, &back, NULL) == HERALD_OK);
	CHECK(is_equal(time, &back));
	CHECK(herald_time_compare(time, &back) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct herald_time untouched = {
		.seconds = 77, .nanoseconds = 7, .offset_minutes = -7};
	struct herald_time time = untouched;
	struct herald_error error = {.offset = 12345};
	char *text = malloc(size + (size == 0));
	enum herald_status status;

	CHECK(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	status = herald_time_parse(text, size, &time, &error);
	CHECK(status == HERALD_OK || status == HERALD_BAD_TIME);
	if (status == HERALD_OK) {
		/* "9999-12-31T23:59:59.999999999+23:59" is the longest there is. */
		CHECK(size < HERALD_TIME_TEXT_BYTES);
		CHECK(time.nanoseconds >= 0 && time.nanoseconds < 1000000000);
		check_written(&time, true);
	} else {
		CHECK(is_equal(&time, &untouched));
		CHECK(error.status == status && error.offset <= size);
	}
	free(text);

	if (size >= 14) {
		memcpy(&time.seconds, data, 8);
		memcpy(&time.nanoseconds, data + 8, 4);
		memcpy(&time.offset_minutes, data + 12, 2);
		check_written(&time, false);
	}
	return 0;
}
