/*
 * Checks: functions of your own that decide whether a struct as a whole is allowed.
 *
 *	struct period { int32_t from; int32_t to; };
 *
 *	static bool
 *	is_in_order(const struct period *period, struct herald_refusal *refusal)
 *	{
 *		if (period->from <= period->to)
 *			return true;
 *		return herald_refuse(refusal, "to", "must be at least %d", period->from);
 *	}
 *	HERALD_CHECK(is_in_order, period);
 *
 *	HERALD_SCHEMA_WITH(period, (.check = &is_in_order_check),
 *		HERALD_FIELD(period, from),
 *		HERALD_FIELD(period, to));
 *
 * The decoder calls the function when all members have been decoded and meet their own constraints,
 * wherever the struct is: the payload, a nested struct, an element, a value of a map, a case of a
 * union, a flat struct. A nested struct that is missing or null is not checked, except that the
 * null of a transparent one is. The encoder refuses what the decoder would refuse; it leaves out a
 * nested struct that has a check and is all zero, unless it is required.
 */
#ifndef HERALD_CHECK_H
#define HERALD_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <herald/array.h>
#include <herald/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a check says why it refuses a struct. Valid during the call. */
struct herald_refusal;

/**
 * Say why a check refuses a struct. The error has the status HERALD_BAD_VALUE and the offset at
 * which the struct begins, or HERALD_NO_OFFSET when encoding. If called several times, the last
 * call counts.
 *
 * member   the name in C of the member that is wrong, or its key in JSON if no member has that
 *          name; the error's path ends with its key. Members of another case of a union do not
 *          count. NULL, or a name that the schema does not have: the path ends with the struct.
 * format   one line that says what is wrong, without the member's name, which is prepended.
 * Returns  false, so that you can write `return herald_refuse(...)`.
 */
HERALD_API HERALD_PRINTF(3, 4) bool herald_refuse(struct herald_refusal *refusal,
						  const char *member, const char *format, ...);

/** The first member of a check. */
#define HERALD_CHECK_MARK UINT64_C(0x6b63656863646c48)

/**
 * A check. HERALD_CHECK defines one; compilers warn if no schema uses it.
 */
struct herald_check {
	/** HERALD_CHECK_MARK. A function itself, `.check = f` for `.check = &f_check`, is refused
	 * when a codec is created; gcc before 14 and clang only warn about it. */
	uint64_t mark;
	const char *owner; /**< The struct's name, as in its schema. */
	/**
	 * Whether a struct is allowed. All members are decoded; what they point to is valid.
	 *
	 * value    the struct. It and what it points to must not be changed.
	 * state    of the check.
	 * refusal  for herald_refuse(). If it is not called, the message names the struct only.
	 * Returns  true: the struct is allowed.
	 * Threads  any that decodes or encodes, several at once. The same struct may be checked
	 *          again: the result must depend on its members only.
	 */
	bool (*function)(const void *value, const void *state, struct herald_refusal *refusal);
	const void *state; /**< Passed to the function. */
};

#ifndef __cplusplus

/**
 * Make a function usable as a check: defines `static const struct herald_check FUNCTION_check`. Use
 * it at file scope, after the function. A function of another type does not compile.
 */
#define HERALD_CHECK(FUNCTION, STRUCT)                                                             \
	HERALD_CHECK_OF_(FUNCTION, STRUCT, bool (*)(const struct STRUCT *, struct herald_refusal *))
#define HERALD_CHECK_OF_(FUNCTION, STRUCT, TYPE)                                                   \
	static bool FUNCTION##_of_any_(const void *value_, const void *state_,                     \
				       struct herald_refusal *refusal_)                            \
	{                                                                                          \
		(void)state_;                                                                      \
		return _Generic(&FUNCTION, TYPE : FUNCTION, default : (TYPE)0)(value_, refusal_);  \
	}                                                                                          \
	static const struct herald_check FUNCTION##_check = {                                      \
		.mark = HERALD_CHECK_MARK, .owner = #STRUCT, .function = FUNCTION##_of_any_};      \
	HERALD_ASSERT_(_Generic(&FUNCTION, TYPE : 1, default : 0),                                 \
		       "expected bool " #FUNCTION "(const struct " #STRUCT                         \
		       " *, struct herald_refusal *)")

#endif /* __cplusplus */

#ifdef __cplusplus
}
#endif
#endif
