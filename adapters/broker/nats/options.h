/*
 * Options of the subscriber.
 */
#ifndef HERALD_NATS_OPTIONS_H
#define HERALD_NATS_OPTIONS_H

#include "subscriber.h"

/* Check the options and set defaults. Texts are not copied. */
enum herald_status
herald__nats_options_read(const struct herald_nats_subscriber_options *given,
			  struct herald_nats_subscriber_options *out, struct herald_error *error);

/* None of the two files, or both. */
enum herald_status
herald__nats_options_check_files(const char *certificate_file, const char *key_file,
				 struct herald_error *error);

/* Copy the texts to the arena, and make those that have a default. Returns false if out of
 * memory. */
bool herald__nats_options_copy(struct nats *nats);

/* The rule that follows from another option. */
enum herald_status
herald__nats_options_check_subjects(const struct nats *nats, struct herald_error *error);

#endif
