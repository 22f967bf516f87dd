/*
 * The white space before members and elements: compared with the one of the last time at the same
 * depth, where vectors can. Other white space is skipped in reader.h and reader.c.
 */
#include "json/reader/gap.h"

#include "base/simd.h"

char *
herald__skip_other_gap(struct herald__reader *reader, char *at, size_t slot)
{
	char *after = herald__skip_spaces(reader, at);
	size_t bytes = (size_t)(after - at);

	if (bytes <= HERALD__MAX_GAP) {
		reader->gap_masks[slot] = (UINT32_C(2) << bytes) - 1;
		reader->gap_bytes[slot] = (uint8_t)bytes;
	}
	return after;
}

char *
herald__skip_guessed(struct herald__reader *reader, char *at, size_t depth)
{
	size_t slot = depth % HERALD__GAPS;

#ifdef HERALD__SSE2
	if ((size_t)(reader->end - at) >= HERALD__MAX_GAP + 2) {
		uint32_t spaces = herald__find_spaces(at);

		if (spaces == 0xFFFF)
			spaces |= herald__find_spaces(at + 16) << 16;
		if ((spaces ^ (spaces + 1)) == reader->gap_masks[slot])
			return at + reader->gap_bytes[slot];
	}
#endif
	return herald__skip_other_gap(reader, at, slot);
}
