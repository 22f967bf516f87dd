/*
 * HERALD_EACH_: a macro for each of up to 64 arguments, for the variants of schema.h.
 */
#ifndef HERALD_EACH_H
#define HERALD_EACH_H

/* clang-format off */

/* MACRO(CONTEXT, ARGUMENT) for each argument, with commas between. */
#define HERALD_EACH_(MACRO, CONTEXT, ...)                                                          \
	HERALD_EACH_COUNTED_(HERALD_EACH_COUNT_(__VA_ARGS__), MACRO, CONTEXT, __VA_ARGS__)
#define HERALD_EACH_COUNTED_(COUNT, ...) HERALD_EACH_PASTED_(COUNT, __VA_ARGS__)
#define HERALD_EACH_PASTED_(COUNT, ...) HERALD_EACH_##COUNT##_(__VA_ARGS__)

/* The number of arguments. */
#define HERALD_EACH_COUNT_(...)                                                                    \
	HERALD_EACH_PICK_(__VA_ARGS__,                                                             \
		64, 63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49,                    \
		48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33,                    \
		32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17,                    \
		16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, )
#define HERALD_EACH_PICK_(                                                                         \
	A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16,                     \
	A17, A18, A19, A20, A21, A22, A23, A24, A25, A26, A27, A28, A29, A30, A31, A32,            \
	A33, A34, A35, A36, A37, A38, A39, A40, A41, A42, A43, A44, A45, A46, A47, A48,            \
	A49, A50, A51, A52, A53, A54, A55, A56, A57, A58, A59, A60, A61, A62, A63, A64,            \
	COUNT, ...) COUNT

