"""Reads from the store what a document is made of."""

from collections.abc import Awaitable, Callable, Mapping
from math import ceil

from serinus.errors import NotFound
from serinus.reports.document import Kind
from serinus.reports.facts import LEGACY, Facts, Installation, Pair, Window, added_up
from serinus.rollout.events import Event, EventKind
from serinus.rollout.state import Rollout
from serinus.storage.rollups import DAY
from serinus.storage.store import Store

BASELINE_SECONDS = (7.0 * DAY, 1.0 * DAY, 3_600.0, 600.0)
"""The longest in which LEGACY had a request: a young installation has no week yet."""
LOOKED_BACK_SECONDS = 1 * DAY
LONGEST_SECONDS = 30 * DAY
BEFORE_BREACH_SECONDS = AFTER_ROLLBACK_SECONDS = 300.0
FINE_SECONDS = 900.0
"""Up to this length a window is read finer than by the minute, from the snapshots."""
FINE_RESOLUTIONS = (2, 10, 30)
RESOLUTIONS = (60, 120, 600, 1_800, 3_600, 7_200)
POINTS = 170
EVENTS_AT_ONCE = 500
HEARD_SECONDS = 60.0
MOST_ENDPOINTS = 40


async def gather(
    store: Store, kind: Kind, now: float, *, rollout_id: str | None = None, channels: tuple[str, ...] = ()
) -> Facts:
    """All facts for a document of this kind; raises `NotFound` when what it is about has never happened."""
    rollout = await _rollout(store, kind, rollout_id)
    return await GATHERED[kind](store, rollout, now, channels)


async def _rollout(store: Store, kind: Kind, rollout_id: str | None) -> Rollout | None:
    if rollout_id is not None:
        return await store.rollout(rollout_id)
    rollouts = await store.rollouts(limit=1_000 if kind is Kind.INCIDENT else 1)
    if kind is Kind.INCIDENT:
        rollouts = [each for each in rollouts if each.receipt is not None]
    return next(iter(rollouts), None)


async def _baseline(store: Store, rollout: Rollout | None, now: float, _channels: tuple[str, ...]) -> Facts:
    until_at = rollout.started_at if rollout else now
    window = Window(until_at, until_at, 1)
    for seconds in BASELINE_SECONDS:
        window = await read_window(store, until_at - seconds, until_at, now, whole=rollout is not None)
        if window.total[LEGACY].requests:
            break
    return Facts(now, window, rollout)


async def _comparison(store: Store, rollout: Rollout | None, now: float, _channels: tuple[str, ...]) -> Facts:
    if rollout is None:
        return Facts(now, await read_window(store, now - LOOKED_BACK_SECONDS, now, now))
    window = await read_window(store, rollout.started_at, rollout.finished_at or now, now)
    events = await read_events(store, rollout.id)
    return Facts(now, window, rollout, await store.latest_report(rollout.id), events)


async def _checkpoint(store: Store, rollout: Rollout | None, now: float, _channels: tuple[str, ...]) -> Facts:
    """Of the step that the last checkpoint was made in, up to that checkpoint."""
    if rollout is None:
        raise NotFound("there has been no rollout yet, so no checkpoint; start one: `serinus start PLAN`")
    events = await read_events(store, rollout.id)
    last = next((event for event in reversed(events) if event.kind is EventKind.CHECKPOINT), None)
    if last is None:
        due = ", ".join(f"{seconds:g} s" for seconds in rollout.plan.checkpoints_seconds) or "never: its plan has none"
        raise NotFound(f"rollout {rollout.id} has reached no checkpoint yet; after a step's begin they come at: {due}")
    age = last.details.get("checkpoint_seconds")
    since_at = last.at - (float(age) if isinstance(age, int | float) else LOOKED_BACK_SECONDS)
    return Facts(now, await read_window(store, since_at, last.at, now), rollout, None, events)


