/*
 * The multi handles, and assigning transfers to them. Waiting for sockets is in poller.c.
 *
 * For each transfer, libcurl 7.88 searches the connections of its handle twice: those to the same
 * host, until an idle one is found, and all when the transfer is removed. With 1,000 transfers in
 * one handle, that takes more than a third of libcurl's time. So each handle has few transfers, and
 * when one is full, the next one is used. Transfers to the same host start at the same handle, so
 * that they find its connections.
 */
#include "multis.h"

#include <time.h>

#include <herald/adapter/memory.h>

/* At 64 the searches are cheap. Fewer would spread the connections to a host over more handles. */
#define TRANSFERS_EACH 64
#define MAX_MULTIS 32

uint64_t
herald__multis_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The CURLMOPT_TIMERFUNCTION. */
static int
on_timer(CURLM *handle, long timeout_ms, void *state)
{
	struct herald__multi *multi = state;

	(void)handle;
	multi->due_ms = timeout_ms < 0    ? UINT64_MAX
			: timeout_ms == 0 ? 0
					  : herald__multis_now_ms() + (uint64_t)timeout_ms;
	return 0;
}

static bool
init_one(struct herald__multi *multi, size_t max_connections, curl_socket_callback on_interest,
	 void *owner)
{
	*multi = (struct herald__multi){
		.handle = curl_multi_init(),
		.owner = owner,
		.due_ms = UINT64_MAX,
	};
	if (!multi->handle)
		return false;
	curl_multi_setopt(multi->handle, CURLMOPT_SOCKETFUNCTION, on_interest);
	curl_multi_setopt(multi->handle, CURLMOPT_SOCKETDATA, multi);
	curl_multi_setopt(multi->handle, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(multi->handle, CURLMOPT_TIMERDATA, multi);
	curl_multi_setopt(multi->handle, CURLMOPT_MAXCONNECTS, (long)max_connections);
	return true;
}

bool
herald__multis_init(struct herald__multis *multis, const struct herald_allocator *allocator,
		    size_t max_transfers, curl_socket_callback on_interest, void *owner)
{
	size_t count = (max_transfers + TRANSFERS_EACH - 1) / TRANSFERS_EACH;

	if (count > MAX_MULTIS)
		count = MAX_MULTIS;
	/* Divide evenly, so that all together keep hardly more connections than max_transfers. */
	*multis = (struct herald__multis){
		.count = count,
		.capacity = (max_transfers + count - 1) / count,
		.allocator = *allocator,
	};
	multis->all = herald_memory_allocate_zeroed(allocator, multis->count, sizeof(*multis->all));
	if (!multis->all)
		return false;
	for (size_t i = 0; i < multis->count; i++)
		if (!init_one(&multis->all[i], multis->capacity, on_interest, owner))
			return false;
	return true;
}

void
herald__multis_finish(struct herald__multis *multis)
{
	if (!multis->all)
		return;
	for (size_t i = 0; i < multis->count; i++)
		if (multis->all[i].handle)
			curl_multi_cleanup(multis->all[i].handle);
	herald_memory_release(&multis->allocator, multis->all,
			      multis->count * sizeof(*multis->all));
	multis->all = NULL;
}

struct herald__multi *
herald__multis_add(struct herald__multis *multis, CURL *easy, uint64_t place)
{
	struct herald__multi *multi = &multis->all[place % multis->count];

	/* Ends, because there are never more than max_transfers. */
	while (multi->under_way == multis->capacity)
		if (++multi == multis->all + multis->count)
			multi = multis->all;
	if (curl_multi_add_handle(multi->handle, easy) != CURLM_OK)
		return NULL;
	multi->under_way++;
	return multi;
}

void
herald__multi_remove(struct herald__multi *multi, CURL *easy)
{
	curl_multi_remove_handle(multi->handle, easy);
	multi->under_way--;
}

CURL *
herald__multis_next_finished(struct herald__multis *multis, CURLcode *code)
{
	for (size_t i = 0; i < multis->count; i++) {
		const CURLMsg *message;
		int left;

		while ((message = curl_multi_info_read(multis->all[i].handle, &left))) {
			if (message->msg != CURLMSG_DONE)
				continue;
			*code = message->data.result;
			return message->easy_handle;
		}
	}
	return NULL;
}

uint64_t
herald__multis_due_ms(const struct herald__multis *multis)
{
	uint64_t due_ms = UINT64_MAX;

	for (size_t i = 0; i < multis->count; i++)
		if (multis->all[i].due_ms < due_ms)
			due_ms = multis->all[i].due_ms;
	return due_ms;
}

void
herald__multis_run_due(struct herald__multis *multis)
{
	uint64_t due_ms = herald__multis_due_ms(multis);
	int running;

	if (due_ms == UINT64_MAX)
		return;

	uint64_t now = due_ms == 0 ? 0 : herald__multis_now_ms();
	for (size_t i = 0; i < multis->count; i++) {
		struct herald__multi *multi = &multis->all[i];

		if (multi->due_ms > now)
			continue;
		multi->due_ms = UINT64_MAX;
		curl_multi_socket_action(multi->handle, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}
