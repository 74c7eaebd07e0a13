"""Cells with given counts, spread over subjects, for tests of the analysis."""

from serinus.analysis.analyze import Evidence, analyze, enter_step, fold, start
from serinus.analysis.criteria import Criteria, Limit
from serinus.analysis.slices import Compared, Slice
from serinus.analysis.verdict import Metric, Report
from serinus.metrics.sketch import bin_of
from serinus.metrics.snapshot import SLOTS, Cell, Outcome

ERRORS, P95, AVAILABILITY = "errors", "p95", "availability"
LIMITS = (
    Limit(ERRORS, Metric.ERROR_RATE, 0.05),
    Limit(P95, Metric.P95, 2_000.0),
    Limit(AVAILABILITY, Metric.AVAILABILITY, 0.99),
)
CRITERIA = Criteria(error_rate_margin=0.005, p95_margin=0.1, min_canary_requests=1_000, limits=LIMITS)


def cell(
    requests: int,
    failed: int = 0,
    *,
    client_errors: int = 0,
    seconds: float = 0.2,
    subjects: int = SLOTS,
    first_subject: int = 0,
) -> Cell:
    """`requests` valid ones, `failed` of them by different subjects as far as there are so many; all take `seconds`.

    The `client_errors` come on top, and are spread over the subjects in the same way.
    """
    slots, errors, refused = [0] * SLOTS, [0] * SLOTS, [0] * SLOTS
    for number in range(requests):
        slot = (first_subject + number % subjects) % SLOTS
        slots[slot] += 1
        errors[slot] += number < failed
    for number in range(client_errors):
        refused[(first_subject + number % subjects) % SLOTS] += 1
    return Cell(
        outcomes={Outcome.OK: requests - failed, Outcome.FAILED: failed, Outcome.CLIENT_ERROR: client_errors},
        latency={bin_of(seconds): requests} if requests else {},
        latency_seconds={bin_of(seconds): requests * seconds} if requests else {},
        slot_requests=tuple(slots),
        slot_errors=tuple(errors),
        slot_client_errors=tuple(refused),
    )


def slice_of(number: int, legacy: Cell, canary: Cell, *, revision: int = 1, endpoint: str = "/") -> Slice:
    """The slice `number` of 2 s."""
    return Slice(2.0 * number, 2.0 * number + 2.0, revision, {endpoint: Compared(legacy, canary)})


def begin(criteria: Criteria = CRITERIA, *, revision: int = 1) -> Evidence:
    return enter_step(start(criteria, 0.0), at=0.0, split_revision=revision)


def judged(*slices: Slice, criteria: Criteria = CRITERIA, after: float = 1.0) -> Report:
    """The report `after` seconds after the last slice."""
    evidence = begin(criteria)
    for each in slices:
        evidence = fold(evidence, each, criteria)
    return analyze(evidence, criteria, max((each.ended_at for each in slices), default=0.0) + after)
