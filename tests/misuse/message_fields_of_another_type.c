/* expect: no member named 'event_type' */
/* The member is not a struct herald_message. */
#include <herald/message.h>

struct my_message {
	struct herald_text message;
};

HERALD_SCHEMA(my_message, HERALD_MESSAGE_FIELDS(my_message, message));
