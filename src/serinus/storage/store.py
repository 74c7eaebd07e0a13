"""The one door to everything that is stored."""

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from serinus.analysis.verdict import Report
from serinus.errors import Refused, StaleRevision
from serinus.rollout.events import ITSELF, Detail, Event, EventKind
from serinus.rollout.state import Decision, Phase, Rollout
from serinus.routing.split import Split
from serinus.storage import deliveries, events, judgements, rollouts, sessions, splits, tokens
from serinus.storage.audit import Audit
from serinus.storage.bell import Bell
from serinus.storage.clock import StoreClock
from serinus.storage.counts import Counts
from serinus.storage.database import Database
from serinus.storage.deliveries import Delivery, Told
from serinus.storage.events import Channels
from serinus.storage.judgements import Judgement
from serinus.storage.measurements import Measurements
from serinus.storage.sessions import Session
from serinus.storage.splits import CONTROLLER, SplitSource, StoredSplit
from serinus.storage.tables import heartbeats, put
from serinus.storage.tokens import Token
from serinus.storage.totals import Totals
from serinus.storage.watch import Watch


class Store(Counts, Measurements, Audit, Totals):
    """Every method is one transaction. All raise `StoreUnavailable` when the database does not answer.

    `channels` says which channels an event is to be told on; the deliveries are stored with the event. `split_saved`
    and `events_saved` ring when this process stored one, and, while `watch` runs, when another process did.
    """

    def __init__(self, database: Database, *, channels: Channels = attrgetter("channels")) -> None:
        self.database = database
        self.split_saved = Bell()
        self.events_saved = Bell()
        self._channels = channels

    async def prepare(self) -> None:
        """Create the tables, or bring them up to date; harmless to repeat."""
        await self.database.migrate("serinus.storage.migrations")

    async def watch(self, clock: StoreClock | None = None) -> None:
        """Ring for what other processes store, and keep `clock` at the store's time, until cancelled."""
        await Watch(self.database, self.split_saved, self.events_saved, clock).run()

    # The split

    async def split(self) -> StoredSplit:
        async with self.database.glance() as connection:
            return await splits.read_split(connection)

    async def save_manual_split(self, split: Split, *, expected_revision: int, event: Event) -> StoredSplit:
        """Store a split that a person chose, under the next revision.

        Raises `Refused` while a rollout decides the share, and `StaleRevision`.
        """
        numbered = replace(split, revision=expected_revision + 1)
        stored = StoredSplit(numbered, SplitSource.MANUAL, changed_at=event.at, changed_by=event.actor)
        async with self.database.write() as connection:
            await rollouts.refuse_beside_active(connection)
            await events.insert_events(connection, [event], self._channels)  # before the split, as everywhere
            await splits.write_split(connection, stored, expected_revision=expected_revision)
        self._ring(split=True)
        return stored

    # Rollouts

    async def active_rollout(self) -> Rollout | None:
        """The one that is not over yet."""
        async with self.database.read() as connection:
            return await rollouts.read_active(connection)

    async def latest_rollout(self) -> Rollout | None:
        """The active one, or else the one that was started last."""
        return next(iter(await self.rollouts(limit=1)), None)

    async def rollouts(self, limit: int = 50) -> Sequence[Rollout]:
        """The latest first."""
        async with self.database.read() as connection:
            return await rollouts.read_rollouts(connection, limit)

    async def rollout(self, rollout_id: str) -> Rollout:
        """Raises `NotFound`."""
        async with self.database.read() as connection:
            return await rollouts.read_rollout(connection, rollout_id)

    async def create_rollout(self, decision: Decision) -> Rollout:
        """Store a rollout's first state; raises `Refused` beside an active one, `StaleRevision` after a new split."""
        try:
            async with self.database.write() as connection:
                stored = await rollouts.insert_rollout(connection, decision.rollout)
                changed = await self._save_outcome(connection, decision)
        except IntegrityError as error:
            raise Refused("another rollout is active; roll it back or let it finish before starting one") from error
        self._ring(split=changed)
        return stored

    async def save(
        self,
        decision: Decision,
        *,
        expected_revision: int,
        judgement: Judgement | None = None,
        holder: str | None = None,
    ) -> Rollout:
        """Store the next state, the split if it changed, the events and what the decision rests on: all or nothing.

        Returns the rollout at its new revision; raises `StaleRevision`, and `Deposed` (see `tick_of`).
        """
        async with self.tick_of(holder) as connection:
            stored = await rollouts.update_rollout(connection, decision.rollout, expected_revision=expected_revision)
            changed = await self._save_outcome(connection, decision)
            if judgement is not None:
                await judgements.put_judgement(connection, stored.id, judgement)
        self._ring(split=changed)
        return stored

    async def _save_outcome(self, connection: AsyncConnection, decision: Decision) -> bool:
        """Store split and events; true when the split changed."""
        await events.insert_events(connection, decision.events, self._channels)
        stored, rollout = await splits.read_split(connection), decision.rollout
        changed = rollout.split_revision > stored.split.revision
        if not changed and rollout.split != stored.split:
            raise StaleRevision("the split was changed in the meantime; read it again and repeat the command")
        settled = rollout.phase is Phase.SUCCEEDED
        if changed or settled != stored.settled:
            fresh = replace(_split_of(decision, stored), settled=settled)
            await splits.write_split(connection, fresh, expected_revision=stored.split.revision)
        return changed

    # What a rollout is judged by

    async def judgement(self, rollout_id: str) -> Judgement | None:
        async with self.database.read() as connection:
            return await judgements.read_judgement(connection, rollout_id)

    async def latest_report(self, rollout_id: str) -> Report | None:
        """What the controller saw at its last tick."""
        async with self.database.read() as connection:
            return await judgements.read_report(connection, rollout_id)

    async def snapshots_from(self, rollout_id: str) -> int:
        """The number of the last snapshot that was stored before the rollout began."""
        async with self.database.read() as connection:
            return await rollouts.read_snapshots_from(connection, rollout_id)

    async def save_judgement(
        self, rollout_id: str, judgement: Judgement, expected_revision: int, *, holder: str | None = None
    ) -> None:
        """Store what was folded so far; raises `StaleRevision` when the rollout has moved on, and `Deposed`."""
        async with self.tick_of(holder) as connection:
            await rollouts.check_revision(connection, rollout_id, expected_revision)
            await judgements.put_judgement(connection, rollout_id, judgement)

    async def record_tick(
        self, now: float, rollout_id: str | None = None, report: Report | None = None, *, holder: str | None = None
    ) -> None:
        """Let the agents know that a controller lives, and people what it sees; raises `Deposed`."""
        async with self.tick_of(holder) as connection:
            await put(connection, heartbeats, {"name": CONTROLLER}, {"at": now})
            if rollout_id is not None and report is not None:
                await judgements.put_report(connection, rollout_id, report)

    # Events and their deliveries

    async def record_events(self, facts: Sequence[Event]) -> None:
        async with self.database.write() as connection:
            await events.insert_events(connection, facts, self._channels)
        self._ring(split=False)

    async def record_after(self, event: Event, kinds: tuple[EventKind, ...], *, last: Event | None) -> bool:
        """Store an event only if `last` is still the last one of these kinds; of many that try, one stores it."""
        async with self.database.write() as connection:
            if not await events.is_last(connection, kinds, last):
                return False
            await events.insert_events(connection, [event], self._channels)
        self._ring(split=False)
        return True

    async def events(self, after: int = 0, limit: int = 100, rollout_id: str | None = None) -> list[Event]:
        """The oldest `limit` with a greater number than `after`."""
        async with self.database.read() as connection:
            return await events.read_events(connection, after, limit, rollout_id)

    async def latest_event(self, *kinds: EventKind) -> Event | None:
        """The last event of any of these kinds."""
        async with self.database.read() as connection:
            return await events.read_latest(connection, kinds)

    async def told(self, rollout_id: str) -> tuple[Told, ...]:
        """How telling people of the rollout's events went, in the order of the events."""
        async with self.database.read() as connection:
            return await deliveries.read_told(connection, rollout_id)

    async def last_event_sequence(self) -> int:
        """The greatest number that an event has; 0 without any."""
        async with self.database.read() as connection:
            return await events.read_last_sequence(connection)

    async def due_channels(self, now: float) -> set[str]:
        """The channels that have something to be told now."""
        async with self.database.glance() as connection:
            return await deliveries.read_due_channels(connection, now)

    async def claim_delivery(self, channel: str, now: float, *, claim_seconds: float) -> Delivery | None:
        """What is to be told next on a channel; nobody else is given it for `claim_seconds`."""
        async with self.database.write() as connection:
            return await deliveries.claim(connection, channel, now=now, until=now + claim_seconds)

    async def delivered(self, delivery: Delivery, now: float) -> None:
        async with self.database.write() as connection:
            await deliveries.settle(connection, delivery, at=now, error=None)

    async def delivery_failed(self, delivery: Delivery, now: float, *, retry_at: float | None, error: str) -> None:
        """Try again at `retry_at`, or never when it is None."""
        async with self.database.write() as connection:
            if retry_at is None:
                await deliveries.settle(connection, delivery, at=now, error=error)
            else:
                await deliveries.postpone(connection, delivery, retry_at=retry_at, error=error)

    # Tokens and sessions

    async def create_token(
        self, name: str, role: str, now: float, expires_at: float | None = None, *, by: str = ITSELF, origin: str = ""
    ) -> str:
        """The secret, which is shown this once; `origin` is the address that the order came from."""
        token = Token(tokens.make_id(), name, role, created_at=now, created_by=by, expires_at=expires_at)
        details: dict[str, Detail] = {"token": token.id, "name": name, "role": role, "from": origin}
        async with self.database.write() as connection:
            secret = await tokens.insert_token(connection, token)
            event = Event(EventKind.TOKEN_CREATED, now, by, details=details)
            await events.insert_events(connection, [event], self._channels)
        return secret

    async def token(self, secret: str, now: float) -> Token | None:
        """The token with this secret if it is in force at `now`."""
        async with self.database.read() as connection:
            token = await tokens.read_token(connection, secret)
        return token if token is not None and token.valid(now) else None

    async def tokens(self) -> list[Token]:
        """All that were ever made, revoked and expired ones too."""
        async with self.database.read() as connection:
            return await tokens.read_tokens(connection)

    async def revoke_token(self, token_id: str, now: float, *, by: str = ITSELF, origin: str = "") -> None:
        """Raises `NotFound`."""
        async with self.database.write() as connection:
            token = await tokens.mark_revoked(connection, token_id, now)
            details: dict[str, Detail] = {"token": token.id, "name": token.name, "from": origin}
            event = Event(EventKind.TOKEN_REVOKED, now, by, details=details)
            await events.insert_events(connection, [event], self._channels)

    async def open_session(self, secret: str, session: Session, now: float) -> None:
        """Keep it under a secret that only its holder knows."""
        async with self.database.write() as connection:
            await sessions.insert_session(connection, secret, session, now)

    async def session(self, secret: str, now: float) -> Session | None:
        """The session with this secret, if it and its token are in force at `now`."""
        async with self.database.read() as connection:
            session = await sessions.read_session(connection, secret)
        return session if session is not None and session.valid(now) else None

    async def close_session(self, secret: str) -> None:
        async with self.database.write() as connection:
            await sessions.delete_session(connection, secret)

    def _ring(self, *, split: bool) -> None:
        self.events_saved.ring()
        if split:
            self.split_saved.ring()


def _split_of(decision: Decision, before: StoredSplit) -> StoredSplit:
    """The rollout's split; its last event says who changed it and when."""
    rollout = decision.rollout
    fresh = StoredSplit(rollout.split, SplitSource.ROLLOUT, before.changed_at, before.changed_by, rollout_id=rollout.id)
    last = decision.events[-1] if decision.events else None
    return replace(fresh, changed_at=last.at, changed_by=last.actor) if last else fresh
