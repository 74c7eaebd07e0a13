"""What the demo's requests wait for: database latencies recorded on two machines, or self-made ones like them."""

import csv
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mentor.demo.sources import Source

FAST_FILE = "azure_vmnoise_pg25_D8s_v5_read_write.csv"
SLOW_FILE = "azure_vmnoise_pg25_B8ms_read_write.csv"
TRANSACTIONS = 40
_MADE = 2_000


@dataclass(frozen=True, slots=True)
class Recordings:
    """`fast_ms` and `slow_ms` are waits of one request, `TRANSACTIONS` recorded ones each, in milliseconds."""

    source: Source
    fast_ms: Sequence[float]
    slow_ms: Sequence[float]


def best_available(folder: Path, seed: int) -> Recordings:
    """The recorded latencies when `folder` holds both files, else self-made ones from `seed`."""
    try:
        fast, slow = _read(folder / FAST_FILE), _read(folder / SLOW_FILE)
    except FileNotFoundError:
        rng = random.Random(seed)  # noqa: S311 - a repeatable demonstration, not a secret
        fast = [rng.lognormvariate(0.957, 0.03) for _ in range(_MADE)]  # about 2.6 ms, as narrow as the recorded
        slow = [1.27 * rng.lognormvariate(0.957, 0.03) for _ in range(_MADE)]
        return Recordings(Source.SELF_MADE, _sums(fast), _sums(slow))
    return Recordings(Source.RECORDED, _sums(fast), _sums(slow))


def _read(path: Path) -> list[float]:
    with path.open(newline="") as rows:
        return [float(row["latency_ms"]) for row in csv.DictReader(rows)]


def _sums(latencies_ms: Sequence[float]) -> list[float]:
    """One request's wait from each place of the recording on."""
    twice = [*latencies_ms, *latencies_ms]
    return [sum(twice[start : start + TRANSACTIONS]) for start in range(len(latencies_ms))]
