/*
 * W3C Trace Context: traceparent and tracestate are read by its grammar, which a regular expression
 * says again here; written and read back; and ids are random and not zero.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <regex.h>

#include "base/trace.h"
#include "support/draw.h"

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof((ARRAY)[0]))
#define ROUNDS 20000

#define TRACE_ID "0af7651916cd43dd8448eb211c80319c"
#define SPAN_ID "b7ad6b7169203331"
#define HEX "[0123456789abcdef]"
#define SMALL "abcdefghijklmnopqrstuvwxyz0123456789"

/* In a block of its own, so that ASan sees each byte too many. */
static bool
parse(const char *text, size_t bytes, struct herald_trace *out)
{
	char *copy = malloc(bytes + (bytes == 0));

	assert_non_null(copy);
	memcpy(copy, text, bytes);
	bool is_valid = herald_traceparent_parse(copy, bytes, out);
	free(copy);
	return is_valid;
}

/* traceparent. */

static const struct {
	const char *text;
	const char *trace_id, *span_id; /* NULL: not valid */
	unsigned flags;
} parents[] = {
	{"00-" TRACE_ID "-" SPAN_ID "-00", TRACE_ID, SPAN_ID, 0},
	{"00-" TRACE_ID "-" SPAN_ID "-01", TRACE_ID, SPAN_ID, 1},
	{"00-" TRACE_ID "-" SPAN_ID "-02", TRACE_ID, SPAN_ID, 2},
	{"00-" TRACE_ID "-" SPAN_ID "-03", TRACE_ID, SPAN_ID, 3},
	{"00-" TRACE_ID "-" SPAN_ID "-ff", TRACE_ID, SPAN_ID, 3},
	{"00-" TRACE_ID "-" SPAN_ID "-fc", TRACE_ID, SPAN_ID, 0},
	{"fe-" TRACE_ID "-" SPAN_ID "-01", TRACE_ID, SPAN_ID, 1},
	{"01-" TRACE_ID "-" SPAN_ID "-01-", TRACE_ID, SPAN_ID, 1},
	{"01-" TRACE_ID "-" SPAN_ID "-01-xy", TRACE_ID, SPAN_ID, 1},
	{" \t00-" TRACE_ID "-" SPAN_ID "-01\t ", TRACE_ID, SPAN_ID, 1},
	{"", NULL, NULL, 0},
	{"00", NULL, NULL, 0},
	{"00-" TRACE_ID "-" SPAN_ID "-0", NULL, NULL, 0},
	{"00-" TRACE_ID "-" SPAN_ID "-01-", NULL, NULL, 0},
	{"00-" TRACE_ID "-" SPAN_ID "-011", NULL, NULL, 0},
	{"01-" TRACE_ID "-" SPAN_ID "-011", NULL, NULL, 0},
	{"ff-" TRACE_ID "-" SPAN_ID "-01", NULL, NULL, 0},
	{"0g-" TRACE_ID "-" SPAN_ID "-01", NULL, NULL, 0},
	{"00_" TRACE_ID "-" SPAN_ID "-01", NULL, NULL, 0},
	{"00-" TRACE_ID "_" SPAN_ID "-01", NULL, NULL, 0},
	{"00-" TRACE_ID "-" SPAN_ID "_01", NULL, NULL, 0},
	{"00-00000000000000000000000000000000-" SPAN_ID "-01", NULL, NULL, 0},
	{"00-" TRACE_ID "-0000000000000000-01", NULL, NULL, 0},
	{"00-0AF7651916CD43DD8448EB211C80319C-" SPAN_ID "-01", NULL, NULL, 0},
};

static void
test_parents(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(parents); i++) {
		const char *wanted = parents[i].trace_id;
		struct herald_trace trace = {.trace_id = "untouched", .state = "?"};
		bool is_valid = parse(parents[i].text, strlen(parents[i].text), &trace);

		if (is_valid != (wanted != NULL))
			fail_msg("\"%s\" is%s valid", parents[i].text, is_valid ? "" : " not");
		assert_string_equal(trace.trace_id, is_valid ? wanted : "untouched");
		assert_string_equal(trace.state, is_valid ? "" : "?");
		if (!is_valid)
			continue;
		assert_string_equal(trace.span_id, parents[i].span_id);
		assert_string_equal(trace.parent_id, "");
		assert_int_equal(trace.flags, parents[i].flags);
	}
}

