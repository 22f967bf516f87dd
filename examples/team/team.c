/*
 * The schemas of two structs that contain each other, and a function that takes one of them.
 */
#include "team.h"

HERALD_SCHEMA_DEFINE(person,
	HERALD_FIELD(person, name, .required = true),
	HERALD_POINTER(person, leads, team));

HERALD_SCHEMA_DEFINE(team,
	HERALD_FIELD(team, name, .required = true),
	HERALD_LIST(team, members, person));

static size_t
count_people(const struct team *team)
{
	size_t count = team->members_count;

	for (size_t i = 0; i < team->members_count; i++)
		if (team->members[i].leads)
			count += count_people(team->members[i].leads);
	return count;
}

enum herald_verdict
on_team(struct herald_context *ctx, const struct team *team, struct directory *directory)
{
	if (team->members_count == 0)
		return herald_fail(ctx, "team %s has no members", team->name);
	directory->people += count_people(team);
	return HERALD_DONE;
}
