/*
 * Output in place. Owns the escape sequences (ECMA-48, and xterm's for the alternate screen), which
 * all terminals of today know.
 */
#include "screen.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "text.h"

#define ENTER "\x1b[?1049h\x1b[?25l" /* the other screen, without a cursor */
#define LEAVE "\x1b[?25h\x1b[?1049l"
#define HOME "\x1b[H"
#define ERASE_LINE "\x1b[K"
#define ERASE_BELOW "\x1b[J"
#define BOLD "\x1b[1m"
#define RED "\x1b[31m"
#define PLAIN "\x1b[0m"

static bool
has_value(const char *name)
{
	const char *value = getenv(name);

	return value && *value != '\0';
}

void
screen_init(struct screen *screen)
{
	const char *terminal = getenv("TERM");

	*screen = (struct screen){
		.is_terminal = isatty(STDOUT_FILENO) && terminal && *terminal != '\0' &&
			       strcmp(terminal, "dumb") != 0,
	};
	screen->is_coloured = screen->is_terminal && !has_value("NO_COLOR");
}

void
screen_enter(const struct screen *screen)
{
	if (screen->is_terminal)
		fputs(ENTER, stdout);
	fflush(stdout);
}

void
screen_leave(const struct screen *screen)
{
	if (screen->is_terminal)
		fputs(LEAVE, stdout);
	fflush(stdout);
}

void
screen_begin(struct screen *screen)
{
	struct winsize size = {.ws_col = 0};

	screen->line = 0;
	screen->columns = screen->rows = SIZE_MAX;
	if (!screen->is_terminal)
		return;
	fputs(HOME, stdout);
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		size.ws_col = size.ws_row = 0;
	screen->columns = size.ws_col > 0 ? size.ws_col : 80;
	screen->rows = size.ws_row > 0 ? size.ws_row : 24;
}

/* The line is erased before it is written: the cursor stays in the last column of a full line. No
 * end of a line follows the last one, which would scroll. */
void
screen_line(struct screen *screen, enum screen_style style, const char *text)
{
	const bool is_styled = screen->is_coloured && style != SCREEN_PLAIN;
	const struct herald_text all = text_of(text);
	size_t columns;

	if (screen->line >= screen->rows)
		return;
	if (screen->is_terminal)
		fputs(screen->line > 0 ? "\n" ERASE_LINE : ERASE_LINE, stdout);
	if (is_styled)
		fputs(style == SCREEN_BAD ? RED : BOLD, stdout);
	text_print_safe(stdout,
			(struct herald_text){all.data, text_cut(all, screen->columns, &columns)});
	if (is_styled)
		fputs(PLAIN, stdout);
	if (!screen->is_terminal)
		putchar('\n');
	screen->line++;
}

bool
screen_end(struct screen *screen)
{
	/* A full last line would lose its last character. */
	if (screen->is_terminal && screen->line < screen->rows)
		fputs("\n" ERASE_BELOW, stdout);
	else if (!screen->is_terminal)
		putchar('\n');
	return fflush(stdout) == 0;
}
