/*
 * Errors of PostgreSQL. Owns nothing.
 */
#include "failure.h"

#include <string.h>

#include <herald/adapter/options.h>
#include <herald/adapter/text.h>

/* Messages of libpq end with a newline, and may have several lines. */
#define MESSAGE_BYTES 200

bool
herald__postgres_is_state(const PGresult *result, const char *state)
{
	const char *found = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

	return found && strcmp(found, state) == 0;
}

bool
herald__postgres_may_repeat(const PGresult *result)
{
	return herald__postgres_is_state(result, "40001") ||
	       herald__postgres_is_state(result, "40P01") ||
	       herald__postgres_is_state(result, "26000");
}

/* Its lines, separated by blanks. */
static void
flatten(const char *message, char out[MESSAGE_BYTES])
{
	char line[2 * MESSAGE_BYTES];
	size_t bytes = 0;

	for (; *message != '\0' && bytes < sizeof(line) - 1; message++) {
		char byte = *message == '\n' || *message == '\t' ? ' ' : *message;

		if (byte != ' ' || (bytes > 0 && line[bytes - 1] != ' '))
			line[bytes++] = byte;
	}
	while (bytes > 0 && line[bytes - 1] == ' ')
		bytes--;
	line[bytes] = '\0';
	herald_text_write(out, MESSAGE_BYTES, "%s", line);
}

enum herald_status
herald__postgres_fail(struct herald_error *error, const char *what, const PGconn *conn,
		      const PGresult *result)
{
	const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	char message[MESSAGE_BYTES];

	if (primary) {
		flatten(primary, message);
		return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
					"PostgreSQL cannot %s: %s (SQLSTATE %s)", what, message,
					state ? state : "unknown");
	}
	flatten(conn ? PQerrorMessage(conn) : "", message);
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"the connection to PostgreSQL was lost during \"%s\"%s%s", what,
				message[0] ? ": " : "", message);
}

/* The SQLSTATE in a verbose message, "FATAL:  28P01: password ...", whose first word may be in any
 * language; "" if the server has not said one. The last attempt's, if there were several hosts. */
static void
find_state(const char *message, char state[6])
{
	state[0] = '\0';
	for (const char *at = strstr(message, ":  "); at; at = strstr(at + 1, ":  ")) {
		size_t bytes = 0;

		while (bytes < 5 && (herald_ascii_is_digit(at[3 + bytes]) ||
				     (at[3 + bytes] >= 'A' && at[3 + bytes] <= 'Z')))
			bytes++;
		if (bytes < 5 || at[8] != ':')
			continue;
		memcpy(state, at + 3, 5);
		state[5] = '\0';
	}
}

/* SQLSTATEs that only a human can help with, and how. */
static const struct {
	const char *state, *advice;
} refusals[] = {
	{"28P01", "wrong user or password: check them in the DSN, PGPASSWORD or ~/.pgpass"},
	{"28000", "the server does not let this user in: check the DSN, and pg_hba.conf"},
	{"3D000", "the database does not exist: check its name, or create it with createdb"},
	{"42501", "the role may not connect: GRANT CONNECT ON DATABASE"},
	{"22023", "the server refuses a setting of the DSN"},
	{"08P01", "the pool refuses a setting of the DSN"},
};

enum herald_status
herald__postgres_refuse(struct herald_error *error, const PGconn *conn)
{
	char message[MESSAGE_BYTES], state[6];

	flatten(PQerrorMessage(conn), message);
	find_state(PQerrorMessage(conn), state);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(*refusals); i++)
		if (strcmp(state, refusals[i].state) == 0)
			return herald_option_refuse(error, "dsn", "%s (%s)", refusals[i].advice,
						    message);
	return herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				"cannot connect to PostgreSQL: %s", message);
}
