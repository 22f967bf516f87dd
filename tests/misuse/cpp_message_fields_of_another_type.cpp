/* expect: the member must be a herald_message */
#include <herald/herald.hpp>
struct my_message {
	herald::text message;
};
const herald::schema<my_message> s{"my_message", herald::message_fields(&my_message::message)};
