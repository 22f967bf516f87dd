/*
 * Matches regular expressions with PCRE2. Translates what ECMA-262 writes in another way, and
 * refuses escapes that only PCRE2 knows. Without PCRE2 every pattern is refused by name.
 */
#include "pattern.h"

#include <stdio.h>
#include <string.h>

#include "tool_memory.h"

#ifndef HAVE_PCRE2

const struct pattern *
pattern_compile(struct herald_arena *arena, struct herald_text text, const char **reason)
{
	(void)arena;
	(void)text;
	*reason = "this herald was built without PCRE2, which patterns need";
	return NULL;
}

enum pattern_result
pattern_match(const struct pattern *pattern, struct herald_text text, uint64_t *steps)
{
	(void)pattern;
	(void)text;
	*steps = 1;
	return PATTERN_FAILED;
}

#else

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <herald/array.h>

/* PCRE2's steps of a match: it does not tell how many there were, only that a limit was too low. A
 * million take about ten milliseconds. */
static const uint32_t limits[] = {200, 20000, 1000000};
#define STEPS 200 /* of PCRE2 that count as one */

struct pattern {
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *context;
};

/* What \s is besides ASCII's blanks (ECMA-262 section 22.2.2.9). */
#define MORE_BLANKS                                                                                \
	"\\u{a0}\\u{1680}\\u{2000}-\\u{200a}\\u{2028}\\u{2029}\\u{202f}\\u{205f}\\u{3000}\\u{"     \
	"feff}"

/* Inside brackets: every character that \s is not. */
#define NO_BLANKS                                                                                  \
	"\\x00-\\x08\\x0e-\\x1f\\x21-\\x9f\\u{a1}-\\u{167f}\\u{1681}-\\u{1fff}"                    \
	"\\u{200b}-\\u{2027}\\u{202a}-\\u{202e}\\u{2030}-\\u{205e}\\u{2060}-\\u{2fff}"             \
	"\\u{3001}-\\u{fefe}\\u{ff00}-\\u{10ffff}"

/* What a dot matches: no line terminator (ECMA-262 section 12.3). */
#define DOT "[^\\n\\r\\u{2028}\\u{2029}]"

/* Long names of Unicode's categories, which PCRE2 does not know. */
static const char *const categories[][2] = {
	{"Letter", "L"},
	{"Lowercase_Letter", "Ll"},
	{"Uppercase_Letter", "Lu"},
	{"Titlecase_Letter", "Lt"},
	{"Cased_Letter", "L&"},
	{"Modifier_Letter", "Lm"},
	{"Other_Letter", "Lo"},
	{"Mark", "M"},
	{"Nonspacing_Mark", "Mn"},
	{"Spacing_Mark", "Mc"},
	{"Enclosing_Mark", "Me"},
	{"Number", "N"},
	{"Decimal_Number", "Nd"},
	{"digit", "Nd"},
	{"Letter_Number", "Nl"},
	{"Other_Number", "No"},
	{"Punctuation", "P"},
	{"punct", "P"},
	{"Symbol", "S"},
	{"Math_Symbol", "Sm"},
	{"Currency_Symbol", "Sc"},
	{"Separator", "Z"},
	{"Space_Separator", "Zs"},
	{"Other", "C"},
	{"Control", "Cc"},
	{"cntrl", "Cc"},
};

/* What comes after the name of a property in front of a category, if there is one. */
static const char *
after_property(const char *name)
{
	static const char *const properties[] = {"General_Category=", "gc=", "Script=", "sc="};

	for (size_t i = 0; i < HERALD_COUNT(properties); i++) {
		size_t bytes = strlen(properties[i]);

		if (strncmp(name, properties[i], bytes) == 0)
			return name + bytes;
	}
	return name;
}

/* Append the escape of a category, "p{...}", at `at`. Returns its end. */
static const char *
translate_category(const char *at, char **out)
{
	const char *open = at + 1, *close = strchr(at, '}');

	if (*open != '{' || !close)
		return NULL;
	const char *name = after_property(open + 1);
	size_t bytes = (size_t)(close - name);
	for (size_t i = 0; i < HERALD_COUNT(categories); i++)
		if (strlen(categories[i][0]) == bytes &&
		    strncmp(categories[i][0], name, bytes) == 0) {
			name = categories[i][1];
			bytes = strlen(name);
			break;
		}
	*out += sprintf(*out, "\\%c{%.*s}", *at, (int)bytes, name);
	return close + 1;
}

/* The UTF-16 unit of "uXXXX"; 0 if it is something else. */
static unsigned
read_unit(const char *at)
{
	unsigned unit = 0;

	if (*at != 'u')
		return 0;
	for (int i = 1; i <= 4; i++) {
		const char *digits = "0123456789abcdef", *digit;
		char c = at[i] >= 'A' && at[i] <= 'F' ? (char)(at[i] - 'A' + 'a') : at[i];

		if (c == '\0' || !(digit = strchr(digits, c)))
			return 0;
		unit = unit * 16 + (unsigned)(digit - digits);
	}
	return unit;
}

