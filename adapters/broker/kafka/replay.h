/*
 * What ends dead letters.
 */
#ifndef HERALD_KAFKA_REPLAY_H
#define HERALD_KAFKA_REPLAY_H

#include "dead_state.h"

/* See struct herald_dead_letters_ops. */
enum herald_status
herald__kafka_dead_replay(struct herald_dead_letters *base, struct herald_dead_message_list *list,
			  const char *target, struct herald_error *error);
enum herald_status
herald__kafka_dead_remove(struct herald_dead_letters *base, struct herald_dead_message_list *list,
			  struct herald_error *error);

/* Send a mark, or take it back. `owner` is the one of its report. */
rd_kafka_resp_err_t herald__kafka_mark_send(struct kafka_dead_letters *letters, const char *name,
					    const char *value, void *owner);
/* Wait for the reports of all that was sent. */
void herald__kafka_dead_await(struct kafka_dead_letters *letters, kafka_report_hook *on_report);

#endif
