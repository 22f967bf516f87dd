/*
 * A connection of librabbitmq with one channel, that is never waited for without a limit.
 */
#ifndef HERALD_RABBITMQ_LINK_H
#define HERALD_RABBITMQ_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <amqp.h>
#include <amqp_framing.h>

#include <herald/status.h>

#include "../common/tls.h"
#include "connect.h"
#include "tunnel.h"
#include "url.h"

#define RABBITMQ_CHANNEL 1

struct rabbitmq_link {
	amqp_connection_state_t conn;   /* NULL: not connected */
	int fd;                         /* librabbitmq's; with TLS an end of the tunnel */
	struct rabbitmq_tunnel *tunnel; /* NULL: no TLS */
	size_t frame_bytes;             /* the most that the server takes, since the last login */
};

struct rabbitmq_link_settings {
	struct rabbitmq_opening *opening; /* NULL: nothing ends it early */
	struct rabbitmq_url url;
	struct broker_tls_settings tls;
	const char *name;
	uint32_t timeout_ms; /* to connect; also of each call that waits for an answer */
	uint32_t heartbeat_s;
};

/*
 * Connect, log in and open the channel.
 *
 * Errors  HERALD_BAD_OPTION: a wrong password or virtual host, or a certificate that is not
 *         accepted. HERALD_UNAVAILABLE,
 *         HERALD_NO_MEMORY.
 */
enum herald_status herald__rabbitmq_link_open(struct rabbitmq_link *link,
					      const struct rabbitmq_link_settings *settings,
					      struct herald_error *error);

/* Close it within timeout_ms, or at once and without a word if that is 0. */
void herald__rabbitmq_link_close(struct rabbitmq_link *link, uint32_t timeout_ms);

/* How long calls wait for an answer from now on. */
void herald__rabbitmq_link_limit(struct rabbitmq_link *link, uint32_t timeout_ms);

/* The result of a call that has waited for an answer. `what` is what failed: "cannot declare". */
enum herald_status
herald__rabbitmq_reply(amqp_rpc_reply_t reply, const char *what, struct herald_error *error);

/* The text of channel.close and connection.close. */
enum herald_status
herald__rabbitmq_closed(const amqp_method_t *method, const char *what, struct herald_error *error);

/* Whether the kernel takes a frame of up to 128 KiB without waiting. librabbitmq waits as long as
 * it does not, so nothing is sent without asking first. */
bool herald__rabbitmq_link_has_space(const struct rabbitmq_link *link);

/*
 * How much fits into a frame: of a body, and of properties as they are encoded. With a larger body,
 * some versions of librabbitmq write past their buffer, and others refuse to send it.
 */
/* This leaves room for what the server adds. */
size_t herald__rabbitmq_link_body_bytes(const struct rabbitmq_link *link);
size_t herald__rabbitmq_link_properties_bytes(const struct rabbitmq_link *link);

/* The next frame that has come. Returns AMQP_STATUS_TIMEOUT if there is none, or an error. */
int herald__rabbitmq_link_next(struct rabbitmq_link *link, amqp_frame_t *frame);

/* Frees the memory that the last frames point to. */
void herald__rabbitmq_link_release(struct rabbitmq_link *link);

#endif
