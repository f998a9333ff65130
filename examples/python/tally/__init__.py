"""Counts words."""
from collections import Counter


def tally(text: str):
    """Words and how often each is there: the most frequent first, and those as frequent by name."""
    return sorted(Counter(text.lower().split()).items(), key=lambda pair: (-pair[1], pair[0]))
