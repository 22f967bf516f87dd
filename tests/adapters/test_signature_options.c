/*
 * The options of signatures: what is refused, with which words, and what each one does. Nothing of
 * a key comes into an error. Every allocation fails once.
 */
#include <stdlib.h>

#include "adapters/signature_fixture.h"
#include "support/failing_allocator.h"
#include "support/option_error.h"

#define NOW 1700000000

#define STANDARD .scheme = HERALD_SIGNATURE_STANDARD_WEBHOOKS
#define CUSTOM .headers = {.signature = "X-Sig"}

/* Keys. */

static const struct {
	enum herald_signature_scheme scheme;
	const char *key;
	const char *problem; /* NULL: it is right */
} keys_rows[] = {
	/* standard-webhooks#235, #25, #234 and polar#14102: with the prefix or without it, and a
	 * text that is not base64 is not taken for something else. */
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", NULL},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", NULL},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "polar_whs_4gX9kQ2vLm8sTn1bRc7yWd5h",
	 "is not base64 at byte 5; a text as a key needs HERALD_SIGNATURE_SECRET_TEXT"},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "whsec_polar_whs_4gX9kQ2vLm8sTn1bRc",
	 "is not base64 at byte 11; a text as a key needs HERALD_SIGNATURE_SECRET_TEXT"},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "whsec_whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	 "is not base64 at byte 11; a text as a key needs HERALD_SIGNATURE_SECRET_TEXT"},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-w",
	 "is not base64 at byte 36; a text as a key needs HERALD_SIGNATURE_SECRET_TEXT"},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "whsec_ MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	 "is not base64 at byte 6; a text as a key needs HERALD_SIGNATURE_SECRET_TEXT"},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
	 "is not base64 at byte 38; a text as a key needs HERALD_SIGNATURE_SECRET_TEXT"},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
	 "is not padded base64, which has a multiple of 4 characters; a text as a key needs "
	 "HERALD_SIGNATURE_SECRET_TEXT"},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
	 "is not base64 at byte 48; a text as a key needs HERALD_SIGNATURE_SECRET_TEXT"},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "whsec_", "has 0 bytes; expected 24 to 64"},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "", "has 0 bytes; expected 24 to 64"},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
	 "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY=", "has 23 bytes; expected 24 to 64"},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, NULL, "is NULL"},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
	 "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=", NULL},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	 "has 24 bytes; expected 32 after \"whpk_\""},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "whsk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
	 "has 32 bytes; expected 64 after \"whsk_\": the seed and the public key"},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
	 "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6"
	 "Kvg==",
	 NULL},
	{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
	 "whsk_7Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6"
	 "Kvg==",
	 "has a public key that is not of its seed"},
	{HERALD_SIGNATURE_GITHUB, "", "has 0 bytes; expected 1 to 4096"},
	{HERALD_SIGNATURE_GITHUB, "x", NULL},
	{HERALD_SIGNATURE_STRIPE, "whsec_test_secret", NULL},
};

static void
keys_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(keys_rows); i++) {
		const char *const keys[] = {keys_rows[i].key};
		struct herald_signature *signature = NULL;
		struct herald_error error = {.message = ""};
		enum herald_status status = herald_signature_create(
			&HERALD_SIGNATURE_OPTIONS(.scheme = keys_rows[i].scheme,
						  HERALD_SIGNATURE_KEYS(keys)),
			&signature, &error);

		if (!keys_rows[i].problem) {
			if (status != HERALD_OK)
				fail_msg("key %zu: %s", i, error.message);
			herald_signature_destroy(signature);
			continue;
		}
		assert_int_equal(status, HERALD_BAD_OPTION);
		assert_null(signature);
		assert_option_error(&error, "keys[0]", keys_rows[i].problem);
	}
}

static void
a_key_too_long(void **state)
{
	static char key[4098];
	const char *const keys[] = {key};
	struct herald_signature *signature = NULL;
	struct herald_error error;

	(void)state;
	memset(key, 'k', 4097);
	assert_int_equal(
		herald_signature_create(&HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_GITHUB,
								  HERALD_SIGNATURE_KEYS(keys)),
					&signature, &error),
		HERALD_BAD_OPTION);
	assert_option_error(&error, "keys[0]", "has 4097 bytes; expected 1 to 4096");
	key[4096] = '\0';
	herald_signature_destroy(create_with_key(HERALD_SIGNATURE_GITHUB, key));
	assert_int_equal(herald_signature_create(
				 &HERALD_SIGNATURE_OPTIONS(STANDARD, HERALD_SIGNATURE_KEYS(keys)),
				 &signature, &error),
			 HERALD_BAD_OPTION);
	assert_option_error(&error, "keys[0]", "has 3072 bytes; expected 24 to 64");
}

