"""Counts the words of standard input."""
import sys

from tally import tally


def main() -> None:
    for word, times in tally(sys.stdin.read()):
        print(f"{times}\t{word}")