/* A surrogate pair, "uD83D\uDE00", is one character. Returns its end; NULL if it is not a pair. */
static const char *
translate_pair(const char *at, char **out)
{
	unsigned high = read_unit(at);

	if (high < 0xD800 || high > 0xDBFF || at[5] != '\\')
		return NULL;
	unsigned low = read_unit(at + 6);
	if (low < 0xDC00 || low > 0xDFFF)
		return NULL;
	*out += sprintf(*out, "\\u{%x}", 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
	return at + 11;
}

/* Translate what follows a backslash. Returns its end; NULL if ECMA-262 does not have it. */
static const char *
translate_escape(const char *at, bool in_class, char **out)
{
	switch (*at) {
	case 's':
		*out += sprintf(*out, in_class ? "\\s" MORE_BLANKS : "[\\s" MORE_BLANKS "]");
		return at + 1;
	case 'S':
		*out += sprintf(*out, in_class ? NO_BLANKS : "[^\\s" MORE_BLANKS "]");
		return at + 1;
	case 'v':
		*out += sprintf(*out, "\\x0b");
		return at + 1;
	case 'u': {
		const char *end = translate_pair(at, out);

		if (end)
			return end;
		break;
	}
	case 'p':
	case 'P':
		return translate_category(at, out);
	default:
		break;
	}
	bool is_letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
	if (*at == '\0' || (is_letter && !strchr("dDwWbBfnrtcxuk", *at)))
		return NULL;
	*(*out)++ = '\\';
	*(*out)++ = *at;
	return at + 1;
}

/* The pattern as PCRE2 writes it; without data if an escape is not known. */
static struct herald_text
translate(struct herald_arena *arena, struct herald_text text, const char **reason)
{
	/* The longest replacement, of "\S" in brackets. */
	char *out = memory_take_array(arena, text.bytes + 1, sizeof(NO_BLANKS)), *end = out;
	bool in_class = false;

	for (const char *at = text.data; at < text.data + text.bytes;) {
		if (*at == '\\') {
			const char *next = translate_escape(at + 1, in_class, &end);

			if (!next) {
				*reason = memory_print(arena, "the escape \\%c is not supported",
						       at[1] != '\0' ? at[1] : ' ');
				return (struct herald_text){NULL, 0};
			}
			at = next;
			continue;
		}
		if (*at == '.' && !in_class) {
			end += sprintf(end, DOT);
			at++;
			continue;
		}
		if (*at == '[' && in_class)
			*end++ = '\\';
		in_class = in_class ? *at != ']' : *at == '[';
		*end++ = *at++;
	}
	return (struct herald_text){out, (size_t)(end - out)};
}

/* PCRE2's memory is in the arena, and is freed with it. */
static void *
allocate(PCRE2_SIZE bytes, void *arena)
{
	return memory_take(arena, bytes);
}

static void
release(void *memory, void *arena)
{
	(void)memory;
	(void)arena;
}

const struct pattern *
pattern_compile(struct herald_arena *arena, struct herald_text text, const char **reason)
{
	static const uint32_t options = PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX |
					PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS |
					PCRE2_NEVER_BACKSLASH_C;
	struct pattern *pattern = memory_take(arena, sizeof(*pattern));
	struct herald_text translated = translate(arena, text, reason);
	pcre2_general_context *memory = pcre2_general_context_create(allocate, release, arena);
	PCRE2_SIZE offset;
	int error;

	if (!translated.data)
		return NULL;
	pcre2_compile_context *context = pcre2_compile_context_create(memory);
	pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALT_BSUX);
	pattern->code = pcre2_compile((PCRE2_SPTR)translated.data, translated.bytes, options,
				      &error, &offset, context);
	if (!pattern->code) {
		char *message = memory_take(arena, 256);

		pcre2_get_error_message(error, (PCRE2_UCHAR *)message, 255);
		*reason = message;
		return NULL;
	}
	pattern->match = pcre2_match_data_create_from_pattern(pattern->code, memory);
	pattern->context = pcre2_match_context_create(memory);
	return pattern;
}

enum pattern_result
pattern_match(const struct pattern *pattern, struct herald_text text, uint64_t *steps)
{
	int found = PCRE2_ERROR_MATCHLIMIT;

	*steps = 0;
	for (size_t i = 0; i < HERALD_COUNT(limits) && found == PCRE2_ERROR_MATCHLIMIT; i++) {
		pcre2_set_match_limit(pattern->context, limits[i]);
		found = pcre2_match(pattern->code, (PCRE2_SPTR)text.data, text.bytes, 0,
				    PCRE2_NO_UTF_CHECK, pattern->match, pattern->context);
		*steps += limits[i] / STEPS;
	}
	if (found == PCRE2_ERROR_NOMATCH)
		return PATTERN_DIFFERS;
	return found < 0 ? PATTERN_FAILED : PATTERN_MATCHES;
}

#endif
