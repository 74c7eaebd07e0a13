"""What a rollout was promoted on: once everybody has CANARY, there is no LEGACY beside it to compare with."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from serinus.analysis.verdict import Metric, Verdict
from serinus.reports.facts import Facts, Pair, added_up
from serinus.rollout.approval import Approval, Attachment, HandedIn
from serinus.rollout.events import Event, EventKind
from serinus.rollout.findings import detailed
from serinus.rollout.state import Phase

Finding: TypeAlias = Mapping[str, Any]
"""As `rollout.findings.detailed` makes them."""

PROOF = "proof:"
FOR_EVERYBODY = frozenset({Phase.WATCHING, Phase.SUCCEEDED})


def promotion(facts: Facts) -> Event | None:
    """The event of the promotion, as long as everybody has CANARY by it."""
    if facts.rollout is None or facts.rollout.phase not in FOR_EVERYBODY:
        return None
    return next(reversed(facts.of(EventKind.PROMOTED)), None)


def gates(promoted: Event) -> tuple[Finding, ...]:
    """Every gate as it stood then; an earlier version told less of it."""
    several = promoted.details.get("gates")
    known = (gate for gate in (several if isinstance(several, list) else ()) if isinstance(gate, Mapping))
    return tuple({"numbers": {}, "metric": None, **gate} for gate in known)


def slo(facts: Facts) -> tuple[Finding, ...]:
    """The criteria: of the promotion, or else of the present step."""
    if promoted := promotion(facts):
        return tuple(gate for gate in gates(promoted) if gate["name"] in set(Metric))
    return tuple(detailed(check) for check in facts.report.slo) if facts.report else ()


def proof(facts: Facts) -> tuple[Finding, ...]:
    """The proofs: of the promotion, or else of the present step."""
    if promoted := promotion(facts):
        return tuple(gate for gate in gates(promoted) if str(gate["name"]).startswith(PROOF))
    return tuple(detailed(check) for check in facts.report.proof) if facts.report else ()


def passed(finding: Finding) -> bool:
    return bool(finding["verdict"] == Verdict.PASS)


def approval(facts: Facts, gate: str) -> Approval | None:
    """The word that opened `gate` for the promotion."""
    given = (event for event in reversed(facts.of(EventKind.APPROVED)) if event.details.get("gate") == gate)
    return next((_approval(event, gate) for event in given), None) if promotion(facts) else None


def side_by_side(facts: Facts) -> Pair:
    """Both versions while both were asked: figures of other hours, or of another load, are no comparison."""
    promoted_at = facts.rollout.promoted_at if facts.rollout else None
    return added_up(
        tuple(
            point
            for point in facts.window.timeline
            if all(cell.requests for cell in point.cells.values()) and (promoted_at is None or point.at < promoted_at)
        )
    )


def _approval(event: Event, gate: str) -> Approval:
    details = event.details
    checked, attached = details.get("checked"), details.get("attachment")
    handed_in = HandedIn(
        checked=tuple(str(item) for item in checked) if isinstance(checked, list) else (),
        attachment=Attachment(str(attached["name"]), str(attached["digest"])) if isinstance(attached, dict) else None,
        business_impact=str(details.get("business_impact") or ""),
    )
    return Approval(gate, 0, event.actor, event.at, None, event.reason, handed_in)
