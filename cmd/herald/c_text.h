/*
 * Text of C programs: comments, strings, lines of up to 100 columns.
 */
#ifndef HERALD_CMD_C_TEXT_H
#define HERALD_CMD_C_TEXT_H

#include <stddef.h>

#include <herald/buffer.h>
#include <herald/export.h>
#include <herald/value.h>

#include "tool_memory.h"

/* Columns of a line; a tab has 8. */
#define C_COLUMNS 100
/* Of a string literal, which C11 needs to allow (section 5.2.4.1). */
#define C_LITERAL_BYTES 4095

/* Append text. If there is no memory left, a message is printed and the process ends. */
HERALD_PRINTF(2, 3) void c_put(struct herald_buffer *out, const char *format, ...);

/*
 * Append a comment of paragraphs (const char *), with tabs before it: on one line if it fits. No
 * text can end the comment.
 */
void c_put_comment(struct herald_buffer *out, size_t tabs, const struct memory_list *paragraphs);

/* A string literal of a text: what is not ASCII or could be mistaken is escaped. */
char *c_string(struct herald_arena *arena, struct herald_text text);

/* The same for code in a comment: it has neither the begin nor the end of one. */
char *c_string_in_comment(struct herald_arena *arena, struct herald_text text);

/* The first sentence of a text, on one line; cut at about 200 bytes. */
char *c_sentence(struct herald_arena *arena, const char *text);

/* The columns of a line without newlines. */
size_t c_columns(const char *text);

/*
 * Append "BEFORE(word, word, ...)AFTER", which is wrapped before words.
 *
 * tabs   before the first line; later lines have one more.
 * words  const char *.
 */
void c_put_call(struct herald_buffer *out, size_t tabs, const char *before,
		const struct memory_list *words, const char *after);

#endif
