"""So many requests a minute from each caller, counted in each process: a bucket that fills up again evenly."""

from collections import OrderedDict
from collections.abc import Callable
from math import ceil
from typing import Final

from mentor.errors import TooManyRequests

_CALLERS: Final = 10_000
_MINUTE_S: Final = 60.0


class RateLimit:
    """Knows the latest ten thousand callers; whoever else comes has a full bucket."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> None:
        """Raises TooManyRequests, which says when to come again."""
        now = self._clock()
        left, since = self._buckets.pop(caller, (float(self._per_minute), now))
        left = min(self._per_minute, left + max(0.0, now - since) * self._per_minute / _MINUTE_S)
        self._buckets[caller] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > _CALLERS:
            self._buckets.popitem(last=False)
        if left < 1:
            raise TooManyRequests(self._per_minute, ceil((1 - left) * _MINUTE_S / self._per_minute))
