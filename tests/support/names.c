/*
 * The tests' getaddrinfo(). It may be called on any thread, as libcurl does.
 */
#include "names.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAMES 16

typedef int
getaddrinfo_function(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool blocked;
	size_t waiting;
	size_t count;
	struct {
		const char *name;
		const char *addresses;
		size_t lookups;
	} names[MAX_NAMES];
} all = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

void
names_set(const char *name, const char *addresses)
{
	pthread_mutex_lock(&all.mutex);
	if (all.count == MAX_NAMES)
		abort();
	all.names[all.count].name = name;
	all.names[all.count].addresses = addresses;
	all.names[all.count].lookups = 0;
	all.count++;
	pthread_mutex_unlock(&all.mutex);
}

void
names_clear(void)
{
	pthread_mutex_lock(&all.mutex);
	all.count = 0;
	pthread_mutex_unlock(&all.mutex);
}

void
names_block(bool blocked)
{
	pthread_mutex_lock(&all.mutex);
	all.blocked = blocked;
	pthread_cond_broadcast(&all.changed);
	pthread_mutex_unlock(&all.mutex);
}

size_t
names_waiting(void)
{
	pthread_mutex_lock(&all.mutex);
	size_t count = all.waiting;
	pthread_mutex_unlock(&all.mutex);
	return count;
}

size_t
names_lookups(const char *name)
{
	size_t count = 0;

	pthread_mutex_lock(&all.mutex);
	for (size_t i = 0; i < all.count; i++)
		if (strcmp(all.names[i].name, name) == 0)
			count = all.names[i].lookups;
	pthread_mutex_unlock(&all.mutex);
	return count;
}

static int
lookup_in_system(const char *node, const char *service, const struct addrinfo *hints,
		 struct addrinfo **out)
{
	getaddrinfo_function *function;

	*(void **)&function = dlsym(RTLD_NEXT, "getaddrinfo");
	return function(node, service, hints, out);
}

/* Find the addresses for this lookup. Returns false if the name is not known. */
static bool
find(const char *node, char *addresses, size_t bytes)
{
	bool is_known = false;

	pthread_mutex_lock(&all.mutex);
	for (size_t i = 0; i < all.count && !is_known; i++) {
		if (strcmp(all.names[i].name, node) != 0)
			continue;
		const char *at = all.names[i].addresses;
		for (size_t skip = all.names[i].lookups++; skip > 0; skip--)
			if (strchr(at, ';'))
				at = strchr(at, ';') + 1;
		snprintf(addresses, bytes, "%.*s", (int)strcspn(at, ";"), at);
		is_known = true;
	}
	pthread_mutex_unlock(&all.mutex);
	return is_known;
}

static void
wait_while_blocked(void)
{
	pthread_mutex_lock(&all.mutex);
	all.waiting++;
	while (all.blocked)
		pthread_cond_wait(&all.changed, &all.mutex);
	all.waiting--;
	pthread_mutex_unlock(&all.mutex);
}

static bool
ends_with(const char *text, const char *end)
{
	size_t bytes = strlen(text), end_bytes = strlen(end);

	return bytes >= end_bytes && strcmp(text + bytes - end_bytes, end) == 0;
}

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
	    struct addrinfo **out)
{
	char addresses[256], *rest = addresses;
	struct addrinfo **end = out;

	if (node && strcmp(node, "blocked.test") == 0)
		wait_while_blocked();
	if (!node || !find(node, addresses, sizeof(addresses)))
		return node && (ends_with(node, ".test") || ends_with(node, ".invalid"))
			       ? EAI_NONAME
			       : lookup_in_system(node, service, hints, out);

	*out = NULL;
	for (char *address; (address = strtok_r(rest, " ", &rest)) != NULL;) {
		struct addrinfo numeric = *hints;

		numeric.ai_family = strchr(address, ':') ? AF_INET6 : AF_INET;
		numeric.ai_flags = AI_NUMERICHOST;
		if (lookup_in_system(address, service, &numeric, end) != 0)
			continue;
		while (*end)
			end = &(*end)->ai_next;
	}
	return *out ? 0 : EAI_NONAME;
}
