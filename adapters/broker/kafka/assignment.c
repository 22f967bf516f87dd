/*
 * Rebalances. When a process joins the group or leaves it, all partitions of the others go first:
 * their events that run have ended, and that is committed. Then partitions come, with what their
 * last owners have committed. Owns the list of partitions.
 */
#include "assignment.h"

#include <string.h>

#include "client.h"
#include "commit.h"
#include "partition.h"

static void
assign(struct kafka *kafka, const rd_kafka_topic_partition_list_t *list)
{
	const rd_kafka_resp_err_t error = rd_kafka_assign(kafka->consumer, list);

	if (!error)
		return;
	kafka->is_away = false;
	herald__kafka_client_fail(kafka, "cannot change the assignment", rd_kafka_err2str(error));
}

/* Partitions come. */

/* Returns false after a failure. */
static bool
add_partitions(struct kafka *kafka, rd_kafka_topic_partition_list_t *list)
{
	rd_kafka_resp_err_t error =
		rd_kafka_committed(kafka->consumer, list, (int)kafka->options.timeout_ms);

	for (int i = 0; !error && i < list->cnt; i++) {
		rd_kafka_topic_partition_t *place = &list->elems[i];

		error = place->err;
		if (error)
			break;
		struct kafka_partition *partition = herald__kafka_partition_create(kafka, place);
		if (!partition) {
			herald__kafka_client_fail(kafka, "cannot begin a partition",
						  "out of memory");
			return false;
		}
		partition->next = kafka->partitions;
		kafka->partitions = partition;
		if (place->offset < 0)
			place->offset = RD_KAFKA_OFFSET_BEGINNING;
	}
	if (error)
		herald__kafka_client_fail(kafka, "cannot read committed offsets",
					  rd_kafka_err2str(error));
	return !error;
}

static void
come(struct kafka *kafka, const rd_kafka_topic_partition_list_t *partitions)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_copy(partitions);

	if (add_partitions(kafka, list))
		assign(kafka, list);
	else
		kafka->is_away = false; /* the clients cannot go on with a part of them */
	rd_kafka_topic_partition_list_destroy(list);
}

/* Partitions stay. */

bool
herald__kafka_assignment_suspend(struct kafka *kafka)
{
	rd_kafka_message_t *next = kafka->next;

	for (struct kafka_partition *partition = kafka->partitions; partition;
	     partition = partition->next) {
		if (next && partition->taken < 0 && partition->number == next->partition &&
		    strcmp(partition->topic, rd_kafka_topic_name(next->rkt)) == 0)
			partition->taken = next->offset;
		/* Else nothing has come of it. */
		if (partition->taken >= 0 && !herald__kafka_partition_rewind(kafka, partition))
			return false;
	}
	if (next)
		rd_kafka_message_destroy(next);
	kafka->next = NULL;
	return true;
}

static rd_kafka_resp_err_t
first_error(const rd_kafka_topic_partition_list_t *list)
{
	for (int i = 0; i < list->cnt; i++)
		if (list->elems[i].err)
			return list->elems[i].err;
	return RD_KAFKA_RESP_ERR_NO_ERROR;
}

bool
herald__kafka_assignment_resume(struct kafka *kafka, struct herald_error *error)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

	for (struct kafka_partition *partition = kafka->partitions; partition;
	     partition = partition->next)
		if (partition->taken >= 0)
			rd_kafka_topic_partition_list_add(list, partition->topic, partition->number)
				->offset = partition->taken;
	rd_kafka_error_t *failed =
		list->cnt > 0 ? rd_kafka_seek_partitions(kafka->consumer, list,
							 (int)kafka->options.timeout_ms)
			      : NULL;
	const rd_kafka_resp_err_t code = failed ? rd_kafka_error_code(failed) : first_error(list);
	if (failed)
		rd_kafka_error_destroy(failed);
	rd_kafka_topic_partition_list_destroy(list);
	if (!code)
		return true;
	herald_error_set(error, HERALD_UNAVAILABLE, HERALD_NO_OFFSET, "Kafka: cannot seek: %s",
			 rd_kafka_err2str(code));
	return false;
}

/* Partitions go. */

void
herald__kafka_assignment_lose(struct kafka *kafka)
{
	while (kafka->partitions) {
		struct kafka_partition *partition = kafka->partitions;

		kafka->partitions = partition->next;
		herald__kafka_partition_destroy(kafka, partition);
	}
	/* It comes again. */
	if (kafka->next)
		rd_kafka_message_destroy(kafka->next);
	kafka->next = NULL;
	kafka->is_leaving = false;
}

static bool
is_busy(const struct kafka *kafka)
{
	for (const struct kafka_partition *partition = kafka->partitions; partition;
	     partition = partition->next)
		if (partition->busy > 0)
			return true;
	return false;
}

void
herald__kafka_assignment_turn(struct kafka *kafka, uint64_t now_ms)
{
	if (!kafka->is_leaving)
		return;
	const bool is_lost = rd_kafka_assignment_lost(kafka->consumer);
	if (!is_lost && is_busy(kafka) && now_ms < kafka->leave_ms)
		return;
	if (!is_lost)
		(void)herald__kafka_commit_all(kafka, now_ms + kafka->options.timeout_ms);
	herald__kafka_assignment_lose(kafka);
	assign(kafka, NULL);
}

void
herald__kafka_assignment_change(struct kafka *kafka, rd_kafka_event_t *event)
{
	if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
		come(kafka, rd_kafka_event_topic_partition_list(event));
		return;
	}
	kafka->is_leaving = true;
	kafka->leave_ms = kafka_now_ms() + kafka->options.rebalance_timeout_ms;
}