/* Options. */

static const char *const one_key[] = {"secret"};
static const char *const good_key[] = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};

static void
options_are_checked(void **state)
{
	static const char *const many[17] = {"a"};
	const struct {
		struct herald_signature_options options;
		const char *path, *problem;
	} cases[] = {
		{HERALD_SIGNATURE_OPTIONS(.scheme = (enum herald_signature_scheme)9), "scheme",
		 "must be one of HERALD_SIGNATURE_..., not 9"},
		{HERALD_SIGNATURE_OPTIONS(.scheme = (enum herald_signature_scheme) - 1), "scheme",
		 "must be one of HERALD_SIGNATURE_..., not -1"},
		{HERALD_SIGNATURE_OPTIONS(STANDARD), "keys",
		 "must be set; HERALD_SIGNATURE_KEYS(array) sets it"},
		{HERALD_SIGNATURE_OPTIONS(STANDARD, .keys = one_key), "keys",
		 "is set, but keys_count is 0; HERALD_SIGNATURE_KEYS(array) sets both"},
		{HERALD_SIGNATURE_OPTIONS(STANDARD, .keys_count = 1), "keys",
		 "is NULL, but keys_count is 1; HERALD_SIGNATURE_KEYS(array) sets both"},
		{HERALD_SIGNATURE_OPTIONS(STANDARD, HERALD_SIGNATURE_KEYS(many)), "keys",
		 "must be at most 16, not 17"},
		{HERALD_SIGNATURE_OPTIONS(HERALD_SIGNATURE_KEYS(one_key)), "headers.signature",
		 "must be set"},
		{HERALD_SIGNATURE_OPTIONS(.headers = {.signature = "X Sig"}), "headers.signature",
		 "is not the name of a header, nor an argument such as \"?access_token\""},
		{HERALD_SIGNATURE_OPTIONS(.headers = {"X-Sig", "X-Sig:", NULL}),
		 "headers.timestamp",
		 "is not the name of a header, nor an argument such as \"?access_token\""},
		{HERALD_SIGNATURE_OPTIONS(.headers = {"X-Sig", NULL, "x-sig"}), "headers.id",
		 "is the same as headers.signature"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .aliases = {.signature = "x-SIG"}),
		 "aliases.signature", "is the same as headers.signature"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .list_separator = '\n'), "list_separator",
		 "must be a printable ASCII character"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .key_separator = ' '), "key_separator",
		 "must be a visible ASCII character"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .list_separator = '='), "key_separator",
		 "must not be the same as list_separator"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .signature_key = "v=1"), "signature_key",
		 "may have visible ASCII characters other than the separators"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .list_separator = '.', .signature_key = "v.1"),
		 "signature_key", "may have visible ASCII characters other than the separators"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM,
					  .signature_key = "123456789012345678901234567890123"),
		 "signature_key", "has more than 32 bytes"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .timestamp_key = "t"), "timestamp_key",
		 "needs list_separator"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .list_separator = ',', .timestamp_key = "t"),
		 "timestamp_key", "needs signature_key"},
		{HERALD_SIGNATURE_OPTIONS(.headers = {"X-Sig", "X-Time", NULL},
					  .list_separator = ',', .signature_key = "v1",
					  .timestamp_key = "t"),
		 "timestamp_key", "cannot be set together with headers.timestamp"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .signature_key = "v1", .asymmetric_key = "v1a"),
		 "asymmetric_key",
		 "needs signature_key, HERALD_SIGNATURE_BASE64 and "
		 "HERALD_SIGNATURE_SECRET_BASE64"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .max_signatures = 33), "max_signatures",
		 "must be at most 32, not 33"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .max_form_pairs = 100001), "max_form_pairs",
		 "must be at most 100000, not 100001"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .code = (enum herald_signature_code)4), "code",
		 "must be one of HERALD_SIGNATURE_..."},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .encoding = (enum herald_signature_encoding)3),
		 "encoding", "must be HERALD_SIGNATURE_HEX or HERALD_SIGNATURE_BASE64"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .secret = (enum herald_signature_secret)3),
		 "secret", "must be one of HERALD_SIGNATURE_SECRET_..."},
		{HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_GITLAB,
					  .secret = HERALD_SIGNATURE_SECRET_BASE64),
		 "secret",
		 "must be HERALD_SIGNATURE_SECRET_TEXT with HERALD_SIGNATURE_TOKEN: the header has "
		 "the key itself"},
		{HERALD_SIGNATURE_OPTIONS(STANDARD, HERALD_SIGNATURE_KEYS(good_key),
					  .max_asymmetric_checks = 513),
		 "max_asymmetric_checks", "must be at most 512, not 513"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .max_secret_bytes = 4097), "max_secret_bytes",
		 "must be at most 4096, not 4097"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .min_secret_bytes = 9, .max_secret_bytes = 8),
		 "min_secret_bytes", "must be at most max_secret_bytes, 8, not 9"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .content = "{body"), "content",
		 "has something other than {id}, {timestamp}, {body}, {url} and {form} at byte 0"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .content = "a:{name}{body}"), "content",
		 "has something other than {id}, {timestamp}, {body}, {url} and {form} at byte 2"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .content = "{body}.{body}"), "content",
		 "has {body} twice"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .content = ""), "content",
		 "needs {body} or {form}"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .content = "{form}"), "content",
		 "needs {url} if it has {form}"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .content = "{id}.{body}"), "content",
		 "has {id} if, and only if, headers.id is set"},
		{HERALD_SIGNATURE_OPTIONS(.headers = {"X-Sig", NULL, "X-Id"}), "content",
		 "has {id} if, and only if, headers.id is set"},
		{HERALD_SIGNATURE_OPTIONS(.headers = {"X-Sig", NULL, "X-Id"},
					  .content = "{id}{body}"),
		 "content", "needs a separator after {id}"},
		{HERALD_SIGNATURE_OPTIONS(.headers = {"X-Sig", "X-Time", "X-Id"},
					  .content = "{id}.{timestamp}{body}"),
		 "content", "needs a separator after {timestamp}"},
		{HERALD_SIGNATURE_OPTIONS(.headers = {"X-Sig", "X-Time", NULL}), "content",
		 "has {timestamp} if, and only if, headers.timestamp or timestamp_key is set"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .code = HERALD_SIGNATURE_TOKEN), "content",
		 "must be \"\", and there can be no timestamp, with HERALD_SIGNATURE_TOKEN"},
		{HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_GITHUB,
					  HERALD_SIGNATURE_KEYS(good_key),
					  .secret = HERALD_SIGNATURE_SECRET_BASE64,
					  .max_secret_bytes = 20),
		 "min_secret_bytes", "must be at most max_secret_bytes, 20, not 24"},
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_signature_options options = cases[i].options;
		struct herald_signature *signature = NULL;
		struct herald_error error = {.message = ""};

		if (!options.keys && strcmp(cases[i].path, "keys") != 0) {
			options.keys = one_key;
			options.keys_count = 1;
		}
		assert_int_equal(herald_signature_create(&options, &signature, &error),
				 HERALD_BAD_OPTION);
		assert_null(signature);
		assert_option_error(&error, cases[i].path, cases[i].problem);
	}
}

