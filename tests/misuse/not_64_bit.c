/* expect: Herald needs a 64-bit platform */
#undef __SIZEOF_POINTER__
#define __SIZEOF_POINTER__ 4
#include <herald/status.h>

int unit;
