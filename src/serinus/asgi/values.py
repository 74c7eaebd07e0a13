"""Business measures, recorded from inside a request and counted for the version that answers it."""

import re
from math import isfinite

from serinus.asgi.current import answering

NAME = re.compile(r"[a-z][a-z0-9_.\-]{0,63}", re.ASCII)
LARGEST = 1e12


def record_value(name: str, value: float) -> bool:
    """Count `value` of the measure `name` (satisfaction, conversion, basket) for the version of the current request.

    Says whether it was counted: not outside a request that takes part, not for LEGACY in the place of a failed canary,
    not beyond ±10¹² or when it is no number. The first 50 names of a process are kept, further ones are not.

    Raises `ValueError` for a name other than 1 to 64 of a-z, 0-9, '_', '-' and '.', beginning with a letter.
    """
    if not NAME.fullmatch(name):
        raise ValueError(f"a measure's name is 1 to 64 of a-z, 0-9, '_', '-', '.', a letter first; not {name[:70]!r}")
    exchange = answering.get()
    if exchange is None or not exchange.counted or not isfinite(value) or abs(value) > LARGEST:
        return False
    collector = exchange.flight.collector
    compared = exchange.slot is not None
    return collector.record_value(exchange.version, exchange.endpoint, name, float(value), compared=compared)
