/* expect: expected an array, found a pointer */
#include <herald/herald.hpp>

std::size_t
count(const int *numbers)
{
	return HERALD_COUNT(numbers);
}
