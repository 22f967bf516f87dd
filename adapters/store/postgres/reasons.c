/*
 * The reasons of dead letters. Owns nothing.
 */
#include "reasons.h"

#include <string.h>

static const char *const names[] = {[HERALD_DEAD_ANY] = "any",
#define NAME(name, text) [HERALD_DEAD_##name] = (text),
				    HERALD_DEAD_REASON_LIST(NAME)
#undef NAME
};

const char *
herald__postgres_reason_name(enum herald_dead_reason reason)
{
	return reason < HERALD_DEAD_REASON_COUNT ? names[reason] : "any";
}

enum herald_dead_reason
herald__postgres_reason(const char *name)
{
	for (int reason = 0; reason < HERALD_DEAD_REASON_COUNT; reason++)
		if (strcmp(names[reason], name) == 0)
			return (enum herald_dead_reason)reason;
	return HERALD_DEAD_ANY;
}