static void
options_without_a_size_are_refused(void **state)
{
	struct herald_signature *signature = NULL;
	struct herald_error error;

	(void)state;
	assert_int_equal(
		herald_signature_create(&(struct herald_signature_options){0}, &signature, &error),
		HERALD_BAD_OPTION);
	assert_int_equal(herald_signature_create(NULL, &signature, &error), HERALD_BAD_OPTION);
	assert_null(signature);
}

/* Times. svix#93: the tolerance is an option. */
static void
tolerance_is_an_option(void **state)
{
	static const struct {
		uint32_t tolerance_s, future_tolerance_s;
		int64_t after_s; /* the time of the verification */
		enum herald_signature_result result;
	} cases[] = {
		{0, 0, 300, HERALD_SIGNATURE_VALID},
		{0, 0, 301, HERALD_SIGNATURE_TOO_OLD},
		{0, 0, -300, HERALD_SIGNATURE_VALID},
		{0, 0, -301, HERALD_SIGNATURE_TOO_NEW},
		{10, 0, 10, HERALD_SIGNATURE_VALID},
		{10, 0, 11, HERALD_SIGNATURE_TOO_OLD},
		{10, 0, -11, HERALD_SIGNATURE_TOO_NEW},
		{10, 20, -20, HERALD_SIGNATURE_VALID},
		{10, 20, -21, HERALD_SIGNATURE_TOO_NEW},
		{10, HERALD_SIGNATURE_ANY_TIME, -1000000000, HERALD_SIGNATURE_VALID},
		{10, HERALD_SIGNATURE_ANY_TIME, 11, HERALD_SIGNATURE_TOO_OLD},
		{HERALD_SIGNATURE_ANY_TIME, 5, 1000000000, HERALD_SIGNATURE_VALID},
		{HERALD_SIGNATURE_ANY_TIME, 5, -6, HERALD_SIGNATURE_TOO_NEW},
		{HERALD_SIGNATURE_ANY_TIME, 0, INT64_MAX - NOW, HERALD_SIGNATURE_VALID},
		{1, 0, INT64_MAX - NOW, HERALD_SIGNATURE_TOO_OLD},
		{1, 0, INT64_MIN, HERALD_SIGNATURE_TOO_NEW},
		{4294967294, 0, 4294967294, HERALD_SIGNATURE_VALID},
		{4294967294, 0, 4294967295, HERALD_SIGNATURE_TOO_OLD},
	};
	static struct header_list list;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_signature *signature = create_scheme(&HERALD_SIGNATURE_OPTIONS(
			STANDARD, HERALD_SIGNATURE_KEYS(good_key),
			.tolerance_s = cases[i].tolerance_s,
			.future_tolerance_s = cases[i].future_tolerance_s));

		list.count = 0;
		assert_int_equal(herald_signature_sign(signature,
						       &(struct herald_signature_message){
							       .id = "a", .timestamp_s = NOW},
						       add_header, &list, NULL),
				 HERALD_OK);
		assert_int_equal(
			verify_list(signature, &list, NULL, 0, NOW + cases[i].after_s, NULL),
			cases[i].result);
		herald_signature_destroy(signature);
	}
}

