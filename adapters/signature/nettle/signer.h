/*
 * The functions of a scheme as a signer of deliveries.
 */
#ifndef HERALD_SIGNATURE_SIGNER_H
#define HERALD_SIGNATURE_SIGNER_H

#include <herald/adapter/signer.h>

extern const struct herald_signer_ops herald__signature_signer_ops;

#endif
