#include "rle.h"

#include <stdio.h>

size_t rle_encode(const char *text, char *out, size_t room)
{
    size_t used = 0;

    if (room == 0)
        return 0;
    out[0] = '\0';
    while (*text) {
        size_t run = 1;
        int wrote;

        while (text[run] == *text)
            run++;
        wrote = snprintf(out + used, room - used, "%zu%c", run, *text);
        if (wrote < 0 || (size_t)wrote >= room - used)
            return 0;
        used += (size_t)wrote;
        text += run;
    }
    return used;
}
