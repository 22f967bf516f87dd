/*
 * Reads files, standard input, and headers written as text.
 */
#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <herald/adapter/text.h>

static bool
read_all(FILE *file, struct herald_buffer *out)
{
	for (;;) {
		if (out->bytes > INPUT_MAX_BYTES) {
			errno = EFBIG;
			return false;
		}
		if (herald_buffer_reserve(out, 65536) != HERALD_OK) {
			errno = ENOMEM;
			return false;
		}
		size_t bytes = fread(out->data + out->bytes, 1, 65535, file);
		if (bytes == 0)
			break;
		out->bytes += bytes;
	}
	out->data[out->bytes] = '\0';
	return !ferror(file);
}

bool
input_read(const char *path, struct herald_buffer *out)
{
	bool is_stdin = strcmp(path, "-") == 0;
	FILE *file = is_stdin ? stdin : fopen(path, "rb");
	bool is_read = file && read_all(file, out);

	if (!is_read)
		fprintf(stderr, "herald: cannot read %s: %s\n", path, herald_errno_text(errno));
	if (file && !is_stdin)
		fclose(file);
	return is_read;
}

bool
input_header(char *line, struct herald_cloudevent_header *out)
{
	char *colon = strchr(line, ':');

	if (!colon || colon == line || strcspn(line, " \t") < (size_t)(colon - line))
		return false;
	*colon = '\0';
	char *value = colon + 1 + strspn(colon + 1, " \t");
	size_t bytes = strlen(value);
	while (bytes > 0 && strchr(" \t\r", value[bytes - 1]))
		bytes--;
	value[bytes] = '\0';
	*out = (struct herald_cloudevent_header){line, value};
	return true;
}

size_t
input_headers(char *text, struct herald_cloudevent_header *out, size_t max, char **body)
{
	size_t count = 0;
	bool is_first = true;

	*body = NULL;
	while (*text != '\0') {
		char *end = strchr(text, '\n'), *next = end ? end + 1 : text + strlen(text);

		if (end)
			*end = '\0';
		if (*text == '\0' || strcmp(text, "\r") == 0) {
			*body = next;
			return count;
		}
		if (count == max || !input_header(text, &out[count])) {
			if (!is_first)
				return max + 1;
		} else {
			count++;
		}
		is_first = false;
		text = next;
	}
	return count;
}
