/*
 * Prints samples of `herald top`.
 */
#ifndef HERALD_CMD_TOP_PRINT_H
#define HERALD_CMD_TOP_PRINT_H

#include "screen.h"
#include "top_sample.h"

/* What is printed. */
struct top_view {
	const struct top_sample *from; /* NULL: there are no rates yet */
	const struct top_sample *to;
	struct herald_arena *arena; /* for what is printed */
	const char *page;           /* the address of the service */
	const char *problem;        /* why there is no newer sample; NULL: it is new */
};

/* As tables for people. Returns false if it could not be printed. */
bool top_print(struct screen *screen, const struct top_view *view);

/* As one JSON object on a line. view->from must be there. */
bool top_print_json(const struct top_view *view);

#endif
