"""What people are told of an event, and on which channels."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from serinus.messages import render_event
from serinus.rollout.events import ITSELF, Detail, Event, EventKind


class Level(StrEnum):
    """How much it matters; the first three are the severities of triggers."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    NOTICE = "notice"


LOG = "log"
WEBHOOK = "webhook"
SLACK = "slack"
PAGERDUTY = "pagerduty"
EMAIL = "email"
APPRISE = "apprise"
SENTRY = "sentry"

LEVELS: Mapping[EventKind, Level] = {
    EventKind.STARTED: Level.NOTICE,
    EventKind.CHECKPOINT: Level.NOTICE,
    EventKind.GATE_WAITING: Level.NOTICE,
    EventKind.APPROVED: Level.NOTICE,
    EventKind.APPROVAL_EXPIRING: Level.NOTICE,
    EventKind.APPROVAL_EXPIRED: Level.NOTICE,
    EventKind.BREACH_OPENED: Level.HIGH,
    EventKind.BREACH_CLEARED: Level.NOTICE,
    EventKind.FROZEN: Level.MEDIUM,
    EventKind.THAWED: Level.NOTICE,
    EventKind.ENVIRONMENT_INCIDENT: Level.HIGH,
    EventKind.PAUSED: Level.NOTICE,
    EventKind.RESUMED: Level.NOTICE,
    EventKind.HOLDING: Level.NOTICE,
    EventKind.STEP_ENTERED: Level.NOTICE,
    EventKind.PROMOTED: Level.NOTICE,
    EventKind.SUCCEEDED: Level.NOTICE,
    EventKind.ROLLBACK_STARTED: Level.HIGH,
    EventKind.ROLLBACK_COMPLETED: Level.NOTICE,
    EventKind.DEADLINE_MISSED: Level.CRITICAL,
    EventKind.ALERT_RAISED: Level.MEDIUM,
    EventKind.ALERT_RESOLVED: Level.NOTICE,
    EventKind.CONFIG_CHANGED: Level.NOTICE,
    EventKind.BREAKER_OPENED: Level.HIGH,
    EventKind.BREAKER_CLOSED: Level.NOTICE,
    EventKind.CONTROLLER_SILENT: Level.CRITICAL,
    EventKind.CONTROLLER_HEARD: Level.NOTICE,
    EventKind.DRILL_COMPLETED: Level.NOTICE,
}
DEFAULT_CHANNELS: Mapping[EventKind, tuple[str, ...]] = {
    **dict.fromkeys(
        (EventKind.DEADLINE_MISSED, EventKind.CONTROLLER_SILENT, EventKind.CONTROLLER_HEARD), (PAGERDUTY, SLACK)
    ),
    **dict.fromkeys(
        (EventKind.ROLLBACK_STARTED, EventKind.ROLLBACK_COMPLETED, EventKind.BREAKER_OPENED, EventKind.BREAKER_CLOSED),
        (SLACK, EMAIL),
    ),
}
"""Where events are told that the plan names no channel for; all others on Slack."""
EVERYTHING = (LOG, WEBHOOK)
ROLLBACKS = frozenset({EventKind.ROLLBACK_STARTED, EventKind.DEADLINE_MISSED})
"""What Sentry gets beside the errors themselves, whatever the plan says."""
RESOLVING = frozenset(
    {
        *(EventKind.BREACH_CLEARED, EventKind.ALERT_RESOLVED, EventKind.ROLLBACK_COMPLETED),
        *(EventKind.BREAKER_CLOSED, EventKind.CONTROLLER_HEARD),
    }
)
ORDERED = frozenset({EventKind.ROLLBACK_STARTED, EventKind.PAUSED, EventKind.HOLDING})  # by a person, or by itself


@dataclass(frozen=True, slots=True)
class Alert:
    """`dedup_key` is one per incident: receivers that know it join what belongs together, and `resolved` ends it.

    `acknowledged`: a person has acted on the incident. `link` leads people to where they can act.
    `event` is the stored event's number: a receiver that has seen it before may ignore the alert, which was sent
    a second time because the first answer was lost.
    """

    event: int
    at: float
    level: Level
    title: str
    text: str
    dedup_key: str
    resolved: bool
    rollout_id: str | None
    details: Mapping[str, Detail]
    acknowledged: bool = False
    link: str | None = None


def channels_for(event: Event) -> tuple[str, ...]:
    """Where an event is told: log and webhook hear of all that matters, the plan's or the usual channels too."""
    if event.kind not in LEVELS:
        return ()
    chosen = event.channels or DEFAULT_CHANNELS.get(event.kind, (SLACK,))
    return tuple(dict.fromkeys((*EVERYTHING, *chosen, *((SENTRY,) if event.kind in ROLLBACKS else ()))))


def alert_of(event: Event, language: str = "en", link: str | None = None) -> Alert:
    """The alert that a stored event is told as."""
    title, text = render_event(event, language)
    return Alert(
        event=event.sequence or 0,
        at=event.at,
        level=_level(event),
        title=title,
        text=text,
        dedup_key=event.incident or f"{event.rollout_id or 'serinus'}/{event.sequence}",
        resolved=event.kind in RESOLVING,
        rollout_id=event.rollout_id,
        details=event.details,
        acknowledged=event.kind in ORDERED and event.actor != ITSELF,
        link=link,
    )


def _level(event: Event) -> Level:
    """A trigger's severity, which its events carry, is the alert's."""
    severity = event.details.get("severity")
    if event.kind not in RESOLVING and severity in (Level.CRITICAL, Level.HIGH, Level.MEDIUM):
        return Level(str(severity))
    return LEVELS.get(event.kind, Level.NOTICE)
