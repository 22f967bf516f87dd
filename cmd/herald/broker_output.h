/*
 * What `herald broker` prints of dead letters: for people, or as one JSON object a line.
 */
#ifndef HERALD_CMD_BROKER_OUTPUT_H
#define HERALD_CMD_BROKER_OUTPUT_H

#include <stdbool.h>

#include "broker_letter.h"

void broker_print_heading(void);

/* Each prints to stdout. Returns false if it could not, or there was no memory. */

/* One line of a list. */
bool broker_print_letter(const struct broker_letter *letter, bool is_json);
/* Everything, with its headers and its body. */
bool broker_print_whole_letter(const struct broker_letter *letter, bool is_json);

#endif
