/*
 * What is done is deleted, as far as Kafka can.
 */
#ifndef HERALD_KAFKA_TRIM_H
#define HERALD_KAFKA_TRIM_H

#include "dead_state.h"

/* At the end: delete the letters at the beginning of each partition that are done, and their marks.
 * What fails stays, and is done. */
void herald__kafka_dead_trim(struct kafka_dead_letters *letters);

#endif
