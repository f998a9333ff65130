/* Prints TAP: a line for each test, after how many there are. */
#include "rle.h"

#include <stdio.h>
#include <string.h>

static int failed;

static void check(int number, const char *name, int holds)
{
    printf("%s %d - %s\n", holds ? "ok" : "not ok", number, name);
    failed += !holds;
}

int main(void)
{
    char out[16];

    puts("1..4");
    check(1, "a run becomes its length and its letter", rle_encode("aaab", out, sizeof out) == 4 && strcmp(out, "3a1b") == 0);
    check(2, "a long run has a length of two digits", rle_encode("zzzzzzzzzzzz", out, sizeof out) == 3 && strcmp(out, "12z") == 0);
    check(3, "nothing stays nothing", rle_encode("", out, sizeof out) == 0 && out[0] == '\0');
    check(4, "what does not fit is refused", rle_encode("abcdefgh", out, sizeof out) == 0);
    return failed > 0;
}
