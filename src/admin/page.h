/*
 * The files of the page, which the build puts into the library. Private.
 */
#ifndef HERALD_SRC_ADMIN_PAGE_H
#define HERALD_SRC_ADMIN_PAGE_H

#include <herald/value.h>

struct herald__page_file {
	const char *name; /* "page.css"; "" for the page itself */
	const char *content_type;
	struct herald_text data;
};

/* NULL: there is no such file. */
const struct herald__page_file *herald__page_find(const char *name);

#endif
