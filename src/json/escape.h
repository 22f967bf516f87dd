/*
 * Escaping the text of a JSON string. Private. Whether it is UTF-8 is for the caller to check.
 */
#ifndef HERALD_SRC_JSON_ESCAPE_H
#define HERALD_SRC_JSON_ESCAPE_H

#include <stddef.h>

/* The longest escape, such as that of byte 0x1F. */
#define HERALD__ESCAPE_BYTES 6

/* The escape for a quote, a backslash or a control character. Writes eight bytes; returns how many
 * count. */
size_t herald__write_escape(char byte, char *out);

/*
 * Copy the text from *at on, escaped, as far as there is room for the worst that it can become; *at
 * moves to what is left, which has to be copied with a look at the room for every piece. The bytes from
 * the returned place up to `room_end` are no longer what they were.
 */
char *herald__copy_escaped(char *out, const char *room_end, const char **at, const char *end);

#endif
