/*
 * Checks an event before it is encoded, by the rules of decoding: nothing is sent that a strict
 * receiver would refuse.
 */
#include "formats/cloudevents/event_check.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "formats/cloudevents/attributes.h"
#include "formats/cloudevents/media_type.h"
#include "json/reader/scan.h"

#define NOT_IN_INPUT HERALD_NO_OFFSET

bool
herald__event_has_json_type(const struct herald_cloudevent *event)
{
	return event->datacontenttype.data &&
	       herald__media_type_is_json(event->datacontenttype.data,
					  event->datacontenttype.bytes);
}

bool
herald__event_check_json(struct herald_text data, struct herald__trace *trace)
{
	static const struct herald_limits limits = {.max_depth = HERALD__MAX_DEPTH - 2,
						    .max_key_bytes = SIZE_MAX,
						    .max_string_bytes = SIZE_MAX};

	return herald__check_json(data.data, data.bytes, &limits, trace);
}

static struct herald__wrong
wrong_attribute(enum herald__event_attribute attribute)
{
	return (struct herald__wrong){attribute, herald__event_attribute_names[attribute]};
}

static bool
check_attributes(const struct herald_cloudevent *event, struct herald__trace *trace,
		 struct herald__wrong *wrong)
{
	const struct {
		enum herald__event_attribute attribute;
		bool required;
		struct herald_text value;
	} all[] = {
		{HERALD__ID, true, event->id},
		{HERALD__SOURCE, true, event->source},
		{HERALD__TYPE, true, event->type},
		{HERALD__SUBJECT, false, event->subject},
		{HERALD__DATASCHEMA, false, event->dataschema},
		{HERALD__DATACONTENTTYPE, false, event->datacontenttype},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		*wrong = wrong_attribute(all[i].attribute);
		if (all[i].value.data) {
			if (!herald__event_attribute_check(all[i].attribute, all[i].value,
							   NOT_IN_INPUT, trace))
				return false;
		} else if (all[i].required) {
			return herald__trace_fail(trace, NOT_IN_INPUT, HERALD_MISSING,
						  "is required, but NULL");
		}
	}
	return true;
}

static bool
check_extension_name(const struct herald_cloudevent *event, size_t index,
		     struct herald__trace *trace)
{
	const char *name = event->extensions[index].name;
	size_t bytes = strlen(name);

	if (!herald__is_event_attribute_name(name, bytes))
		return herald__trace_fail(
			trace, NOT_IN_INPUT, HERALD_BAD_VALUE,
			"is not a valid attribute name: expected a-z and 0-9 only");
	if (herald__event_attribute_find(name, bytes) != HERALD__EXTENSION)
		return herald__trace_fail(
			trace, NOT_IN_INPUT, HERALD_BAD_VALUE,
			"is not a valid name of an extension: the specification defines it");
	for (size_t i = 0; i < index; i++)
		if (strcmp(event->extensions[i].name, name) == 0)
			return herald__trace_fail(trace, NOT_IN_INPUT, HERALD_DUPLICATE,
						  "is a duplicate");
	return true;
}

static bool
check_extension_value(const struct herald_cloudevent_extension *extension,
		      struct herald__trace *trace)
{
	switch (extension->kind) {
	case HERALD_CLOUDEVENT_INTEGER:
	case HERALD_CLOUDEVENT_BOOLEAN:
		return true;
	case HERALD_CLOUDEVENT_STRING:
	case HERALD_CLOUDEVENT_JSON:
		break;
	default:
		return herald__trace_fail(trace, NOT_IN_INPUT, HERALD_BAD_VALUE,
					  "not a valid kind of extension: %d",
					  (int)extension->kind);
	}
	if (!extension->text.data)
		return herald__trace_fail(trace, NOT_IN_INPUT, HERALD_MISSING,
					  "is required, but NULL");
	if (extension->kind == HERALD_CLOUDEVENT_STRING)
		return herald__event_attribute_check(HERALD__EXTENSION, extension->text,
						     NOT_IN_INPUT, trace);
	if (!herald__event_check_json(extension->text, trace))
		return false;
	/* Other values have kinds of their own. */
	if (extension->text.data[0] != '{' && extension->text.data[0] != '[')
		return herald__trace_fail(trace, NOT_IN_INPUT, HERALD_BAD_TYPE,
					  "expected an object or an array");
	return true;
}

