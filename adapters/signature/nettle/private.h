/*
 * What create, verify, sign and the handler share.
 */
#ifndef HERALD_SIGNATURE_PRIVATE_H
#define HERALD_SIGNATURE_PRIVATE_H

#include <herald/adapter/signer.h>
#include <herald/signature.h>

#include "key_ring.h"
#include "scheme.h"

struct herald_signature {
	struct herald_signer signer; /* first */
	struct herald__scheme scheme;
	struct herald_arena *texts; /* of the scheme */
	struct herald__key_ring ring;
};

#endif
