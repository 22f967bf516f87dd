/*
 * Reads a chunked body by a table of states, byte by byte except for the data. The data is borrowed
 * from the received bytes. Extensions and trailers are checked and dropped.
 */
#include "http/server/chunks.h"

#include <herald/adapter/http.h>
#include <herald/adapter/text.h>

/* Leading zeros count as digits: no valid size needs more. */
#define MAX_SIZE_DIGITS 15

/* What a byte means in the grammar. */
enum byte_class {
	CONTROL, /* not allowed anywhere */
	HEX,     /* a hexadecimal digit; also allowed in a token */
	TOKEN,   /* other bytes of tokens */
	TEXT,    /* other bytes of quoted strings and values */
	BLANK,
	CR,
	LF,
	SEMICOLON,
	EQUALS,
	COLON,
	QUOTE,
	BACKSLASH,
	BYTE_CLASSES,
};

static enum byte_class
class_of(char byte)
{
	switch (byte) {
	case ' ':
	case '\t':
		return BLANK;
	case '\r':
		return CR;
	case '\n':
		return LF;
	case ';':
		return SEMICOLON;
	case '=':
		return EQUALS;
	case ':':
		return COLON;
	case '"':
		return QUOTE;
	case '\\':
		return BACKSLASH;
	default:
		break;
	}
	if (herald_ascii_is_hex_digit(byte))
		return HEX;
	if (herald_http_is_token_byte(byte))
		return TOKEN;
	return herald_http_value_bytes(&byte, 1) == 1 ? TEXT : CONTROL;
}

/* Entries of a row. */
#define TOKENS(NEXT) [HEX] = (NEXT), [TOKEN] = (NEXT)
/* All text but the two that end or escape in a quoted string. */
#define TEXTS(NEXT)                                                                                \
	TOKENS(NEXT), [TEXT] = (NEXT), [BLANK] = (NEXT), [SEMICOLON] = (NEXT), [EQUALS] = (NEXT),  \
		      [COLON] = (NEXT)
/* What may follow a size or an extension. */
#define ELEMENT_END [CR] = HERALD__CHUNK_SIZE_LF, [SEMICOLON] = HERALD__EXTENSION_NAME_START

/* The state after a byte that is not data; HERALD__CHUNKS_BAD, which is 0, if it is not allowed. */
static const uint8_t next_states[][BYTE_CLASSES] = {
	[HERALD__CHUNK_SIZE] = {[HEX] = HERALD__CHUNK_SIZE_DIGITS},
	[HERALD__CHUNK_SIZE_DIGITS] =
		{[HEX] = HERALD__CHUNK_SIZE_DIGITS, [BLANK] = HERALD__EXTENSION, ELEMENT_END},
	[HERALD__CHUNK_SIZE_LF] = {[LF] = HERALD__CHUNK_DATA},
	[HERALD__CHUNK_DATA_CR] = {[CR] = HERALD__CHUNK_DATA_LF},
	[HERALD__CHUNK_DATA_LF] = {[LF] = HERALD__CHUNK_SIZE},

	[HERALD__EXTENSION] =
		{[BLANK] = HERALD__EXTENSION, [SEMICOLON] = HERALD__EXTENSION_NAME_START},
	[HERALD__EXTENSION_NAME_START] = {[BLANK] = HERALD__EXTENSION_NAME_START,
					  TOKENS(HERALD__EXTENSION_NAME)},
	[HERALD__EXTENSION_NAME] =
		{TOKENS(HERALD__EXTENSION_NAME), [BLANK] = HERALD__EXTENSION_NAME_END,
		 [EQUALS] = HERALD__EXTENSION_VALUE_START, ELEMENT_END},
	[HERALD__EXTENSION_NAME_END] = {[BLANK] = HERALD__EXTENSION_NAME_END,
					[EQUALS] = HERALD__EXTENSION_VALUE_START,
					[SEMICOLON] = HERALD__EXTENSION_NAME_START},
	[HERALD__EXTENSION_VALUE_START] = {[BLANK] = HERALD__EXTENSION_VALUE_START,
					   TOKENS(HERALD__EXTENSION_TOKEN),
					   [QUOTE] = HERALD__EXTENSION_QUOTED},
	[HERALD__EXTENSION_TOKEN] = {TOKENS(HERALD__EXTENSION_TOKEN), [BLANK] = HERALD__EXTENSION,
				     ELEMENT_END},
	[HERALD__EXTENSION_QUOTED] =
		{TEXTS(HERALD__EXTENSION_QUOTED), [QUOTE] = HERALD__EXTENSION_QUOTED_END,
		 [BACKSLASH] = HERALD__EXTENSION_ESCAPE},
	[HERALD__EXTENSION_ESCAPE] =
		{TEXTS(HERALD__EXTENSION_QUOTED), [QUOTE] = HERALD__EXTENSION_QUOTED,
		 [BACKSLASH] = HERALD__EXTENSION_QUOTED},
	[HERALD__EXTENSION_QUOTED_END] = {[BLANK] = HERALD__EXTENSION, ELEMENT_END},

	[HERALD__TRAILER] = {TOKENS(HERALD__TRAILER_NAME), [CR] = HERALD__CHUNKS_LF},
	[HERALD__TRAILER_NAME] = {TOKENS(HERALD__TRAILER_NAME), [COLON] = HERALD__TRAILER_VALUE},
	[HERALD__TRAILER_VALUE] = {TEXTS(HERALD__TRAILER_VALUE), [QUOTE] = HERALD__TRAILER_VALUE,
				   [BACKSLASH] = HERALD__TRAILER_VALUE, [CR] = HERALD__TRAILER_LF},
	[HERALD__TRAILER_LF] = {[LF] = HERALD__TRAILER},
	[HERALD__CHUNKS_LF] = {[LF] = HERALD__CHUNKS_END},
};

