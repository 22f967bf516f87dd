/* expect: the class of a handler must not be final */
/* Its private function would guard nothing. */
#include <herald/herald.hpp>

class guard final
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
