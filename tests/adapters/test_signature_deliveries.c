/*
 * Deliveries signed by the adapter, as their receivers verify them.
 */
#include <herald/adapter/signer.h>
#include <herald/delivery.h>

#include "adapters/signature_fixture.h"
#include "support/delivering.h"
#include "support/fake_transport.h"
#include "support/option_error.h"

#define URL "http://a.example/hook"
#define KEY "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OTHER_KEY "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

/* The headers of a request, as a receiver has them. Changes the text. Returns the body. */
static char *
read_request(char *request, struct header_list *list)
{
	list->count = 0;
	while (strncmp(request, "\r\n", 2) != 0) {
		char *end = strstr(request, "\r\n"), *colon = strchr(request, ':');

		assert_true(end && colon && colon < end);
		*end = *colon = '\0';
		add_header(request, colon + 2, list);
		request = end + 2;
	}
	return request + 2;
}

/* The wall clock of a deliverer, in steps of an hour. */

static uint64_t
steady_now_ms(void *state)
{
	(void)state;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static _Atomic int64_t wall_s;

static int64_t
wall_now_ms(void *state)
{
	(void)state;
	return atomic_load(&wall_s) * 1000;
}

static uint64_t
no_random(void *state)
{
	(void)state;
	return 7;
}

/* The on_attempt hook: an hour until the next one, with other keys. */
static void
an_hour_passes(const struct herald_delivery_report *report, void *state)
{
	static const char *const keys[] = {OTHER_KEY};

	assert_int_equal(herald_signature_set_keys(state, keys, 1, NULL), HERALD_OK);
	if (report->outcome == HERALD_DELIVERY_AGAIN)
		atomic_fetch_add(&wall_s, 3600);
}

/* better-auth#8844: a retry has a new timestamp and a new signature, by the keys of its time, and
 * the same id. So it is right when it comes, an hour after the first attempt. */
static void
retries_are_signed_anew(void **state)
{
	static const struct fake_step steps[] = {
		{.result = {.http_status = 503}},
		{.result = {.http_status = 200}},
	};
	static struct fake_transport transport;
	static struct header_list list;
	struct herald__delivery_clock clock = {
		.now_ms = steady_now_ms, .wall_ms = wall_now_ms, .random = no_random};
	struct herald_signature *signature =
		create_with_key(HERALD_SIGNATURE_STANDARD_WEBHOOKS, KEY);
	struct herald_signature *receivers[] = {
		create_with_key(HERALD_SIGNATURE_STANDARD_WEBHOOKS, KEY),
		create_with_key(HERALD_SIGNATURE_STANDARD_WEBHOOKS, OTHER_KEY),
	};
	struct herald_deliverer *deliverer = NULL;
	struct herald_signer *signer = NULL;
	struct herald_error error;

	(void)state;
	atomic_store(&wall_s, 1700000000);
	fake_transport_init(&transport, steps, 2);
	assert_int_equal(herald_signature_signer(signature, &signer, &error), HERALD_OK);
	if (create_deliverer(&HERALD_DELIVERER_OPTIONS(.transport = &transport.base,
						       .signer = signer, .first_delay_ms = 1,
						       .on_attempt = an_hour_passes,
						       .state = signature),
			     &clock, &deliverer, &error) != HERALD_OK)
		fail_msg("%s", error.message);
	assert_int_equal(
		herald_deliverer_submit(
			deliverer,
			&(struct herald_delivery){.url = URL, HERALD_BODY("{\"a\": 1}", 8)}, NULL),
		HERALD_OK);
	assert_int_equal(herald_deliverer_stop(deliverer, 60000), 0);
	herald_deliverer_destroy(deliverer);
	assert_int_equal(transport.begins, 2);
	char id[64] = "";
	for (size_t i = 0; i < 2; i++) {
		int64_t now_s = 1700000000 + 3600 * (int64_t)i;
		char *body = read_request(transport.requests[i], &list);

		for (size_t j = 0; j < 2; j++)
			assert_int_equal(
				verify_list(receivers[j], &list, body, strlen(body), now_s, NULL),
				i == j ? HERALD_SIGNATURE_VALID : HERALD_SIGNATURE_NO_MATCH);
		assert_int_equal(
			verify_list(receivers[i], &list, body, strlen(body), now_s + 301, NULL),
			HERALD_SIGNATURE_TOO_OLD);
		assert_string_equal(find_value(&list, "webhook-id"),
				    find_value(&list, "Herald-Delivery-Id"));
		if (i == 1)
			assert_string_equal(find_value(&list, "webhook-id"), id);
		strcpy(id, find_value(&list, "webhook-id"));
	}
	herald_signature_destroy(receivers[0]);
	herald_signature_destroy(receivers[1]);
	herald_signature_destroy(signature);
}

/* Every scheme that signs; one that sends its key is refused. */
static void
all_schemes_sign_deliveries(void **state)
{
	static const struct {
		enum herald_signature_scheme scheme;
		const char *key;
		const char *type;
	} cases[] = {
		{HERALD_SIGNATURE_STANDARD_WEBHOOKS, KEY, NULL},
		{HERALD_SIGNATURE_GITHUB, "a", NULL},
		{HERALD_SIGNATURE_STRIPE, "a", NULL},
		{HERALD_SIGNATURE_SLACK, "a", NULL},
		{HERALD_SIGNATURE_SHOPIFY, "a", NULL},
		{HERALD_SIGNATURE_PADDLE, "a", NULL},
		{HERALD_SIGNATURE_TWILIO, "a", "application/x-www-form-urlencoded"},
	};
	static struct header_list list;
	struct herald_signer *signer = NULL;
	struct herald_error error;

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(cases); i++) {
		static struct fake_transport transport;
		static const struct fake_step steps[] = {{.result = {.http_status = 200}}};
		struct herald_signature *signature = create_with_key(cases[i].scheme, cases[i].key);
		struct herald_deliverer *deliverer = NULL;

		fake_transport_init(&transport, steps, 1);
		assert_int_equal(herald_signature_signer(signature, &signer, &error), HERALD_OK);
		assert_int_equal(herald_deliverer_create(
					 &HERALD_DELIVERER_OPTIONS(.transport = &transport.base,
								   .signer = signer),
					 &deliverer, &error),
				 HERALD_OK);
		assert_int_equal(herald_deliverer_submit(
					 deliverer,
					 &(struct herald_delivery){.url = URL,
								   HERALD_BODY("a=b", 3),
								   .content_type = cases[i].type},
					 NULL),
				 HERALD_OK);
		assert_int_equal(herald_deliverer_stop(deliverer, 60000), 0);
		herald_deliverer_destroy(deliverer);
		char *body = read_request(transport.requests[0], &list);
		assert_string_equal(body, "a=b");
		if (cases[i].type)
			add_header("Content-Type", cases[i].type, &list);
		const struct herald_signature_request request = {
			.headers_visit = visit_list,
			.state = &list,
			.url = URL,
			.body = body,
			.body_bytes = strlen(body),
			.now_s = time(NULL),
		};
		if (herald_signature_verify(signature, &request, &error) != HERALD_SIGNATURE_VALID)
			fail_msg("%s: %s", herald_signature_scheme_name(cases[i].scheme),
				 error.message);
		herald_signature_destroy(signature);
	}
	struct herald_signature *gitlab = create_with_key(HERALD_SIGNATURE_GITLAB, "token");
	signer = NULL;
	assert_int_equal(herald_signature_signer(gitlab, &signer, &error), HERALD_BAD_OPTION);
	assert_option_error(&error, "code",
			    "is a token, which any URL would be sent; set it in the headers of a "
			    "destination");
	assert_null(signer);
	herald_signature_destroy(gitlab);
}

