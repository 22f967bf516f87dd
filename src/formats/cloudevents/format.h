/* What the format of CloudEvents has done to an event. Private. */
#ifndef HERALD_SRC_FORMATS_CLOUDEVENTS_FORMAT_H
#define HERALD_SRC_FORMATS_CLOUDEVENTS_FORMAT_H

#include <herald/cloudevents.h>

/* The options of a format, if it is one of CloudEvents; else NULL. */
const struct herald_cloudevents_options *
herald__cloudevents_options_of(const struct herald_format *format);

#endif
