"""What the controller remembers between two ticks, and how it catches up with the store."""

import logging
from dataclasses import dataclass, replace

from serinus.analysis.analyze import Evidence, enter_step, fold, start
from serinus.analysis.criteria import Criteria, Desired
from serinus.analysis.slices import StoredSnapshot, closed_slices
from serinus.aside import aside
from serinus.errors import Unreadable
from serinus.rollout.state import Rollout
from serinus.routing.canary_router import share_of
from serinus.routing.endpoints import canonical
from serinus.routing.split import EVERY_ENDPOINT, Split
from serinus.storage.store import Store

logger = logging.getLogger(__name__)

READ_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Memory:
    """The evidence of a rollout as folded up to the snapshot `cursor`; it speaks for the state at `revision` only."""

    rollout_id: str
    revision: int
    evidence: Evidence
    cursor: int
    saved_at: float


async def recall(store: Store, rollout: Rollout, now: float) -> Memory:
    """What was stored last, or a beginning from which all the rollout's snapshots are folded again."""
    try:
        judgement = await store.judgement(rollout.id)
    except Unreadable:
        logger.exception("the judgement of rollout %s is folded anew", rollout.id)
        judgement = None
    if judgement is not None:
        return Memory(rollout.id, rollout.revision, judgement.evidence, judgement.cursor, saved_at=now)
    evidence = start(rollout.plan.criteria, rollout.started_at)
    cursor = await store.snapshots_from(rollout.id)
    return Memory(rollout.id, rollout.revision, evidence, cursor, saved_at=rollout.started_at)


async def catch_up(store: Store, rollout: Rollout, memory: Memory, now: float) -> Memory:
    """Fold what has closed by `now`; in parts, so that a long absence does not hold up the process's requests."""
    evidence, cursor, limit = _at_step(memory.evidence, rollout), memory.cursor, READ_AT_ONCE
    while True:
        rows = await store.snapshots_after(cursor, limit)
        more = len(rows) == limit
        horizon = _horizon(rows, now, more)
        evidence, reached = await aside(_fold_rows, evidence, rows, rollout.plan.criteria, after=cursor, now=horizon)
        if not more:
            return replace(memory, evidence=evidence, cursor=reached)
        limit = limit * 2 if reached == cursor else READ_AT_ONCE
        cursor = reached


def _at_step(evidence: Evidence, rollout: Rollout) -> Evidence:
    """The step's figures begin again with every change of the share, whoever made it."""
    desired = desired_of(rollout.split)
    if evidence.step.started_at != rollout.step_started_at:
        at, revision = rollout.step_started_at, rollout.split_revision
        return enter_step(evidence, at=at, split_revision=revision, desired=desired)
    return replace(evidence, step=replace(evidence.step, desired=desired))


def desired_of(split: Split) -> Desired:
    """What the router makes of the split, in parts of 1."""
    shares = {canonical(rule.template): share_of(split, rule) / 100 for rule in split.endpoints}
    return Desired(shares.pop(EVERY_ENDPOINT, share_of(split, None) / 100), shares)


def _horizon(rows: list[StoredSnapshot], now: float, more: bool) -> float:  # noqa: FBT001
    """Up to when slices can be closed: while there are more rows to read, not beyond the last one's storing.

    Whatever was stored after that instant comes too late for a slice that had closed by then.
    """
    return min(now, rows[-1].stored_at) if more else now


def _fold_rows(
    evidence: Evidence, rows: list[StoredSnapshot], criteria: Criteria, *, after: int, now: float
) -> tuple[Evidence, int]:
    slices, reached = closed_slices(rows, after=after, now=now)
    for piece in slices:
        evidence = fold(evidence, piece, criteria)
    return evidence, reached