/* A NUL among the bytes ends nothing, and a text that is cut is not valid. */
static void
test_parents_of_any_bytes(void **state)
{
	const char *text = parents[1].text;
	struct herald_trace trace;
	char bytes[64];

	(void)state;
	for (size_t i = 0; i < strlen(text); i++) {
		assert_false(parse(text, i, &trace));
		memcpy(bytes, text, strlen(text));
		bytes[i] = '\0';
		assert_false(parse(bytes, strlen(text), &trace));
	}
}

static void
compile(regex_t *out, const char *pattern)
{
	assert_int_equal(regcomp(out, pattern, REG_EXTENDED | REG_NOSUB), 0);
}

static bool
fits(const regex_t *pattern, const char *text)
{
	return regexec(pattern, text, 0, NULL, 0) == 0;
}

static void
draw_hex(uint64_t *draw, char *out, size_t digits)
{
	for (size_t i = 0; i < digits; i++)
		out[i] = "0123456789abcdef"[draw_below(draw, 16)];
	out[digits] = '\0';
}

/* A valid one, mostly, then changed in up to two places. */
static void
draw_parent(uint64_t *draw, char *out)
{
	char version[3], trace_id[33], span_id[17], flags[3];

	draw_hex(draw, version, 2);
	draw_hex(draw, trace_id, 32);
	draw_hex(draw, span_id, 16);
	draw_hex(draw, flags, 2);
	if (draw_one_in(draw, 10))
		memset(trace_id, '0', 32);
	if (draw_one_in(draw, 10))
		memset(span_id, '0', 16);
	int bytes = sprintf(out, "%s-%s-%s-%s%s", draw_one_in(draw, 2) ? version : "00", trace_id,
			    span_id, flags, draw_one_in(draw, 4) ? "-more" : "");
	for (uint64_t n = draw_below(draw, 3); n > 0; n--) {
		size_t at = draw_below(draw, (uint64_t)bytes);

		if (draw_one_in(draw, 4)) {
			memmove(out + at, out + at + 1, (size_t)bytes - at);
			bytes--;
		} else {
			out[at] = "0fgA-. \x80~"[draw_below(draw, 9)];
		}
	}
}

static void
test_parents_at_random(void **state)
{
	uint64_t draw = draw_seed();
	regex_t first, later, zero, bad;
	size_t valid = 0;

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)draw);
	compile(&first, "^[ \t]*00-" HEX "{32}-" HEX "{16}-" HEX "{2}[ \t]*$");
	compile(&later, "^[ \t]*" HEX "{2}-" HEX "{32}-" HEX "{16}-" HEX "{2}(-.*)?[ \t]*$");
	compile(&zero, "^[ \t]*..-(0{32}-|.{32}-0{16}-)");
	compile(&bad, "^[ \t]*(ff|00)");
	for (int i = 0; i < ROUNDS; i++) {
		char text[80], written[HERALD_TRACEPARENT_SIZE];
		struct herald_trace trace, back;

		draw_parent(&draw, text);
		bool wanted = !fits(&zero, text) &&
			      (fits(&first, text) || (fits(&later, text) && !fits(&bad, text)));
		if (parse(text, strlen(text), &trace) != wanted)
			fail_msg("\"%s\" should%s be valid", text, wanted ? "" : " not");
		if (!wanted)
			continue;
		valid++;
		herald_traceparent_write(&trace, written);
		assert_int_equal(strlen(written), 55);
		assert_true(strstr(text, trace.trace_id) && strstr(text, trace.span_id));
		assert_true(parse(written, 55, &back));
		assert_string_equal(back.trace_id, trace.trace_id);
		assert_string_equal(back.span_id, trace.span_id);
		assert_int_equal(back.flags, trace.flags);
	}
	assert_true(valid > ROUNDS / 10 && valid < ROUNDS * 9 / 10);
	regfree(&first);
	regfree(&later);
	regfree(&zero);
	regfree(&bad);
}

/* tracestate. The named cases are in trace_context.jsonl. */

