/*
 * The path of a value in valid raw JSON: walks over the text once more, after an error.
 */
#include "json/reader/inside_path.h"

#include <herald/json.h>

#include "json/reader/reader.h"
#include "json/reader/skipped_path.h"

/* A step on the way to a value. */
struct step {
	struct herald_json name; /* data NULL: an element */
	size_t index;
};

/* Go from a value to its member or element that has `at` in its text. */
static bool
step_inside(struct herald_json *value, const char *at, struct step *out)
{
	struct herald_json_walk walk;

	herald_json_walk_init(&walk, value);
	while (herald_json_walk_next(&walk)) {
		if (at < walk.value.data)
			return false;
		if (at >= walk.value.data + walk.value.bytes)
			continue;
		*out = (struct step){walk.name, walk.index};
		*value = walk.value;
		return true;
	}
	return false;
}

void
herald__trace_inside(struct herald__trace *trace, const struct herald_json *outer, const char *at)
{
	struct step steps[HERALD__MAX_DEPTH];
	struct herald_json value = *outer;
	size_t count = 0;

	while (count < HERALD__MAX_DEPTH && value.data < at &&
	       step_inside(&value, at, &steps[count]))
		count++;
	while (count-- > 0) {
		const struct step *step = &steps[count];

		if (step->name.data)
			herald__trace_raw_key(trace, step->name.data + 1, step->name.bytes - 2);
		else
			herald__trace_index(trace, step->index);
	}
}
