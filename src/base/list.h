/*
 * Lists of structs that have a member `next`, with their last one and their number. The functions
 * are typed:
 *
 *	struct herald__job_list {
 *		struct herald__job *first, *last;
 *		size_t count;
 *	};
 *	HERALD__LIST(herald__job_list, herald__job)
 *
 * Zero is an empty list. Not synchronised.
 *
 *	LIST_add      add one at the end
 *	LIST_take     take the first one; NULL: it is empty
 *	LIST_move     move all of `from` to the end of `list`
 *	LIST_prepend  move all of `from` to the beginning of `list`
 */
#ifndef HERALD_SRC_BASE_LIST_H
#define HERALD_SRC_BASE_LIST_H

#include <stddef.h>

#define HERALD__LIST(LIST, ITEM)                                                                   \
	static inline void LIST##_add(struct LIST *list, struct ITEM *item)                        \
	{                                                                                          \
		item->next = NULL;                                                                 \
		if (list->last)                                                                    \
			list->last->next = item;                                                   \
		else                                                                               \
			list->first = item;                                                        \
		list->last = item;                                                                 \
		list->count++;                                                                     \
	}                                                                                          \
                                                                                                   \
	static inline struct ITEM *LIST##_take(struct LIST *list)                                  \
	{                                                                                          \
		struct ITEM *item = list->first;                                                   \
                                                                                                   \
		if (!item)                                                                         \
			return NULL;                                                               \
		list->first = item->next;                                                          \
		if (!list->first)                                                                  \
			list->last = NULL;                                                         \
		list->count--;                                                                     \
		item->next = NULL;                                                                 \
		return item;                                                                       \
	}                                                                                          \
                                                                                                   \
	static inline void LIST##_move(struct LIST *list, struct LIST *from)                       \
	{                                                                                          \
		if (!from->first)                                                                  \
			return;                                                                    \
		if (list->last)                                                                    \
			list->last->next = from->first;                                            \
		else                                                                               \
			list->first = from->first;                                                 \
		list->last = from->last;                                                           \
		list->count += from->count;                                                        \
		*from = (struct LIST){0};                                                          \
	}                                                                                          \
                                                                                                   \
	static inline void LIST##_prepend(struct LIST *list, struct LIST *from)                    \
	{                                                                                          \
		LIST##_move(from, list);                                                           \
		*list = *from;                                                                     \
		*from = (struct LIST){0};                                                          \
	}

#endif
