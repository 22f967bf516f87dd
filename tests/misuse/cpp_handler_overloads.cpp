/* expect: before\(\) must be public and take \(herald::context &\) */
/* None of the functions takes what Herald passes. */
#include <herald/herald.hpp>

struct guard {
	herald_verdict before(int)
	{
		return HERALD_DONE;
	}
	herald_verdict before(const char *)
	{
		return HERALD_DONE;
	}
	void after(herald::context &, herald_verdict) {}
};

void
add(herald::service_options &options)
{
	options.handler("guard", guard());
}
