/*
 * Reads what a command works on: files, standard input, and headers.
 */
#ifndef HERALD_CMD_INPUT_H
#define HERALD_CMD_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include <herald/buffer.h>
#include <herald/cloudevent.h>

#define INPUT_MAX_BYTES (256u << 20)

/* Append the contents of a file, "-" for standard input, and a NUL that does not count. Prints to
 * stderr why it failed. */
bool input_read(const char *path, struct herald_buffer *out);

/* Split "Name: value" in place. Returns false if it is not a header. */
bool input_header(char *line, struct herald_cloudevent_header *out);

/*
 * Split the lines of headers at the beginning of a text, in place, up to an empty line or the end.
 * A first line that is not a header, such as "POST / HTTP/1.1", is skipped.
 *
 * body     set to what follows the empty line; NULL if there is none.
 * Returns  the number of headers; `max` + 1 if there are more, or a line is not a header.
 */
size_t input_headers(char *text, struct herald_cloudevent_header *out, size_t max, char **body);

#endif
