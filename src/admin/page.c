/*
 * The files of the page: found by their names. tools/embed writes them as C, from the folder page/.
 */
#include "admin/page.h"

#include <string.h>

#include <herald/array.h>

#include "admin/page_files.h"

#define SCRIPT "text/javascript; charset=utf-8"

static const struct herald__page_file files[] = {
	{"", "text/html; charset=utf-8", {page_html, sizeof(page_html)}},
	{"page.css", "text/css; charset=utf-8", {page_css, sizeof(page_css)}},
	{"api.js", SCRIPT, {api_js, sizeof(api_js)}},
	{"dom.js", SCRIPT, {dom_js, sizeof(dom_js)}},
	{"letters.js", SCRIPT, {letters_js, sizeof(letters_js)}},
	{"overview.js", SCRIPT, {overview_js, sizeof(overview_js)}},
	{"page.js", SCRIPT, {page_js, sizeof(page_js)}},
	{"queues.js", SCRIPT, {queues_js, sizeof(queues_js)}},
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
