/*
 * What herald/adapter/text.h does not do inline: texts of the system's errors.
 */
#include <string.h>

#include <herald/adapter/text.h>

#include "c_locale.h"

const char *
herald_errno_text(int number)
{
	return strerror_l(number, herald__c_locale());
}
