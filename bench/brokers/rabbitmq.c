/*
 * RabbitMQ with librabbitmq: a quorum queue, IN_FLIGHT messages prefetched, and one
 * acknowledgement for each BATCH.
 */
#include "broker.h"

#include <string.h>
#include <sys/time.h>

#include <amqp.h>
#include <amqp_tcp_socket.h>

#include <herald/rabbitmq.h>

#define CHANNEL 1
#define TIMEOUT_S 20

static void
check(amqp_rpc_reply_t reply, const char *what)
{
	if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
		die(what, amqp_error_string2(reply.library_error));
	if (reply.reply_type != AMQP_RESPONSE_NORMAL)
		die(what, "the server has refused it");
}

static void
check_sent(int status, const char *what)
{
	if (status != AMQP_STATUS_OK)
		die(what, amqp_error_string2(status));
}

static amqp_connection_state_t
connect_to(const struct place *place)
{
	const struct address address = address_of(place->url);
	amqp_connection_state_t amqp = amqp_new_connection();
	amqp_socket_t *socket = amqp_tcp_socket_new(amqp);

	check_sent(amqp_socket_open(socket, address.host, address.port), "amqp_socket_open");
	check(amqp_login(amqp, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"),
	      "amqp_login");
	amqp_channel_open(amqp, CHANNEL);
	check(amqp_get_rpc_reply(amqp), "amqp_channel_open");
	return amqp;
}

static void
close_connection(amqp_connection_state_t amqp)
{
	check(amqp_connection_close(amqp, AMQP_REPLY_SUCCESS), "amqp_connection_close");
	amqp_destroy_connection(amqp);
}

static void
make_queue(amqp_connection_state_t amqp, amqp_bytes_t queue)
{
	amqp_table_entry_t type = {
		.key = amqp_cstring_bytes("x-queue-type"),
		.value = {.kind = AMQP_FIELD_KIND_UTF8,
			  .value.bytes = amqp_cstring_bytes("quorum")},
	};

	amqp_queue_delete(amqp, CHANNEL, queue, 0, 0);
	check(amqp_get_rpc_reply(amqp), "amqp_queue_delete");
	amqp_queue_declare(amqp, CHANNEL, queue, 0, 1, 0, 0, (amqp_table_t){1, &type});
	check(amqp_get_rpc_reply(amqp), "amqp_queue_declare");
}

/* Wait until the server has stored the `count` messages after the first `before`. It confirms one,
 * or all up to one. */
static void
await_stored(amqp_connection_state_t amqp, uint64_t before, uint64_t count)
{
	bool is_stored[IN_FLIGHT] = {false};
	uint64_t stored = 0;

	while (stored < count) {
		amqp_frame_t frame;

		amqp_maybe_release_buffers(amqp);
		check_sent(amqp_simple_wait_frame(amqp, &frame), "amqp_simple_wait_frame");
		if (frame.frame_type != AMQP_FRAME_METHOD ||
		    frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
			die("amqp_basic_publish", "the server does not store it");
		const amqp_basic_ack_t *ack = frame.payload.method.decoded;
		const uint64_t last = ack->delivery_tag - before;
		for (uint64_t i = ack->multiple ? 1 : last; i <= last; i++) {
			stored += !is_stored[i - 1];
			is_stored[i - 1] = true;
		}
	}
}

void
broker_fill(const struct place *place, const char *source, uint64_t count)
{
	amqp_connection_state_t amqp = connect_to(place);
	const amqp_bytes_t event = {place->event_bytes, (void *)place->event};
	const amqp_basic_properties_t stored = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
						.delivery_mode = 2};

	make_queue(amqp, amqp_cstring_bytes(source));
	amqp_confirm_select(amqp, CHANNEL);
	check(amqp_get_rpc_reply(amqp), "amqp_confirm_select");
	for (uint64_t sent = 0; sent < count;) {
		const uint64_t part = count - sent < IN_FLIGHT ? count - sent : IN_FLIGHT;

		for (uint64_t i = 0; i < part; i++)
			check_sent(amqp_basic_publish(amqp, CHANNEL, amqp_empty_bytes,
						      amqp_cstring_bytes(source), 1, 0, &stored,
						      event),
				   "amqp_basic_publish");
		await_stored(amqp, sent, part);
		sent += part;
	}
	close_connection(amqp);
}

void
broker_consume(const struct place *place, const char *source, uint64_t count, on_message *function,
	       void *state)
{
	amqp_connection_state_t amqp = connect_to(place);

	amqp_basic_qos(amqp, CHANNEL, 0, IN_FLIGHT, 0);
	check(amqp_get_rpc_reply(amqp), "amqp_basic_qos");
	amqp_basic_consume(amqp, CHANNEL, amqp_cstring_bytes(source), amqp_empty_bytes, 0, 0, 0,
			   amqp_empty_table);
	check(amqp_get_rpc_reply(amqp), "amqp_basic_consume");
	for (uint64_t i = 1; i <= count; i++) {
		amqp_envelope_t message;

		amqp_maybe_release_buffers(amqp);
		check(amqp_consume_message(amqp, &message, &(struct timeval){.tv_sec = TIMEOUT_S},
					   0),
		      "amqp_consume_message");
		function(message.message.body.bytes, message.message.body.len, state);
		if (i % BATCH == 0 || i == count)
			check_sent(amqp_basic_ack(amqp, CHANNEL, message.delivery_tag, 1),
				   "amqp_basic_ack");
		amqp_destroy_envelope(&message);
	}
	close_connection(amqp);
}

enum herald_status
broker_subscribe(const struct place *place, const char *source, struct herald_subscriber **out,
		 struct herald_error *error)
{
	return herald_rabbitmq_subscriber_create(
		&HERALD_RABBITMQ_SUBSCRIBER_OPTIONS(.url = place->url, .queue = source), out,
		error);
}
