/*
 * The resources api/dead-letters and api/dead-letters/ID. Private.
 */
#ifndef HERALD_SRC_ADMIN_LETTERS_H
#define HERALD_SRC_ADMIN_LETTERS_H

#include "admin/admin.h"

void herald__admin_letters(struct herald__admin_call *call);
void herald__admin_letter(struct herald__admin_call *call);

#endif
