/* expect: Herald is for 64-bit Linux */
#undef __SIZEOF_POINTER__
#define __SIZEOF_POINTER__ 4
#include <herald/status.h>

int unit;
