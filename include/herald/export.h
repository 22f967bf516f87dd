/*
 * What every public header needs: symbol visibility and the attributes that make misuse a warning.
 */
#ifndef HERALD_EXPORT_H
#define HERALD_EXPORT_H

#if !defined(__linux__) || __SIZEOF_POINTER__ != 8
#error "Herald needs a 64-bit platform: its limits do not fit into 32 bits"
#endif

/** Marks a symbol that the shared library exports; everything else is hidden. */
#define HERALD_API __attribute__((visibility("default")))

/** The result must be looked at; ignoring it is a compiler warning. */
#define HERALD_MUST_CHECK __attribute__((warn_unused_result))

/** Argument FORMAT is a printf format for those from FIRST on; the compiler checks them. */
#define HERALD_PRINTF(FORMAT, FIRST) __attribute__((__format__(__printf__, FORMAT, FIRST)))

/* For inline functions and macros: a cast, in C++ one that -Wold-style-cast allows. */
#ifdef __cplusplus
#define HERALD_CAST_(TYPE, VALUE) static_cast<TYPE>(VALUE)
#else
#define HERALD_CAST_(TYPE, VALUE) ((TYPE)(VALUE))
#endif

#endif