/* Reasons are for a log; they say what was expected and found. */
static void
reasons_are_told(void **state)
{
	static const struct {
		enum herald_signature_scheme scheme;
		const char *headers; /* "name value\n" for each */
		const char *reason;
	} cases[] = {
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "", "webhook-id is missing"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 "webhook-id a\nwebhook-timestamp 1\nwebhook-timestamp 1\n",
		 "webhook-timestamp has come 2 times; expected once"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS, "svix-id a\nsvix-timestamp 1\n",
		 "svix-signature is missing"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 "svix-id a\nsvix-timestamp 1700000000\nsvix-signature v1,a\nwebhook-id b\n",
		 "webhook-timestamp is missing"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 "webhook-id a\nwebhook-timestamp 1700000000\nwebhook-signature v1,a\nsvix-id b\n",
		 "svix-id differs from webhook-id, or has come twice"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 "webhook-id a\nwebhook-timestamp 01\nwebhook-signature v1,a\n",
		 "webhook-timestamp is not a number of seconds without leading zeros"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 "webhook-id a\nwebhook-timestamp -0\nwebhook-signature v1,a\n",
		 "webhook-timestamp is not a number of seconds without leading zeros"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 "webhook-id a\nwebhook-timestamp 1700000000\nwebhook-signature v9,a b\n",
		 "webhook-signature has no signature of a known version"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 "webhook-id a\nwebhook-timestamp 1700000000\nwebhook-signature v1,a v1,b\n",
		 "none of the signatures (2) is of one of the keys (1)"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 "webhook-id a.1700000000\nwebhook-timestamp 1700000000\nwebhook-signature v1,a\n",
		 "webhook-id cannot be told from what follows it in the signed text"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 "webhook-id a\nwebhook-timestamp 1699999000\nwebhook-signature v1,a\n",
		 "the timestamp is 1000 s old, more than 300"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 "webhook-id a\nwebhook-timestamp 1700001000\nwebhook-signature v1,a\n",
		 "the timestamp is 1000 s ahead, more than 300"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 "webhook-id a\nwebhook-timestamp -5\nwebhook-signature v1,a\n",
		 "the timestamp is before 1970"},
		{HERALD_SIGNATURE_STRIPE, "Stripe-Signature v1=a\n", "Stripe-Signature has no t"},
		{HERALD_SIGNATURE_STRIPE, "Stripe-Signature t=1,t=1,v1=a\n",
		 "Stripe-Signature has t twice"},
		{HERALD_SIGNATURE_STRIPE, "Stripe-Signature t=1,,v1=a\n",
		 "Stripe-Signature has an empty element"},
		{HERALD_SIGNATURE_STRIPE, "Stripe-Signature t=1,v1=a,\n",
		 "Stripe-Signature has an empty element"},
		{HERALD_SIGNATURE_STRIPE, "Stripe-Signature t=1x,v1=a\n",
		 "t is not a number of seconds without leading zeros"},
		{HERALD_SIGNATURE_GITHUB, "X-Hub-Signature-256 \n", "X-Hub-Signature-256 is empty"},
		{HERALD_SIGNATURE_GITHUB, "X-Hub-Signature-256 sha256=a,sha256=a\n",
		 "X-Hub-Signature-256 has a comma or a blank where none is expected; it may have "
		 "come several times"},
	};
	static struct header_list list;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		bool is_standard = cases[i].scheme == HERALD_SIGNATURE_STANDARD_WEBHOOKS;
		struct herald_signature *signature =
			create_with_key(cases[i].scheme, is_standard ? good_key[0] : "secret");
		struct herald_error error = {.message = ""};
		char text[512], *at = text;

		list.count = 0;
		strcpy(text, cases[i].headers);
		while (*at != '\0') {
			char *value = strchr(at, ' ') + 1, *end = strchr(at, '\n');

			value[-1] = *end = '\0';
			add_header(at, value, &list);
			at = end + 1;
		}
		assert_true(verify_list(signature, &list, "{}", 2, NOW, &error) !=
			    HERALD_SIGNATURE_VALID);
		assert_string_equal(error.message, cases[i].reason);
		assert_int_equal(error.status, HERALD_UNAUTHORIZED);
		herald_signature_destroy(signature);
	}
}

