/*
 * Skipping what nobody wants: the values of members that no field has as its key. They are checked to be
 * valid all the same.
 *
 * A value is skipped in one of two ways. The one here is for what is valid and usual, four times as fast,
 * and gives up without a word on the rest; herald__skip_value() of scan.c then does it again from the
 * start, and says what is wrong if something is.
 */
#include "scan.h"

static inline char *
skip_digits(char *at)
{
	while (*at >= '0' && *at <= '9')
		at++;
	return at;
}

/* A number, by the invariant. */
static inline char *
skip_usual_number(char *at)
{
	char *first = at += *at == '-';

	at = skip_digits(at);
	if (at == first || (*first == '0' && at > first + 1))
		return NULL;
	if (*at == '.') {
		first = ++at;
		if ((at = skip_digits(at)) == first)
			return NULL;
	}
	if (*at == 'e' || *at == 'E') {
		at += at[1] == '+' || at[1] == '-' ? 2 : 1;
		first = at;
		if ((at = skip_digits(at)) == first)
			return NULL;
	}
	return at;
}

static inline char *
skip_usual_string(struct herald__reader *reader, char *at, enum herald__string_role role)
{
	char *close = herald__next_stop(reader, at + 1);

	if (*close != '"')
		return herald__skip_string(reader, at + 1, role);
	return (size_t)(close - at) - 1 <= herald__max_bytes(reader, role) ? close + 1 : NULL;
}

/* A member's name, its colon, and the white space around it. */
static inline char *
skip_usual_key(struct herald__reader *reader, char *at)
{
	if (*at != '"' || (at = skip_usual_string(reader, at, HERALD__NAME)) == NULL)
		return NULL;
	at = herald__skip_blank(at);
	return *at == ':' ? herald__skip_blank(at + 1) : NULL;
}

/* A value without brackets. */
static inline char *
skip_usual_scalar(struct herald__reader *reader, char *at)
{
	switch (*at) {
	case '"':
		return skip_usual_string(reader, at, HERALD__VALUE);
	case 't':
		return herald__is_word(reader, at, "true", 4) ? at + 4 : NULL;
	case 'f':
		return herald__is_word(reader, at, "false", 5) ? at + 5 : NULL;
	case 'n':
		return herald__is_word(reader, at, "null", 4) ? at + 4 : NULL;
	default:
		return skip_usual_number(at);
	}
}

/* An object or an array, from its opening bracket on. */
static char *
skip_usual_brackets(struct herald__reader *reader, char *at, size_t depth)
{
	char close = *at == '{' ? '}' : ']';

	if (depth > reader->limits->max_depth)
		return NULL;
	at = herald__skip_blank(at + 1);
	if (*at == close)
		return at + 1;
	for (;; at = herald__skip_blank(at + 1)) {
		if (close == '}' && (at = skip_usual_key(reader, at)) == NULL)
			return NULL;
		at = *at == '{' || *at == '[' ? skip_usual_brackets(reader, at, depth + 1)
					      : skip_usual_scalar(reader, at);
		if (at == NULL || at >= reader->end)
			return NULL;
		at = herald__skip_blank(at);
		if (*at != ',')
			return *at == close ? at + 1 : NULL;
	}
}

char *
herald__skip_unwanted(struct herald__reader *reader, char *at)
{
	char *after = *at == '{' || *at == '[' ? skip_usual_brackets(reader, at, reader->depth + 1)
					       : skip_usual_scalar(reader, at);

	return after != NULL ? after : herald__skip_value(reader, at);
}
