/*
 * The fake transport keeps the contract of transports, as far as it goes without a network; so what
 * a test of the engine finds with it holds for any transport.
 */
#include "contract/transport/suite.h"
#include "support/fake_transport.h"

/* The contract has one at a time. */
static struct fake_transport fake;

static struct herald_transport *
create(const struct contract_transport_options *options)
{
	(void)options;
	fake_transport_init(&fake, NULL, 0);
	return &fake.base;
}

static const struct contract_transport transport = {.name = "fake", .create = create};

int
main(void)
{
	return contract_transport_main(&transport, NULL, 0);
}
