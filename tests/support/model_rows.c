/*
 * Rows and tables of the model: memory and places, without any rule of a database.
 */
#include "model_rows.h"

#include <stdlib.h>
#include <string.h>

void *
model_alloc(size_t bytes)
{
	void *memory = calloc(1, bytes ? bytes : 1);

	if (!memory)
		abort();
	return memory;
}

char *
model_copy_text(const char *text)
{
	size_t bytes = strlen(text) + 1;

	return memcpy(model_alloc(bytes), text, bytes);
}

struct model_row *
model_row_create(void)
{
	struct model_row *row = model_alloc(sizeof(*row));

	for (size_t i = 0; i < MODEL_TEXTS; i++)
		row->texts[i] = model_copy_text("");
	row->offset = -1;
	return row;
}

void
model_row_set_text(struct model_row *row, enum model_text which, const char *text)
{
	char *copy = model_copy_text(text);

	free(row->texts[which]);
	row->texts[which] = copy;
}

void
model_row_set_bytes(struct herald_text *bytes, struct herald_text from)
{
	char *copy = model_alloc(from.bytes + 1);

	if (from.bytes > 0)
		memcpy(copy, from.data, from.bytes);
	free((char *)bytes->data);
	*bytes = (struct herald_text){copy, from.bytes};
}

struct model_row *
model_row_copy(const struct model_row *row)
{
	struct model_row *copy = model_alloc(sizeof(*copy));

	*copy = *row;
	copy->uses = 0;
	for (size_t i = 0; i < MODEL_TEXTS; i++)
		copy->texts[i] = model_copy_text(row->texts[i]);
	copy->attributes = copy->data = (struct herald_text){0};
	model_row_set_bytes(&copy->attributes, row->attributes);
	model_row_set_bytes(&copy->data, row->data);
	return copy;
}

void
model_row_free(struct model_row *row)
{
	for (size_t i = 0; i < MODEL_TEXTS; i++)
		free(row->texts[i]);
	free((char *)row->attributes.data);
	free((char *)row->data.data);
	free(row);
}

static void
row_release(struct model_row *row)
{
	if (--row->uses == 0)
		model_row_free(row);
}

static void *
copy_array(const void *from, size_t count, size_t size)
{
	void *copy = model_alloc(count * size);

	if (count > 0)
		memcpy(copy, from, count * size);
	return copy;
}

void
model_tables_copy(struct model_tables *to, const struct model_tables *from)
{
	*to = *from;
	for (size_t i = 0; i < from->rows_count; i++)
		from->rows[i]->uses++; /* both have them now */
	to->rows = copy_array(from->rows, from->rows_count, sizeof(from->rows[0]));
	for (size_t i = 0; i < 2; i++)
		to->seen[i].keys =
			copy_array(from->seen[i].keys, from->seen[i].count, HERALD_SEEN_KEY_BYTES);
	to->effects = copy_array(from->effects, from->effects_count, sizeof(from->effects[0]));
}

void
model_tables_finish(struct model_tables *tables)
{
	for (size_t i = 0; i < tables->rows_count; i++)
		row_release(tables->rows[i]);
	free(tables->rows);
	for (size_t i = 0; i < 2; i++)
		free(tables->seen[i].keys);
	free(tables->effects);
	*tables = (struct model_tables){0};
}

/* The place of the first row whose id is not less. */
static size_t
place(const struct model_tables *tables, uint64_t id)
{
	size_t low = 0;
	size_t high = tables->rows_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tables->rows[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(const struct model_tables *tables, size_t at, uint64_t id)
{
	return at < tables->rows_count && tables->rows[at]->id == id;
}

const struct model_row *
model_tables_find(const struct model_tables *tables, uint64_t id)
{
	size_t at = place(tables, id);

	return is_at(tables, at, id) ? tables->rows[at] : NULL;
}

static void *
grown(void *array, size_t bytes)
{
	void *memory = realloc(array, bytes);

	if (!memory)
		abort();
	return memory;
}

void
model_tables_put(struct model_tables *tables, struct model_row *row)
{
	size_t at = place(tables, row->id);

	row->uses++;
	if (is_at(tables, at, row->id)) {
		row_release(tables->rows[at]);
	} else {
		tables->rows =
			grown(tables->rows, (tables->rows_count + 1) * sizeof(tables->rows[0]));
		memmove(tables->rows + at + 1, tables->rows + at,
			(tables->rows_count - at) * sizeof(tables->rows[0]));
		tables->rows_count++;
	}
	tables->rows[at] = row;
}

void
model_tables_remove(struct model_tables *tables, uint64_t id)
{
	size_t at = place(tables, id);

	if (!is_at(tables, at, id))
		abort();
	row_release(tables->rows[at]);
	tables->rows_count--;
	memmove(tables->rows + at, tables->rows + at + 1,
		(tables->rows_count - at) * sizeof(tables->rows[0]));
}

static bool
has_key(const struct model_keys *keys, const unsigned char *key)
{
	for (size_t i = 0; i < keys->count; i++)
		if (memcmp(keys->keys[i], key, HERALD_SEEN_KEY_BYTES) == 0)
			return true;
	return false;
}

bool
model_tables_see(struct model_tables *tables, const unsigned char *key)
{
	struct model_keys *current = &tables->seen[0];

	if (has_key(current, key) || has_key(&tables->seen[1], key))
		return true;
	current->keys = grown(current->keys, (current->count + 1) * HERALD_SEEN_KEY_BYTES);
	memcpy(current->keys[current->count++], key, HERALD_SEEN_KEY_BYTES);
	return false;
}

void
model_tables_rotate(struct model_tables *tables, int64_t now_ms, int64_t window_ms)
{
	if (tables->rotated_ms == 0)
		tables->rotated_ms = now_ms;
	if (now_ms - tables->rotated_ms < window_ms)
		return;
	free(tables->seen[1].keys);
	tables->seen[1] = tables->seen[0];
	tables->seen[0] = (struct model_keys){0};
	tables->rotated_ms = now_ms;
}

void
model_tables_add_effect(struct model_tables *tables, uint64_t number)
{
	tables->effects =
		grown(tables->effects, (tables->effects_count + 1) * sizeof(tables->effects[0]));
	tables->effects[tables->effects_count++] = number;
}
