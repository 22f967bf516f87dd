/*
 * The stream, the durable consumer and the stream of dead letters. They are made only if they are
 * missing: creating a consumer that exists would change its settings for the other processes. That
 * takes a connection of its own, because libnats waits for the replies.
 */
#include "place.h"

#include <stdio.h>
#include <string.h>

#include <herald/adapter/log.h>
#include <herald/adapter/options.h>

#include "connection.h"
#include "failure.h"

/* Retries wait on the server, and all of them are pending there. */
#define ACK_PENDING 1000000000
#define ACK_PENDING_MIN 1000000

struct place {
	struct nats *nats;
	jsCtx *js;
	struct herald_error *error;
};

static enum herald_status
refuse(const struct place *place, natsStatus status, jsErrCode code, const char *option,
       const char *what, const char *name)
{
	char text[320];

	snprintf(text, sizeof(text), "%s %s", what, name);
	return herald__nats_failure_set(place->error, status, code, option, text);
}

static void
log_made(const struct place *place, const char *what, const char *name)
{
	const struct herald_log_field fields[] = {
		{"broker", place->nats->base.ops->name, 0},
		{what, name, 0},
	};

	herald_log_write(&place->nats->settings.log, HERALD_LOG_WARNING, "created on the broker",
			 fields, 2);
}

/* Streams. */

/* Another process may make it at the same time, or another stream has the subject. */
static natsStatus
make_stream(const struct place *place, const char *name, const char *subject, jsErrCode *code)
{
	jsStreamConfig config;

	jsStreamConfig_Init(&config);
	config.Name = name;
	config.Subjects = &subject;
	config.SubjectsLen = 1;
	config.Replicas = place->nats->options.replicas;
	natsStatus status = js_AddStream(NULL, place->js, &config, NULL, code);
	if (status == NATS_OK)
		log_made(place, "stream", name);
	else if (*code == JSStreamNameExistErr)
		status = NATS_OK;
	return status;
}

static enum herald_status
prepare_stream(const struct place *place)
{
	const struct herald_nats_subscriber_options *options = &place->nats->options;
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus status = js_GetStreamInfo(&info, place->js, options->stream, NULL, &code);

	jsStreamInfo_Destroy(info);
	if (status == NATS_OK)
		return HERALD_OK;
	if (status != NATS_NOT_FOUND)
		return refuse(place, status, code, "stream", "cannot look up stream",
			      options->stream);
	status = make_stream(place, options->stream, options->subject, &code);
	if (status == NATS_OK)
		return HERALD_OK;
	return refuse(place, status, code, "stream", "cannot create stream", options->stream);
}

/* "orders.dead" is stored in stream "orders-dead", unless another stream stores it. */
static enum herald_status
prepare_dead_stream(const struct place *place)
{
	const char *subject = place->nats->options.dead_subject;
	jsStreamInfo *info = NULL;
	jsErrCode code = 0;
	char name[256];

	snprintf(name, sizeof(name), "%s", subject);
	for (char *at = name; *at != '\0'; at++)
		if (*at == '.' || *at == '/' || *at == '\\')
			*at = '-';
	natsStatus status = js_GetStreamInfo(&info, place->js, name, NULL, &code);
	jsStreamInfo_Destroy(info);
	if (status == NATS_NOT_FOUND)
		status = make_stream(place, name, subject, &code);
	if (status == NATS_OK || code == JSStreamSubjectOverlapErr)
		return HERALD_OK;
	return refuse(place, status, code, "dead_subject", "cannot create stream", name);
}

/* The consumer. */

static enum herald_status
refuse_setting(const struct place *place, const char *setting, long long found, const char *needed)
{
	const struct herald_nats_subscriber_options *options = &place->nats->options;

	return herald_option_refuse(place->error, "group",
				    "consumer %s of stream %s exists with %s %lld, but %s is "
				    "needed: change or delete it, or use another name",
				    options->group, options->stream, setting, found, needed);
}

