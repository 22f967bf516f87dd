/*
 * The data that a codec prepares for speed, which no document shows: the hash table of keys, the
 * guesses of fields, and the words by which a member's name is compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <herald/codec.h>

#include "codec/plan.h"
#include "support/decoding.h"
#include "support/every_kind.h"

struct one {
	int32_t member;
};
HERALD_SCHEMA(one, HERALD_FIELD(one, member));

/* A codec for one member of a name. */
static struct herald_codec *
codec_of(const char *key)
{
	struct herald_field field = one_schema.fields[0];
	struct herald_schema schema = one_schema;

	field.key = key;
	schema.fields = &field;
	schema.fields_count = 1;
	return decoding_codec(&schema, NULL);
}

/* The first eight bytes and the last eight, of what is shorter the first alone. */
static void
test_words_of_names(void **state)
{
	(void)state;
	for (size_t bytes = 1; bytes <= 40; bytes++) {
		static const char letters[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
		char key[41], token[64], first[8] = {0}, mask[8] = {0}, last[8] = {0};

		snprintf(key, sizeof(key), "%.*s", (int)bytes, letters);
		size_t token_bytes = (size_t)snprintf(token, sizeof(token), "\"%s\":", key);
		struct herald_codec *codec = codec_of(key);
		const struct herald__field *field = &codec->root->fields[0];

		memcpy(first, token, token_bytes < 8 ? token_bytes : 8);
		memset(mask, 0xFF, token_bytes < 8 ? token_bytes : 8);
		if (token_bytes > 8)
			memcpy(last, token + token_bytes - 8, 8);
		assert_int_equal(field->token_bytes, token_bytes);
		assert_memory_equal(field->token, token, token_bytes);
		assert_memory_equal(&field->token_first, first, 8);
		assert_memory_equal(&field->token_mask, mask, 8);
		assert_memory_equal(&field->token_last, last, 8);
		herald_codec_destroy(codec);
	}
}

/* A number has been found to multiply keys by, so that few of them meet. */
static void
test_keys_do_not_meet(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);

	(void)state;
	for (const struct herald__plan *plan = codec->plans; plan != NULL; plan = plan->next) {
		size_t keys_count = 0;

		assert_int_not_equal(plan->multiplier, 1);
		assert_in_range(plan->slots_count, 4 * plan->fields_count,
				plan->fields_count > 1 ? 8 * plan->fields_count - 1 : 4);
		for (size_t i = 0; i < plan->slots_count; i++) {
			const struct herald__slot *slot = &plan->slots[i];

			/* Of many keys some meet, whatever they are multiplied by. */
			if (plan->fields_count <= 12)
				assert_false(slot->more);
			if (slot->field == NULL)
				continue;
			keys_count++;
			assert_int_equal(slot->bytes, strlen(slot->field->name));
			assert_int_equal(slot->near, slot->bytes <= 16);
			assert_ptr_equal(herald__plan_find(plan, slot->field->name, slot->bytes),
					 slot->field);
		}
		assert_int_equal(keys_count, plan->fields_count);
	}
	herald_codec_destroy(codec);
}

/* The guess for a field's name is the field; of few fields, no two have the same guess. */
static void
test_fields_are_guessed(void **state)
{
	struct herald_codec *codec = decoding_codec(every_kind_table, NULL);

	(void)state;
	for (const struct herald__plan *plan = codec->plans; plan != NULL; plan = plan->next) {
		size_t several = 0;

		for (size_t i = 0; i < plan->fields_count; i++) {
			const struct herald__field *field = &plan->fields[i];
			unsigned guess =
				herald__guess(&plan->guesses, field->token + 1, field->name_bytes);

			several += guess == HERALD__GUESS_SEVERAL;
			if (guess != HERALD__GUESS_SEVERAL)
				assert_int_equal(guess, i + 1);
		}
		assert_in_range(several, 0, plan->fields_count <= 12 ? 0 : plan->fields_count / 2);
	}
	herald_codec_destroy(codec);
}

/* A name that JSON must escape has no guess: it is never in a text as it is. */
static void
test_escaped_names_are_not_guessed(void **state)
{
	struct herald_codec *codec = codec_of("a\"b");

	(void)state;
	assert_int_equal(herald__guess(&codec->root->guesses, "a\"b", 3), HERALD__GUESS_SEVERAL);
	herald_codec_destroy(codec);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_of_names),
		cmocka_unit_test(test_keys_do_not_meet),
		cmocka_unit_test(test_fields_are_guessed),
		cmocka_unit_test(test_escaped_names_are_not_guessed),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, decoding_finish);
}
