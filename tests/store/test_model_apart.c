/*
 * The contract on another kind of model: claims are transactions of their own, and the system tells
 * of dead processes.
 */
#include "contract/store/suite.h"
#include "support/model_database.h"
#include "support/model_kind.h"

static uint64_t secrets;

static void *
place_create(void)
{
	return model_create(&(struct model_options){.claims_apart = true, .secret = ++secrets});
}

int
main(void)
{
	static struct contract_store kind;

	kind = model_kind("model_apart", place_create);
	return contract_store_main(&kind);
}
