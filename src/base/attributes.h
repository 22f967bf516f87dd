/*
 * Attributes of gcc and clang, each under one name.
 */
#ifndef HERALD_BASE_ATTRIBUTES_H
#define HERALD_BASE_ATTRIBUTES_H

/*
 * For functions called only on errors. Keeps the code that leads to them away from the hot path,
 * which becomes smaller. Never inlined, because the caller would get its stack frame and stack
 * protector.
 */
#define HERALD__COLD __attribute__((noinline, cold))

/* For rare or large functions, which would cost their caller registers or stack when inlined. */
#define HERALD__NOT_INLINE __attribute__((noinline))

/* For functions on a hot path where even the call would be measurable. */
#define HERALD__INLINE inline __attribute__((always_inline))

/* A condition that nearly always holds, where the compiler guesses otherwise. */
#define HERALD__LIKELY(CONDITION) (__builtin_expect((CONDITION), true))

#endif
