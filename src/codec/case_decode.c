/*
 * Finds the tag of an object in its JSON, which may be anywhere in it, and chooses the plan of its
 * case. Only looks: the object is decoded afterwards, and then every error is found. How the values
 * before the tag are skipped is in skip.c.
 */
#include "codec/case_decode.h"

#include <string.h>

#include "base/words.h"
#include "codec/cases.h"
#include "codec/form_decode.h"
#include "codec/name_token.h"
#include "codec/plan.h"
#include "json/reader/skip.h"
#include "json/reader/string_read.h"
#include "json/reader/token.h"

/* Whether the string from the quote at `at` to `end` is a text, whatever its escapes are. */
static bool
is_text(const char *at, const char *end, const char *text, size_t bytes)
{
	const struct herald__token token = {text, bytes, false};

	return herald__name_equals(at, end, &token);
}

/*
 * The value of the tag in the members from `at` on, or NULL. Relies on the invariant of reader.h,
 * as the decoder does.
 */
static inline char *
search_members(struct herald__reader *reader, char *at, const struct herald__field *tag)
{
	char *(*skip)(struct herald__reader *, char *) =
		at < reader->skipped ? herald__skip_again : herald__skip_unwanted;

	for (;;) {
		char *name = at;

		if (herald__is_token(reader, at, tag))
			return herald__skip_blank(reader, at + tag->token_bytes);
		if (*at != '"' || !(at = herald__skip_string(reader, at + 1, HERALD__NAME)))
			return NULL;
		bool found = is_text(name, at, tag->name, tag->name_bytes);
		at = herald__skip_blank(reader, at);
		if (*at != ':')
			return NULL;
		at = herald__skip_blank(reader, at + 1);
		if (found)
			return at;
		if (!(at = skip(reader, at)) || at == reader->end)
			return NULL;
		at = herald__skip_blank(reader, at);
		if (*at != ',')
			return NULL;
		at = herald__skip_blank(reader, at + 1);
	}
}

/*
 * The same, for an object that may be in one that has been searched. If there is no tag, decoding
 * the object fails: nothing after it is searched.
 */
HERALD__NOT_INLINE static char *
search_tag(struct herald__reader *reader, char *at, const struct herald__field *tag)
{
	char *value = search_members(reader, at, tag);

	if (!value)
		reader->skipped = reader->end;
	else if (value > reader->skipped)
		reader->skipped = value;
	return value;
}

/* The value of the tag of the object at `at`, or NULL. It is nearly always the first member. */
static char *
find_tag(struct herald__reader *reader, char *at, const struct herald__field *tag)
{
	if (*at != '{')
		return NULL;
	at = herald__skip_blank(reader, at + 1);
	if (herald__is_token(reader, at, tag))
		return herald__skip_blank(reader, at + tag->token_bytes);
	return search_tag(reader, at, tag);
}

/* The plan for a string with escapes, or for one that is not listed. */
HERALD__NOT_INLINE static const struct herald__plan *
choose_by_any_text(struct herald__reader *reader, char *at, const struct herald__plan *plan)
{
	const struct herald__cases *cases = plan->cases;
	const char *end = herald__skip_string(reader, at + 1, HERALD__VALUE);

	for (size_t i = 0; end && i < cases->count; i++)
		if (is_text(at, end, cases->items[i].text, cases->items[i].bytes))
			return cases->items[i].plan;
	return end && cases->rest ? cases->rest : plan->usual;
}

/* Whether `text` begins with a case's text, which is plain, and a quote. `left` bytes are readable,
 * at least eight, and the first eight are `word`. */
static inline bool
is_case(const struct herald__case *item, uint64_t word, const char *text, size_t left)
{
	if (((word ^ item->first) & item->mask) != 0 || !item->plain)
		return false;
	if (item->bytes < 8)
		return true;
	if (left <= item->bytes || herald__load64(text + item->bytes - 7) != item->last)
		return false;
	return item->bytes < 16 || memcmp(text + 8, item->text + 8, item->bytes - 15) == 0;
}

/* Let decoding the tag of an enum not search its number again. */
static inline void
note_tag(struct herald__reader *reader, char *text, const struct herald__cases *cases,
	 const struct herald__case *item)
{
	if (cases->line->kind != HERALD_KIND_ENUM || item->bytes > reader->limits->max_string_bytes)
		return;
	reader->tag = text - 1;
	reader->tag_end = text + item->bytes + 1;
	reader->tag_value = item->value;
}

static const struct herald__plan *
choose_by_text(struct herald__reader *reader, char *at, const struct herald__plan *plan)
{
	const struct herald__cases *cases = plan->cases;
	char *text = at + 1;
	size_t left = (size_t)(reader->end - text);
	uint64_t word;

	if (*at != '"')
		return plan->usual;
	if (left < 8)
		return choose_by_any_text(reader, at, plan);
	word = herald__load64(text);
	for (size_t i = 0; i < cases->count; i++) {
		const struct herald__case *item = &cases->items[i];

		if (is_case(item, word, text, left)) {
			note_tag(reader, text, cases, item);
			return item->plan;
		}
	}
	return choose_by_any_text(reader, at, plan);
}

HERALD__NOT_INLINE static const struct herald__plan *
choose_by_number(struct herald__reader *reader, char *at, const struct herald__plan *plan)
{
	const struct herald__cases *cases = plan->cases;
	int value;

	if (!herald__decode_form(reader, at, cases->field, (char *)&value))
		return plan->usual;
	for (size_t i = 0; i < cases->count; i++)
		if (cases->items[i].value == value)
			return cases->items[i].plan;
	return cases->rest ? cases->rest : plan->usual;
}

const struct herald__plan *
herald__choose_to_decode(struct herald__reader *reader, char *at, const struct herald__plan *plan)
{
	const struct herald__cases *cases = plan->cases;
	char *tag = find_tag(reader, at, cases->field);

	if (!tag && reader->out_of_memory) {
		herald__fail_memory(reader, at);
		return NULL;
	}
	if (!tag)
		return plan->usual;
	return cases->line->numeric ? choose_by_number(reader, tag, plan)
				    : choose_by_text(reader, tag, plan);
}