#define HERALD_EACH_1_(M, C, A) M(C, A)
#define HERALD_EACH_2_(M, C, A, ...) M(C, A), HERALD_EACH_1_(M, C, __VA_ARGS__)
#define HERALD_EACH_3_(M, C, A, ...) M(C, A), HERALD_EACH_2_(M, C, __VA_ARGS__)
#define HERALD_EACH_4_(M, C, A, ...) M(C, A), HERALD_EACH_3_(M, C, __VA_ARGS__)
#define HERALD_EACH_5_(M, C, A, ...) M(C, A), HERALD_EACH_4_(M, C, __VA_ARGS__)
#define HERALD_EACH_6_(M, C, A, ...) M(C, A), HERALD_EACH_5_(M, C, __VA_ARGS__)
#define HERALD_EACH_7_(M, C, A, ...) M(C, A), HERALD_EACH_6_(M, C, __VA_ARGS__)
#define HERALD_EACH_8_(M, C, A, ...) M(C, A), HERALD_EACH_7_(M, C, __VA_ARGS__)
#define HERALD_EACH_9_(M, C, A, ...) M(C, A), HERALD_EACH_8_(M, C, __VA_ARGS__)
#define HERALD_EACH_10_(M, C, A, ...) M(C, A), HERALD_EACH_9_(M, C, __VA_ARGS__)
#define HERALD_EACH_11_(M, C, A, ...) M(C, A), HERALD_EACH_10_(M, C, __VA_ARGS__)
#define HERALD_EACH_12_(M, C, A, ...) M(C, A), HERALD_EACH_11_(M, C, __VA_ARGS__)
#define HERALD_EACH_13_(M, C, A, ...) M(C, A), HERALD_EACH_12_(M, C, __VA_ARGS__)
#define HERALD_EACH_14_(M, C, A, ...) M(C, A), HERALD_EACH_13_(M, C, __VA_ARGS__)
#define HERALD_EACH_15_(M, C, A, ...) M(C, A), HERALD_EACH_14_(M, C, __VA_ARGS__)
#define HERALD_EACH_16_(M, C, A, ...) M(C, A), HERALD_EACH_15_(M, C, __VA_ARGS__)
#define HERALD_EACH_17_(M, C, A, ...) M(C, A), HERALD_EACH_16_(M, C, __VA_ARGS__)
#define HERALD_EACH_18_(M, C, A, ...) M(C, A), HERALD_EACH_17_(M, C, __VA_ARGS__)
#define HERALD_EACH_19_(M, C, A, ...) M(C, A), HERALD_EACH_18_(M, C, __VA_ARGS__)
#define HERALD_EACH_20_(M, C, A, ...) M(C, A), HERALD_EACH_19_(M, C, __VA_ARGS__)
#define HERALD_EACH_21_(M, C, A, ...) M(C, A), HERALD_EACH_20_(M, C, __VA_ARGS__)
#define HERALD_EACH_22_(M, C, A, ...) M(C, A), HERALD_EACH_21_(M, C, __VA_ARGS__)
#define HERALD_EACH_23_(M, C, A, ...) M(C, A), HERALD_EACH_22_(M, C, __VA_ARGS__)
#define HERALD_EACH_24_(M, C, A, ...) M(C, A), HERALD_EACH_23_(M, C, __VA_ARGS__)
#define HERALD_EACH_25_(M, C, A, ...) M(C, A), HERALD_EACH_24_(M, C, __VA_ARGS__)
#define HERALD_EACH_26_(M, C, A, ...) M(C, A), HERALD_EACH_25_(M, C, __VA_ARGS__)
#define HERALD_EACH_27_(M, C, A, ...) M(C, A), HERALD_EACH_26_(M, C, __VA_ARGS__)
#define HERALD_EACH_28_(M, C, A, ...) M(C, A), HERALD_EACH_27_(M, C, __VA_ARGS__)
#define HERALD_EACH_29_(M, C, A, ...) M(C, A), HERALD_EACH_28_(M, C, __VA_ARGS__)
#define HERALD_EACH_30_(M, C, A, ...) M(C, A), HERALD_EACH_29_(M, C, __VA_ARGS__)
#define HERALD_EACH_31_(M, C, A, ...) M(C, A), HERALD_EACH_30_(M, C, __VA_ARGS__)
#define HERALD_EACH_32_(M, C, A, ...) M(C, A), HERALD_EACH_31_(M, C, __VA_ARGS__)
#define HERALD_EACH_33_(M, C, A, ...) M(C, A), HERALD_EACH_32_(M, C, __VA_ARGS__)
#define HERALD_EACH_34_(M, C, A, ...) M(C, A), HERALD_EACH_33_(M, C, __VA_ARGS__)
#define HERALD_EACH_35_(M, C, A, ...) M(C, A), HERALD_EACH_34_(M, C, __VA_ARGS__)
#define HERALD_EACH_36_(M, C, A, ...) M(C, A), HERALD_EACH_35_(M, C, __VA_ARGS__)
#define HERALD_EACH_37_(M, C, A, ...) M(C, A), HERALD_EACH_36_(M, C, __VA_ARGS__)
#define HERALD_EACH_38_(M, C, A, ...) M(C, A), HERALD_EACH_37_(M, C, __VA_ARGS__)
#define HERALD_EACH_39_(M, C, A, ...) M(C, A), HERALD_EACH_38_(M, C, __VA_ARGS__)
#define HERALD_EACH_40_(M, C, A, ...) M(C, A), HERALD_EACH_39_(M, C, __VA_ARGS__)
#define HERALD_EACH_41_(M, C, A, ...) M(C, A), HERALD_EACH_40_(M, C, __VA_ARGS__)
#define HERALD_EACH_42_(M, C, A, ...) M(C, A), HERALD_EACH_41_(M, C, __VA_ARGS__)
#define HERALD_EACH_43_(M, C, A, ...) M(C, A), HERALD_EACH_42_(M, C, __VA_ARGS__)
#define HERALD_EACH_44_(M, C, A, ...) M(C, A), HERALD_EACH_43_(M, C, __VA_ARGS__)
#define HERALD_EACH_45_(M, C, A, ...) M(C, A), HERALD_EACH_44_(M, C, __VA_ARGS__)
#define HERALD_EACH_46_(M, C, A, ...) M(C, A), HERALD_EACH_45_(M, C, __VA_ARGS__)
#define HERALD_EACH_47_(M, C, A, ...) M(C, A), HERALD_EACH_46_(M, C, __VA_ARGS__)
#define HERALD_EACH_48_(M, C, A, ...) M(C, A), HERALD_EACH_47_(M, C, __VA_ARGS__)
#define HERALD_EACH_49_(M, C, A, ...) M(C, A), HERALD_EACH_48_(M, C, __VA_ARGS__)
#define HERALD_EACH_50_(M, C, A, ...) M(C, A), HERALD_EACH_49_(M, C, __VA_ARGS__)
#define HERALD_EACH_51_(M, C, A, ...) M(C, A), HERALD_EACH_50_(M, C, __VA_ARGS__)
#define HERALD_EACH_52_(M, C, A, ...) M(C, A), HERALD_EACH_51_(M, C, __VA_ARGS__)
#define HERALD_EACH_53_(M, C, A, ...) M(C, A), HERALD_EACH_52_(M, C, __VA_ARGS__)
#define HERALD_EACH_54_(M, C, A, ...) M(C, A), HERALD_EACH_53_(M, C, __VA_ARGS__)
#define HERALD_EACH_55_(M, C, A, ...) M(C, A), HERALD_EACH_54_(M, C, __VA_ARGS__)
#define HERALD_EACH_56_(M, C, A, ...) M(C, A), HERALD_EACH_55_(M, C, __VA_ARGS__)
#define HERALD_EACH_57_(M, C, A, ...) M(C, A), HERALD_EACH_56_(M, C, __VA_ARGS__)
#define HERALD_EACH_58_(M, C, A, ...) M(C, A), HERALD_EACH_57_(M, C, __VA_ARGS__)
#define HERALD_EACH_59_(M, C, A, ...) M(C, A), HERALD_EACH_58_(M, C, __VA_ARGS__)
#define HERALD_EACH_60_(M, C, A, ...) M(C, A), HERALD_EACH_59_(M, C, __VA_ARGS__)
#define HERALD_EACH_61_(M, C, A, ...) M(C, A), HERALD_EACH_60_(M, C, __VA_ARGS__)
#define HERALD_EACH_62_(M, C, A, ...) M(C, A), HERALD_EACH_61_(M, C, __VA_ARGS__)
#define HERALD_EACH_63_(M, C, A, ...) M(C, A), HERALD_EACH_62_(M, C, __VA_ARGS__)
#define HERALD_EACH_64_(M, C, A, ...) M(C, A), HERALD_EACH_63_(M, C, __VA_ARGS__)

/* clang-format on */

#endif