/* One member by the grammar, without white space around it. */
static bool
is_member(const regex_t *pattern, const char *member)
{
	const char *equals = strchr(member, '=');

	return fits(pattern, member) && equals - member <= 256 && strlen(equals + 1) <= 256;
}

/* What is to be read of several values: all members, or "". */
static bool
expect_state(const regex_t *pattern, char *values, char *out)
{
	unsigned members = 0;
	bool is_valid = true;

	*out = '\0';
	for (char *rest, *member = strtok_r(values, ",\n", &rest); member;
	     member = strtok_r(NULL, ",\n", &rest)) {
		member += strspn(member, " \t");
		for (size_t n = strlen(member); n > 0 && strchr(" \t", member[n - 1]); n--)
			member[n - 1] = '\0';
		if (*member == '\0')
			continue;
		is_valid &= is_member(pattern, member) && ++members <= 32;
		sprintf(out + strlen(out), "%s%s", *out != '\0' ? "," : "", member);
	}
	if (!is_valid)
		*out = '\0';
	return is_valid;
}

static void
draw_part(uint64_t *draw, const char *first, const char *more, char *out)
{
	size_t bytes = draw_one_in(draw, 20) ? 254 + draw_below(draw, 4) : draw_below(draw, 6);

	*out++ = first[draw_below(draw, strlen(first))];
	for (size_t i = 0; i < bytes; i++)
		*out++ = more[draw_below(draw, strlen(more))];
	*out = '\0';
}

static void
draw_member(uint64_t *draw, char *out)
{
	char key[300], value[300];
	bool is_bad = draw_one_in(draw, 25);

	draw_part(draw, is_bad ? SMALL "@_A" : SMALL, SMALL "_-*/@", key);
	draw_part(draw, "a1 ~!", is_bad ? "ab=\x7f\xc3" : "ab  !~<>+-", value);
	sprintf(out, "%s%s=%s%s", draw_one_in(draw, 5) ? " \t" : "", key,
		is_bad && draw_one_in(draw, 3) ? "" : value, draw_one_in(draw, 5) ? "  " : "");
	if (draw_one_in(draw, 20))
		*out = '\0';
}

static void
test_states_at_random(void **state)
{
	uint64_t draw = draw_seed();
	size_t valid = 0, rounds = ROUNDS / 10;
	regex_t pattern;

	(void)state;
	print_message("# HERALD_TEST_SEED=%llu\n", (unsigned long long)draw);
	compile(&pattern,
		"^[" SMALL "][-_*/@" SMALL "]*=[] !\"#$%&'()*+./0-9:;<>?@A-Z[\\^_`a-z{|}~-]"
		"*[]!\"#$%&'()*+./0-9:;<>?@A-Z[\\^_`a-z{|}~-]$");
	for (size_t i = 0; i < rounds; i++) {
		static char text[40000], wanted[40000], out[40000], *values[64];
		size_t count = 1;

		/* Values are lines; members are between commas. */
		values[0] = text;
		*text = '\0';
		for (uint64_t n = draw_one_in(&draw, 3) ? 28 + draw_below(&draw, 8)
							: draw_below(&draw, 5);
		     n > 0; n--) {
			draw_member(&draw, text + strlen(text));
			strcat(text, draw_one_in(&draw, 4) ? "\n" : ",");
		}
		char *copy = strdup(text);
		bool is_valid = expect_state(&pattern, copy, wanted);

		for (char *at = text; (at = strchr(at, '\n')); count++) {
			*at++ = '\0';
			values[count] = at;
		}
		if (herald_tracestate_join((const char *const *)values, count, out) != is_valid ||
		    strcmp(out, wanted) != 0)
			fail_msg("\"%s\" should be \"%s\", but is \"%s\"", text, wanted, out);
		valid += is_valid;
		free(copy);
	}
	assert_true(valid > rounds / 10 && valid < rounds * 9 / 10);
	regfree(&pattern);
}

