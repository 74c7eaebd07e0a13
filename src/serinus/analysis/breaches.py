"""Is the canary beyond a limit? Proven, observed, or an incident of the environment that LEGACY shares."""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

from serinus.analysis import guards, planner, quantiles
from serinus.analysis.accumulator import log_evidence
from serinus.analysis.alpha import limit_weights
from serinus.analysis.arrays import Floats
from serinus.analysis.criteria import Criteria, Limit
from serinus.analysis.evidence import Evidence
from serinus.analysis.limits import BREACH_NATS, BREACH_REQUESTS, LIMIT_LOG_PRIOR, Part, allowed, limit_counts
from serinus.analysis.obstacles import Obstacle, instead_of
from serinus.analysis.quantiles import P95
from serinus.analysis.reasons import Reason
from serinus.analysis.tables import CANARY, ERRORS_OF_SLOT, REQUESTS_OF_SLOT
from serinus.analysis.verdict import Check, LimitCheck, Metric, Verdict

ACTIONABLE_REQUESTS = 100
ACTIONABLE_EVENTS = 5
ENVIRONMENT_REQUESTS = 100
APART_NATS = math.log(20)
LONGEST_HOLD_REQUESTS = 1e9
COUNTED_BY_SUBJECT = frozenset({Metric.ERROR_RATE, Metric.AVAILABILITY, Metric.CLIENT_ERROR_RATE})


@dataclass(frozen=True, slots=True)
class LimitReading:
    """One limit, read: the stretch since `since` (None: nothing speaks of a breach, the figures are the step's).

    `log_evidence` is the log e-value, `weight` its part in the merged test. `clear`: enough for an observed breach.
    `environment`: LEGACY is beyond the limit in the same stretch and the canary is not proven worse; `alike`: not
    beyond, but neither clearly below nor clearly better than the canary, so that what is only observed may be chance.
    """

    limit: Limit
    log_evidence: float
    weight: float
    counts: tuple[float, float, float, float]
    slots: Floats
    since: float | None
    value: float | None
    clear: bool = False
    environment: bool = False
    alike: bool = False

    @property
    def log_term(self) -> float:
        return self.log_evidence + math.log(self.weight) if self.weight > 0 else -math.inf

    def is_proven(self, alpha: float) -> bool:
        """Without the help of any other test."""
        return self.matters and self.log_term >= -math.log(alpha)

    @property
    def requests(self) -> float:
        return self.counts[Part.CANARY_N]

    @property
    def events(self) -> float:
        return self.counts[Part.CANARY_X]

    @property
    def rate(self) -> float:
        return self.events / self.requests if self.requests > 0 else 0.0

    @property
    def matters(self) -> bool:
        """Too many events now, of enough requests and subjects to act on if they are proven to be too many."""
        return (
            self.since is not None
            and self.events >= guards.MIN_EVENTS
            and self.rate > allowed(self.limit)
            and (self.limit.metric not in COUNTED_BY_SUBJECT or self._for_many_subjects)
        )

    @property
    def _for_many_subjects(self) -> bool:
        if self.slots[REQUESTS_OF_SLOT].sum() == 0:
            return True
        requests, errors = guards.without_outliers(self.slots, allowed(self.limit))
        return guards.enough_subjects(self.slots) and errors > requests * allowed(self.limit)

    @property
    def breached(self) -> bool:
        """Once it is clear, a breach lasts as long as its stretch: it must not come and go with every request."""
        return self.matters and self.clear

    @property
    def actionable(self) -> bool:
        kind = ERRORS_OF_SLOT if self.limit.metric in COUNTED_BY_SUBJECT else REQUESTS_OF_SLOT
        subjects = int((self.slots[kind] > 0).sum())
        known = self.slots[REQUESTS_OF_SLOT].sum() > 0
        enough = self.requests >= ACTIONABLE_REQUESTS and self.events >= ACTIONABLE_EVENTS
        return self.breached and enough and (not known or subjects >= guards.MIN_SUBJECTS)


def read_limits(evidence: Evidence, criteria: Criteria, worse: Collection[Metric]) -> tuple[LimitReading, ...]:
    """`worse`: the metrics in which the canary is proven worse than LEGACY."""
    logs = log_evidence(evidence.limits.log_sums, LIMIT_LOG_PRIOR).tolist()
    weights, in_step = limit_weights(criteria.limits), limit_counts(criteria.limits, evidence.step.table)
    return tuple(
        _read(limit, evidence, row, (logs[row], weights[row], in_step[row], _compared_by(limit) in worse))
        for row, limit in enumerate(criteria.limits)
    )


def _read(limit: Limit, evidence: Evidence, row: int, read: tuple[float, float, Floats, bool]) -> LimitReading:
    """The row's CUSUM stretch where it speaks of too many events, else the present step."""
    log_e, weight, in_step, worse = read
    limits, step = evidence.limits, evidence.step.table
    if limits.cusums[row] > 0:
        counts = _four(limits.counts[row])
        since, slots = float(limits.since[row]), limits.slots[row]
        stretch = LimitReading(limit, log_e, weight, counts, slots, since, None)
        if stretch.matters:
            return replace(
                stretch,
                value=_value(limit, (limits.latency[row], limits.seconds[row]), counts),
                clear=bool(limits.clearest[row] >= 0),
                environment=not worse and _is_beyond(counts, allowed(limit)),
                alike=not worse and _is_alike(counts, allowed(limit), limits.total),
            )
    counts = _four(in_step)
    value = _value(limit, (step.latency[CANARY], step.seconds[CANARY]), counts)
    return LimitReading(limit, log_e, weight, counts, limits.slots[row], None, value)


