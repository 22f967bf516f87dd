/*
 * What a stream answers to a message.
 */
#ifndef HERALD_NATS_ANSWER_H
#define HERALD_NATS_ANSWER_H

#include <stdbool.h>

#include <nats/nats.h>

struct nats_answer {
	bool is_stored;
	int code;          /* of JetStream's error; 0: none, or unknown */
	char problem[160]; /* not is_stored */
};

void herald__nats_answer_read(natsMsg *msg, struct nats_answer *out);

#endif
