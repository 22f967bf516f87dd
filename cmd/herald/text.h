/*
 * Text from senders: which of its bytes can be printed.
 */
#ifndef HERALD_CMD_TEXT_H
#define HERALD_CMD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <herald/value.h>

/* Print text without control characters, which a terminal would obey, and invalid UTF-8: "?" for
 * each. */
void text_print_safe(FILE *out, struct herald_text text);

/* The same, but ends of lines and tabs are kept. */
void text_print_lines(FILE *out, struct herald_text text);

/* Print valid JSON as it is, but with the control characters escaped that it allows in strings. */
void text_print_json(FILE *out, struct herald_text json);

/* How many bytes of a text text_print_safe() prints in at most `columns` columns of a terminal.
 * Sets *used to the columns that they take; if a width is not certain, the larger one. */
size_t text_cut(struct herald_text text, size_t columns, size_t *used);

bool text_is_utf8(struct herald_text text);

/* A text of a C string; missing if it is NULL. */
struct herald_text text_of(const char *string);

/* Flush stdout. Returns false if something could not be written, after saying so. */
bool tool_flush(void);

#endif