/* At most 32 signatures, each compared with every key. */
static void
signatures_are_limited(void **state)
{
	static struct header_list list;
	struct herald_signature *signature = create_scheme(&HERALD_SIGNATURE_OPTIONS(
		STANDARD, HERALD_SIGNATURE_KEYS(good_key), .max_signatures = 4));
	char value[256], right[128];

	(void)state;
	for (int others = 0; others < 6; others++) {
		list.count = 0;
		assert_int_equal(herald_signature_sign(signature,
						       &(struct herald_signature_message){
							       .id = "a", .timestamp_s = NOW},
						       add_header, &list, NULL),
				 HERALD_OK);
		strcpy(right, list.values[2]);
		value[0] = '\0';
		for (int i = 0; i < others; i++)
			strcat(value, "v2,a ");
		sprintf(list.values[2], "%s%s", value, right);
		assert_int_equal(verify_list(signature, &list, NULL, 0, NOW, NULL),
				 others < 4 ? HERALD_SIGNATURE_VALID : HERALD_SIGNATURE_BAD_HEADER);
	}
	herald_signature_destroy(signature);
}

/* A check by ed25519 costs hundreds of HMACs, so a list of wrong signatures is an attack. */
static void
checks_by_ed25519_are_limited(void **state)
{
	static const char pair[] =
		"whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0"
		"dRqSKJp4AJ6p9lMicMFs6Kvg==";
	static const char *const keys[] = {
		"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
		"whpk_PGbxHIpwgdofNCIQXXeWl+Z/jqWBTnYa7VwlNMY2RBs=",
		"whpk_PGbxHIpwgdofNCIQXXeWl+Z/jqWBTnYa7VwlNMY2QBs=",
		"whpk_PGbxHIpwgdofNCIQXXeWl+Z/jqWBTnYa7VwlNMY2SBs=",
		pair,
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	};
	static const struct {
		size_t keys_count; /* the last ones; one of them is not for ed25519 */
		unsigned wrong;    /* signatures before the right one */
		unsigned max_checks;
		bool is_taken;
	} cases[] = {
		{2, 0, 0, true},    {2, 7, 0, true},     {2, 8, 0, false},   {3, 3, 0, true},
		{3, 4, 0, false},   {4, 1, 0, true},     {5, 1, 0, true},    {5, 2, 0, false},
		{6, 0, 0, true},    {6, 1, 0, false},    {6, 1, 10, true},   {6, 1, 9, false},
		{6, 31, 160, true}, {6, 31, 159, false}, {6, 31, 512, true}, {2, 0, 1, true},
		{2, 1, 1, false},
	};
	static struct header_list list;
	char value[4096];

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_signature *signer = create_with_key(
			HERALD_SIGNATURE_STANDARD_WEBHOOKS, keys[HERALD_COUNT(keys) - 2]);
		struct herald_signature *signature = create_scheme(&HERALD_SIGNATURE_OPTIONS(
			STANDARD, .keys = keys + HERALD_COUNT(keys) - cases[i].keys_count,
			.keys_count = cases[i].keys_count,
			.max_asymmetric_checks = cases[i].max_checks));
		struct herald_error error = {.message = ""};

		list.count = 0;
		assert_int_equal(herald_signature_sign(signer,
						       &(struct herald_signature_message){
							       .id = "a", .timestamp_s = NOW},
						       add_header, &list, NULL),
				 HERALD_OK);
		value[0] = '\0';
		for (unsigned j = 0; j < cases[i].wrong; j++)
			snprintf(value + strlen(value), sizeof(value) - strlen(value),
				 "v1a,%086u== ", j);
		strcat(value, list.values[2]);
		strcpy(list.values[2], value);
		enum herald_signature_result result =
			verify_list(signature, &list, NULL, 0, NOW, &error);
		if (result !=
		    (cases[i].is_taken ? HERALD_SIGNATURE_VALID : HERALD_SIGNATURE_BAD_HEADER))
			fail_msg("case %zu: %s", i, error.message);
		if (i == 2)
			assert_string_equal(
				error.message,
				"webhook-signature has 9 ed25519 signatures for 1 keys, "
				"more than max_asymmetric_checks (8) allows");
		herald_signature_destroy(signature);
		herald_signature_destroy(signer);
	}
}

/* Signing. */

