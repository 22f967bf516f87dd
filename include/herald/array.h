/*
 * Arrays in options. An option that is an array has its count in a member of its own, NAME_count; the
 * macros that set an array, such as HERALD_ROUTES(routes), set both.
 */
#ifndef HERALD_ARRAY_H
#define HERALD_ARRAY_H

#include <stddef.h>

/**
 * The number of elements of an array. A pointer, which does not know it, does not compile.
 */
#ifdef __cplusplus
#define HERALD_COUNT(ARRAY) herald_count_(ARRAY)

template <typename Type, size_t count>
constexpr size_t
herald_count_(Type (&)[count])
{
	return count;
}
#else
#define HERALD_COUNT(ARRAY)                                                                        \
	(sizeof(ARRAY) / sizeof((ARRAY)[0]) +                                                      \
	 HERALD_REFUSE_(HERALD_IS_POINTER_(ARRAY), "this must be an array, and is a pointer"))

/* 0; does not compile, with the sentence, if the condition holds. */
#define HERALD_REFUSE_(CONDITION, SENTENCE)                                                        \
	(0 * sizeof(struct {                                                                       \
		 _Static_assert(!(CONDITION), SENTENCE);                                           \
		 char unused_;                                                                     \
	 }))

#define HERALD_IS_POINTER_(ARRAY)                                                                  \
	__builtin_types_compatible_p(__typeof__(ARRAY), __typeof__(&(ARRAY)[0]))
#endif

#endif
