/*
 * Where the threads of a consumer meet: messages on their way to the lanes, and those that have
 * ended. One mutex; messages pass it in groups, and a thread is woken only if it waits.
 */
#ifndef HERALD_SRC_CONSUMER_DESK_H
#define HERALD_SRC_CONSUMER_DESK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "consumer/held.h"

struct herald_consumer;
struct herald__lane;

enum herald__desk_phase {
	HERALD__DESK_OPEN,
	HERALD__DESK_STOPPING, /* nothing begins any more */
	HERALD__DESK_STOPPED,  /* nothing is left, and the connection is closed */
};

/* Everything is protected by the mutex, except for the atomics. */
struct herald__desk {
	pthread_mutex_t mutex;
	pthread_cond_t consumer_wake; /* while there is no connection */
	pthread_cond_t changed;       /* for stop */
	pthread_cond_t gate;          /* for suspects, and lanes that let them run alone */

	struct herald__held_list ready; /* for any lane */
	struct herald__held_list ended;
	size_t idle;   /* lanes that wait */
	size_t active; /* threads of lanes that may run something */
	bool quits;    /* the threads of the lanes end */

	/* Suspects that run or want to: the messages during whose runs a process has died. While
	 * one runs, no other message does, and the broker knows of all ends: otherwise a death
	 * would cost those messages an attempt, too. */
	atomic_size_t suspects;
	bool is_alone;   /* one runs */
	bool is_settled; /* nothing has ended that the broker does not know of */
	bool needs_turn; /* the consumer's thread has to look at suspects */

	bool consumer_sleeps;        /* on consumer_wake */
	atomic_bool consumer_waits;  /* in receive(): give back each message at once */
	atomic_bool is_stopping;     /* run nothing more */
	atomic_uint_fast64_t losses; /* times that messages were lost */
	enum herald__desk_phase phase;
	uint64_t drain_until_ms; /* of a stop, by the monotonic clock */
	size_t left;             /* of a stop: messages whose end the broker does not know */
};

/* Returns false if the operating system has no mutex or condition variable left. */
bool herald__desk_init(struct herald__desk *desk);
void herald__desk_finish(struct herald__desk *desk);

/* The consumer's thread. */

/* Hand over messages to the lanes: each to the lane of its key, or to any. */
void herald__desk_hand(struct herald_consumer *consumer, struct herald__held_list *messages);
/* Take what has ended. */
void herald__desk_collect(struct herald_consumer *consumer, struct herald__held_list *out);
/* From now on, until _end_wait(), what ends is given back at once, and ends the wait. Returns false
 * if there is nothing to wait for: something has ended. */
bool herald__desk_begin_wait(struct herald_consumer *consumer);
void herald__desk_end_wait(struct herald_consumer *consumer);
/* Wait without a connection, until due_ms, until something ends, or until a stop. */
void herald__desk_sleep(struct herald_consumer *consumer, uint64_t due_ms);
/* Let a suspect run if all has ended. Returns false if one waits for the broker: `has_unsettled`
 * ends are not confirmed yet. */
bool herald__desk_let_suspects(struct herald_consumer *consumer, bool has_unsettled);
/* Messages that are parked may be lost: the lanes look. */
void herald__desk_tell_losses(struct herald_consumer *consumer);
/* During a stop: how many messages are left. `phase`: whether it is over. */
void herald__desk_tell_left(struct herald_consumer *consumer, size_t left,
			    enum herald__desk_phase phase);
/* Until when a stop waits. */
uint64_t herald__desk_drain_until(struct herald_consumer *consumer);
/* The lanes have nothing left: their threads end. */
void herald__desk_quit(struct herald_consumer *consumer);

/* Lanes. */

/* Give back what has ended, and take what the lane is to run next. */
void herald__desk_exchange(struct herald__lane *lane, struct herald__held_list *ended,
			   struct herald__held_list *taken);
/* A lane's thread begins. */
void herald__desk_enter(struct herald__lane *lane);
/* Wait until there is something to do, or due_ms. Returns false when the thread has to end. */
bool herald__desk_wait(struct herald__lane *lane, uint64_t due_ms);
/* A suspect is about to run: wait until no other lane runs anything, and the broker knows of all
 * ends; then no lane runs anything, until _leave_alone(). A stop, and the loss of the message, end
 * the wait for the broker. */
void herald__desk_enter_alone(struct herald__lane *lane, const struct herald__held *held);
/* Also gives back what has ended. */
void herald__desk_leave_alone(struct herald__lane *lane);
/* Let the suspects of others run. */
void herald__desk_pause(struct herald__lane *lane);

/* Any thread. */

/* The store has taken a message, or could not. */
void herald__desk_stored(struct herald_consumer *consumer, struct herald__held *held);
/* Stop, and wait. Returns what is left. */
size_t herald__desk_stop(struct herald_consumer *consumer, uint32_t drain_ms);

#endif
