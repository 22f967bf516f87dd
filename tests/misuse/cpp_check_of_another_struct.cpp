/* expect: a check is a function \(const S &, herald_refusal \*\) that returns bool */
#include <herald/herald.hpp>

struct order {
	int cents;
};

struct user {
	int age;
};

static const auto check =
	herald::check<user>([](const order &order, herald_refusal *) { return order.cents > 0; });
