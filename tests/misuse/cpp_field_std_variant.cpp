/* expect: the member is a std::variant: use a union */
#include <herald/herald.hpp>

struct shape {
	std::variant<int, bool> body;
};

const herald::schema<shape> shape_schema{
	"shape",
	herald::field("body", &shape::body),
};