async def _readiness(store: Store, rollout: Rollout | None, now: float, channels: tuple[str, ...]) -> Facts:
    facts = await _comparison(store, rollout, now, channels)
    baseline = await _baseline(store, rollout, now, channels)
    heard_at = await store.controller_heard_at()
    return Facts(
        now,
        facts.window,
        rollout,
        facts.report,
        facts.events,
        told=await store.told(rollout.id) if rollout else (),
        tests=await store.latest_event(EventKind.TESTS_RECORDED),
        last_drill=await store.latest_event(EventKind.DRILL_COMPLETED),
        baseline=baseline.window,
        installation=Installation(
            agents=await store.fleet(now - HEARD_SECONDS),
            controller_silent_seconds=None if heard_at is None else max(0.0, now - heard_at),
            channels=channels,
        ),
    )


async def _incident(store: Store, rollout: Rollout | None, now: float, _channels: tuple[str, ...]) -> Facts:
    if rollout is None or rollout.receipt is None:
        raise NotFound("no rollout has gone back, so there is no incident to report")
    receipt = rollout.receipt
    since_at = (receipt.breach_at or receipt.decided_at) - BEFORE_BREACH_SECONDS
    until_at = min(now, (receipt.completed_at or now) + AFTER_ROLLBACK_SECONDS)
    return Facts(
        now,
        await read_window(store, max(since_at, rollout.started_at), until_at, now),
        rollout,
        await store.latest_report(rollout.id),
        await read_events(store, rollout.id),
        told=await store.told(rollout.id),
    )


async def _drill(store: Store, _rollout: Rollout | None, now: float, _channels: tuple[str, ...]) -> Facts:
    """Of the last one that has ended: drills are no part of a rollout."""
    ended = await store.latest_event(EventKind.DRILL_COMPLETED)
    if ended is None:
        raise NotFound("no drill has been carried out; start one: serinus drill")
    before = await store.events(max(0, (ended.sequence or 0) - EVENTS_AT_ONCE), EVENTS_AT_ONCE)
    events = tuple(event for event in before if event.incident == ended.incident)
    return Facts(now, Window(now, now, 1), events=events)


GATHERED: Mapping[Kind, Callable[[Store, Rollout | None, float, tuple[str, ...]], Awaitable[Facts]]] = {
    Kind.BASELINE: _baseline,
    Kind.COMPARISON: _comparison,
    Kind.CHECKPOINT: _checkpoint,
    Kind.READINESS: _readiness,
    Kind.INCIDENT: _incident,
    Kind.DRILL: _drill,
}


async def read_window(store: Store, since_at: float, until_at: float, now: float, *, whole: bool = False) -> Window:
    """Both versions between two instants, as finely as the length allows, and endpoint by endpoint.

    With `whole`, nothing after `until_at` is in it: it ends with the last whole point.
    """
    since_at = max(since_at, until_at - LONGEST_SECONDS)
    resolution = _resolution(until_at - since_at, is_recent=now - since_at < DAY)
    if whole:
        until_at = until_at // resolution * resolution
    timeline = await store.timeline(since_at, until_at, resolution)
    endpoints: dict[str, Pair] = {}
    for name in sorted({key.endpoint for key in await store.window(since_at)})[:MOST_ENDPOINTS]:
        pair = added_up(await store.timeline(since_at, until_at, resolution, name))
        if any(cell.requests for cell in pair.values()):
            endpoints[name] = pair
    return Window(since_at, until_at, resolution, timeline, endpoints)


async def read_events(store: Store, rollout_id: str) -> tuple[Event, ...]:
    found: list[Event] = []
    while True:
        page = await store.events(found[-1].sequence or 0 if found else 0, EVENTS_AT_ONCE, rollout_id)
        found += page
        if len(page) < EVENTS_AT_ONCE:
            return tuple(found)


def _resolution(seconds: float, *, is_recent: bool) -> int:
    """The finest of which `POINTS` are enough; snapshots are kept for a month, and read for minutes only."""
    offered = (FINE_RESOLUTIONS if seconds <= FINE_SECONDS and is_recent else ()) + RESOLUTIONS
    return next((each for each in offered if each * POINTS >= seconds), ceil(seconds / POINTS / DAY) * DAY)
