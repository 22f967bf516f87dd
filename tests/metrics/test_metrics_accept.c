/*
 * Which format is chosen by Accept: OpenMetrics only if it is named and not less wanted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "metrics/accept.h"

#define OPENMETRICS "application/openmetrics-text"

static enum herald_metrics_format
format_of(const char *first, const char *second)
{
	struct herald__accept accept = HERALD__ACCEPT_INIT;

	if (first)
		herald__accept_add(&accept, first);
	if (second)
		herald__accept_add(&accept, second);
	return herald__accept_format(&accept);
}

static void
test_openmetrics(void **state)
{
	static const char *const values[] = {
		/* Prometheus 2.42 and 3. */
		OPENMETRICS ";version=1.0.0," OPENMETRICS
			    ";version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		OPENMETRICS ";version=1.0.0;escaping=allow-utf-8;q=0.6," OPENMETRICS
			    ";version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;"
			    "q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
		OPENMETRICS,
		"Application/OpenMetrics-Text ; Version=1.0.0",
		OPENMETRICS ";version=\"1.0.0\"",
		"text/plain;q=0.5, " OPENMETRICS ";q=0.5",
		"text/plain;q=0.499," OPENMETRICS ";q=0.5",
		"text/html, " OPENMETRICS ";charset=\"a,b;q=0\\\"\";q=1.000",
		/* The specific range counts, not the range of everything. */
		"*/*, text/plain;q=0.1, " OPENMETRICS ";q=0.2",
		"*/*, text/*;q=0.1, " OPENMETRICS ";q=0.2",
		/* A text that we do not write. */
		"text/plain;version=1.0.0, " OPENMETRICS ";q=0.1",
		" ,, " OPENMETRICS " , ",
		OPENMETRICS ";q=0.1, " OPENMETRICS ";q=0.9, text/plain;q=0.5",
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(values); i++)
		if (format_of(values[i], NULL) != HERALD_METRICS_OPENMETRICS)
			fail_msg("not OpenMetrics: %s", values[i]);
	assert_int_equal(format_of("text/plain;q=0.2", OPENMETRICS ";q=0.3"),
			 HERALD_METRICS_OPENMETRICS);
}

static void
test_prometheus(void **state)
{
	static const char *const values[] = {
		NULL,
		"",
		"*/*",
		"text/plain",
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
		"application/*",
		"application/json",
		OPENMETRICS ";q=0",
		OPENMETRICS ";q=0.000",
		OPENMETRICS ";version=0.0.1",
		OPENMETRICS ";version=2.0.0",
		OPENMETRICS ";version=1.0.00",
		OPENMETRICS "x",
		"x" OPENMETRICS,
		"text/plain," OPENMETRICS ";q=0.9",
		"text/*;q=0.6," OPENMETRICS ";q=0.5",
		"*/*;q=0.6," OPENMETRICS ";q=0.5",
		/* Weights that cannot be read. */
		OPENMETRICS ";q=",
		OPENMETRICS ";q=2",
		OPENMETRICS ";q=1.001",
		OPENMETRICS ";q=-1",
		OPENMETRICS ";q=0,5",
		OPENMETRICS ";q=0.1234",
		OPENMETRICS ";q=x",
		OPENMETRICS ";q=0x5",
		/* Quotes without an end. */
		"text/plain;a=\", " OPENMETRICS,
		"text/plain;a=\"\\",
	};

	(void)state;
	for (size_t i = 0; i < HERALD_COUNT(values); i++)
		if (format_of(values[i], NULL) != HERALD_METRICS_PROMETHEUS)
			fail_msg("not Prometheus: %s", values[i] ? values[i] : "none");
	assert_int_equal(format_of("text/plain", OPENMETRICS ";q=0.3"), HERALD_METRICS_PROMETHEUS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_openmetrics),
		cmocka_unit_test(test_prometheus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
