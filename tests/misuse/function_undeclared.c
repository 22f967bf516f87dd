/* expect: 'on_user' undeclared|undeclared identifier 'on_user' */
/* HERALD_FUNCTION comes after the function, or its declaration. */
#include <herald/herald.h>

struct user {
	int32_t age;
};

HERALD_SCHEMA(user, HERALD_FIELD(user, age));

HERALD_FUNCTION(on_user, user);
