/*
 * Output that is printed again and again: on a terminal in place, elsewhere one block after the
 * other.
 */
#ifndef HERALD_CMD_SCREEN_H
#define HERALD_CMD_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

enum screen_style {
	SCREEN_PLAIN,
	SCREEN_HEADING,
	SCREEN_BAD, /* a failure, or a problem */
};

struct screen {
	bool is_terminal;
	bool is_coloured; /* also bold */
	size_t columns, rows;
	size_t line; /* of the block that is being printed */
};

/* Of stdout. NO_COLOR is respected, and a terminal that is "dumb" is none. */
void screen_init(struct screen *screen);

/* On a terminal: leave its contents alone until screen_leave(), which brings them back. */
void screen_enter(const struct screen *screen);
void screen_leave(const struct screen *screen);

/* Print a block, line by line. On a terminal, lines are cut at its width, and those below its last
 * line are left out. Texts may have any bytes: control characters are printed as "?". */
void screen_begin(struct screen *screen);
void screen_line(struct screen *screen, enum screen_style style, const char *text);
/* Returns false if it could not be printed. */
bool screen_end(struct screen *screen);

#endif
