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

    def spread(count: int) -> tuple[int, ...]:
        slots, (each, rest) = [0] * SLOTS, divmod(count, subjects)
        for subject in range(subjects):
            slots[(first_subject + subject) % SLOTS] += each + (subject < rest)
        return tuple(slots)

    return Cell(
        outcomes={Outcome.OK: requests - failed, Outcome.FAILED: failed, Outcome.CLIENT_ERROR: client_errors},
        latency={bin_of(seconds): requests} if requests else {},
        latency_seconds={bin_of(seconds): requests * seconds} if requests else {},
        slot_requests=spread(requests),
        slot_errors=spread(min(failed, requests)),
        slot_client_errors=spread(client_errors),
    )


def slice_of(number: int, legacy: Cell, canary: Cell, *, revision: int = 1, endpoint: str = "/") -> Slice:
    """The slice `number` of 2 s."""
    return Slice(2.0 * number, 2.0 * number + 2.0, revision, {endpoint: Compared(legacy, canary)})


def begin(criteria: Criteria = CRITERIA, *, revision: int = 1) -> Evidence:
    return enter_step(start(criteria, 0.0), at=0.0, split_revision=revision)


def folded(*slices: Slice, criteria: Criteria = CRITERIA, past: Evidence | None = None) -> Evidence:
    """What is remembered of `slices` on top of the `past`."""
    evidence = past or begin(criteria)
    for each in slices:
        evidence = fold(evidence, each, criteria)
    return evidence


def judged(*slices: Slice, criteria: Criteria = CRITERIA, after: float = 1.0, past: Evidence | None = None) -> Report:
    """The report `after` seconds after the last slice."""
    evidence = folded(*slices, criteria=criteria, past=past)
    return analyze(evidence, criteria, max((each.ended_at for each in slices), default=0.0) + after)
