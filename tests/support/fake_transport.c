/*
 * The transport without a network. It does not judge results.
 */
#include "fake_transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct fake_transport *
fake_of(struct herald_transport *base)
{
	return (struct fake_transport *)base;
}

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static enum herald_status
fake_open(struct herald_transport *base, const struct herald_transport_settings *settings,
	  struct herald_error *error)
{
	enum herald_status status = fake_of(base)->open_status;

	(void)settings;
	if (status != HERALD_OK)
		herald_error_set(error, status, HERALD_NO_OFFSET, "cannot be opened");
	return status;
}

static struct fake_step
step_of_path(const char *url)
{
	const char *path = strchr(strstr(url, "//") + 2, '/');
	struct fake_step step = {.result.http_status = (unsigned)strtoul(path + 1, NULL, 10)};

	step.is_silent = strcmp(path, "/silent") == 0;
	if (strcmp(path, "/slow") == 0)
		step = (struct fake_step){.result.http_status = 200, .delay_ms = FAKE_SLOW_MS};
	if (step.result.http_status == 0)
		herald_attempt_result_fail(&step.result, true, "the connection was closed");
	return step;
}

static struct fake_step
next_step(const struct fake_transport *fake, size_t number, const char *url)
{
	if (!fake->steps)
		return step_of_path(url);
	return number < fake->steps_count ? fake->steps[number]
					  : (struct fake_step){.is_silent = true};
}

static void
note_traceparent(const struct herald_attempt *attempt, char out[80])
{
	out[0] = '\0';
	for (size_t i = 0; i < attempt->headers_count; i++)
		if (strncmp(attempt->headers[i], "traceparent: ", 13) == 0)
			snprintf(out, 80, "%s", attempt->headers[i]);
}

/* Herald's own headers, then the others, then the body. */
static void
record_request(const struct herald_attempt *attempt, char *out)
{
	size_t used = (size_t)snprintf(out, FAKE_REQUEST_BYTES, "%s\r\n", attempt->own_headers);

	for (size_t i = 0; i < attempt->headers_count && used < FAKE_REQUEST_BYTES; i++)
		used += (size_t)snprintf(out + used, FAKE_REQUEST_BYTES - used, "%s\r\n",
					 attempt->headers[i]);
	if (used < FAKE_REQUEST_BYTES)
		snprintf(out + used, FAKE_REQUEST_BYTES - used, "\r\n%.*s",
			 (int)attempt->body_bytes,
			 attempt->body ? (const char *)attempt->body : "");
}

static enum herald_status
fake_begin(struct herald_transport *base, struct herald_attempt *attempt)
{
	struct fake_transport *fake = fake_of(base);
	size_t number = fake->begins++;
	const struct fake_step step = next_step(fake, number, attempt->url);

	if (number < FAKE_ATTEMPTS) {
		fake->opens_connection[number] = attempt->opens_connection;
		note_traceparent(attempt, fake->traceparents[number]);
		record_request(attempt, fake->requests[number]);
	}
	if (step.no_memory)
		return HERALD_NO_MEMORY;
	if (fake->under_way_count == FAKE_UNDER_WAY)
		abort();
	fake->under_way[fake->under_way_count].attempt = attempt;
	fake->under_way[fake->under_way_count].result = step.result;
	fake->under_way[fake->under_way_count++].due_ms =
		step.is_silent ? UINT64_MAX : now_ms() + step.delay_ms;
	return HERALD_OK;
}

static void
remove_at(struct fake_transport *fake, size_t place)
{
	memmove(&fake->under_way[place], &fake->under_way[place + 1],
		(--fake->under_way_count - place) * sizeof(fake->under_way[0]));
}

static void
fake_cancel(struct herald_transport *base, struct herald_attempt *attempt)
{
	struct fake_transport *fake = fake_of(base);

	fake->cancels++;
	for (size_t i = 0; i < fake->under_way_count; i++)
		if (fake->under_way[i].attempt == attempt) {
			remove_at(fake, i);
			return;
		}
	abort(); /* It is not under way. */
}

/* When the next one ends; UINT64_MAX: never. */
static uint64_t
next_due_ms(const struct fake_transport *fake)
{
	uint64_t due_ms = UINT64_MAX;

	for (size_t i = 0; i < fake->under_way_count; i++)
		if (fake->under_way[i].due_ms < due_ms)
			due_ms = fake->under_way[i].due_ms;
	return due_ms;
}

static void
fake_wait(struct herald_transport *base, int64_t timeout_ms)
{
	struct fake_transport *fake = fake_of(base);
	uint64_t now = now_ms(), due_ms = next_due_ms(fake);
	uint64_t until_ms = timeout_ms < 0 ? UINT64_MAX : now + (uint64_t)timeout_ms;
	int failure = 0;

	if (due_ms < until_ms)
		until_ms = due_ms;
	if (until_ms <= now)
		return;
	const struct timespec until = {(time_t)(until_ms / 1000),
				       (long)(until_ms % 1000) * 1000000};
	pthread_mutex_lock(&fake->mutex);
	while (!fake->is_woken && failure != ETIMEDOUT)
		failure = until_ms == UINT64_MAX
				  ? pthread_cond_wait(&fake->woken, &fake->mutex)
				  : pthread_cond_timedwait(&fake->woken, &fake->mutex, &until);
	fake->is_woken = false;
	pthread_mutex_unlock(&fake->mutex);
}

static struct herald_attempt *
fake_next_finished(struct herald_transport *base, struct herald_attempt_result *out)
{
	struct fake_transport *fake = fake_of(base);
	uint64_t now = now_ms();

	for (size_t i = 0; i < fake->under_way_count; i++) {
		struct herald_attempt *attempt = fake->under_way[i].attempt;

		if (fake->under_way[i].due_ms > now)
			continue;
		*out = fake->under_way[i].result;
		remove_at(fake, i);
		return attempt;
	}
	return NULL;
}

static void
fake_wake(struct herald_transport *base)
{
	struct fake_transport *fake = fake_of(base);

	pthread_mutex_lock(&fake->mutex);
	fake->is_woken = true;
	pthread_cond_signal(&fake->woken);
	pthread_mutex_unlock(&fake->mutex);
}

static void
fake_destroy(struct herald_transport *base)
{
	struct fake_transport *fake = fake_of(base);

	if (fake->destroys++ > 0)
		return;
	pthread_cond_destroy(&fake->woken);
	pthread_mutex_destroy(&fake->mutex);
}

static const struct herald_transport_ops fake_ops = {
	.name = "fake",
	.open = fake_open,
	.begin = fake_begin,
	.cancel = fake_cancel,
	.wait = fake_wait,
	.next_finished = fake_next_finished,
	.wake = fake_wake,
	.destroy = fake_destroy,
};

void
fake_transport_init(struct fake_transport *fake, const struct fake_step *steps, size_t count)
{
	pthread_condattr_t monotonic;

	memset(fake, 0, sizeof(*fake));
	fake->base.ops = &fake_ops;
	fake->steps = steps;
	fake->steps_count = count;
	pthread_mutex_init(&fake->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&fake->woken, &monotonic);
	pthread_condattr_destroy(&monotonic);
}
