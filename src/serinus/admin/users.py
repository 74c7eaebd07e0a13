"""Whether users are hurt: the one thing that a person who was woken up wants to know first."""

from dataclasses import dataclass

from serinus.admin.rollout_shapes import ControllerShape, ReportShape, RolloutShape, Users, UsersShape
from serinus.admin.shapes import CheckShape, ConfigShape, PairShape
from serinus.analysis.verdict import Metric, Verdict
from serinus.messages import render_users
from serinus.rollout.state import FINISHED, Phase
from serinus.storage.splits import SplitSource


@dataclass(frozen=True, slots=True)
class _Found:
    """What a state rests on; `about` which metric it is."""

    message: str | None = None
    about: Metric | None = None


NOTHING = _Found()


def users_of(
    *,
    config: ConfigShape,
    rollout: RolloutShape | None,
    controller: ControllerShape,
    measured: PairShape,
    language: str,
) -> UsersShape:
    """`measured` is the last minute, for when no rollout is running that would be judged."""
    state, found = _judged(config, rollout, controller)
    judging = rollout if state not in {Users.UNJUDGED, Users.PROMOTED} else None
    figures = _of_report(judging.report) if judging and judging.report else _of_minute(measured)
    message = render_users(state, {**figures, "share": config.canary_percentage}, language)
    return UsersShape(state=state, message=message, finding=found.message, about=found.about)


def _judged(config: ConfigShape, rollout: RolloutShape | None, controller: ControllerShape) -> tuple[Users, _Found]:
    if rollout and rollout.phase is Phase.ROLLING_BACK:
        return Users.GOING_BACK, NOTHING
    if not config.enabled or not config.canary_percentage:
        return Users.ON_LEGACY, NOTHING
    if rollout is None or rollout.phase in FINISHED:
        return _unwatched(config, rollout), NOTHING
    if (harm := _harm(rollout)) is not None:
        return harm
    if not controller.alive or rollout.report is None:
        return Users.UNWATCHED, NOTHING
    return _calm(rollout, rollout.report)


def _unwatched(config: ConfigShape, rollout: RolloutShape | None) -> Users:
    """Of a canary that no rollout judges: one that has passed all of its own, or one that a person sent out."""
    passed = rollout is not None and rollout.phase is Phase.SUCCEEDED and config.source is SplitSource.ROLLOUT
    return Users.PROMOTED if passed else Users.UNJUDGED


def _harm(rollout: RolloutShape) -> tuple[Users, _Found] | None:
    """What a test has proven, or a limit shows; the worst first."""
    report = rollout.report
    if report is None:
        return None
    own = [limit.check for limit in report.limits if limit.breached and not limit.environment]
    proven = [check for check in (*own, *report.worse) if check.verdict is Verdict.FAIL]
    shared = [limit.check for limit in report.limits if limit.breached and limit.environment]
    for state, checks in ((Users.HURT, proven), (Users.HURT, own), (Users.HURT_BY_BOTH, shared)):
        if checks:
            return state, _of(checks[0])
    return None


def _calm(rollout: RolloutShape, report: ReportShape) -> tuple[Users, _Found]:
    """Nobody is known to be hurt: because all is well, or because nobody can tell."""
    blind = next((gate.message for gate in rollout.gates if gate.verdict is Verdict.ERROR), None)
    if blind is not None:
        return Users.UNWATCHED, _Found(blind)
    held = next((check for check in report.holds if check.verdict is Verdict.FAIL), None)
    if held is not None or rollout.frozen_by is not None:
        return Users.SUSPECTED, _of(held) if held else _Found(rollout.frozen_by)
    unsure = next((check for check in report.slo if check.verdict is not Verdict.PASS), None)
    return (Users.UNCLEAR, _of(unsure)) if unsure else (Users.FINE, NOTHING)


def _of(check: CheckShape) -> _Found:
    return _Found(check.message, check.metric)


def _of_report(report: ReportShape) -> dict[str, float | None]:
    return {
        "canary": report.canary.error_rate,
        "legacy": report.legacy.error_rate,
        "canary_p95": report.canary.p95_ms,
        "legacy_p95": report.legacy.p95_ms,
        "requests": report.canary.requests,
    }


def _of_minute(measured: PairShape) -> dict[str, float | None]:
    canary, legacy = measured.canary, measured.legacy
    return {
        "canary": canary.error_rate,
        "legacy": legacy.error_rate,
        "canary_p95": canary.p95_response_time_ms,
        "legacy_p95": legacy.p95_response_time_ms,
        "requests": canary.request_count,
    }