static void
messages_are_checked(void **state)
{
	static const struct {
		enum herald_signature_scheme scheme;
		struct herald_signature_message message;
		const char *path, *problem;
	} cases[] = {
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 {0},
		 "id",
		 "is missing, and the scheme signs it"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 {.id = ""},
		 "id",
		 "is missing, and the scheme signs it"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 {.id = "a\r\nX-Evil: 1"},
		 "id",
		 "cannot be the value of a header"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 {.id = " a"},
		 "id",
		 "cannot be the value of a header"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 {.id = "a.1"},
		 "id",
		 "cannot be told from what follows it in the signed text"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 {.id = "a.1.b"},
		 "id",
		 "cannot be told from what follows it in the signed text"},
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS,
		 {.id = "a", .timestamp_s = -1},
		 "timestamp_s",
		 "is before 1970"},
		{HERALD_SIGNATURE_TWILIO, {0}, "url", "the URL is not known"},
		{HERALD_SIGNATURE_TWILIO,
		 {.url = "https://a.example", .body = "{}", .body_bytes = 2},
		 "body",
		 "the body is not a form, and the URL has no bodySHA256"},
		{HERALD_SIGNATURE_TWILIO,
		 {.url = "https://a.example?bodySHA256=aa", .body = "{}", .body_bytes = 2},
		 "body",
		 "the body has another hash than the URL's bodySHA256"},
	};
	static struct header_list list;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		bool is_standard = cases[i].scheme == HERALD_SIGNATURE_STANDARD_WEBHOOKS;
		struct herald_signature *signature =
			create_with_key(cases[i].scheme, is_standard ? good_key[0] : "secret");
		struct herald_error error = {.message = ""};

		list.count = 0;
		assert_int_equal(herald_signature_sign(signature, &cases[i].message, add_header,
						       &list, &error),
				 HERALD_BAD_VALUE);
		assert_int_equal(error.status, HERALD_BAD_VALUE);
		assert_option_error(&error, cases[i].path, cases[i].problem);
		assert_int_equal(list.count, 0);
		herald_signature_destroy(signature);
	}
}

/* An argument of a query can be verified, but is not a header that a message can have. */
static void
arguments_cannot_sign(void **state)
{
	const struct {
		struct herald_signature_options options;
		const char *path; /* NULL: it can sign */
	} cases[] = {
		{HERALD_SIGNATURE_OPTIONS(.headers = {.signature = "?sig"}), "headers.signature"},
		{HERALD_SIGNATURE_OPTIONS(.headers = {.signature = "X-Sig", .timestamp = "?t"},
					  .content = "{timestamp}.{body}"),
		 "headers.timestamp"},
		{HERALD_SIGNATURE_OPTIONS(.headers = {.signature = "X-Sig", .id = "?id"},
					  .content = "{id}.{body}"),
		 "headers.id"},
		{HERALD_SIGNATURE_OPTIONS(CUSTOM, .aliases = {.signature = "?sig"}), NULL},
	};
	static const char *const keys[] = {"secret"};
	static struct header_list list;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		struct herald_signature_options options = cases[i].options;
		const struct herald_signature_message message = {.id = "a", .timestamp_s = NOW};
		enum herald_status expected = cases[i].path ? HERALD_BAD_OPTION : HERALD_OK;
		struct herald_signer *signer = NULL;
		struct herald_error error = {.message = ""};

		options.keys = keys;
		options.keys_count = 1;
		struct herald_signature *signature = create_scheme(&options);
		list.count = 0;
		assert_int_equal(
			herald_signature_sign(signature, &message, add_header, &list, &error),
			expected);
		assert_int_equal(list.count, cases[i].path ? 0 : 1);
		if (cases[i].path)
			assert_option_error(
				&error, cases[i].path,
				"is an argument of the query, and signing sets headers only");
		assert_int_equal(herald_signature_signer(signature, &signer, &error), expected);
		assert_int_equal(signer == NULL, cases[i].path != NULL);
		if (cases[i].path)
			assert_option_error(
				&error, cases[i].path,
				"is an argument of the query, and signing sets headers only");
		herald_signature_destroy(signature);
	}
}

/* Ids with a '.' are signed where a signed text has one reading only. */
static void
ids_with_dots(void **state)
{
	static const struct {
		const char *id;
		bool is_right;
	} cases[] = {
		{"msg.with.dots", true},
		{"a.b1", true},
		{"a.1b", true},
		{"1", true},
		{"1.a", true},
		{"a..b", true},
		{"a.", true},
		{".", true},
		{".1", false},
		{"1.1", false},
		{"a.b.2", false},
		{"a.00.b", false},
		{"a.1700000000.b", false},
	};
	static struct header_list list;
	struct herald_signature *signature =
		create_with_key(HERALD_SIGNATURE_STANDARD_WEBHOOKS, good_key[0]);

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		const struct herald_signature_message message = {.id = cases[i].id};

		list.count = 0;
		assert_int_equal(
			herald_signature_sign(signature, &message, add_header, &list, NULL),
			cases[i].is_right ? HERALD_OK : HERALD_BAD_VALUE);
		if (cases[i].is_right)
			assert_int_equal(verify_list(signature, &list, NULL, 0, 0, NULL),
					 HERALD_SIGNATURE_VALID);
	}
	herald_signature_destroy(signature);
}

