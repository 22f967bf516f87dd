/*
 * The "C" locale, for functions of the C library that depend on one: nothing here depends on the
 * process's. What is about ASCII only is herald/adapter/text.h's.
 */
#ifndef HERALD_SRC_C_LOCALE_H
#define HERALD_SRC_C_LOCALE_H

#include <locale.h>

/* A constant of the C library, in glibc as in musl: it is never freed. */
static inline locale_t
herald__c_locale(void)
{
	return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

#endif
