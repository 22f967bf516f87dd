/*
 * Writes one JSON object on one line, member by member: all members are there, also those that are
 * not set. (Herald's encoder omits what is not set.)
 */
#ifndef HERALD_CMD_JSON_LINE_H
#define HERALD_CMD_JSON_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/buffer.h>
#include <herald/value.h>

/* A line that is being written. If out of memory, the rest is ignored; json_line_end() fails. */
struct json_line {
	struct herald_buffer out;
	bool has_members; /* of the innermost object */
	bool has_failed;
};

void json_line_begin(struct json_line *line);

/* Each writes a member. */

/* A string; null if text.data is NULL. Bytes that are not UTF-8 become U+FFFD. All control
 * characters are escaped, also those that JSON allows. */
void json_line_text(struct json_line *line, const char *key, struct herald_text text);
/* The same; null if `text` is NULL. */
void json_line_string(struct json_line *line, const char *key, const char *text);
void json_line_number(struct json_line *line, const char *key, uint64_t number);
/* Valid JSON, without the white space between its tokens, and with its control characters escaped;
 * null if json.data is NULL. */
void json_line_json(struct json_line *line, const char *key, struct herald_text json);
/* A string of base64 (RFC 4648 section 4). */
void json_line_base64(struct json_line *line, const char *key, struct herald_text bytes);
/* An object, until json_line_close(). */
void json_line_open(struct json_line *line, const char *key);
void json_line_close(struct json_line *line);
/* An array of objects, until json_line_list_end(). */
void json_line_list(struct json_line *line, const char *key);
/* An object in it, until json_line_close(). */
void json_line_item(struct json_line *line);
void json_line_list_end(struct json_line *line);

/* End the object, print it to stdout with a newline, and free it. Returns false after a failure. */
bool json_line_end(struct json_line *line);

#endif
