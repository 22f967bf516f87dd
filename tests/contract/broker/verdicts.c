/*
 * What a verdict leads to at the broker.
 */
#include "probe.h"

/* watermill#531: what was acknowledged comes again after a restart. */
static void
test_done_is_acknowledged(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 2);
	for (int i = 0; i < 10; i++)
		probe_publish(probe, i, "done", 0);
	probe_finish(probe);
	assert_int_equal(probe_all_runs(probe), 10);
	/* It does not come again. */
	probe_stop(probe);
	START(probe, .lanes = 2);
	probe_publish(probe, 10, "done", 0);
	probe_finish(probe);
	assert_int_equal(probe_all_runs(probe), 11);
	probe_destroy(probe);
}

/* Delays of 100, 200 and 400 ms. components-contrib#709: what failed is lost. */
static void
test_retry_is_never_early(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 2, .first_delay_ms = 100);
	probe_publish(probe, 0, "retry", 4);
	probe_finish(probe);
	assert_int_equal(probe->runs_count, 4);
	for (unsigned i = 1; i < 4; i++) {
		assert_int_equal(probe->runs[i].attempt, i + 1);
		assert_true(probe->runs[i].ms - probe->runs[i - 1].ms >= 100u << (i - 1));
	}
	probe_destroy(probe);
}

static void
test_a_delay_may_be_longer_than_the_visibility(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 2, .first_delay_ms = VISIBILITY_MS + 700);
	probe_publish(probe, 0, "retry", 2);
	probe_finish(probe);
	assert_int_equal(probe->runs_count, 2);
	assert_true(probe->runs[1].ms - probe->runs[0].ms >= VISIBILITY_MS + 700);
	probe_destroy(probe);
}

static void
check_header(const struct contract_dead *dead, const char *name, const char *value)
{
	const char *found = dead_header(dead, name);

	if (!found || strcmp(found, value) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", name, found ? found : "(none)", value);
}

/* MassTransit#325, #5107: it does not. */
static void
test_a_dead_letter_says_why(void **state)
{
	struct probe *probe = probe_create();
	struct contract_dead dead;

	(void)state;
	START(probe, .lanes = 2);
	probe_publish_keyed(probe, 7, "fail", 5, "k");
	WAIT(probe_dead(probe) == 1);
	probe_finish(probe);
	broker->dead(probe->source, 0, &dead);
	check_header(&dead, "herald-reason", "line\\none, 5");
	check_header(&dead, "herald-status", "422");
	check_header(&dead, "herald-attempts", "1");
	check_header(&dead, "herald-origin", probe->source);
	check_header(&dead, "herald-id", "e-7");
	check_header(&dead, "key", "k");
	assert_non_null(dead_header(&dead, "herald-failed-at"));
	assert_int_equal(dead.data[0], '{');
	assert_non_null(strstr(dead.data, "\"action\":\"fail\""));
	dead_free(&dead);
	probe_destroy(probe);
}

/* An event that cannot be run becomes a dead letter, with its bytes. spring-kafka#2118: an event
 * with an error that no retry mends never arrives there. */
static void
test_what_cannot_be_decoded_is_dead(void **state)
{
	static const struct {
		const char *data;
		size_t bytes;
		const char *status, *path;
	} cases[] = {
		{"{\"event_type\":7}", 16, "HERALD_BAD_TYPE", "/event_type"},
		{"{\"event_type\":\"none\",\"timestamp\":\"2024-08-20T05:21:19Z\",\"payload\":{}}",
		 69, "HERALD_UNKNOWN_TYPE", NULL},
		{"", 0, NULL, NULL},
		{"a\0b\0", 4, NULL, NULL},
	};
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 1);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct contract_dead dead;

		broker->publish(probe->source, cases[i].data, cases[i].bytes, NULL, 0);
		WAIT(probe_dead(probe) == i + 1);
		broker->dead(probe->source, i, &dead);
		assert_int_equal(dead.bytes, cases[i].bytes);
		assert_memory_equal(dead.data, cases[i].data, cases[i].bytes);
		if (cases[i].status)
			check_header(&dead, "herald-status", cases[i].status);
		if (cases[i].path)
			check_header(&dead, "herald-path", cases[i].path);
		assert_non_null(dead_header(&dead, "herald-reason"));
		dead_free(&dead);
	}
	assert_int_equal(probe_all_runs(probe), 0);
	probe_finish(probe);
	probe_destroy(probe);
}

/* As much as the service takes, and one byte more. */
static void
test_large_events(void **state)
{
	struct probe *probe = probe_create();
	const size_t max = herald_service_max_event_bytes(probe->service);
	char *event = test_malloc(max + 1);

	(void)state;
	START(probe, .lanes = 1, .max_in_flight_bytes = 1000);
	const int bytes =
		snprintf(event, max,
			 "{\"event_type\":\"task\",\"timestamp\":\"2024-08-20T05:21:19Z\","
			 "\"payload\":{\"id\":1,\"action\":\"done\"}}");
	memset(event + bytes, ' ', max + 1 - (size_t)bytes);
	broker->publish(probe->source, event, max, NULL, 0);
	WAIT(probe_runs(probe, 1) == 1);
	broker->publish(probe->source, event, max + 1, NULL, 0);
	WAIT(probe_dead(probe) == 1);
	probe_finish(probe);
	assert_int_equal(probe_runs(probe, 1), 1);
	test_free(event);
	probe_destroy(probe);
}

/* A dead letter that cannot be written: the message stays, and is not repeated in a hot loop, as in
 * MassTransit#4867. */
static void
test_no_dead_letter_no_acknowledgement(void **state)
{
	struct probe *probe = probe_create();

	(void)state;
	START(probe, .lanes = 1);
	broker->break_dead(probe->source);
	const uint64_t begin_ms = now_ms();
	probe_publish(probe, 0, "fail", 0);
	WAIT(probe_runs(probe, 0) == (broker->holds_dead ? 1 : 3));
	assert_true(broker->holds_dead || now_ms() - begin_ms >= 100);
	assert_int_equal(probe_left(probe), 1);
	broker->mend_dead(probe->source);
	WAIT(probe_dead(probe) == 1);
	probe_finish(probe);
	probe_destroy(probe);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(test_done_is_acknowledged),
	cmocka_unit_test(test_retry_is_never_early),
	cmocka_unit_test(test_a_delay_may_be_longer_than_the_visibility),
	cmocka_unit_test(test_a_dead_letter_says_why),
	cmocka_unit_test(test_what_cannot_be_decoded_is_dead),
	cmocka_unit_test(test_large_events),
	cmocka_unit_test(test_no_dead_letter_no_acknowledgement),
};
const struct case_list verdict_cases = {cases, COUNT(cases)};
