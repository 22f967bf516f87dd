/*
 * What the model of a database (support/model_database.h) contains: rows, which are never changed
 * once they are in a table, and tables that share them. So a copy of the tables is cheap: it is
 * what a transaction works on, and what a savepoint goes back to. Linear searches everywhere.
 */
#ifndef HERALD_TESTS_SUPPORT_MODEL_ROWS_H
#define HERALD_TESTS_SUPPORT_MODEL_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/adapter/database.h>

enum model_state { MODEL_READY, MODEL_BLOCKED, MODEL_RUNNING, MODEL_DEAD };

enum model_text {
	MODEL_QUEUE,
	MODEL_EVENT_TYPE,
	MODEL_SOURCE,
	MODEL_EVENT_ID,
	MODEL_CONTENT_TYPE,
	MODEL_LAST_ERROR,
	MODEL_REASON,
	MODEL_PATH,
	MODEL_URL, /* deliveries only, likewise below */
	MODEL_ORIGIN,
	MODEL_DELIVERY_ID,
	MODEL_TEXTS,
};

/* An event, a delivery, or a dead letter of either. */
struct model_row {
	unsigned uses; /* tables that it is in */
	uint64_t id;
	bool is_delivery;
	enum model_state state;
	uint64_t owner; /* RUNNING */
	uint64_t key_hash;
	unsigned attempts;
	unsigned interrupted;
	unsigned replays;
	unsigned http_status;
	int64_t created_ms;
	int64_t due_ms;
	bool is_delayed;    /* an event that waits for due_ms */
	int64_t retried_ms; /* when the retry was stored that it waits for; 0: none */
	int64_t expires_ms;
	int64_t dead_ms;
	enum herald_dead_reason why;
	int64_t offset;
	bool is_held; /* a dead letter, for which others with its key wait */
	bool holds_key;
	char *texts[MODEL_TEXTS]; /* never NULL */
	struct herald_text attributes;
	struct herald_text data; /* a delivery's record */
};

/* 16-byte keys of events that were seen. */
struct model_keys {
	unsigned char (*keys)[HERALD_SEEN_KEY_BYTES];
	size_t count;
};

struct model_tables {
	struct model_row **rows; /* ordered by id */
	size_t rows_count;
	struct model_keys seen[2]; /* the current generation, and the older one */
	int64_t rotated_ms;        /* when the current one began; 0: not yet */
	uint64_t *effects;         /* what users' functions have written */
	size_t effects_count;
};

/* Memory of a test: aborts if there is none. */
void *model_alloc(size_t bytes);
char *model_copy_text(const char *text);

/* A row with empty texts, in no table. */
struct model_row *model_row_create(void);
void model_row_free(struct model_row *row);
/* Replace a text or bytes of a row that is in no table. */
void model_row_set_text(struct model_row *row, enum model_text which, const char *text);
void model_row_set_bytes(struct herald_text *bytes, struct herald_text from);

/* `to` is not initialised before. */
void model_tables_copy(struct model_tables *to, const struct model_tables *from);
void model_tables_finish(struct model_tables *tables);

/* NULL if there is none. Borrowed until the tables change. */
const struct model_row *model_tables_find(const struct model_tables *tables, uint64_t id);

/* Put a row, which the table owns from then on, in the place of the one with its id, or in a new
 * place. */
void model_tables_put(struct model_tables *tables, struct model_row *row);
void model_tables_remove(struct model_tables *tables, uint64_t id);

/* A copy of the row, to be changed and put. */
struct model_row *model_row_copy(const struct model_row *row);

/* Whether the key is in one of the generations; adds it to the current one if not. */
bool model_tables_see(struct model_tables *tables, const unsigned char *key);
void model_tables_rotate(struct model_tables *tables, int64_t now_ms, int64_t window_ms);

void model_tables_add_effect(struct model_tables *tables, uint64_t number);

#endif
