/*
 * Writing JSON for people: indented, or in one line. For documents that are written once; what is
 * written for every event is encoded by codec/encode.c. Private.
 */
#ifndef HERALD_SRC_JSON_WRITER_INDENTED_H
#define HERALD_SRC_JSON_WRITER_INDENTED_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/buffer.h>
#include <herald/status.h>

/* A document that is being written. Zeroed, with `out` and `indent`, it is empty. */
struct herald__indented {
	struct herald_buffer *out;
	unsigned indent;           /* blanks for each level; 0: one line without blanks */
	enum herald_status status; /* after an error nothing more is written */
	unsigned depth;            /* of open objects and arrays */
	unsigned line_depth;       /* of the outermost open one that is on one line; 0: none */
	bool has_item;             /* the innermost one has a member or an element */
	bool has_key;              /* a key has been written, and its value has not */
};

/* Begin and end an object ('{', '}') or an array. */
void herald__indented_begin(struct herald__indented *json, char bracket);
void herald__indented_end(struct herald__indented *json, char bracket);

/* Begin one that is on one line with all that it contains. */
void herald__indented_begin_line(struct herald__indented *json, char bracket);

/* Write the name of a member; its value is written next. */
void herald__indented_key(struct herald__indented *json, const char *key);

/* Write values. A text is written in quotes, as valid JSON whatever it is; NULL is null. */
void herald__indented_text(struct herald__indented *json, const char *text);
void herald__indented_natural(struct herald__indented *json, uint64_t value);
void herald__indented_integer(struct herald__indented *json, int64_t value);

/* The same for texts that do not end with a NUL. */
void herald__indented_key_bytes(struct herald__indented *json, const char *key, size_t bytes);
void herald__indented_text_bytes(struct herald__indented *json, const char *text, size_t bytes);

/* Write a number, true, false or null as it is. */
void herald__indented_word(struct herald__indented *json, const char *word);

/* Write a text of two parts that need no escapes. */
void herald__indented_joined(struct herald__indented *json, const char *first, const char *second);

/* Write a member whose value is a text. If it is NULL, write nothing. */
void herald__indented_member(struct herald__indented *json, const char *key, const char *text);

#endif
