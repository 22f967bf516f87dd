/*
 * Which broker a --url names.
 */
#ifndef HERALD_CMD_BROKER_PLACE_H
#define HERALD_CMD_BROKER_PLACE_H

#include <herald/adapter/dead_letters.h>

/*
 * Create a reader of the dead letters of a stream, topic or queue; nothing connects.
 *
 * Errors  HERALD_BAD_OPTION: another URL, a bad name, or this tool was built without its adapter.
 *         The error's path is the option of the tool. No message has the URL, which may have a
 *         password.
 */
enum herald_status
broker_letters_create(const char *url, const char *source, struct herald_dead_letters **out,
		      struct herald_error *error);

/* Put the option of the tool into the place of an adapter's option. */
void broker_name_option(struct herald_error *error);

#endif
