/*
 * What every connection begins with: login, and what the server must be like. Owns what is refused,
 * and why.
 */
#include "server.h"

#include <string.h>

#include <herald/adapter/options.h>

#define MIN_MAJOR_VERSION 7

/* Errors that do not go away by trying again. */
static const char *const lasting[] = {
	"WRONGPASS",
	"NOAUTH",
	"NOPERM",
	"WRONGTYPE",
	"MOVED",
	"ERR AUTH",
	"ERR DB index",
	"ERR unknown command",
	"ERR This instance has cluster support",
};

enum herald_status
herald__redis_refuse(struct herald_error *error, const char *command, const redisReply *reply)
{
	enum herald_status status = HERALD_UNAVAILABLE;

	for (size_t i = 0; i < sizeof(lasting) / sizeof(*lasting); i++)
		if (strncmp(reply->str, lasting[i], strlen(lasting[i])) == 0)
			status = HERALD_BAD_OPTION;
	herald_error_set(error, status, HERALD_NO_OFFSET, "%s: %s", command, reply->str);
	return status;
}

redisReply *
herald__redis_ask(struct redis_connection *connection, uint32_t timeout_ms, const char *command,
		  enum herald_status *status, struct herald_error *error)
{
	redisReply *reply = herald__redis_call(connection, timeout_ms, error);

	*status = reply ? HERALD_OK : HERALD_UNAVAILABLE;
	if (reply && reply->type == REDIS_REPLY_ERROR) {
		*status = herald__redis_refuse(error, command, reply);
		freeReplyObject(reply);
		return NULL;
	}
	return reply;
}

enum herald_status
herald__redis_log_in(struct redis_connection *connection, const struct redis_url *url,
		     uint32_t timeout_ms, struct herald_error *error)
{
	enum herald_status status = HERALD_OK;

	if (url->password[0] != '\0') {
		REDIS_COMMAND(connection, "AUTH", url->user[0] ? url->user : url->password,
			      url->user[0] ? url->password : NULL);
		freeReplyObject(herald__redis_ask(connection, timeout_ms, "AUTH", &status, error));
	}
	if (status == HERALD_OK && url->database != 0) {
		REDIS_COMMAND(connection, "SELECT",
			      herald__redis_number((uint64_t)url->database).text);
		freeReplyObject(
			herald__redis_ask(connection, timeout_ms, "SELECT", &status, error));
	}
	return status;
}

/* The value of a line of INFO; "" if there is none. */
static void
read_info(const char *info, const char *name, char *out, size_t size)
{
	const char *at = strstr(info, name);
	size_t bytes = 0;

	if (at) {
		at += strlen(name);
		bytes = strcspn(at, "\r\n");
	}
	if (bytes >= size)
		bytes = size - 1;
	if (at)
		memcpy(out, at, bytes);
	out[bytes] = '\0';
}

enum herald_status
herald__redis_check_server(struct redis_connection *connection, uint32_t timeout_ms,
			   struct herald_error *error)
{
	char version[32], policy[32], role[32];
	enum herald_status status;

	REDIS_COMMAND(connection, "INFO");
	redisReply *reply = herald__redis_ask(connection, timeout_ms, "INFO", &status, error);
	if (!reply)
		return status;
	read_info(reply->str, "\nredis_version:", version, sizeof(version));
	read_info(reply->str, "\nmaxmemory_policy:", policy, sizeof(policy));
	read_info(reply->str, "\nrole:", role, sizeof(role));
	freeReplyObject(reply);
	if (version[0] >= '0' && version[0] < '0' + MIN_MAJOR_VERSION && version[1] == '.')
		return herald_option_refuse(error, "url",
					    "the server is Redis %s; needed is %d.0 or newer",
					    version, MIN_MAJOR_VERSION);
	if (strcmp(policy, "") != 0 && strcmp(policy, "noeviction") != 0)
		return herald_option_refuse(error, "url",
					    "the server deletes keys when its memory is full "
					    "(maxmemory-policy %s); set it to noeviction",
					    policy);
	if (strcmp(role, "slave") == 0) {
		herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET,
				 "the server is a replica, to which nothing can be written");
		return HERALD_UNAVAILABLE;
	}
	return HERALD_OK;
}
