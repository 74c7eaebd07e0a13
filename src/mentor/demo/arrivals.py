"""When requests come, and from whom: recorded traffic where it is at hand, else self-made traffic of the same shape."""

import csv
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from mentor.demo.sources import Source

ARRIVALS_FILE = "azure_llm_code_2023.csv"
USERS_FILE = "apache_semicomplete_10k.csv"
_MADE_REQUESTS = 9_000
_MADE_USERS = 1_700


@dataclass(frozen=True, slots=True)
class Traffic:
    """`offsets_seconds` ascend from 0; `users` names who sends the n-th request. Both are looped when they run out."""

    source: Source
    offsets_seconds: Sequence[float]
    users: Sequence[str]

    def arrivals(self, rate: float) -> Iterator[tuple[float, str]]:
        """(seconds from now, user), without end, compressed or stretched to `rate` requests a second on average."""
        span = self.offsets_seconds[-1]
        scale = len(self.offsets_seconds) / span / rate
        for n in count():
            lap, index = divmod(n, len(self.offsets_seconds))
            yield (lap * span + self.offsets_seconds[index]) * scale, self.users[n % len(self.users)]


def recorded(folder: Path) -> Traffic:
    """The bursty Azure arrivals with the Apache clients.

    Raises:
        FileNotFoundError: `folder` does not hold the two files.

    """
    with (folder / ARRIVALS_FILE).open(newline="") as rows:
        offsets = [float(row["t_s"]) for row in csv.DictReader(rows)]
    with (folder / USERS_FILE).open(newline="") as rows:
        users = [row["client"] for row in csv.DictReader(rows)]
    return Traffic(Source.RECORDED, offsets, users)


def self_made(seed: int) -> Traffic:
    """Bursts with quiet between them, and few users who send much: the shape of the recorded traffic, from `seed`."""
    rng = random.Random(seed)  # noqa: S311 - a repeatable demonstration, not a secret
    offsets = [0.0]
    while len(offsets) < _MADE_REQUESTS:
        burst = rng.paretovariate(1.3)
        pause = rng.expovariate(1 / (0.4 * burst))
        offsets += [offsets[-1] + pause + step * 0.03 for step in range(min(int(burst * 2), 60))]
    weights = [rng.paretovariate(1.2) for _ in range(_MADE_USERS)]
    users = rng.choices([f"user-{n:04}" for n in range(_MADE_USERS)], weights, k=_MADE_REQUESTS)
    return Traffic(Source.SELF_MADE, sorted(offsets), users)


def best_available(folder: Path, seed: int) -> Traffic:
    """The recorded traffic when `folder` holds it, else the self-made."""
    try:
        return recorded(folder)
    except FileNotFoundError:
        return self_made(seed)
