/* expect: before\(\) must be public and take \(herald::context &\) */
/* Nobody can call it, so it would guard nothing. */
#include <herald/herald.hpp>

class guard
{
	herald_verdict before(herald::context &ctx)
	{
		return ctx.unauthorized("not you");
	}

      public:
	void after(herald::context &, herald_verdict) {}
};

void
add(herald::service_options &options)
{
	options.handler("guard", guard());
}
