/*
 * The deadline handler: its options, and one call for each event. The context and the pipeline
 * enforce the deadline.
 */
#include <herald/deadline.h>

#include <herald/adapter/memory.h>
#include <herald/adapter/options.h>

#define DEFAULT_TIMEOUT_MS 30000

struct deadline {
	struct herald_handler base;
	struct herald_allocator allocator;
	uint32_t timeout_ms;
};

static enum herald_verdict
set_deadline(struct herald_handler *handler, struct herald_context *ctx)
{
	const struct deadline *deadline = (struct deadline *)handler;

	herald_context_expire_after(ctx, deadline->timeout_ms);
	return HERALD_DONE;
}

static void
destroy_deadline(struct herald_handler *handler)
{
	struct deadline *deadline = (struct deadline *)handler;
	const struct herald_allocator allocator = deadline->allocator;

	herald_memory_release(&allocator, deadline, sizeof(*deadline));
}

static const struct herald_handler_ops deadline_ops = {
	.struct_size = sizeof(deadline_ops),
	.name = "deadline",
	.before = set_deadline,
	.destroy = destroy_deadline,
};

enum herald_status
herald_deadline_handler_create(const struct herald_deadline_options *options,
			       struct herald_handler **out, struct herald_error *error)
{
	struct herald_deadline_options read = {0};
	enum herald_status status =
		herald_options_read(options, &read, sizeof(read), "HERALD_DEADLINE_OPTIONS", error);

	if (status == HERALD_OK)
		status = herald_allocator_check(&read.allocator, error);
	if (status != HERALD_OK)
		return status;

	const struct herald_allocator allocator = herald_allocator_or_libc(&read.allocator);
	struct deadline *deadline = herald_memory_allocate(&allocator, sizeof(*deadline));
	if (!deadline)
		return herald_out_of_memory(error);
	*deadline = (struct deadline){
		.base.ops = &deadline_ops,
		.allocator = allocator,
		.timeout_ms = read.timeout_ms ? read.timeout_ms : DEFAULT_TIMEOUT_MS,
	};
	*out = &deadline->base;
	return HERALD_OK;
}
