/*
 * Names in C: from any text to an identifier that is neither reserved nor taken.
 */
#include <string.h>

#include <herald/array.h>

#include "c_model.h"
#include "text.h"

/* A longer one is cut. C11 needs 63 characters to be different (section 5.2.4.1). */
#define NAME_BYTES 56

/* Keywords of C and C++, macros of gcc and of the headers that schema.h includes, and types of
 * members. */
static const char *const reserved[] = {
	"NULL",        "alignas",       "alignof",
	"and",         "and_eq",        "asm",
	"auto",        "bitand",        "bitor",
	"bool",        "break",         "case",
	"catch",       "char",          "char16_t",
	"char32_t",    "char8_t",       "class",
	"co_await",    "co_return",     "co_yield",
	"compl",       "concept",       "const",
	"const_cast",  "consteval",     "constexpr",
	"constinit",   "continue",      "decltype",
	"default",     "delete",        "do",
	"double",      "dynamic_cast",  "else",
	"enum",        "errno",         "explicit",
	"export",      "extern",        "false",
	"float",       "for",           "friend",
	"goto",        "i386",          "if",
	"inline",      "int",           "int16_t",
	"int32_t",     "int64_t",       "int8_t",
	"linux",       "long",          "mutable",
	"namespace",   "new",           "noexcept",
	"not",         "not_eq",        "nullptr",
	"offsetof",    "operator",      "or",
	"or_eq",       "private",       "protected",
	"public",      "register",      "reinterpret_cast",
	"requires",    "restrict",      "return",
	"short",       "signed",        "size_t",
	"sizeof",      "static",        "static_assert",
	"static_cast", "stderr",        "stdin",
	"stdout",      "struct",        "switch",
	"template",    "this",          "thread_local",
	"throw",       "true",          "try",
	"typedef",     "typeid",        "typename",
	"typeof",      "typeof_unqual", "uint16_t",
	"uint32_t",    "uint64_t",      "uint8_t",
	"union",       "unix",          "unsigned",
	"using",       "virtual",       "void",
	"volatile",    "wchar_t",       "while",
	"xor",         "xor_eq",
};

