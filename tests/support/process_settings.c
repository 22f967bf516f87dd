/*
 * Sets the locale and the rounding mode of a test program before main(), from HERALD_TEST_LOCALE
 * and HERALD_TEST_ROUNDING. Linked into every test.
 */
#include <fenv.h>
#include <locale.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What LeakSanitizer must not count: glibc 2.36 never frees its copy of LOCPATH, and librdkafka
 * 2.0.2 no queue of an rd_kafka_offsets_for_times() that fails, whose name is not in the stack. */
const char *__lsan_default_suppressions(void); /* NOLINT(*-reserved-identifier) */

const char *
__lsan_default_suppressions(void) /* NOLINT(*-reserved-identifier) */
{
	return "leak:argz_add_sep\nleak:librdkafka.so\n";
}

static const struct {
	const char *name;
	int mode;
} modes[] = {
	{"nearest", FE_TONEAREST},
	{"up", FE_UPWARD},
	{"down", FE_DOWNWARD},
	{"zero", FE_TOWARDZERO},
};

static void
give_up(const char *what, const char *value)
{
	fprintf(stderr, "there is no %s %s\n", what, value);
	exit(1);
}

__attribute__((constructor)) static void
set_process(void)
{
	const char *locale = getenv("HERALD_TEST_LOCALE");
	const char *rounding = getenv("HERALD_TEST_ROUNDING");
	size_t i = 0, count = sizeof(modes) / sizeof(modes[0]);

	if (locale && !setlocale(LC_ALL, locale))
		give_up("locale", locale);
	if (!rounding)
		return;
	while (i < count && strcmp(modes[i].name, rounding) != 0)
		i++;
	if (i == count || fesetround(modes[i].mode) != 0)
		give_up("rounding mode", rounding);
}
