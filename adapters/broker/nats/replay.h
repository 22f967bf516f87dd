/*
 * Replay and removal of dead letters, as struct herald_dead_letters_ops has them.
 */
#ifndef HERALD_NATS_REPLAY_H
#define HERALD_NATS_REPLAY_H

#include "dead_message.h"

enum herald_status
herald__nats_replay(struct herald_dead_letters *base, struct herald_dead_message_list *list,
		    const char *target, struct herald_error *error);
enum herald_status
herald__nats_replay_remove(struct herald_dead_letters *base, struct herald_dead_message_list *list,
			   struct herald_error *error);

#endif