static void
add_digit(struct herald__chunks *chunks, char digit)
{
	unsigned value = herald_ascii_is_digit(digit)
				 ? (unsigned)(digit - '0')
				 : (unsigned)(herald_ascii_lower(digit) - 'a' + 10);

	chunks->left_bytes = chunks->left_bytes << 4 | value;
	if (++chunks->digits_count > MAX_SIZE_DIGITS)
		chunks->state = HERALD__CHUNKS_BAD;
}

/* The line of the size has ended. */
static void
begin_data(struct herald__chunks *chunks)
{
	chunks->digits_count = 0;
	if (chunks->left_bytes == 0)
		chunks->state = HERALD__TRAILER;
}

/* Whether bytes in this state are dropped. */
static bool
is_dropped(enum herald__chunks_state state)
{
	return state >= HERALD__EXTENSION && state <= HERALD__TRAILER_VALUE;
}

static void
read_byte(struct herald__chunks *chunks, char byte)
{
	chunks->state = (enum herald__chunks_state)next_states[chunks->state][class_of(byte)];
	if (chunks->state == HERALD__CHUNK_SIZE_DIGITS)
		add_digit(chunks, byte);
	else if (chunks->state == HERALD__CHUNK_DATA)
		begin_data(chunks);
	if (is_dropped(chunks->state) && ++chunks->dropped_bytes > HERALD__MAX_DROPPED_BYTES)
		chunks->state = HERALD__CHUNKS_BAD;
}

size_t
herald__chunks_read(struct herald__chunks *chunks, const char *data, size_t bytes,
		    struct herald_text *piece)
{
	size_t at = 0;

	*piece = (struct herald_text){0};
	while (at < bytes && herald__chunks_go_on(chunks)) {
		if (chunks->state != HERALD__CHUNK_DATA) {
			read_byte(chunks, data[at++]);
			continue;
		}
		size_t left = bytes - at;
		if (left > chunks->left_bytes)
			left = (size_t)chunks->left_bytes;
		*piece = (struct herald_text){data + at, left};
		chunks->left_bytes -= left;
		if (chunks->left_bytes == 0)
			chunks->state = HERALD__CHUNK_DATA_CR;
		return at + left;
	}
	return at;
}
