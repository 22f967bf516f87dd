/*
 * The model for the contract of databases. Include cmocka.h (and what it needs) before this header.
 */
#ifndef HERALD_TESTS_SUPPORT_MODEL_KIND_H
#define HERALD_TESTS_SUPPORT_MODEL_KIND_H

#include "contract/store/suite.h"
#include "support/model_database.h"

static void
model_place_destroy(void *place)
{
	model_destroy(place);
}

static struct herald_database *
model_create_database(void *place)
{
	return model_open(place);
}

static void *
model_user_connect(void *place, struct herald_database *database)
{
	(void)place;
	return model_connect(database);
}

static void
model_user_disconnect(void *handle)
{
	model_connection_close(handle);
}

static void
model_user_begin(void *handle)
{
	model_connection_begin(handle);
}

static void
model_user_commit(void *handle)
{
	model_connection_commit(handle);
}

static void
model_user_rollback(void *handle)
{
	model_connection_rollback(handle);
}

static void
model_user_write(void *handle, unsigned number)
{
	assert_true(model_write_effect(handle, number));
}

static unsigned
model_user_count(void *place, unsigned number)
{
	const struct model_tables *tables = model_committed(place);
	unsigned count = 0;

	for (size_t i = 0; i < tables->effects_count; i++)
		count += tables->effects[i] == number;
	return count;
}

static inline struct contract_store
model_kind(const char *name, void *(*place_create)(void))
{
	return (struct contract_store){
		.name = name,
		.place_create = place_create,
		.place_destroy = model_place_destroy,
		.create = model_create_database,
		.connect = model_user_connect,
		.disconnect = model_user_disconnect,
		.begin = model_user_begin,
		.commit = model_user_commit,
		.rollback = model_user_rollback,
		.write = model_user_write,
		.count = model_user_count,
		.is_small = true,
	};
}

#endif
