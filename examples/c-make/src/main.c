#include "rle.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    char out[4096];

    if (argc != 2) {
        fprintf(stderr, "usage: rle TEXT\n");
        return 2;
    }
    if (rle_encode(argv[1], out, sizeof out) == 0 && argv[1][0] != '\0') {
        fprintf(stderr, "rle: the text is too long\n");
        return 1;
    }
    puts(out);
    return 0;
}
