/* expect: this must be an array, and is a pointer */
/* A pointer does not know how many there are. */
#include <herald/array.h>

size_t
count(const int *numbers)
{
	return HERALD_COUNT(numbers);
}