/* An id that the scheme cannot sign is not sent unsigned. */
static void
what_cannot_be_signed_fails(void **state)
{
	static struct fake_transport transport;
	struct herald_signature *signature =
		create_with_key(HERALD_SIGNATURE_STANDARD_WEBHOOKS, KEY);
	struct herald_deliverer *deliverer = NULL;
	struct herald_signer *signer = NULL;
	struct recorder recorder;

	(void)state;
	recorder_init(&recorder);
	fake_transport_init(&transport, NULL, 0);
	assert_int_equal(herald_signature_signer(signature, &signer, NULL), HERALD_OK);
	assert_int_equal(
		herald_deliverer_create(&RECORDED_OPTIONS(&recorder, .transport = &transport.base,
							  .signer = signer),
					&deliverer, NULL),
		HERALD_OK);
	assert_int_equal(herald_deliverer_submit(deliverer,
						 &(struct herald_delivery){.url = URL, .id = "a.1"},
						 NULL),
			 HERALD_OK);
	recorder_wait(&recorder, 1);
	herald_deliverer_destroy(deliverer);
	assert_int_equal(recorder.outcome_reports[0].failure, HERALD_DELIVERY_REFUSED);
	assert_string_equal(recorder.outcome_reports[0].error,
			    "id: cannot be told from what follows it in the signed text");
	assert_int_equal(transport.begins, 0);
	recorder_finish(&recorder);
	herald_signature_destroy(signature);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retries_are_signed_anew),
		cmocka_unit_test(all_schemes_sign_deliveries),
		cmocka_unit_test(what_cannot_be_signed_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