def _is_beyond(counts: tuple[float, float, float, float], bound: float) -> bool:
    *_, requests, events = counts
    return requests >= ENVIRONMENT_REQUESTS and events > requests * bound


def _is_alike(counts: tuple[float, float, float, float], bound: float, total: float) -> bool:
    """Whether LEGACY, concurrently, is neither clearly below the limit nor beyond doubt better than the canary.

    By the deviance of its rate from the limit, and of both rates from their common one. The bar of the second is
    higher, and grows with all the canary's requests (`total`), for the stretch was picked out for what the canary did.
    """
    requests, events, legacy_requests, legacy_events = counts
    if legacy_requests < ENVIRONMENT_REQUESTS:
        return False
    rates = events / requests, legacy_events / legacy_requests
    common = (events + legacy_events) / (requests + legacy_requests)
    apart = requests * planner.divergence(rates[0], common) + legacy_requests * planner.divergence(rates[1], common)
    below = legacy_requests * planner.divergence(rates[1], bound) if rates[1] < bound else 0.0
    return bool(below < BREACH_NATS and apart < APART_NATS + math.log1p(total / BREACH_REQUESTS))


def _four(counts: Floats) -> tuple[float, float, float, float]:
    canary_n, canary_x, legacy_n, legacy_x = (float(count) for count in counts)
    return canary_n, canary_x, legacy_n, legacy_x


def _compared_by(limit: Limit) -> Metric:
    """The comparison that would show it if the canary, and not the environment, were at fault."""
    return Metric.ERROR_RATE if limit.metric is Metric.AVAILABILITY else limit.metric


def _value(limit: Limit, timed: tuple[Floats, Floats], counts: tuple[float, float, float, float]) -> float | None:
    requests, events = counts[:2]
    if limit.metric is Metric.P95:
        return quantiles.quantile_ms(*timed, P95)
    if requests <= 0:
        return None
    return 1 - events / requests if limit.metric is Metric.AVAILABILITY else events / requests


def limit_check(reading: LimitReading, obstacle: Obstacle | None, alpha: float, *, proven: bool) -> LimitCheck:
    beyond = proven or reading.breached
    environment = beyond and _is_environment(reading, proven=proven)
    check = _answer(reading, alpha, proven=proven)
    if not beyond and obstacle is not None:
        check = instead_of(check, obstacle)
    return LimitCheck(check, breached=beyond, actionable=reading.actionable, environment=environment)


def _is_environment(reading: LimitReading, *, proven: bool) -> bool:
    return reading.environment or (reading.alike and not proven)


def _answer(reading: LimitReading, alpha: float, *, proven: bool) -> Check:
    limit, bar = reading.limit, 1 / (alpha * (reading.weight or 1.0))
    verdict, reason = _verdict(reading, proven=proven)
    numbers = {
        "requests": reading.requests,
        "counted": reading.events,
        "expected": reading.requests * allowed(limit),
        "rate": reading.rate,
        "limit": limit.value,
        "evidence": math.exp(min(reading.log_evidence, 700.0)),
        "evidence_needed": bar,
    }
    if reason is Reason.LIMIT_BREACHED:
        growth = planner.limit_growth(reading.rate, allowed(limit))
        more = planner.requests_until(math.log(bar), reading.log_evidence, growth)
        numbers["more_requests"] = min(more, LONGEST_HOLD_REQUESTS)
    if reason is Reason.ENVIRONMENT_INCIDENT:
        legacy_n, legacy_x = reading.counts[Part.LEGACY_N], reading.counts[Part.LEGACY_X]
        numbers |= {"legacy_rate": legacy_x / legacy_n, "legacy_requests": legacy_n}
    if reason is Reason.FEW_REQUESTS:
        more = ACTIONABLE_REQUESTS - reading.requests
        numbers = {"requests": reading.requests, "needed": float(ACTIONABLE_REQUESTS), "more_requests": more}
    return Check(limit.name, limit.metric, verdict, reason, reading.value, limit.value, numbers, reading.since)


def _verdict(reading: LimitReading, *, proven: bool) -> tuple[Verdict, Reason]:
    if proven or reading.breached:
        verdict = Verdict.FAIL if proven else Verdict.INCONCLUSIVE
        if _is_environment(reading, proven=proven):
            return verdict, Reason.ENVIRONMENT_INCIDENT
        return verdict, Reason.LIMIT_EXCEEDED if proven else Reason.LIMIT_BREACHED
    if reading.since is None and reading.requests < ACTIONABLE_REQUESTS:
        return Verdict.INCONCLUSIVE, Reason.FEW_REQUESTS
    if reading.rate > allowed(reading.limit):
        return Verdict.INCONCLUSIVE, Reason.LIMIT_UNCLEAR
    return Verdict.PASS, Reason.LIMIT_KEPT
