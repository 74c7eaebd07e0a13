"""How long to wait before the next try."""

_MOST_DOUBLINGS = 60  # beyond any longest pause; 2.0 ** 1024 is no float, and an outage may last for days


def lengthened(seconds: float, failures: int, *, longest: float) -> float:
    """`seconds`, doubled with every failure in a row (of which there may be any number), up to `longest`."""
    return min(seconds * 2.0 ** min(failures, _MOST_DOUBLINGS), longest)
