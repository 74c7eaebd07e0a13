"""Whether users are hurt: the one thing that a person who was woken up wants to know first."""

from serinus.admin.rollout_shapes import ControllerShape, ReportShape, RolloutShape, Users, UsersShape
from serinus.admin.shapes import ConfigShape, PairShape
from serinus.analysis.verdict import Verdict
from serinus.messages import render_users
from serinus.rollout.state import FINISHED, Phase


def users_of(
    *,
    config: ConfigShape,
    rollout: RolloutShape | None,
    controller: ControllerShape,
    measured: PairShape,
    language: str,
) -> UsersShape:
    """`measured` is the last minute, for when no rollout is running that would be judged."""
    state, finding = _judged(config, rollout, controller)
    judging = rollout if state is not Users.UNJUDGED else None
    figures = _of_report(judging.report) if judging and judging.report else _of_minute(measured)
    share = {"share": config.canary_percentage, "finding": finding}
    return UsersShape(state=state, message=render_users(state, {**figures, **share}, language), finding=finding)


def _judged(config: ConfigShape, rollout: RolloutShape | None, controller: ControllerShape) -> tuple[Users, str | None]:
    if rollout and rollout.phase is Phase.ROLLING_BACK:
        return Users.GOING_BACK, None
    if not config.enabled or not config.canary_percentage:
        return Users.ON_LEGACY, None
    if rollout is None or rollout.phase in FINISHED:
        return Users.UNJUDGED, None
    if (harm := _harm(rollout)) is not None:
        return harm
    if not controller.alive or rollout.report is None:
        return Users.UNWATCHED, None
    return _calm(rollout, rollout.report)


def _harm(rollout: RolloutShape) -> tuple[Users, str] | None:
    """What a test has proven, or a limit shows; the worst first."""
    report = rollout.report
    if report is None:
        return None
    own = [limit.check for limit in report.limits if limit.breached and not limit.environment]
    proven = [check for check in (*own, *report.worse) if check.verdict is Verdict.FAIL]
    shared = [limit.check for limit in report.limits if limit.breached and limit.environment]
    for state, checks in ((Users.HURT, proven), (Users.HURT, own), (Users.HURT_BY_BOTH, shared)):
        if checks:
            return state, checks[0].message
    return None


def _calm(rollout: RolloutShape, report: ReportShape) -> tuple[Users, str | None]:
    """Nobody is known to be hurt: because all is well, or because nobody can tell."""
    blind = next((gate.message for gate in rollout.gates if gate.verdict is Verdict.ERROR), None)
    if blind is not None:
        return Users.UNWATCHED, blind
    held = next((check.message for check in report.holds if check.verdict is Verdict.FAIL), None)
    if held is not None or rollout.frozen_by is not None:
        return Users.SUSPECTED, held or rollout.frozen_by
    unsure = next((check.message for check in report.slo if check.verdict is not Verdict.PASS), None)
    return (Users.UNCLEAR, unsure) if unsure else (Users.FINE, None)


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