/* What is sent of a long one. */
static void
test_states_are_shortened(void **state)
{
	char text[2000], wanted[2000], out[HERALD__TRACESTATE_SENT_BYTES + 1];
	char longest[200];

	(void)state;
	assert_int_equal(herald__tracestate_shorten("", out), 0);
	assert_string_equal(out, "");
	assert_int_equal(herald__tracestate_shorten("a=1,b=2", out), 7);
	assert_string_equal(out, "a=1,b=2");

	/* Exactly the limit: nothing is dropped. */
	sprintf(text, "a=%0254d,b=%0253d", 0, 0);
	assert_int_equal(strlen(text), HERALD__TRACESTATE_SENT_BYTES);
	assert_int_equal(herald__tracestate_shorten(text, out), HERALD__TRACESTATE_SENT_BYTES);
	assert_string_equal(out, text);

	/* One more: both are long. */
	sprintf(text, "a=%0254d,b=%0254d", 0, 0);
	assert_int_equal(herald__tracestate_shorten(text, out), 0);
	assert_string_equal(out, "");

	/* Members of 128 bytes stay, longer ones go first, then the ones at the end. */
	sprintf(longest, "l=%0127d", 0);
	*wanted = '\0';
	sprintf(text, "%s", longest);
	for (int i = 0; i < 5; i++) {
		char member[160];

		sprintf(member, "%c=%0126d", 'a' + i, i);
		assert_int_equal(strlen(member), 128);
		sprintf(text + strlen(text), ",%s", member);
		if (i < 3)
			sprintf(wanted + strlen(wanted), "%s%s", i > 0 ? "," : "", member);
	}
	herald__tracestate_shorten(text, out);
	assert_string_equal(out, wanted);
}

/* Ids. */

static void
test_children(void **state)
{
	struct herald_trace parent, child;

	(void)state;
	herald_trace_begin(&parent);
	assert_string_equal(parent.parent_id, "");
	assert_string_equal(parent.state, "");
	assert_int_equal(parent.flags, HERALD_TRACE_RANDOM);
	parent.state = "a=1";
	parent.flags |= HERALD_TRACE_SAMPLED;
	herald_trace_descend(&parent, &child);
	assert_string_equal(child.trace_id, parent.trace_id);
	assert_string_equal(child.parent_id, parent.span_id);
	assert_string_not_equal(child.span_id, parent.span_id);
	assert_string_equal(child.state, "a=1");
	assert_int_equal(child.flags, HERALD_TRACE_RANDOM | HERALD_TRACE_SAMPLED);
	/* In place. */
	herald_trace_descend(&child, &child);
	assert_string_not_equal(child.parent_id, parent.span_id);
}

#define THREADS 4
#define EACH 5000

static struct herald__trace_source source;
static char ids[THREADS * EACH][17];

static void *
make_ids(void *state)
{
	char(*own)[17] = state;

	for (size_t i = 0; i < EACH; i++) {
		struct herald_trace trace;

		herald__trace_begin(&source, &trace);
		assert_true(strlen(trace.trace_id) == 32 && strlen(trace.span_id) == 16);
		memcpy(own[i], i % 2 ? trace.span_id : trace.trace_id + 16, 16);
	}
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* No two are the same, whichever thread makes them, and all digits are drawn. */
static void
test_ids_are_random(void **state)
{
	pthread_t threads[THREADS];
	size_t seen[16] = {0};

	(void)state;
	herald__trace_source_init(&source);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_ids, ids[i * EACH]), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < COUNT(ids); i++)
		for (size_t j = 0; j < 16; j++)
			seen[ids[i][j] <= '9' ? ids[i][j] - '0' : ids[i][j] - 'a' + 10]++;
	for (size_t i = 0; i < 16; i++)
		assert_true(seen[i] > COUNT(ids) * 9 / 10 && seen[i] < COUNT(ids) * 11 / 10);
	qsort(ids, COUNT(ids), sizeof(ids[0]), compare);
	for (size_t i = 1; i < COUNT(ids); i++)
		assert_memory_not_equal(ids[i], ids[i - 1], 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parents),
		cmocka_unit_test(test_parents_of_any_bytes),
		cmocka_unit_test(test_parents_at_random),
		cmocka_unit_test(test_states_at_random),
		cmocka_unit_test(test_states_are_shortened),
		cmocka_unit_test(test_children),
		cmocka_unit_test(test_ids_are_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
