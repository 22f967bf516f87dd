/*
 * The singular of English words, for names of elements: "lines" are of struct line. What is in no
 * list and follows no rule remains as it is.
 */
#include <string.h>

#include <herald/array.h>

#include "c_model.h"

/* Words that the rules would change wrongly. */
static const char *const unchanged[] = {
	"alias",      "always", "analytics", "atlas", "aws",     "bias",  "canvas", "chaos",
	"cors",       "css",    "dns",       "gas",   "goods",   "gps",   "gross",  "has",
	"https",      "ios",    "its",       "kudos", "lens",    "means", "news",   "postgres",
	"kubernetes", "sms",    "series",    "sos",   "species", "tls",   "was",    "yes",
};

/* Words that follow no rule. */
static const struct {
	const char *plural, *singular;
} others[] = {
	{"aliases", "alias"},
	{"analyses", "analysis"},
	{"apis", "api"},
	{"appendices", "appendix"},
	{"atlases", "atlas"},
	{"axes", "axis"},
	{"biases", "bias"},
	{"caches", "cache"},
	{"canvases", "canvas"},
	{"children", "child"},
	{"cookies", "cookie"},
	{"cpus", "cpu"},
	{"crises", "crisis"},
	{"criteria", "criterion"},
	{"diagnoses", "diagnosis"},
	{"emojis", "emoji"},
	{"excuses", "excuse"},
	{"feet", "foot"},
	{"fuses", "fuse"},
	{"gases", "gas"},
	{"gpus", "gpu"},
	{"halves", "half"},
	{"heroes", "hero"},
	{"indices", "index"},
	{"knives", "knife"},
	{"kpis", "kpi"},
	{"leaves", "leaf"},
	{"lenses", "lens"},
	{"lives", "life"},
	{"matrices", "matrix"},
	{"men", "man"},
	{"menus", "menu"},
	{"mice", "mouse"},
	{"movies", "movie"},
	{"people", "person"},
	{"potatoes", "potato"},
	{"quizzes", "quiz"},
	{"reuses", "reuse"},
	{"shelves", "shelf"},
	{"skus", "sku"},
	{"taxis", "taxi"},
	{"teeth", "tooth"},
	{"theses", "thesis"},
	{"uris", "uri"},
	{"uses", "use"},
	{"vertices", "vertex"},
	{"wikis", "wiki"},
	{"wives", "wife"},
	{"women", "woman"},
	{"zombies", "zombie"},
};

/* Endings, of which the first that fits counts, and how many letters come before it at least. */
static const struct {
	const char *plural, *singular;
	size_t letters;
} rules[] = {
	{"ies", "y", 2},   {"sses", "ss", 1},    {"xes", "x", 1},      {"ches", "ch", 1},
	{"shes", "sh", 1}, {"ouses", "ouse", 1}, {"auses", "ause", 1}, {"uses", "us", 1},
	{"ss", "ss", 0},   {"us", "us", 0},      {"is", "is", 0},      {"s", "", 2},
};

static const char *
singular_of(const char *word)
{
	for (size_t i = 0; i < HERALD_COUNT(unchanged); i++)
		if (strcmp(unchanged[i], word) == 0)
			return word;
	for (size_t i = 0; i < HERALD_COUNT(others); i++)
		if (strcmp(others[i].plural, word) == 0)
			return others[i].singular;
	return NULL;
}

char *
c_name_singular(struct herald_arena *arena, const char *name)
{
	const char *underscore = strrchr(name, '_');
	const char *word = underscore ? underscore + 1 : name;
	const char *known = singular_of(word);
	size_t bytes = strlen(name), word_bytes = strlen(word);

	if (known)
		return memory_print(arena, "%.*s%s", (int)(word - name), name, known);
	for (size_t i = 0; i < HERALD_COUNT(rules); i++) {
		size_t end = strlen(rules[i].plural);

		if (word_bytes < end + rules[i].letters ||
		    strcmp(name + bytes - end, rules[i].plural) != 0)
			continue;
		return memory_print(arena, "%.*s%s", (int)(bytes - end), name, rules[i].singular);
	}
	return memory_copy(arena, name, bytes);
}
