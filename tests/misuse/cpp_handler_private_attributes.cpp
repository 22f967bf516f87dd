/* expect: attributes must be public */
/* Herald cannot read the list. */
#include <herald/herald.hpp>

class guard
{
	static constexpr const char *attributes[] = {"X-Key", nullptr};

      public:
	void before(herald::context &) {}
};

void
add(herald::service_options &options)
{
	options.handler("guard", guard());
}
