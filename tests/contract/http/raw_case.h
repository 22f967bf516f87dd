/*
 * The raw requests of tests/data/http_cases.jsonl: one JSON object a line.
 *
 *	name       of the case, for deviations
 *	request    a list of strings, in which U+0000 to U+00FF are bytes, and of
 *	           {"repeat", "times"}
 *	continued  likewise; sent when a 100 has come. Missing: nothing
 *	status     the first answer's is one of these; a connection that is closed without an answer
 *	           counts as 400 where 400 is allowed
 *	responses  how many answers come in all, interim ones aside; null: any number
 *	closed     whether the server closes the connection then; null: either
 *	events     how many events there are in the request, however it is read: no more may run
 *	ref, note  the section of RFC 9110 or 9112; what to mind
 */
#ifndef HERALD_TESTS_CONTRACT_HTTP_RAW_CASE_H
#define HERALD_TESTS_CONTRACT_HTTP_RAW_CASE_H

#include <stdbool.h>
#include <stddef.h>

#define RAW_MAX_STATUSES 4
#define RAW_ANY_NUMBER SIZE_MAX

enum raw_end { RAW_OPEN, RAW_CLOSED, RAW_EITHER };

struct raw_case {
	char name[64];
	char *request;
	size_t request_bytes;
	char *continued; /* NULL: nothing */
	size_t continued_bytes;
	unsigned statuses[RAW_MAX_STATUSES];
	size_t statuses_count;
	size_t responses; /* or RAW_ANY_NUMBER */
	enum raw_end end;
	unsigned events;
};

/* All cases; fails the test when the file cannot be read. The caller frees them. */
void raw_cases_load(const char *path, struct raw_case **out, size_t *count);
void raw_cases_free(struct raw_case *cases, size_t count);

/* Whether the first response may have this status. */
bool raw_case_allows(const struct raw_case *from, unsigned status);

#endif
