/*
 * Deletes the dead letters at the beginning of each partition that are done, as far as Kafka can,
 * and takes their marks back. Owns nothing. Without the right to delete records, all of it stays.
 */
#include "trim.h"

#include <herald/adapter/options.h>

#include "replay.h"

/* The topic may have been made again since, with other letters. */
static bool
is_same_topic(struct kafka_dead_letters *letters, int32_t number)
{
	const struct kafka_dead_partition *partition = &letters->partitions[number];
	const struct kafka_records records = {letters->consumer, letters->errors, letters->topic,
					      number, letters->options.timeout_ms};
	int64_t next = partition->first;
	rd_kafka_message_t *record = NULL;

	if (rd_kafka_consume_start(letters->topic, number, next) != 0)
		return false;
	const enum herald_status status =
		herald__kafka_records_next(&records, &next, partition->end, &record, NULL);
	const bool is_same = status == HERALD_OK && record && record->offset == partition->first &&
			     kafka_record_ms(record) == partition->first_ms;
	if (record)
		rd_kafka_message_destroy(record);
	(void)rd_kafka_consume_stop(letters->topic, number);
	return is_same;
}

/* Before which all letters of a partition are done; its first offset: none is. */
static int64_t
limit_of(struct kafka_dead_letters *letters, int32_t number)
{
	const struct kafka_dead_partition *partition = &letters->partitions[number];
	const int64_t limit = partition->kept >= 0 ? partition->kept : partition->next;

	return partition->first >= 0 && limit > partition->low && is_same_topic(letters, number)
		       ? limit
		       : partition->low;
}

/* Some partitions may fail: then their marks stay as well. */
static void
take_result(struct kafka_dead_letters *letters, rd_kafka_event_t *event)
{
	const rd_kafka_DeleteRecords_result_t *result =
		event ? rd_kafka_event_DeleteRecords_result(event) : NULL;
	const rd_kafka_topic_partition_list_t *list =
		result && !rd_kafka_event_error(event)
			? rd_kafka_DeleteRecords_result_offsets(result)
			: NULL;

	for (int i = 0; list && i < list->cnt; i++)
		if (!list->elems[i].err && list->elems[i].partition < letters->count)
			letters->partitions[list->elems[i].partition].low = list->elems[i].offset;
}

static void
delete_records(struct kafka_dead_letters *letters, rd_kafka_topic_partition_list_t *limits)
{
	rd_kafka_DeleteRecords_t *records = rd_kafka_DeleteRecords_new(limits);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(letters->consumer);
	rd_kafka_AdminOptions_t *options =
		rd_kafka_AdminOptions_new(letters->consumer, RD_KAFKA_ADMIN_OP_DELETERECORDS);
	char why[256];

	(void)rd_kafka_AdminOptions_set_request_timeout(options, (int)letters->options.timeout_ms,
							why, sizeof(why));
	rd_kafka_DeleteRecords(letters->consumer, &records, 1, options, queue);
	rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 2 * (int)letters->options.timeout_ms);
	take_result(letters, event);
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_queue_destroy(queue);
	rd_kafka_DeleteRecords_destroy(records);
}

static void
take_report(void *state, const rd_kafka_message_t *report, rd_kafka_resp_err_t code)
{
	(void)report, (void)code;
	((struct kafka_dead_letters *)state)->waiting--;
}

/* Marks of letters that are no longer there. */
static void
take_marks_back(struct kafka_dead_letters *letters)
{
	const struct kafka_marks *marks = &letters->marks;
	char name[KAFKA_MARK_KEY_BYTES];

	for (size_t i = 0; i < marks->room; i++) {
		const struct kafka_mark *mark = &marks->items[i];

		if (!mark->is_used || !mark->is_done || mark->partition >= letters->count ||
		    mark->offset >= letters->partitions[mark->partition].low)
			continue;
		herald__kafka_mark_name(mark->partition, mark->offset, mark->time_ms, name);
		(void)herald__kafka_mark_send(letters, name, NULL, NULL);
	}
	herald__kafka_dead_await(letters, take_report);
}

void
herald__kafka_dead_trim(struct kafka_dead_letters *letters)
{
	rd_kafka_topic_partition_list_t *limits = rd_kafka_topic_partition_list_new(1);

	for (int i = 0; i < letters->count; i++) {
		const int64_t limit = limit_of(letters, i);

		if (limit > letters->partitions[i].low)
			rd_kafka_topic_partition_list_add(limits, letters->dead, i)->offset = limit;
	}
	if (limits->cnt > 0)
		delete_records(letters, limits);
	rd_kafka_topic_partition_list_destroy(limits);
	if (herald__kafka_marks_read(&letters->marks, NULL) == HERALD_OK)
		take_marks_back(letters);
}
