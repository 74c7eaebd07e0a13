"""Where the rollout stands and what it rests on, as metric families: of the active rollout, or else the last one."""

from collections.abc import Iterator

from serinus.admin.families import Family, Kind, Sample, known, single
from serinus.admin.scrape import Everybody
from serinus.analysis.verdict import Check, Figures, Metric, Report, Verdict
from serinus.deployment import DeploymentVersion
from serinus.rollout.events import EventKind
from serinus.rollout.gates import GateKind, GateStatus, gates
from serinus.rollout.plan import Plan
from serinus.rollout.state import Phase, Receipt

RATIO, SECONDS, REQUESTS = "ratio", "seconds", "requests"
OF_LIMITS = "limit:"
ALERT = "alert"
OF_LIMIT = ("limit", "metric", "severity", "unit")
PERCENTILES = {"50": "p50_ms", "95": "p95_ms", "99": "p99_ms"}
STAGES = ("decided", "split_changed", "last_canary", "completed")


def _judging(everybody: Everybody) -> Report | None:
    """What the controller last saw; nothing of a rollout that is over, for its figures grow old."""
    rollout = everybody.rollout
    return everybody.report if rollout is not None and rollout.is_active else None


def _info(everybody: Everybody) -> Iterator[Sample]:
    if everybody.rollout is not None:
        yield (everybody.rollout.id, everybody.rollout.plan.name), 1


def _phases(everybody: Everybody) -> Iterator[Sample]:
    now = everybody.rollout.phase if everybody.rollout else None
    return (((phase,), phase is now) for phase in Phase)


def _step(everybody: Everybody) -> Iterator[Sample]:
    return single(everybody.rollout.step + 1 if everybody.rollout else 0)


def _steps(everybody: Everybody) -> Iterator[Sample]:
    return single(len(everybody.rollout.plan.steps) if everybody.rollout else 0)


def _entered(everybody: Everybody) -> Iterator[Sample]:
    return single(everybody.rollout.step_started_at if everybody.rollout else None)


def _frozen(everybody: Everybody) -> Iterator[Sample]:
    return single(everybody.rollout is not None and everybody.rollout.frozen_by is not None)


def _age(everybody: Everybody) -> Iterator[Sample]:
    """Of an active rollout; before the first slice it is as old as the step."""
    rollout, report = everybody.rollout, _judging(everybody)
    if rollout is None or not rollout.is_active:
        return single(None)
    through_at = report.through_at if report is not None else None
    return single(max(0.0, everybody.now - (rollout.step_started_at if through_at is None else through_at)))


def _gates(everybody: Everybody) -> tuple[GateStatus, ...]:
    rollout, report = everybody.rollout, _judging(everybody)
    return gates(rollout, report, everybody.now) if rollout and report else ()


def _gates_open(everybody: Everybody) -> Iterator[Sample]:
    return (((gate.name, gate.kind), gate.is_open) for gate in _gates(everybody))


def _gate_numbers(everybody: Everybody, which: str) -> Iterator[Sample]:
    """Not of limits, which have series of their own."""
    for gate in _gates(everybody):
        number = getattr(gate, which)
        if number is not None and not gate.name.startswith(OF_LIMITS):
            yield (gate.name, _unit_of_gate(gate)), number


def _unit_of_gate(gate: GateStatus) -> str:
    if gate.kind is GateKind.BAKE:
        return SECONDS
    return REQUESTS if gate.metric in {None, Metric.VOLUME} else RATIO


def _limits(plan: Plan) -> Iterator[tuple[str, str, Metric, float]]:
    """Name, severity, metric and threshold of everything that bounds the canary alone."""
    for trigger in plan.triggers:
        yield trigger.limit.name, trigger.severity, trigger.limit.metric, trigger.limit.value
    for rule in plan.alert_rules:
        yield rule.limit.name, ALERT, rule.limit.metric, rule.limit.value


def _limit_thresholds(everybody: Everybody) -> Iterator[Sample]:
    for name, severity, metric, value in _limits(everybody.rollout.plan) if everybody.rollout else ():
        yield (name, metric, severity, _unit_of_limit(metric)), _in_base_unit(metric, value)


def _limit_values(everybody: Everybody) -> Iterator[Sample]:
    report = _judging(everybody)
    for name, severity, metric, _ in _limits(everybody.rollout.plan) if everybody.rollout else ():
        limit = report.limits.get(name) if report else None
        value = limit.check.value if limit else None
        yield (
            (name, metric, severity, _unit_of_limit(metric)),
            known(None if value is None else _in_base_unit(metric, value)),
        )


def _limits_breached(everybody: Everybody) -> Iterator[Sample]:
    report = _judging(everybody)
    for name, severity, _, _ in _limits(everybody.rollout.plan) if everybody.rollout else ():
        limit = report.limits.get(name) if report else None
        yield (name, severity), limit is not None and limit.breached


def _deadlines(everybody: Everybody) -> Iterator[Sample]:
    for trigger in everybody.rollout.plan.triggers if everybody.rollout else ():
        yield (trigger.limit.name, trigger.severity), trigger.deadline_seconds


def _unit_of_limit(metric: Metric) -> str:
    return SECONDS if metric is Metric.P95 else RATIO


def _in_base_unit(metric: Metric, value: float) -> float:
    return value / 1_000 if metric is Metric.P95 else value


