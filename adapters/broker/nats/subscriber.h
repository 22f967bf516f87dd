/*
 * What the parts of the subscriber share. All of it belongs to the consumer's thread, except where
 * another thread is named: libnats reads and writes only when that thread tells it to.
 *
 * A link is one connection. When it is lost, the consumer closes it and opens another one: libnats
 * does not reconnect by itself, so that no acknowledgement outlives the connection that its message
 * came with.
 */
#ifndef HERALD_NATS_SUBSCRIBER_H
#define HERALD_NATS_SUBSCRIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <herald/adapter/subscriber.h>
#include <herald/arena.h>
#include <herald/nats.h>
#include <nats/nats.h>

/* Requests for messages that are under way. */
#define NATS_PULLS_MAX 2
#define NATS_INBOX_BYTES 64

/* A request for messages, until it has got all of them or the server has ended it. */
struct nats_pull {
	uint64_t number;
	size_t count;      /* messages that it asked for */
	size_t bytes;      /* the most that they may have together */
	uint64_t until_ms; /* then the server has forgotten it */
};

/* A dead letter that no stream has confirmed yet. */
struct nats_letter {
	struct nats_letter *next;
	struct nats_message *message;
	natsMsg *copy;     /* with the headers; what is published */
	bool is_too_large; /* for the server, even with few headers */
	uint64_t number;
	uint64_t send_ms; /* again, if there is no answer by then */
	uint64_t extend_ms;
	enum { NATS_LETTER_SENT, NATS_LETTER_STORED, NATS_LETTER_REFUSED } answer;
	char problem[160]; /* REFUSED */
};

struct nats_link {
	int wake_fd;      /* an eventfd; any thread writes to it, at any time; the first member */
	bool has_news;    /* receive() is to return: wake(), or an answer of the server */
	int fd;           /* the connection's socket; -1: it is closed */
	bool is_secure;   /* with TLS */
	bool has_ended;   /* the server sends no more */
	bool wants_write; /* atomic: libnats has bytes for the socket */
	bool has_heard;   /* anything from the server */
	bool is_lost;     /* and why: */
	char problem[160];

	natsConnection *connection; /* NULL: there is none */
	char inbox[NATS_INBOX_BYTES];
	natsSubscription *pulled;        /* messages, and the ends of pulls */
	natsSubscription *confirmations; /* of settlements */
	natsSubscription *answers;       /* to dead letters */
	bool is_draining;                /* `pulled` is to bring no more messages */

	struct nats_pull pulls[NATS_PULLS_MAX]; /* the oldest first */
	size_t pulls_count;
	size_t outstanding;   /* messages that they may still bring */
	size_t refused_bytes; /* a pull of so many bytes was too small for the next message */
	uint64_t pull_number;

	uint64_t sent;      /* settlements, but dead letters; also if that has failed */
	uint64_t confirmed; /* of `sent` */
	uint64_t looked_ms; /* the last look at what follows */
	uint64_t heard_ms;  /* the server has said something */
	uint64_t waits_for; /* of `confirmed`, when it was looked at last */
	uint64_t waits_ms;  /* since when that has not changed */

	struct nats_letter *letters;
	size_t letters_count;
	uint64_t letter_number;
	uint64_t letters_ms;        /* when letters need something; not before */
	uint64_t letters_full_ms;   /* the socket was full: none is sent before */
	uint64_t letters_logged_ms; /* the next problem of theirs is logged then */
};

struct nats {
	struct herald_subscriber base;
	struct herald_nats_subscriber_options options; /* with defaults; texts are in the arena */
	struct herald_arena *texts;
	int server;                                 /* of `url`, from 1; 0: none was reached */
	bool has_wildcards;                         /* the subject */
	struct herald_subscriber_settings settings; /* once it was opened */
	struct nats_link link;
	struct herald_received_list arrived; /* the consumer does not have these yet */
	struct nats_message *messages;       /* all of this connection */
	struct nats_message *unused;         /* memory */
	uint32_t extend_ms;
};

static inline struct nats *
nats_of(struct herald_subscriber *subscriber)
{
	return (struct nats *)subscriber;
}

/* The decimal number that a text begins with. */
static inline uint64_t
nats_number(const char *text)
{
	uint64_t number = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		number = number * 10 + (uint64_t)(*text - '0');
	return number;
}

static inline uint64_t
nats_earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t
nats_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

#endif