static void
all_keys_sign_newest_first(void **state)
{
	static const char *const keys[] = {
		"whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
		"whsk_6Xb/dCcHpPea21PS1N9VY/"
		"NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMic"
		"MFs6Kvg==",
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	};
	static struct header_list list;
	const struct herald_signature_message message = {
		.id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
		.timestamp_s = NOW,
		.body = "{\"test\": 2432232314}",
		.body_bytes = 20,
	};
	struct herald_signature *signature =
		create_scheme(&HERALD_SIGNATURE_OPTIONS(STANDARD, HERALD_SIGNATURE_KEYS(keys)));

	(void)state;
	assert_int_equal(herald_signature_sign(signature, &message, add_header, &list, NULL),
			 HERALD_OK);
	const char *value = find_value(&list, "webhook-signature");
	assert_int_equal(strncmp(value, "v1,GDt62h4kmaJPkQ0Urozc0qjHdojpN2ZMCSxAGEaxIO8= v1a,", 52),
			 0);
	assert_string_equal(strrchr(value, ' '),
			    " v1,hw6D+jquXiPwVQiZTwb2ek9FSrOofldv7tv4JVMsFUY=");
	for (size_t i = 0; i < HERALD_COUNT(keys); i++) {
		assert_int_equal(herald_signature_set_keys(signature, &keys[i], 1, NULL),
				 HERALD_OK);
		assert_int_equal(verify_list(signature, &list, message.body, 20, NOW, NULL),
				 HERALD_SIGNATURE_VALID);
	}

	/* A header without a list has the newest one. */
	static const char *const texts[] = {"new", "old"};
	struct herald_signature *github =
		create_scheme(&HERALD_SIGNATURE_OPTIONS(.scheme = HERALD_SIGNATURE_GITHUB,
							HERALD_SIGNATURE_KEYS(texts)));
	list.count = 0;
	assert_int_equal(herald_signature_sign(github, &message, add_header, &list, NULL),
			 HERALD_OK);
	assert_int_equal(list.count, 1);
	assert_int_equal(herald_signature_set_keys(github, &texts[1], 1, NULL), HERALD_OK);
	assert_int_equal(verify_list(github, &list, message.body, 20, NOW, NULL),
			 HERALD_SIGNATURE_NO_MATCH);
	assert_int_equal(herald_signature_set_keys(github, &texts[0], 1, NULL), HERALD_OK);
	assert_int_equal(verify_list(github, &list, message.body, 20, NOW, NULL),
			 HERALD_SIGNATURE_VALID);
	herald_signature_destroy(github);
	herald_signature_destroy(signature);
}

static void
public_keys_cannot_sign(void **state)
{
	struct herald_signature *signature =
		create_with_key(HERALD_SIGNATURE_STANDARD_WEBHOOKS,
				"whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=");
	static struct header_list list;
	struct herald_error error;

	(void)state;
	assert_int_equal(herald_signature_sign(signature,
					       &(struct herald_signature_message){.id = "a"},
					       add_header, &list, &error),
			 HERALD_BAD_OPTION);
	assert_option_error(&error, "keys", "can only verify");
	assert_int_equal(list.count, 0);
	herald_signature_destroy(signature);
}

/* stripe-node#341 and octokit/webhooks.js#76: a body that was decoded and written again has other
 * bytes, so its signature is wrong. The bytes as they came are right, whatever is in them. */
static void
bytes_are_verified_and_not_their_meaning(void **state)
{
	static const char *const bodies[] = {"{\"a\": 1}", "{\"a\":1}", "{\"a\":1}\n", "\xff\xfe",
					     ""};
	static struct header_list list;
	struct herald_signature *signature = create_with_key(HERALD_SIGNATURE_STRIPE, "whsec_a");

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(bodies); i++) {
		list.count = 0;
		assert_int_equal(herald_signature_sign(signature,
						       &(struct herald_signature_message){
							       .timestamp_s = NOW,
							       .body = bodies[i],
							       .body_bytes = strlen(bodies[i])},
						       add_header, &list, NULL),
				 HERALD_OK);
		for (size_t j = 0; j < HERALD_COUNT(bodies); j++)
			assert_int_equal(verify_list(signature, &list, bodies[j], strlen(bodies[j]),
						     NOW, NULL),
					 i == j ? HERALD_SIGNATURE_VALID
						: HERALD_SIGNATURE_NO_MATCH);
	}
	herald_signature_destroy(signature);
}

