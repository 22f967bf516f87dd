/*
 * Transactions: begin, commit, and finding out what a commit did whose answer was lost.
 */
#ifndef HERALD_POSTGRES_TRANSACTION_H
#define HERALD_POSTGRES_TRANSACTION_H

#include "database.h"

/* As the functions of herald_database_ops with these names. */
enum herald_status herald__postgres_begin(struct herald_session *base, struct herald_error *error);
enum herald_status herald__postgres_commit(struct herald_session *base, struct herald_error *error);
void herald__postgres_rollback(struct herald_session *base);
enum herald_status
herald__postgres_savepoint(struct herald_session *base, struct herald_error *error);
enum herald_status
herald__postgres_savepoint_release(struct herald_session *base, struct herald_error *error);
enum herald_status
herald__postgres_savepoint_rollback(struct herald_session *base, struct herald_error *error);

bool herald__postgres_repeats(const struct herald_session *base);

/* Whether a transaction is open. */
bool herald__postgres_is_open(const struct postgres_session *session);

/* As herald__postgres_run() if a transaction is open, else as herald__postgres_run_alone(). */
enum herald_status
herald__postgres_read(struct postgres_session *session, enum postgres_statement statement,
		      PGresult **out, struct herald_error *error);

/* The transaction makes a row READY that is due at due_ms. */
void herald__postgres_event_ready(struct postgres_session *session, int64_t due_ms);
void herald__postgres_delivery_ready(struct postgres_session *session, int64_t due_ms);

/* What the functions above said is visible to others now, or was undone. */
void herald__postgres_publish_ready(struct postgres_session *session);
void herald__postgres_forget_ready(struct postgres_session *session);

#endif
