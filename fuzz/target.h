/*
 * What a fuzz target defines: libFuzzer calls it, or main.c does.
 */
#ifndef HERALD_FUZZ_TARGET_H
#define HERALD_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* Takes any bytes; returns 0. A finding is a crash, an abort or a sanitizer's report. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
