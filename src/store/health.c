/*
 * The store's health. A failed store stays failed: the process must be restarted. An unavailable
 * database is tried again, and works again with the first transaction that does.
 */
#include "store/health.h"

#include <herald/adapter/log.h>

#include "store/state.h"

bool
herald__health_init(struct herald__health *health)
{
	atomic_init(&health->status, HERALD_OK);
	return pthread_mutex_init(&health->mutex, NULL) == 0;
}

void
herald__health_finish(struct herald__health *health)
{
	pthread_mutex_destroy(&health->mutex);
}

static void
log_health(const struct herald_store *store, enum herald_log_level level, const char *message,
	   const struct herald_error *error)
{
	const struct herald_log_field fields[] = {
		{"database", store->database->ops->name, 0},
		{"status", error ? herald_status_name(error->status) : "HERALD_OK", 0},
		{"error", error ? error->message : "", 0},
	};

	herald_log_write(&store->settings.log, level, message, fields, error ? 3 : 1);
}

void
herald__health_works(struct herald_store *store)
{
	int before = HERALD_UNAVAILABLE;

	if (atomic_load(&store->health.status) == HERALD_UNAVAILABLE &&
	    atomic_compare_exchange_strong(&store->health.status, &before, HERALD_OK))
		log_health(store, HERALD_LOG_INFO, "store works again", NULL);
}

/* UNAVAILABLE, or for ever STORE_FAILED. Returns whether it was better before. */
static bool
set_status(struct herald__health *health, enum herald_status status,
	   const struct herald_error *error)
{
	pthread_mutex_lock(&health->mutex);
	int before = atomic_load(&health->status);
	bool is_worse = before != HERALD_STORE_FAILED && before != (int)status;
	if (before != HERALD_STORE_FAILED) {
		health->error = *error;
		health->error.status = status;
		atomic_store(&health->status, (int)status);
	}
	pthread_mutex_unlock(&health->mutex);
	return is_worse;
}

void
herald__health_fails(struct herald_store *store, enum herald_status status,
		     const struct herald_error *error)
{
	bool is_final = status == HERALD_STORE_FAILED;
	struct herald_error none;

	if (!error) {
		herald_error_set(&none, status, HERALD_NO_OFFSET, "%s", herald_status_text(status));
		error = &none;
	}
	store->counts.failures++;
	if (!set_status(&store->health, is_final ? HERALD_STORE_FAILED : HERALD_UNAVAILABLE, error))
		return;
	if (is_final)
		log_health(store, HERALD_LOG_ERROR,
			   "store has failed; nothing is stored or run until a restart", error);
	else
		log_health(store, HERALD_LOG_WARNING, "store is unavailable; it tries again",
			   error);
}

void
herald__health_note(struct herald_store *store, enum herald_status status,
		    const struct herald_error *error)
{
	if (status == HERALD_STORE_FAILED)
		herald__health_fails(store, status, error);
	else
		store->counts.failures++;
}

bool
herald__health_has_failed(const struct herald_store *store)
{
	return atomic_load(&store->health.status) == HERALD_STORE_FAILED;
}

enum herald_status
herald__health_get(struct herald_store *store, struct herald_error *error)
{
	enum herald_status status = (enum herald_status)atomic_load(&store->health.status);

	if (status == HERALD_OK || !error)
		return status;
	pthread_mutex_lock(&store->health.mutex);
	*error = store->health.error;
	pthread_mutex_unlock(&store->health.mutex);
	return error->status;
}
