/*
 * Coroutines by ucontext. Stacks are used again. AddressSanitizer is told of each switch.
 */
#include "coroutine.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif

#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

#define STACK_BYTES ((size_t)256 * 1024)

struct coroutine {
	ucontext_t context;
	void (*run)(void *state);
	void *state;
	char *stack;
	bool has_ended;
	void *fake_stack;       /* AddressSanitizer's */
	struct coroutine *next; /* in the list of those that are kept */
};

static ucontext_t caller;
static struct coroutine *current;
static struct coroutine *kept;

/* Of the caller's stack, for AddressSanitizer. */
static const void *caller_stack;
static size_t caller_bytes;
static void *caller_fake_stack;

static void
leave_for(void **fake_stack, const void *stack, size_t bytes)
{
#ifdef HAS_ASAN
	__sanitizer_start_switch_fiber(fake_stack, stack, bytes);
#else
	(void)fake_stack;
	(void)stack;
	(void)bytes;
#endif
}

static void
arrive(void *fake_stack, const void **from, size_t *bytes)
{
#ifdef HAS_ASAN
	__sanitizer_finish_switch_fiber(fake_stack, from, bytes);
#else
	(void)fake_stack;
	(void)from;
	(void)bytes;
#endif
}

static void
begin(void)
{
	struct coroutine *coroutine = current;

	arrive(NULL, &caller_stack, &caller_bytes);
	coroutine->run(coroutine->state);
	coroutine->has_ended = true;
	coroutine_yield();
}

/* Not inlined: getcontext() may return twice, and gcc would warn of variables next to it. */
__attribute__((noinline)) static struct coroutine *
new_coroutine(void)
{
	struct coroutine *coroutine = calloc(1, sizeof(*coroutine));

	if (!coroutine)
		abort();
	coroutine->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (coroutine->stack == MAP_FAILED)
		abort();
	return coroutine;
}

__attribute__((noinline)) static struct coroutine *
take_kept(void)
{
	struct coroutine *coroutine = kept;

	kept = coroutine->next;
	return coroutine;
}

struct coroutine *
coroutine_create(void (*run)(void *state), void *state)
{
	struct coroutine *const coroutine = kept ? take_kept() : new_coroutine();

	coroutine->run = run;
	coroutine->state = state;
	coroutine->has_ended = false;
	coroutine->fake_stack = NULL;
	getcontext(&coroutine->context);
	coroutine->context.uc_stack.ss_sp = coroutine->stack;
	coroutine->context.uc_stack.ss_size = STACK_BYTES;
	coroutine->context.uc_link = NULL;
	makecontext(&coroutine->context, begin, 0);
	return coroutine;
}

bool
coroutine_resume(struct coroutine *coroutine)
{
	if (current || coroutine->has_ended)
		abort();
	current = coroutine;
	leave_for(&caller_fake_stack, coroutine->stack, STACK_BYTES);
	swapcontext(&caller, &coroutine->context);
	arrive(caller_fake_stack, NULL, NULL);
	return !coroutine->has_ended;
}

void
coroutine_yield(void)
{
	struct coroutine *coroutine = current;

	if (!coroutine)
		abort();
	current = NULL;
	leave_for(&coroutine->fake_stack, caller_stack, caller_bytes);
	swapcontext(&coroutine->context, &caller);
	arrive(coroutine->fake_stack, &caller_stack, &caller_bytes);
}

struct coroutine *
coroutine_current(void)
{
	return current;
}

void
coroutine_destroy(struct coroutine *coroutine)
{
	if (!coroutine)
		return;
	if (coroutine == current)
		abort();
#ifdef HAS_ASAN
	__asan_unpoison_memory_region(coroutine->stack, STACK_BYTES);
#endif
	coroutine->next = kept;
	kept = coroutine;
}

void
coroutine_cleanup(void)
{
	while (kept) {
		struct coroutine *coroutine = kept;

		kept = coroutine->next;
		munmap(coroutine->stack, STACK_BYTES);
		free(coroutine);
	}
}
