/* expect: again\(\) must be public and take \(herald::context &, unsigned, std::uint32_t &\) */
#include <herald/herald.hpp>

struct guard {
	herald_again again(herald::context &, unsigned)
	{
		return HERALD_AGAIN_STOP;
	}
};

void
add(herald::service_options &options)
{
	options.handler("guard", guard());
}