static void
names(void **state)
{
	enum herald_signature_scheme scheme = HERALD_SIGNATURE_GITLAB;

	(void)state;
	assert_false(herald_signature_scheme_find("Github", &scheme));
	assert_int_equal(scheme, HERALD_SIGNATURE_GITLAB);
	for (int i = 0; i <= HERALD_SIGNATURE_GITLAB; i++) {
		const char *name = herald_signature_scheme_name((enum herald_signature_scheme)i);

		assert_true(herald_signature_scheme_find(name, &scheme));
		assert_int_equal(scheme, i);
	}
	assert_string_equal(herald_signature_scheme_name((enum herald_signature_scheme)9), "?");
	assert_string_equal(herald_signature_scheme_name((enum herald_signature_scheme) - 1), "?");
	assert_string_equal(herald_signature_result_name((enum herald_signature_result)99), "?");
	assert_string_equal(herald_signature_result_name(HERALD_SIGNATURE_NO_MEMORY), "no_memory");
}

/* Memory. */

/* Each allocation fails once; verifying and signing by HMAC needs none. */
static void
every_allocation_fails(void **state)
{
	static const char *const keys[] = {
		"whsk_6Xb/dCcHpPea21PS1N9VY/"
		"NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMic"
		"MFs6Kvg=="};
	static struct header_list list;
	static char body[4096];

	(void)state;
	for (size_t n = 1;; n++) {
		struct failing_allocator memory;
		struct herald_signature *signature = NULL;
		struct herald_error error;
		const struct herald_signature_message message = {
			.id = "a", .timestamp_s = NOW, .body = body, .body_bytes = sizeof(body)};

		failing_allocator_init(&memory, FAIL_ONLY, n);
		enum herald_status status = herald_signature_create(
			&HERALD_SIGNATURE_OPTIONS(STANDARD, HERALD_SIGNATURE_KEYS(keys),
						  .allocator = memory.allocator),
			&signature, &error);
		list.count = 0;
		if (status == HERALD_OK)
			status = herald_signature_sign(signature, &message, add_header, &list,
						       &error);
		if (status == HERALD_OK) {
			enum herald_signature_result result =
				verify_list(signature, &list, body, sizeof(body), NOW, &error);

			assert_int_equal(result, memory.failures ? HERALD_SIGNATURE_NO_MEMORY
								 : HERALD_SIGNATURE_VALID);
			if (memory.failures)
				status = error.status;
		}
		if (status == HERALD_OK)
			status = herald_signature_set_keys(signature, keys, 1, &error);
		assert_int_equal(status, memory.failures ? HERALD_NO_MEMORY : HERALD_OK);
		if (memory.failures)
			assert_int_equal(error.status, HERALD_NO_MEMORY);
		herald_signature_destroy(signature);
		assert_all_released(&memory);
		if (!memory.failures)
			break;
	}
}

static void
codes_need_no_memory(void **state)
{
	static struct header_list list;
	struct failing_allocator memory;

	(void)state;
	failing_allocator_init(&memory, FAIL_NEVER, 0);
	struct herald_signature *signature = create_scheme(&HERALD_SIGNATURE_OPTIONS(
		STANDARD, HERALD_SIGNATURE_KEYS(good_key), .allocator = memory.allocator));
	size_t calls = memory.calls;
	assert_int_equal(herald_signature_sign(
				 signature,
				 &(struct herald_signature_message){.id = "a", .timestamp_s = NOW},
				 add_header, &list, NULL),
			 HERALD_OK);
	assert_int_equal(verify_list(signature, &list, NULL, 0, NOW, NULL), HERALD_SIGNATURE_VALID);
	assert_int_equal(memory.calls, calls);
	herald_signature_destroy(signature);
	assert_all_released(&memory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_checked),
		cmocka_unit_test(a_key_too_long),
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(options_without_a_size_are_refused),
		cmocka_unit_test(tolerance_is_an_option),
		cmocka_unit_test(reasons_are_told),
		cmocka_unit_test(signatures_are_limited),
		cmocka_unit_test(checks_by_ed25519_are_limited),
		cmocka_unit_test(messages_are_checked),
		cmocka_unit_test(arguments_cannot_sign),
		cmocka_unit_test(ids_with_dots),
		cmocka_unit_test(all_keys_sign_newest_first),
		cmocka_unit_test(public_keys_cannot_sign),
		cmocka_unit_test(bytes_are_verified_and_not_their_meaning),
		cmocka_unit_test(names),
		cmocka_unit_test(every_allocation_fails),
		cmocka_unit_test(codes_need_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
