/*
 * The files of the page: found by their names. tools/embed writes them as C, from the folder page/.
 */
#include "admin/page.h"

#include <string.h>

#include <herald/array.h>

#include "admin/page_files.h"

static const struct herald__page_file files[] = {
	{"", "text/html; charset=utf-8", {page_html, sizeof(page_html)}},
	{"page.css", "text/css; charset=utf-8", {page_css, sizeof(page_css)}},
	{"page.js", "text/javascript; charset=utf-8", {page_js, sizeof(page_js)}},
	{"icon.svg", "image/svg+xml", {icon_svg, sizeof(icon_svg)}},
};

const struct herald__page_file *
herald__page_find(const char *name)
{
	for (size_t i = 0; i < HERALD_COUNT(files); i++)
		if (strcmp(files[i].name, name) == 0)
			return &files[i];
	return NULL;
}
