"""Contenders side by side in one run: every round takes each once, in turn, so that a busy machine slows all."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

ROUNDS = 31


@dataclass(frozen=True, slots=True)
class Measured:
    """Microseconds for one call, round by round."""

    rounds_us: tuple[float, ...]

    @property
    def us(self) -> float:
        return statistics.median(self.rounds_us)

    def ratio(self, other: "Measured") -> float:
        """How many times as long as `other`: the median of the rounds' own ratios."""
        return statistics.median(a / b for a, b in zip(self.rounds_us, other.rounds_us, strict=True))

    def less(self, other: "Measured") -> "Measured":
        """What this takes beyond `other`, in each round."""
        return Measured(tuple(a - b for a, b in zip(self.rounds_us, other.rounds_us, strict=True)))


@dataclass(frozen=True, slots=True)
class Goal:
    what: str
    value: float
    at_most: float

    def __str__(self) -> str:
        word = "held" if self.value <= self.at_most else "MISSED"
        return f"{word:6}  {self.what}: {self.value:.3g} (goal: at most {self.at_most:.3g})"


def compare(contenders: Mapping[str, Callable[[], object]], calls: int, rounds: int = ROUNDS) -> dict[str, Measured]:
    """Time functions that make `calls` calls each."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, contender in contenders.items():
            started = time.perf_counter()
            contender()
            if turn:  # the first is to warm up
                seconds[name].append(time.perf_counter() - started)
    return {name: Measured(tuple(1e6 * each / calls for each in taken)) for name, taken in seconds.items()}


def show(title: str, measured: Mapping[str, Measured], *, unit: str, against: str) -> None:
    """A table of medians, and of ratios to the one that is named."""
    width = max(map(len, measured))
    print(f"\n{title}\n{'':{width}}  {unit:>10}  {'ratio':>8}")
    for name, each in measured.items():
        print(f"{name:{width}}  {each.us:10.3f}  {each.ratio(measured[against]):7.2f}x")


def report(goals: Sequence[Goal]) -> int:
    """Print the goals; the exit status says whether all are held."""
    print()
    for goal in goals:
        print(goal)
    return 0 if all(goal.value <= goal.at_most for goal in goals) else 1
