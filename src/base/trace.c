/*
 * W3C Trace Context: reading and writing traceparent and tracestate, and making ids. Knows no
 * events; which trace an event belongs to is decided in service/event_trace.c.
 */
#include "base/trace.h"

#include <string.h>

#include <herald/adapter/random.h>
#include <herald/adapter/text.h>

#define TRACE_ID_DIGITS 32
#define SPAN_ID_DIGITS 16
#define MAX_KEY_BYTES 256
#define MAX_VALUE_BYTES 256
#define LONG_MEMBER_BYTES 128

static const char digits[] = "0123456789abcdef";

/* Where the parts of a traceparent begin: "00-<trace id>-<parent id>-<flags>". */
enum { AT_TRACE_ID = 3, AT_SPAN_ID = 36, AT_FLAGS = 53, TRACEPARENT_BYTES = 55 };

/* Ids. */

/* splitmix64 of two states that move together: both seeds of two processes must fit for the same
 * ids. */
static uint64_t
next_bits(struct herald__trace_source *source, uint64_t *other)
{
	uint64_t step = (atomic_fetch_add_explicit(&source->count, 1, memory_order_relaxed) + 1) *
			HERALD_RANDOM_STEP;

	*other = herald_random_bits(source->seeds[1] + step);
	return herald_random_bits(source->seeds[0] + step);
}

static void
write_hex(uint64_t bits, char *out)
{
	for (int i = 0; i < 16; i++)
		out[i] = digits[bits >> (60 - 4 * i) & 15];
}

static void
write_span_id(uint64_t bits, char out[SPAN_ID_DIGITS + 1])
{
	write_hex(bits ? bits : 1, out);
	out[SPAN_ID_DIGITS] = '\0';
}

void
herald__trace_source_init(struct herald__trace_source *source)
{
	source->seeds[0] = herald_random_seed();
	source->seeds[1] = herald_random_seed();
	atomic_init(&source->count, 0);
}

void
herald__trace_begin(struct herald__trace_source *source, struct herald_trace *out)
{
	uint64_t low, high = next_bits(source, &low);
	uint64_t unused, span = next_bits(source, &unused);

	write_hex(high, out->trace_id);
	write_hex(low ? low : 1, out->trace_id + 16);
	out->trace_id[TRACE_ID_DIGITS] = '\0';
	write_span_id(span, out->span_id);
	out->parent_id[0] = '\0';
	out->flags = HERALD_TRACE_RANDOM;
	out->state = "";
}

void
herald__trace_descend(struct herald__trace_source *source, const struct herald_trace *parent,
		      struct herald_trace *out)
{
	uint64_t unused, span = next_bits(source, &unused);
	struct herald_trace child = *parent;

	memcpy(child.parent_id, parent->span_id, sizeof(child.parent_id));
	write_span_id(span, child.span_id);
	*out = child;
}

void
herald_trace_begin(struct herald_trace *out)
{
	struct herald__trace_source source;

	herald__trace_source_init(&source);
	herald__trace_begin(&source, out);
}

void
herald_trace_descend(const struct herald_trace *parent, struct herald_trace *out)
{
	struct herald__trace_source source;

	herald__trace_source_init(&source);
	herald__trace_descend(&source, parent, out);
}

/* traceparent. */

static int
hex_value(char c)
{
	const char *found = c != '\0' ? memchr(digits, c, 16) : NULL;

	return found ? (int)(found - digits) : -1;
}

static bool
is_hex(const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (hex_value(text[i]) < 0)
			return false;
	return true;
}

/* An id: digits that are not all zero. */
static bool
is_id(const char *text, size_t count)
{
	bool is_zero = true;

	for (size_t i = 0; i < count; i++)
		is_zero &= text[i] == '0';
	return !is_zero && is_hex(text, count);
}

/* Its length and its version. */
static bool
has_known_form(const char *text, size_t bytes)
{
	bool is_first = bytes >= 2 && text[0] == '0' && text[1] == '0';

	if (bytes < TRACEPARENT_BYTES || !is_hex(text, 2) || memcmp(text, "ff", 2) == 0)
		return false;
	return bytes == TRACEPARENT_BYTES || (!is_first && text[TRACEPARENT_BYTES] == '-');
}

bool
herald_traceparent_parse(const char *value, size_t bytes, struct herald_trace *out)
{
	const struct herald_text trimmed = herald_http_trimmed(value, bytes);
	const char *text = trimmed.data;

	if (!has_known_form(text, trimmed.bytes) || text[AT_TRACE_ID - 1] != '-' ||
	    text[AT_SPAN_ID - 1] != '-' || text[AT_FLAGS - 1] != '-' ||
	    !is_id(text + AT_TRACE_ID, TRACE_ID_DIGITS) ||
	    !is_id(text + AT_SPAN_ID, SPAN_ID_DIGITS) || !is_hex(text + AT_FLAGS, 2))
		return false;
	memcpy(out->trace_id, text + AT_TRACE_ID, TRACE_ID_DIGITS);
	out->trace_id[TRACE_ID_DIGITS] = '\0';
	memcpy(out->span_id, text + AT_SPAN_ID, SPAN_ID_DIGITS);
	out->span_id[SPAN_ID_DIGITS] = '\0';
	out->parent_id[0] = '\0';
	out->flags = (unsigned)hex_value(text[AT_FLAGS + 1]) &
		     (HERALD_TRACE_SAMPLED | HERALD_TRACE_RANDOM);
	out->state = "";
	return true;
}

