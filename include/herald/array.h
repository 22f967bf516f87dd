/*
 * Arrays in options. An array NAME has its count in NAME_count. Macros such as
 * HERALD_ROUTES(routes) set both.
 */
#ifndef HERALD_ARRAY_H
#define HERALD_ARRAY_H

#include <stddef.h>

/**
 * The number of elements of an array. A pointer does not compile.
 */
#ifdef __cplusplus
#define HERALD_COUNT(ARRAY) herald_count_(ARRAY)

template <typename Type, size_t count>
constexpr size_t
herald_count_(Type (&)[count])
{
	return count;
}

/* Worse than the other one for arrays. */
template <typename Type>
constexpr size_t
herald_count_(const Type &)
{
	static_assert(sizeof(Type) == 0, "expected an array, found a pointer");
	return 0;
}
#else
#define HERALD_COUNT(ARRAY)                                                                        \
	((HERALD_REFUSE_(HERALD_IS_POINTER_(ARRAY), "expected an array, found a pointer") +        \
	  sizeof(ARRAY)) /                                                                         \
	 sizeof((ARRAY)[0]))

/*
 * 0; does not compile, with the sentence, if the condition holds. What is asserted is 0 or 1, so
 * that clang prints the sentence alone, without the condition.
 */
#define HERALD_REFUSE_(CONDITION, SENTENCE)                                                        \
	(0 * sizeof(struct {                                                                       \
		 HERALD_ASSERT_(!(CONDITION), SENTENCE);                                           \
		 char unused_;                                                                     \
	 }))

#define HERALD_ASSERT_(CONDITION, SENTENCE)                                                        \
	_Static_assert(__builtin_choose_expr((CONDITION), 1, 0), SENTENCE)

#define HERALD_IS_POINTER_(ARRAY)                                                                  \
	__builtin_types_compatible_p(__typeof__(ARRAY), __typeof__(&(ARRAY)[0]))
#endif

#endif
