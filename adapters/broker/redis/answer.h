/*
 * Reads the answers of the settler.
 */
#ifndef HERALD_REDIS_ANSWER_H
#define HERALD_REDIS_ANSWER_H

#include "subscriber.h"

/* Take all that have come, and do what they ask for. */
void herald__redis_settler_answers(struct redis_subscriber *subscriber);

#endif
