/*
 * Names of the values that operations show.
 */
#include <herald/store.h>

const char *
herald_dead_reason_name(enum herald_dead_reason reason)
{
	switch (reason) {
	case HERALD_DEAD_ANY:
		return "any";
#define REASON_NAME(NAME, TEXT)                                                                    \
	case HERALD_DEAD_##NAME:                                                                   \
		return TEXT;
		HERALD_DEAD_REASON_LIST(REASON_NAME)
#undef REASON_NAME
	default:
		return "?";
	}
}

const char *
herald_count_state_name(enum herald_count_state state)
{
	switch (state) {
	case HERALD_COUNT_READY:
		return "ready";
	case HERALD_COUNT_DELAYED:
		return "delayed";
	case HERALD_COUNT_BLOCKED:
		return "blocked";
	case HERALD_COUNT_RUNNING:
		return "running";
	case HERALD_COUNT_DEAD:
		return "dead";
	}
	return "?";
}
