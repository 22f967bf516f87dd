/*
 * What `herald store` prints: for people, or as one JSON object a line.
 */
#ifndef HERALD_CMD_OUTPUT_H
#define HERALD_CMD_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include <herald/store.h>

/* Each prints to stdout. Returns false if it could not, or there was no memory. */

bool print_count(const struct herald_count *count, bool is_json);
bool print_finding(const struct herald_finding *finding, bool is_json);
/* One line of a list. */
bool print_letter(const struct herald_dead_letter *letter, bool is_json);
/* Everything, with its data. */
bool print_whole_letter(const struct herald_dead_letter *letter, bool is_json);
/* The result of a bulk operation, such as "replayed". */
bool print_done(const char *verb, uint64_t count, bool is_dry_run, bool is_json);

/* The headings of the lists for people. */
void print_count_heading(void);
void print_letter_heading(void);

#endif
