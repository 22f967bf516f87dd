/* expect: expected an array, found a pointer */
/* A pointer does not know how many extensions there are. */
#include <herald/cloudevent.h>

struct herald_cloudevent
options(const struct herald_cloudevent_extension *extensions)
{
	return (struct herald_cloudevent){HERALD_CLOUDEVENT_EXTENSIONS(extensions)};
}
