"""Where the demo's input comes from."""

from enum import StrEnum


class Source(StrEnum):
    """RECORDED is real traffic and real latencies from a folder; SELF_MADE has their shape, and a seed."""

    RECORDED = "recorded"
    SELF_MADE = "self_made"
