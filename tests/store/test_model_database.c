/*
 * The model of a database keeps the contract of databases, so that what is tested on it is tested
 * on a database.
 */
#include "contract/store/suite.h"
#include "support/model_database.h"
#include "support/model_kind.h"

static uint64_t secrets;

static void *
place_create(void)
{
	return model_create(&(struct model_options){.has_leases = true, .secret = ++secrets});
}

int
main(void)
{
	static struct contract_store kind;

	kind = model_kind("model_database", place_create);
	return contract_store_main(&kind);
}
