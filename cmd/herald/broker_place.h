/*
 * Which broker a --url names.
 */
#ifndef HERALD_CMD_BROKER_PLACE_H
#define HERALD_CMD_BROKER_PLACE_H

#include <herald/adapter/dead_letters.h>

/* What the options of the tool say. `source` is a stream, topic or queue. */
struct broker_place {
	const char *url, *source;
	const char *ca_file, *certificate_file, *key_file; /* of TLS; NULL: none */
};

/*
 * Create a reader of its dead letters; nothing connects.
 *
 * Errors  HERALD_BAD_OPTION: another URL, a bad name, or this tool was built without its adapter.
 *         The error's path is the option of the tool. No message has the URL, which may have a
 *         password.
 */
enum herald_status
broker_letters_create(const struct broker_place *place, struct herald_dead_letters **out,
		      struct herald_error *error);

/* Put the option of the tool into the place of an adapter's option. */
void broker_name_option(struct herald_error *error);

#endif
