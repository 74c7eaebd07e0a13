"""What happened in a rollout, as facts that are stored once and told to people from there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

ITSELF = "serinus"  # the actor of what nobody ordered
Detail: TypeAlias = "str | float | int | bool | list[Detail] | dict[str, Detail] | None"


class EventKind(StrEnum):
    STARTED = "started"
    STEP_ENTERED = "step_entered"
    CHECKPOINT = "checkpoint"
    GATE_WAITING = "gate_waiting"
    APPROVED = "approved"
    APPROVAL_EXPIRING = "approval_expiring"
    APPROVAL_EXPIRED = "approval_expired"
    BREACH_OPENED = "breach_opened"
    BREACH_CLEARED = "breach_cleared"
    FROZEN = "frozen"
    THAWED = "thawed"
    ENVIRONMENT_INCIDENT = "environment_incident"
    PAUSED = "paused"
    RESUMED = "resumed"
    HOLDING = "holding"
    ADVANCED = "advanced"
    PROMOTED = "promoted"
    SUCCEEDED = "succeeded"
    ROLLBACK_STARTED = "rollback_started"
    ROLLBACK_COMPLETED = "rollback_completed"
    DEADLINE_MISSED = "deadline_missed"
    ALERT_RAISED = "alert_raised"
    ALERT_RESOLVED = "alert_resolved"
    CONFIG_CHANGED = "config_changed"
    BREAKER_OPENED = "breaker_opened"
    BREAKER_CLOSED = "breaker_closed"
    CONTROLLER_SILENT = "controller_silent"
    CONTROLLER_HEARD = "controller_heard"
    DRILL_STARTED = "drill_started"
    DRILL_COMPLETED = "drill_completed"
    TESTS_RECORDED = "tests_recorded"
    TOKEN_CREATED = "token_created"  # noqa: S105 - a kind of event
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a kind of event


@dataclass(frozen=True, slots=True)
class Event:
    """`actor` is a person's or token's name, or `ITSELF`. `reason` is the words of who gave the order, or a code of
    `serinus.messages` where nobody did.

    `incident` ties together the events of one breach, so that alerts about it are one; `channels` are those that the
    plan names for it (empty: the defaults). `sequence` is given by the store.
    """

    kind: EventKind
    at: float
    actor: str
    rollout_id: str | None = None
    reason: str = ""
    details: Mapping[str, Detail] = field(default_factory=lambda: MappingProxyType({}))
    incident: str | None = None
    channels: tuple[str, ...] = ()
    sequence: int | None = None
