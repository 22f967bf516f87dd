/*
 * The reader of dead letters and what it has read, for its parts.
 */
#ifndef HERALD_NATS_DEAD_MESSAGE_H
#define HERALD_NATS_DEAD_MESSAGE_H

#include <herald/adapter/dead_letters.h>

#include "requests.h"

struct nats_dead_letters {
	struct herald_dead_letters base;
	struct nats nats; /* options, and their texts */
	struct nats_requests requests;
	char place[280];      /* for base */
	char stream[256];     /* of dead letters; "": there is none */
	uint64_t next, last;  /* sequence numbers; the last one that was there at open() */
	size_t average_bytes; /* of a message; 0: unknown */
};

struct nats_dead_message {
	struct herald_dead_message base;
	uint64_t sequence;
	uint64_t asked; /* the number of a request */
	char id[24];
	size_t bytes; /* of this struct, with what follows: headers and data */
};

static inline struct nats_dead_letters *
nats_dead_letters_of(struct herald_dead_letters *letters)
{
	return (struct nats_dead_letters *)letters;
}

static inline struct nats_dead_message *
nats_dead_message_of(struct herald_dead_message *message)
{
	return (struct nats_dead_message *)message;
}

#endif
