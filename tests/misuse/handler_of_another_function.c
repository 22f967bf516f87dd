/* expect warning: incompatible.*herald_handler \* */
/* `before` does not take a message. */
#include <herald/herald.h>

enum herald_verdict before(struct herald_handler *handler, const struct herald_message *message);

const struct herald_handler_ops ops = {
	.struct_size = sizeof(ops),
	.before = before,
};
