/*
 * The adapter: its options, and the context that new connections use. It owns both; what is in a
 * context is in files.c, and connections are in stream.c.
 */
#include <pthread.h>
#include <string.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>
#include <herald/arena.h>

#include "files.h"
#include "stream.h"

struct openssl {
	struct herald_tls base;                /* first */
	struct herald_openssl_options options; /* its texts are in the arena */
	struct herald_arena *texts;
	pthread_mutex_t mutex; /* of the context */
	SSL_CTX *context;
};

/* Streams. */

static struct herald_tls_stream *
open_stream(struct herald_tls *tls, int fd)
{
	struct openssl *openssl = (struct openssl *)tls;

	/* SSL_new() takes long for a mutex that all threads need. */
	pthread_mutex_lock(&openssl->mutex);
	SSL_CTX *context = openssl->context;
	SSL_CTX_up_ref(context);
	pthread_mutex_unlock(&openssl->mutex);
	struct herald_tls_stream *stream = herald__openssl_stream_open(context, fd);
	SSL_CTX_free(context);
	return stream;
}

static const struct herald_tls_ops ops = {
	.name = "openssl",
	.open = open_stream,
	.read = herald__openssl_stream_read,
	.write = herald__openssl_stream_write,
	.shutdown = herald__openssl_stream_shutdown,
	.problem = herald__openssl_stream_problem,
	.close = herald__openssl_stream_close,
};

/* Options. */

static enum herald_status
check_names(const struct herald_openssl_options *options, struct herald_error *error)
{
	enum herald_status status = herald_option_array_check(
		"client_names", "HERALD_OPENSSL_CLIENT_NAMES", options->client_names,
		options->client_names_count, error);

	if (status != HERALD_OK)
		return status;
	if (options->client_names && !options->client_ca)
		return herald_option_refuse(error, "client_names", "needs client_ca");
	for (size_t i = 0; options->client_names && i < options->client_names_count; i++)
		if (!options->client_names[i] || options->client_names[i][0] == '\0')
			return herald_option_refuse(error, "client_names",
						    "must not contain NULL or \"\"");
	return HERALD_OK;
}

static enum herald_status
read_options(const struct herald_openssl_options *given, struct herald_openssl_options *out,
	     struct herald_error *error)
{
	enum herald_status status =
		herald_options_read(given, out, sizeof(*out), "HERALD_OPENSSL_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&out->allocator, error);
	if (status == HERALD_OK && !out->certificate)
		status = herald_option_refuse(error, "certificate", "must be set");
	if (status == HERALD_OK && !out->key)
		status = herald_option_refuse(error, "key", "must be set");
	if (status == HERALD_OK)
		status = check_names(out, error);
	out->allocator = herald_allocator_or_libc(&out->allocator);
	return status;
}

static bool
copy_text(struct herald_arena *arena, const char **text)
{
	if (*text)
		*text = herald_arena_copy(arena, *text, strlen(*text));
	return *text;
}

/* Replace the texts of the options by copies. Returns false when out of memory. */
static bool
copy_texts(struct openssl *openssl)
{
	struct herald_openssl_options *options = &openssl->options;
	size_t count = options->client_names_count;

	if (herald_arena_create(&options->allocator, SIZE_MAX, &openssl->texts) != HERALD_OK ||
	    !copy_text(openssl->texts, &options->certificate) ||
	    !copy_text(openssl->texts, &options->key) ||
	    (options->client_ca && !copy_text(openssl->texts, &options->client_ca)))
		return false;
	if (count == 0)
		return true;
	const char **names = herald_arena_alloc(openssl->texts, count * sizeof(*names));
	for (size_t i = 0; names && i < count; i++) {
		names[i] = options->client_names[i];
		if (!copy_text(openssl->texts, &names[i]))
			return false;
	}
	options->client_names = names;
	return names;
}

/* Lifetime. */

enum herald_status
herald_openssl_create(const struct herald_openssl_options *options, struct herald_tls **out,
		      struct herald_error *error)
{
	struct herald_openssl_options read;
	enum herald_status status = read_options(options, &read, error);

	if (status != HERALD_OK)
		return status;
	struct openssl *openssl =
		herald_memory_allocate_zeroed(&read.allocator, 1, sizeof(*openssl));
	if (!openssl)
		return herald_out_of_memory(error);
	openssl->base.ops = &ops;
	openssl->options = read;
	int number = pthread_mutex_init(&openssl->mutex, NULL);
	if (number != 0) {
		herald_memory_release(&read.allocator, openssl, sizeof(*openssl));
		return herald_system_error(error, "cannot create a mutex", number);
	}
	status = copy_texts(openssl)
			 ? herald__openssl_read_files(&openssl->options, &openssl->context, error)
			 : herald_out_of_memory(error);
	if (status == HERALD_OK)
		*out = &openssl->base;
	else
		herald_openssl_destroy(&openssl->base);
	return status;
}

enum herald_status
herald_openssl_reload(struct herald_tls *tls, struct herald_error *error)
{
	struct openssl *openssl = (struct openssl *)tls;
	SSL_CTX *context;
	enum herald_status status = herald__openssl_read_files(&openssl->options, &context, error);

	if (status != HERALD_OK)
		return status;
	pthread_mutex_lock(&openssl->mutex);
	SSL_CTX *former = openssl->context;
	openssl->context = context;
	pthread_mutex_unlock(&openssl->mutex);
	SSL_CTX_free(former);
	return HERALD_OK;
}

void
herald_openssl_destroy(struct herald_tls *tls)
{
	struct openssl *openssl = (struct openssl *)tls;

	if (!openssl)
		return;
	struct herald_allocator allocator = openssl->options.allocator;
	SSL_CTX_free(openssl->context);
	pthread_mutex_destroy(&openssl->mutex);
	herald_arena_destroy(openssl->texts);
	herald_memory_release(&allocator, openssl, sizeof(*openssl));
}
