/*
 * Media types: the content mode of a request, and which data is JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <herald/cloudevent.h>

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))

#define NONE HERALD_CLOUDEVENT_NONE
#define STRUCTURED HERALD_CLOUDEVENT_STRUCTURED
#define BATCH HERALD_CLOUDEVENT_BATCH
#define BINARY HERALD_CLOUDEVENT_BINARY
#define UNSUPPORTED HERALD_CLOUDEVENT_UNSUPPORTED

static void
test_modes(void **state)
{
	/* `plain` without ce-specversion, `with` with it. In sdk-python, any ce- header makes an
	 * event binary. */
	static const struct {
		const char *content_type;
		enum herald_cloudevent_mode plain, with;
	} cases[] = {
		{NULL, NONE, BINARY},
		{"", NONE, BINARY},
		{"application/json", NONE, BINARY},
		{"application", NONE, BINARY},
		{"application/", NONE, BINARY},
		{"application/cloudevent", NONE, BINARY},
		{"application/cloudevents+json", STRUCTURED, STRUCTURED},
		{"APPLICATION/CloudEvents+JSON", STRUCTURED, STRUCTURED},
		/* sdk-java#481, #503, sdk-csharp#216, sdk-javascript#23: a charset; in the SDK for
		 * JavaScript without a blank. */
		{"application/cloudevents+json; charset=utf-8", STRUCTURED, STRUCTURED},
		{"application/cloudevents+json;charset=UTF-8", STRUCTURED, STRUCTURED},
		{"application/cloudevents+json ;\t charset=UTF-8 ; a=b", STRUCTURED, STRUCTURED},
		{"application/cloudevents+json; charset=\"utf-8\"", STRUCTURED, STRUCTURED},
		{"application/cloudevents+json; charset=utf8", STRUCTURED, STRUCTURED},
		{"application/cloudevents+json; a=\"x;charset=latin1\\\";\"", STRUCTURED,
		 STRUCTURED},
		{"application/cloudevents+json; charset", STRUCTURED, STRUCTURED},
		{"application/cloudevents+json;;", STRUCTURED, STRUCTURED},
		{"application/cloudevents+json; charset=iso-8859-1", UNSUPPORTED, UNSUPPORTED},
		{"application/cloudevents+json; charset=\"iso-8859-1", UNSUPPORTED, UNSUPPORTED},
		{"application/cloudevents+json; charset=utf-8; charset=utf-16", UNSUPPORTED,
		 UNSUPPORTED},
		{"application/cloudevents+json; charset=", UNSUPPORTED, UNSUPPORTED},
		{"application/cloudevents+json; charset=utf-80", UNSUPPORTED, UNSUPPORTED},
		{"application/cloudevents-batch+json", BATCH, BATCH},
		/* sdk-go refuses a charset here. */
		{"application/CLOUDEVENTS-batch+json; charset=UTF-8", BATCH, BATCH},
		{"application/cloudevents-batch+json; charset=utf-16", UNSUPPORTED, UNSUPPORTED},
		/* Other formats. */
		{"application/cloudevents", UNSUPPORTED, UNSUPPORTED},
		{"application/cloudevents; charset=utf-8", UNSUPPORTED, UNSUPPORTED},
		{"application/cloudevents+avro", UNSUPPORTED, UNSUPPORTED},
		{"application/cloudevents+jsonx", UNSUPPORTED, UNSUPPORTED},
		{"application/cloudevents+", UNSUPPORTED, UNSUPPORTED},
		{"application/cloudevents-batch", UNSUPPORTED, UNSUPPORTED},
		{"application/cloudevents-batch+protobuf", UNSUPPORTED, UNSUPPORTED},
		/* Not CloudEvents' media types. */
		{"application/cloudeventsx+json", NONE, BINARY},
		{"application/cloudevents-batchx+json", NONE, BINARY},
		{"application/cloudevents-bat", NONE, BINARY},
		{"application/cloudevents+json/x", NONE, BINARY},
		{"application/cloudevents+json, application/json", NONE, BINARY},
		{"text/cloudevents+json", NONE, BINARY},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (int with = 0; with < 2; with++) {
			struct herald_error error = {.status = HERALD_OK};
			enum herald_cloudevent_mode expected =
				with ? cases[i].with : cases[i].plain;
			enum herald_cloudevent_mode mode =
				herald_cloudevent_detect(cases[i].content_type, with, &error);

			if (mode != expected)
				fail_msg("%s, %d: %d", cases[i].content_type, with, mode);
			assert_int_equal(
				herald_cloudevent_detect(cases[i].content_type, with, NULL),
				expected);
			assert_int_equal(error.status, expected == UNSUPPORTED
							       ? HERALD_BAD_MEDIA_TYPE
							       : HERALD_OK);
			if (expected == UNSUPPORTED) {
				assert_string_equal(error.path, "content-type");
				assert_true(error.offset == HERALD_NO_OFFSET);
			}
		}
	}
}

/* What the message says. */
static void
test_messages(void **state)
{
	static const struct {
		const char *content_type, *message;
	} cases[] = {
		{"application/cloudevents+avro; charset=utf-8",
		 "expected application/cloudevents+json, found \"application/cloudevents+avro\""},
		{"application/cloudevents-batch+avro",
		 "expected application/cloudevents-batch+json, found "
		 "\"application/cloudevents-batch+avro\""},
		{"application/cloudevents+json; charset=\"utf-16\"",
		 "expected charset=utf-8, found \"utf-16\""},
	};
	struct herald_error error;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		herald_cloudevent_detect(cases[i].content_type, false, &error);
		assert_string_equal(error.message, cases[i].message);
	}
}

static void
test_json_types(void **state)
{
	static const char *const json[] = {
		"application/json",
		"application/json; charset=utf-8",
		"Application/JSON;Charset=UTF-8",
		"application/json charset=utf-8",
		"text/json",
		"application/vnd.example.thing+json", /* sdk-java refuses dots */
		"application/cloudevents+JSON",
		"x/json",
	};
	static const char *const others[] = {
		NULL,
		"",
		"json",
		"/json",
		"application/",
		"application/jsonx",
		"application/xjson",
		"application/json+xml",
		"text/plain; a=/json",
		"text/plain;format=application/json",
		"application/x y/json",
		"application/json/json",
		"application/json,text/json",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(json); i++)
		if (!herald_cloudevent_is_json_type(json[i]))
			fail_msg("%s", json[i]);
	for (size_t i = 0; i < COUNT(others); i++)
		if (herald_cloudevent_is_json_type(others[i]))
			fail_msg("%s", others[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_json_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
