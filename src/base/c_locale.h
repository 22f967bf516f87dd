/*
 * The "C" locale, for functions of the C library that depend on a locale: Herald does not depend on
 * the process's. Functions for ASCII are in herald/adapter/text.h.
 */
#ifndef HERALD_SRC_BASE_C_LOCALE_H
#define HERALD_SRC_BASE_C_LOCALE_H

#include <locale.h>

/* Never freed: a constant of the C library, in both glibc and musl. */
static inline locale_t
herald__c_locale(void)
{
	return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

#endif
