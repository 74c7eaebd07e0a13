"""Durations as people write them in a plan: ``90s``, ``15m``, ``24h``, ``3d``, ``1h30m``."""

import re
from decimal import Decimal

_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_WHOLE = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?[dhms])+", re.ASCII)
_PART = re.compile(r"([\d.]+)([dhms])", re.ASCII)


def parse_duration(text: str) -> float | None:
    """Seconds, or None for what is no duration."""
    if not _WHOLE.fullmatch(text):
        return None
    return float(sum(Decimal(amount) * _UNITS[unit] for amount, unit in _PART.findall(text)))


def format_duration(seconds: float) -> str:
    """The shortest way to write it with one unit; `parse_duration` gives back the same number."""
    for unit, size in _UNITS.items():
        if seconds and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{Decimal(repr(seconds)):f}s"