static bool
check_extensions(const struct herald_cloudevent *event, struct herald__trace *trace,
		 struct herald__wrong *wrong)
{
	*wrong = (struct herald__wrong){HERALD__EXTENSION, "extensions"};
	if (!event->extensions && event->extensions_count > 0)
		return herald__trace_fail(trace, NOT_IN_INPUT, HERALD_BAD_VALUE,
					  "is NULL, but extensions_count is %zu",
					  event->extensions_count);
	if (event->extensions_count > HERALD__MAX_EXTENSIONS)
		return herald__trace_fail(trace, NOT_IN_INPUT, HERALD_LIMIT,
					  "expected at most %d extensions, found %zu",
					  HERALD__MAX_EXTENSIONS, event->extensions_count);
	for (size_t i = 0; i < event->extensions_count; i++) {
		if (!event->extensions[i].name)
			return herald__trace_fail(trace, NOT_IN_INPUT, HERALD_MISSING,
						  "the name of extension %zu is NULL", i);
		wrong->name = event->extensions[i].name;
		if (!check_extension_name(event, i, trace) ||
		    !check_extension_value(&event->extensions[i], trace))
			return false;
	}
	return true;
}

static bool
check_text_data(const struct herald_cloudevent *event, struct herald__trace *trace)
{
	if (!event->datacontenttype.data || herald__event_has_json_type(event))
		return herald__trace_fail(
			trace, NOT_IN_INPUT, HERALD_BAD_VALUE,
			"text needs a datacontenttype that is not JSON, such as text/plain");
	if (event->data.bytes > 0 && !herald__is_utf8(event->data.data, event->data.bytes))
		return herald__trace_fail(trace, NOT_IN_INPUT, HERALD_BAD_UTF8, "expected UTF-8");
	return true;
}

static bool
check_json_data(const struct herald_cloudevent *event, struct herald__trace *trace)
{
	struct herald__shown shown;

	if (event->datacontenttype.data && !herald__event_has_json_type(event))
		return herald__trace_fail(
			trace, NOT_IN_INPUT, HERALD_BAD_VALUE,
			"JSON data needs a datacontenttype for JSON or none, found %s",
			herald__show_string(&shown, event->datacontenttype.data,
					    event->datacontenttype.bytes));
	return herald__event_check_json(event->data, trace);
}

static bool
check_data(const struct herald_cloudevent *event, struct herald__trace *trace,
	   struct herald__wrong *wrong)
{
	*wrong = wrong_attribute(HERALD__DATA);
	if (event->data_kind == HERALD_CLOUDEVENT_NO_DATA)
		return event->data.bytes == 0 ||
		       herald__trace_fail(trace, NOT_IN_INPUT, HERALD_BAD_VALUE,
					  "has %zu bytes, but data_kind is not set",
					  event->data.bytes);
	if (!event->data.data &&
	    (event->data.bytes > 0 || event->data_kind == HERALD_CLOUDEVENT_DATA_JSON))
		return herald__trace_fail(trace, NOT_IN_INPUT, HERALD_MISSING,
					  "is required, but NULL");
	switch (event->data_kind) {
	case HERALD_CLOUDEVENT_DATA_JSON:
		return check_json_data(event, trace);
	case HERALD_CLOUDEVENT_DATA_TEXT:
		return check_text_data(event, trace);
	case HERALD_CLOUDEVENT_DATA_BYTES:
		return true;
	default:
		return herald__trace_fail(trace, NOT_IN_INPUT, HERALD_BAD_VALUE,
					  "not a valid kind of data: %d", (int)event->data_kind);
	}
}

bool
herald__event_check(const struct herald_cloudevent *event, struct herald__time_text *time,
		    struct herald__trace *trace, struct herald__wrong *wrong)
{
	time->bytes = 0;
	if (!check_attributes(event, trace, wrong))
		return false;
	*wrong = wrong_attribute(HERALD__TIME);
	if (event->has_time && (time->bytes = herald_time_format(&event->time, time->text)) == 0)
		return herald__trace_fail(trace, NOT_IN_INPUT, HERALD_BAD_TIME,
					  "expected a time in the years 0000 to 9999");
	return check_extensions(event, trace, wrong) && check_data(event, trace, wrong);
}
