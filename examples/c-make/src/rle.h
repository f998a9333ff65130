#ifndef RLE_H
#define RLE_H

#include <stddef.h>

/* Writes text as runs, "aaab" as "3a1b". Returns the length of that, or 0 when it does not fit into `room` with its end. */
size_t rle_encode(const char *text, char *out, size_t room);

#endif
