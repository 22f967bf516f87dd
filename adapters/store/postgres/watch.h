/*
 * Wake-ups between processes: LISTEN and NOTIFY.
 */
#ifndef HERALD_POSTGRES_WATCH_H
#define HERALD_POSTGRES_WATCH_H

#include "database.h"

/* As the functions of herald_database_ops. */
enum herald_status herald__postgres_watch(struct herald_session *base, uint32_t timeout_ms,
					  struct herald_error *error);
void herald__postgres_watch_end(struct herald_session *base);
enum herald_status herald__postgres_notify(struct herald_session *base, struct herald_error *error);
void herald__postgres_tend(struct herald_session *base, int64_t now_ms);

#endif