void
herald_traceparent_write(const struct herald_trace *trace, char out[HERALD_TRACEPARENT_SIZE])
{
	memcpy(out, "00-", AT_TRACE_ID);
	memcpy(out + AT_TRACE_ID, trace->trace_id, TRACE_ID_DIGITS);
	out[AT_SPAN_ID - 1] = '-';
	memcpy(out + AT_SPAN_ID, trace->span_id, SPAN_ID_DIGITS);
	memcpy(out + AT_FLAGS - 1, "-0", 2);
	out[AT_FLAGS + 1] = digits[trace->flags & (HERALD_TRACE_SAMPLED | HERALD_TRACE_RANDOM)];
	out[TRACEPARENT_BYTES] = '\0';
}

/* tracestate. */

/* Small letters, digits and "_-*@" and '/' (Trace Context level 2, section 3.3.1.3.1). */
static bool
is_key_byte(char c)
{
	return (c >= 'a' && c <= 'z') || herald_ascii_is_digit(c) ||
	       (c != '\0' && strchr("_-*/@", c));
}

/* The length of a key that is followed by '='; 0 if it is not valid. */
static size_t
key_bytes(const char *member, size_t bytes)
{
	size_t count = 0;

	while (count < bytes && is_key_byte(member[count]))
		count++;
	if (count == 0 || count > MAX_KEY_BYTES || count == bytes || member[count] != '=')
		return 0;
	return (member[0] >= 'a' && member[0] <= 'z') || herald_ascii_is_digit(member[0]) ? count
											  : 0;
}

/* Blanks may be in it; those at its end were trimmed. */
static bool
is_value(const char *value, size_t bytes)
{
	if (bytes == 0 || bytes > MAX_VALUE_BYTES)
		return false;
	for (size_t i = 0; i < bytes; i++)
		if (value[i] < ' ' || value[i] > '~' || value[i] == ',' || value[i] == '=')
			return false;
	return true;
}

static bool
is_member(const char *member, size_t bytes)
{
	size_t key = key_bytes(member, bytes);

	return key > 0 && is_value(member + key + 1, bytes - key - 1);
}

static void
add_member(struct herald__tracestate *state, struct herald_text member)
{
	if (member.bytes == 0)
		return;
	if (state->members == HERALD_TRACESTATE_MAX_MEMBERS ||
	    !is_member(member.data, member.bytes)) {
		state->is_bad = true;
		return;
	}
	if (state->members++ > 0)
		state->out[state->bytes++] = ',';
	memcpy(state->out + state->bytes, member.data, member.bytes);
	state->bytes += member.bytes;
}

void
herald__tracestate_add(struct herald__tracestate *state, const char *value)
{
	for (const char *end = value; !state->is_bad; value = end + 1) {
		end = strchrnul(value, ',');
		add_member(state, herald_http_trimmed(value, (size_t)(end - value)));
		if (*end == '\0')
			break;
	}
	if (state->is_bad)
		state->bytes = 0;
	state->out[state->bytes] = '\0';
}

bool
herald_tracestate_join(const char *const *values, size_t count, char *out)
{
	struct herald__tracestate state = {.out = out};

	out[0] = '\0';
	for (size_t i = 0; i < count; i++)
		herald__tracestate_add(&state, values[i]);
	return !state.is_bad;
}

/* Append members of at most `longest` bytes, until one does not fit. Returns whether all did. */
static bool
copy_members(const char *state, size_t longest, char *out, size_t *used)
{
	*used = 0;
	for (const char *end = state; *state != '\0'; state = *end == ',' ? end + 1 : end) {
		size_t comma = *used > 0 ? 1 : 0, bytes;

		end = strchrnul(state, ',');
		bytes = (size_t)(end - state);
		if (bytes > longest)
			continue;
		if (*used + comma + bytes > HERALD__TRACESTATE_SENT_BYTES)
			return false;
		if (comma)
			out[(*used)++] = ',';
		memcpy(out + *used, state, bytes);
		*used += bytes;
	}
	return true;
}

size_t
herald__tracestate_shorten(const char *state, char out[HERALD__TRACESTATE_SENT_BYTES + 1])
{
	size_t used;

	if (!copy_members(state, SIZE_MAX, out, &used))
		(void)copy_members(state, LONG_MEMBER_BYTES, out, &used);
	out[used] = '\0';
	return used;
}