def _checks(report: Report | None) -> Iterator[tuple[str, Check]]:
    """By a name that is unique in the report."""
    if report is None:
        return
    yield from (("slo:" + check.name, check) for check in report.slo)
    yield from (("proof:" + check.name, check) for check in report.proof)
    yield from (("worse:" + check.name, check) for check in report.worse)
    yield from (("hold:" + check.name, check) for check in report.holds)
    yield from ((OF_LIMITS + name, limit.check) for name, limit in report.limits.items())


def _verdicts(everybody: Everybody) -> Iterator[Sample]:
    for name, check in _checks(_judging(everybody)):
        yield from (((name, verdict), verdict is check.verdict) for verdict in Verdict)


def _intervals(everybody: Everybody) -> Iterator[Sample]:
    for name, check in _checks(_judging(everybody)):
        if check.interval is not None and not name.startswith(OF_LIMITS):
            yield (name, "low"), check.interval.low
            yield (name, "high"), check.interval.high


def _figures(everybody: Everybody) -> Iterator[tuple[DeploymentVersion, Figures]]:
    report = _judging(everybody)
    yield DeploymentVersion.LEGACY, report.legacy if report else Figures()
    yield DeploymentVersion.CANARY, report.canary if report else Figures()


def _judged(everybody: Everybody, which: str) -> Iterator[Sample]:
    return (((version,), known(getattr(figures, which))) for version, figures in _figures(everybody))


def _judged_latency(everybody: Everybody) -> Iterator[Sample]:
    for version, figures in _figures(everybody):
        for percentile, name in PERCENTILES.items():
            milliseconds = getattr(figures, name)
            yield (version, percentile), known(None if milliseconds is None else milliseconds / 1_000)


def _receipt(everybody: Everybody) -> Receipt | None:
    return everybody.rollout.receipt if everybody.rollout else None


def _stages(everybody: Everybody) -> Iterator[Sample]:
    receipt = _receipt(everybody)
    for stage in STAGES:
        at: float | None = getattr(receipt, f"{stage}_at", None)
        yield (stage,), known(None if receipt is None or at is None else at - (receipt.breach_at or receipt.decided_at))


def _deadline_met(everybody: Everybody) -> Iterator[Sample]:
    receipt = _receipt(everybody)
    return single(receipt.deadline_met if receipt else None)


def _events(everybody: Everybody) -> Iterator[Sample]:
    return (((kind,), everybody.events.get(kind, 0)) for kind in EventKind)


ROLLOUT: tuple[Family[Everybody], ...] = (
    Family("serinus_rollout_info", "1, for the latest rollout and its plan.", _info, ("rollout", "plan")),
    Family("serinus_rollout_phase", "1 for the phase of the latest rollout, 0 for the others.", _phases, ("phase",)),
    Family("serinus_rollout_step", "The step, counted from 1; 0 without a rollout.", _step),
    Family("serinus_rollout_steps", "How many steps the plan has.", _steps),
    Family("serinus_rollout_step_entered_timestamp_seconds", "When the present share began to be judged.", _entered),
    Family("serinus_rollout_frozen", "1 while something looks wrong and nothing advances.", _frozen),
    Family("serinus_rollout_evidence_age_seconds", "How old the newest counts are that the verdicts rest on.", _age),
    Family("serinus_gate_open", "1 for a gate that is open.", _gates_open, ("gate", "kind")),
    Family("serinus_gate_value", "What the gate looks at.", lambda x: _gate_numbers(x, "value"), ("gate", "unit")),
    Family("serinus_gate_need", "What the gate needs.", lambda x: _gate_numbers(x, "need"), ("gate", "unit")),
    Family("serinus_limit_value", "The canary's figure that a limit bounds.", _limit_values, OF_LIMIT),
    Family(
        "serinus_limit_threshold",
        "The limit: of a trigger, or an alert.",
        _limit_thresholds,
        OF_LIMIT,
    ),
    Family(
        "serinus_limit_breached", "1 while the figure is beyond the limit.", _limits_breached, ("limit", "severity")
    ),
    Family("serinus_limit_deadline_seconds", "Within which a breach rolls back.", _deadlines, ("limit", "severity")),
    Family("serinus_check_verdict", "1 for the verdict of a check.", _verdicts, ("check", "verdict")),
    Family(
        "serinus_check_interval", "Bounds of what a check estimates, at every look.", _intervals, ("check", "bound")
    ),
    Family("serinus_judged_requests", "Requests of the present step.", lambda x: _judged(x, "requests"), ("version",)),
    Family("serinus_judged_error_ratio", "Their error rate, 0 to 1.", lambda x: _judged(x, "error_rate"), ("version",)),
    Family(
        "serinus_judged_availability_ratio",
        "Their availability, 0 to 1.",
        lambda x: _judged(x, "availability"),
        ("version",),
    ),
    Family(
        "serinus_judged_latency_seconds", "Their latency's percentiles.", _judged_latency, ("version", "percentile")
    ),
    Family("serinus_rollback_stage_seconds", "From the breach to a stage of the latest rollback.", _stages, ("stage",)),
    Family("serinus_rollback_deadline_met", "1 if the latest rollback met its deadline, 0 if not.", _deadline_met),
    Family("serinus_events", "Events that were ever stored.", _events, ("kind",), Kind.COUNTER),
)