static enum herald_status
check_consumer(const struct place *place, const jsConsumerConfig *config)
{
	const struct herald_nats_subscriber_options *options = &place->nats->options;
	const char *filter = config->FilterSubject ? config->FilterSubject : "";
	char wait[32];

	if (config->DeliverSubject)
		return refuse_setting(place, "deliver_subject, that is as push consumer,", 1,
				      "a pull consumer");
	if (config->AckPolicy != js_AckExplicit)
		return refuse_setting(place, "ack_policy", config->AckPolicy, "\"explicit\"");
	if (config->MaxDeliver > 0)
		return refuse_setting(place, "max_deliver", config->MaxDeliver, "-1");
	if (config->MaxAckPending >= 0 && config->MaxAckPending < ACK_PENDING_MIN)
		return refuse_setting(place, "max_ack_pending", config->MaxAckPending,
				      "-1 or at least 1000000");
	if (config->BackOffLen > 0)
		return refuse_setting(place, "backoff of length", config->BackOffLen, "none");
	if (config->HeadersOnly)
		return refuse_setting(place, "headers_only", 1, "false");
	if (config->MaxRequestBatch > 0)
		return refuse_setting(place, "max_batch", config->MaxRequestBatch, "no limit");
	if (config->MaxRequestExpires > 0)
		return refuse_setting(place, "max_expires", config->MaxRequestExpires, "no limit");
	snprintf(wait, sizeof(wait), "%lld", (long long)options->ack_wait_ms * 1000000);
	if (config->AckWait != (int64_t)options->ack_wait_ms * 1000000)
		return refuse_setting(place, "ack_wait", config->AckWait, wait);
	if (strcmp(filter, options->subject) != 0)
		return herald_option_refuse(place->error, "subject",
					    "consumer %s of stream %s exists with filter_subject "
					    "\"%s\", not \"%s\": delete it, or use another group",
					    options->group, options->stream, filter,
					    options->subject);
	return HERALD_OK;
}

static natsStatus
make_consumer(const struct place *place, jsErrCode *code)
{
	const struct herald_nats_subscriber_options *options = &place->nats->options;
	jsConsumerConfig config;

	jsConsumerConfig_Init(&config);
	config.Durable = options->group;
	config.AckPolicy = js_AckExplicit;
	config.AckWait = (int64_t)options->ack_wait_ms * 1000000;
	config.MaxAckPending = ACK_PENDING;
	config.FilterSubject = options->subject;
	natsStatus status = js_AddConsumer(NULL, place->js, options->stream, &config, NULL, code);
	if (status == NATS_OK)
		log_made(place, "consumer", options->group);
	return status;
}

static enum herald_status
prepare_consumer(const struct place *place)
{
	const struct herald_nats_subscriber_options *options = &place->nats->options;
	jsConsumerInfo *info = NULL;
	jsErrCode code = 0;
	natsStatus status =
		js_GetConsumerInfo(&info, place->js, options->stream, options->group, NULL, &code);

	if (status == NATS_OK) {
		enum herald_status checked = check_consumer(place, info->Config);

		jsConsumerInfo_Destroy(info);
		return checked;
	}
	if (status == NATS_NOT_FOUND)
		status = make_consumer(place, &code);
	if (status == NATS_OK)
		return HERALD_OK;
	return refuse(place, status, code, "group", "cannot create consumer", options->group);
}

enum herald_status
herald__nats_place_prepare(struct nats *nats, struct herald_error *error)
{
	struct place place = {.nats = nats, .error = error};
	const struct nats_connection_settings settings = herald__nats_settings(nats);
	natsConnection *connection = NULL;
	jsOptions options;
	enum herald_status status = herald__nats_connect(&settings, &connection, error);

	if (status != HERALD_OK)
		return status;
	jsOptions_Init(&options);
	options.Wait = nats->options.timeout_ms;
	const natsStatus failed = natsConnection_JetStream(&place.js, connection, &options);
	if (failed != NATS_OK)
		status = herald__nats_failure_set(error, failed, 0, "url", "cannot use JetStream");
	if (status == HERALD_OK)
		status = prepare_stream(&place);
	if (status == HERALD_OK)
		status = prepare_dead_stream(&place);
	if (status == HERALD_OK)
		status = prepare_consumer(&place);
	jsCtx_Destroy(place.js);
	natsConnection_Destroy(connection);
	return status;
}
