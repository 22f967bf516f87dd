/* expect: expected an array, found a pointer */
/* A pointer does not know how many there are. */
#include <herald/array.h>

size_t
count(const int *numbers)
{
	return HERALD_COUNT(numbers);
}