static bool
is_reserved(const char *name)
{
	for (size_t i = 0; i < HERALD_COUNT(reserved); i++)
		if (strcmp(reserved[i], name) == 0)
			return true;
	return false;
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
c_name_is_valid(const char *name)
{
	size_t bytes = strlen(name);

	for (size_t i = 0; i < bytes; i++)
		if (!is_lower(name[i]) && !is_upper(name[i]) &&
		    !(i > 0 && (is_digit(name[i]) || name[i] == '_')))
			return false;
	return bytes > 0 && bytes <= NAME_BYTES && !is_reserved(name) &&
	       strncmp(name, "herald", 6) != 0;
}

/* Whether a word begins at a capital: "orderId", "HTTPServer". */
static bool
begins_word(struct herald_text text, size_t i)
{
	if (i == 0 || !is_upper(text.data[i]))
		return false;
	return is_lower(text.data[i - 1]) || is_digit(text.data[i - 1]) ||
	       (is_upper(text.data[i - 1]) && i + 1 < text.bytes && is_lower(text.data[i + 1]));
}

/* Letters with marks, U+00C0 to U+00DE and, in lower case, U+00E0 to U+00FE. */
static const char letters[32][3] = {
	"a", "a", "a", "a", "ae", "a", "ae", "c", "e", "e", "e", "e", "i",  "i", "i",  "i",
	"d", "n", "o", "o", "o",  "o", "oe", "",  "o", "u", "u", "u", "ue", "y", "th", "ss",
};

/* The second byte of U+00DF, a small letter without a capital one in this range. */
#define SHARP_S 0x9F

static bool
is_capital_at(struct herald_text text, size_t i)
{
	if (i < text.bytes && (unsigned char)text.data[i] == 0xC3)
		return i + 1 < text.bytes && (unsigned char)text.data[i + 1] < SHARP_S;
	return i < text.bytes && is_upper(text.data[i]);
}

static bool
is_small_at(struct herald_text text, size_t i)
{
	if (i < text.bytes && (unsigned char)text.data[i] == 0xC3)
		return i + 1 < text.bytes && (unsigned char)text.data[i + 1] >= SHARP_S;
	return i < text.bytes && is_lower(text.data[i]);
}

static char
capital(char c)
{
	return (char)(c - 'a' + 'A');
}

/* Append the letters of the one with a mark at text[i]. Two letters are both capitals only among
 * capitals: "GRÖSSE" becomes "GROESSE", and "Öl" becomes "Oel". */
static size_t
put_letter(char *out, size_t bytes, struct herald_text text, size_t i)
{
	const unsigned second = (unsigned char)text.data[i + 1];
	const char *letter = letters[second & 0x1F];
	const bool follows = bytes > 0 && is_upper(out[bytes - 1]);
	const bool is_among = is_capital_at(text, i + 2) || (follows && !is_small_at(text, i + 2));
	const bool is_capital = second < SHARP_S || (second == SHARP_S && follows && is_among);

	out[bytes++] = is_capital ? capital(letter[0]) : letter[0];
	if (letter[1] != '\0')
		out[bytes++] = is_capital && is_among ? capital(letter[1]) : letter[1];
	return bytes;
}

/* The same letters without marks, for names that people can read: "Größe" becomes "Groesse". */
static struct herald_text
without_marks(struct herald_arena *arena, struct herald_text text)
{
	char *out = memory_take(arena, text.bytes + 1);
	size_t bytes = 0;

	for (size_t i = 0; i < text.bytes; i++) {
		const unsigned char c = (unsigned char)text.data[i];
		const unsigned next = i + 1 < text.bytes ? (unsigned char)text.data[i + 1] : 0;
		const bool is_letter = c == 0xC3 && next >= 0x80 && next <= 0xBE;

		if (!is_letter || letters[next & 0x1F][0] == '\0') {
			out[bytes++] = text.data[i];
			continue;
		}
		bytes = put_letter(out, bytes, text, i);
		i++;
	}
	return (struct herald_text){out, bytes};
}

char *
c_name_of(struct herald_arena *arena, struct herald_text text, const char *other)
{
	text = without_marks(arena, text);
	char *out = memory_take(arena, 2 * text.bytes + 3), *at = out;

	for (size_t i = 0; i < text.bytes && at - out < NAME_BYTES; i++) {
		char c = text.data[i];
		bool is_known = is_lower(c) || is_upper(c) || is_digit(c);

		if (at > out && at[-1] != '_' && (!is_known || begins_word(text, i)))
			*at++ = '_';
		if (is_known && at == out && is_digit(c)) {
			*at++ = 'n';
			*at++ = '_';
		}
		if (is_known)
			*at++ = is_upper(c) ? (char)(c - 'A' + 'a') : c;
	}
	while (at > out && at[-1] == '_')
		at--;
	*at = '\0';
	return at > out ? out : memory_copy(arena, other, strlen(other));
}

static bool
is_used(const struct memory_map *used, const char *name)
{
	return memory_map_get(used, text_of(name)) != NULL;
}

void
c_name_use(struct herald_arena *arena, struct memory_map *used, const char *name)
{
	unsigned *next = memory_take(arena, sizeof(*next));

	*next = 2;
	memory_map_set(arena, used, text_of(name), next);
}

/* The first number that makes a used name free: all smaller ones are used, too. */
static unsigned *
next_number(const struct memory_map *used, const char *name)
{
	return (unsigned *)memory_map_get(used, text_of(name));
}

char *
c_name_take_free(struct herald_arena *arena, struct memory_map *used, char *wanted)
{
	unsigned *next = next_number(used, wanted);
	char *out = wanted;

	while (is_used(used, out))
		out = memory_print(arena, "%s_%u", wanted, (*next)++);
	c_name_use(arena, used, out);
	return out;
}

char *
c_name_take(struct c_model *model, const char *name)
{
	/* A table has the name of its enum and "_names". */
	return c_name_take_free(model->arena, &model->used,
				memory_print(model->arena, "%s_%s", model->name, name));
}

bool
c_member_has_flag(const struct c_member *member)
{
	bool is_scalar = member->type.kind == C_BOOL || member->type.kind == C_NUMBER ||
			 member->type.kind == C_TIME || member->type.kind == C_ENUM ||
			 member->type.kind == C_ARRAY;

	return is_scalar && (!member->is_required || member->type.is_nullable);
}

static bool
has_count(const struct c_member *member)
{
	return member->type.kind == C_LIST || member->type.kind == C_MAP;
}

/* Whether a member can have this name: also has_NAME and NAME_count are free if it has them. */
static bool
is_free(struct c_model *model, const struct c_struct *out, const struct c_member *member,
	const char *name)
{
	return !is_reserved(name) && !is_used(&out->used, name) &&
	       !(c_member_has_flag(member) &&
		 is_used(&out->used, memory_print(model->arena, "has_%s", name))) &&
	       !(has_count(member) &&
		 is_used(&out->used, memory_print(model->arena, "%s_count", name)));
}

/* Give a member a name that is free in its struct. */
static void
name_member(struct c_model *model, struct c_struct *out, struct c_member *member,
	    const char *wanted)
{
	const char *name = wanted;

	if (is_reserved(name))
		name = wanted = memory_print(model->arena, "%s_", name);
	unsigned *next = next_number(&out->used, wanted), none = 2;
	if (!next)
		next = &none;
	for (unsigned i = *next; !is_free(model, out, member, name); i++) {
		/* Another member can have a name that this one cannot. */
		*next += i == *next + 1 && is_used(&out->used, name);
		name = memory_print(model->arena, "%s%s%u", wanted,
				    wanted[strlen(wanted) - 1] == '_' ? "" : "_", i);
	}
	member->name = name;
	c_name_use(model->arena, &out->used, name);
	if (c_member_has_flag(member))
		c_name_use(model->arena, &out->used, memory_print(model->arena, "has_%s", name));
	if (has_count(member))
		c_name_use(model->arena, &out->used, memory_print(model->arena, "%s_count", name));
}

struct c_struct *
c_struct_begin(struct c_model *model, const char *name)
{
	struct c_struct *out = memory_take(model->arena, sizeof(*out));

	out->name = name;
	return out;
}

void
c_struct_end(struct c_model *model, struct c_struct *out)
{
	out->is_complete = true;
	memory_list_add(model->arena, &model->structs, out);
}

struct c_member *
c_struct_add(struct c_model *model, struct c_struct *out, struct herald_text key,
	     const struct c_type *type, bool is_required)
{
	struct c_member *member = memory_take(model->arena, sizeof(*member));

	*member = (struct c_member){.key = key, .type = *type, .is_required = is_required};
	/* A struct that is not complete may hold this one. */
	if (type->kind == C_STRUCT)
		member->is_pointer =
			!is_required || type->is_nullable || !type->target->is_complete;
	name_member(model, out, member, c_name_of(model->arena, key, "member"));
	memory_list_add(model->arena, &out->members, member);
	return member;
}

const char *
c_member_name_take(struct c_model *model, struct memory_map *used, struct herald_text key)
{
	char *name = c_name_of(model->arena, key, "other");

	if (is_reserved(name))
		name = memory_print(model->arena, "%s_", name);
	return c_name_take_free(model->arena, used, name);
}

void
c_struct_add_key(struct c_model *model, struct c_struct *out)
{
	struct c_member *member = memory_take(model->arena, sizeof(*member));

	*member = (struct c_member){.type = {.kind = C_STRING}, .is_key = true};
	name_member(model, out, member, "key");
	memory_list_add(model->arena, &out->members, member);
}

static char *
upper(struct herald_arena *arena, const char *text)
{
	char *out = memory_copy(arena, text, strlen(text));

	for (char *at = out; *at != '\0'; at++)
		if (is_lower(*at))
			*at = (char)(*at - 'a' + 'A');
	return out;
}

const struct c_enum *
c_enum_add(struct c_model *model, const char *name, const struct memory_list *values,
	   bool are_numbers)
{
	struct c_enum *out = memory_take(model->arena, sizeof(*out));

	out->name = name;
	out->is_numeric = are_numbers;
	for (size_t i = 0; i < values->count; i++) {
		const struct herald_text *json = values->items[i];
		struct c_value *value = memory_take(model->arena, sizeof(*value));
		const char *word = c_name_of(model->arena, *json, json->bytes ? "other" : "empty");
		char *wanted = memory_print(
			model->arena, "%s_%s%s", upper(model->arena, name),
			are_numbers && json->data[0] == '-' ? "MINUS_" : "",
			upper(model->arena, strncmp(word, "n_", 2) == 0 ? word + 2 : word));

		*value = (struct c_value){c_name_take_free(model->arena, &model->used, wanted),
					  *json};
		memory_list_add(model->arena, &out->values, value);
	}
	memory_list_add(model->arena, &model->enums, out);
	return out;
}
