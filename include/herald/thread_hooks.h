/*
 * Hooks that are called on the threads that Herald starts for a program's functions. Use them to
 * name a thread, to open a database connection for it, or to register it with a language runtime.
 *
 *	herald_pool_create(&HERALD_POOL_OPTIONS(.thread_hooks = {open_db, close_db, &db}), &pool,
 *			   &error);
 *
 * These threads call them: a pool's workers, the threads of herald_serve() and
 * herald_server_create(), the threads of FastCGI, a store's workers, a deliverer's thread, and a
 * consumer's lanes, or its own thread if it has none. Other threads do not: Herald's threads that
 * run none of the program's functions, and threads that a framework or the program itself has
 * started.
 */
#ifndef HERALD_THREAD_HOOKS_H
#define HERALD_THREAD_HOOKS_H

#ifdef __cplusplus
extern "C" {
#endif

/** Called at the beginning and the end of a thread. A zeroed struct calls nothing. */
struct herald_thread_hooks {
	/** Called on the thread before the first function of the program. May be NULL. */
	void (*thread_start)(void *state);
	/**
	 * Called at the end of each thread on which `thread_start` was called, before the call that
	 * stops its owner returns. May be NULL.
	 */
	void (*thread_stop)(void *state);
	void *state; /**< Passed to both functions; used by several threads at once. */
};

#ifdef __cplusplus
}
#endif
#endif
