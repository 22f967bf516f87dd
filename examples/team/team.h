/*
 * A payload and its function, for a program of several files: the structs, their schemas and the
 * function are declared here and defined in team.c.
 */
#ifndef TEAM_H
#define TEAM_H

#include <herald/herald.h>

struct team;

struct person {
	const char *name;
	const struct team *leads; /* NULL: none */
};

struct team {
	const char *name;
	const struct person *members;
	size_t members_count;
};

HERALD_SCHEMA_DECLARE(person);
HERALD_SCHEMA_DECLARE(team);

/* The function's state. */
struct directory {
	size_t people;
};

enum herald_verdict
on_team(struct herald_context *ctx, const struct team *team, struct directory *directory);

#endif
