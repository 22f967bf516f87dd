/*
 * The answer to an event, besides its verdict. Private.
 */
#ifndef HERALD_SRC_SERVICE_ANSWER_H
#define HERALD_SRC_SERVICE_ANSWER_H

#include <stdbool.h>

#include <herald/answer.h>
#include <herald/value.h>

/* The answer for an event with this verdict. Status and body only for HERALD_DONE. */
struct herald_answer
herald__answer_of(const struct herald_context *ctx, enum herald_verdict verdict);

/* Whether an answer is empty. */
bool herald__answer_is_empty(const struct herald_answer *answer);

/* The value of a header, ignoring case, or NULL if it is not set. */
const char *herald__answer_header(const struct herald_answer *answer, const char *name);

/* Why a header of an answer cannot have this name, or this value; NULL: it can. */
const char *herald__answer_name_problem(const char *name);
const char *herald__answer_value_problem(struct herald_text value);

#endif
