"""What the deciders did, run by run, and what many runs say together."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import exp, inf, lgamma, log, log1p

from benchmarks.decisions.deciders import Answer, Decider
from benchmarks.decisions.streams import Scenario, Truth, slices

BOUND = 0.99  # confidence of the one-sided bounds


@dataclass(slots=True)
class Outcome:
    """Canary requests seen when the decider first gave each answer; infinite when it never did."""

    rolled_back_at: float = inf
    promoted_at: float = inf
    due_at: float = inf


@dataclass(frozen=True, slots=True)
class Summary:
    """Many runs of one decider in one scenario.

    Counts of runs: `rolled_back` at any time, `false_alarms` before the regression began, `promoted` before any
    rollback, `due` with a rollback for an observed breach at its deadline before one that is proven. `found` and
    `promotes` are the quartiles of canary requests from the beginning of the regression to the rollback, and to the
    promotion; infinite where it never came.
    """

    scenario: str
    truth: Truth
    decider: str
    runs: int
    rolled_back: int
    false_alarms: int
    promoted: int
    due: int
    found: tuple[float, float, float]
    promotes: tuple[float, float, float]

    @property
    def rolled_back_bound(self) -> float:
        return upper_bound(self.rolled_back, self.runs)

    @property
    def promoted_bound(self) -> float:
        return upper_bound(self.promoted, self.runs)


def play(scenario: Scenario, seed: int, deciders: dict[str, Callable[[], Decider]]) -> dict[str, Outcome]:
    """One run: every decider sees the same slices until it has rolled back, or promoted what must not be."""
    outcomes = {name: Outcome() for name in deciders}
    playing = {name: decider() for name, decider in deciders.items()}
    seen = 0
    for slice_ in slices(scenario, seed):
        seen += slice_.canary.requests
        for name, decider in tuple(playing.items()):
            if _note(outcomes[name], decider.feed(slice_), seen, scenario):
                del playing[name]
        if not playing:
            break
    return outcomes


def _note(outcome: Outcome, answer: Answer | None, seen: int, scenario: Scenario) -> bool:
    """True when nothing that comes later counts."""
    match answer:
        case Answer.ROLL_BACK:
            outcome.rolled_back_at = seen
            return True
        case Answer.PROMOTE:
            outcome.promoted_at = min(outcome.promoted_at, seen)
            return scenario.truth is Truth.BEYOND
        case Answer.DUE:
            outcome.due_at = min(outcome.due_at, seen)
    return False


def summarise(scenario: Scenario, decider: str, outcomes: Sequence[Outcome]) -> Summary:
    late = [outcome.rolled_back_at - scenario.begins_at for outcome in outcomes]
    return Summary(
        scenario=scenario.name,
        truth=scenario.truth,
        decider=decider,
        runs=len(outcomes),
        rolled_back=sum(outcome.rolled_back_at < inf for outcome in outcomes),
        false_alarms=sum(requests <= 0 for requests in late),
        promoted=sum(outcome.promoted_at < inf for outcome in outcomes),
        due=sum(outcome.due_at < outcome.rolled_back_at for outcome in outcomes),
        found=_quartiles(requests for requests in late if requests > 0),
        promotes=_quartiles(outcome.promoted_at for outcome in outcomes),
    )


def _quartiles(numbers: Iterable[float]) -> tuple[float, float, float]:
    """Nearest ranks, since infinities cannot be interpolated; infinite without numbers."""
    ordered = sorted(numbers) or [inf]
    low, middle, high = (ordered[int((len(ordered) - 1) * part)] for part in (0.25, 0.5, 0.75))
    return low, middle, high


def upper_bound(events: int, runs: int, confidence: float = BOUND) -> float:
    """The rate at which so few events are as unlikely as 1 - `confidence` (Clopper and Pearson 1934, one-sided)."""
    if events >= runs:
        return 1.0
    low, high = events / runs, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(events, runs, middle) > 1 - confidence else (low, middle)
    return high


def _at_most(events: int, runs: int, rate: float) -> float:
    """P(X <= events) for X ~ Binomial(runs, rate), 0 < rate < 1."""
    return sum(
        exp(lgamma(runs + 1) - lgamma(k + 1) - lgamma(runs - k + 1) + k * log(rate) + (runs - k) * log1p(-rate))
        for k in range(events + 1)
    )
