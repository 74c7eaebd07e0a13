"""Conversations in the shared database: either version goes on where the other stopped."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, bindparam, case, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mentor import tables
from mentor.errors import SessionNotFound
from mentor.paging import Cursor, Page, newest_first
from mentor.personas import Persona
from serinus import Database

_START: Final = "Start a conversation with POST /api/v2/conversations/start."
OFFLINE: Final = "offline_responder"

# A statement that every turn asks for is made once: to make it costs more than to run it.
_OF_SESSION: Final = tables.sessions.c.session_id == bindparam("of_session")
_SESSION: Final = select(tables.sessions).where(_OF_SESSION)
_OWNER: Final = select(tables.sessions.c.user_id).where(_OF_SESSION)
_CREATE: Final = insert(tables.sessions)
_TURNS: Final = (
    select(tables.turns)
    .where(tables.turns.c.session_id == bindparam("of_session"), tables.turns.c.turn_number > bindparam("after"))
    .order_by(tables.turns.c.turn_number)
)
_CLAIM: Final = update(tables.sessions).where(
    _OF_SESSION, tables.sessions.c.turn_count == bindparam("turns_before"), tables.sessions.c.closed_at.is_(None)
)
_ADD_TURN: Final = insert(tables.turns)


class SessionState(StrEnum):
    ACTIVE = "active"
    CLOSED = "closed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One conversation without its messages. `memory` is what the engine asked to be kept, as JSON values."""

    session_id: str
    user_id: str
    persona: Persona
    created_at: float
    expires_at: float
    last_activity_at: float
    closed_at: float | None = None
    turn_count: int = 0
    uses_memory: bool = True
    memory: dict[str, Any]

    def state(self, now: float) -> SessionState:
        if self.closed_at is not None:
            return SessionState.CLOSED
        return SessionState.EXPIRED if self.expires_at <= now else SessionState.ACTIVE


@dataclass(frozen=True, slots=True)
class Turn:
    """`labels` are the caller's own, kept as they came; `generated_by` names the responder of the answer."""

    turn_number: int
    user_message: str
    ai_response: str
    answered_at: float
    labels: dict[str, Any]
    generated_by: str | None = None

    @property
    def tells_more(self) -> bool:
        """Whether there may be something in the answer that the user has not said."""
        return self.generated_by not in {None, OFFLINE}


@dataclass(frozen=True, slots=True)
class SessionCounts:
    total: int
    active: int


class SessionStore:
    """Raises StoreUnavailable from every method while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def new_id(self, user_id: str, persona: Persona) -> str:  # noqa: ARG002 - the simulated store derives it from them
        return secrets.token_urlsafe(24)

    async def create(self, session: Session) -> None:
        values = {column.name: getattr(session, column.name) for column in tables.sessions.columns}
        async with self._database.write_once() as connection:
            await connection.execute(_CREATE, values)

    async def load(self, session_id: str, turns_after: Callable[[Session], int]) -> tuple[Session, list[Turn]]:
        """The session, and its turns with a number above what `turns_after` says for it, oldest first, at one instant.

        Raises SessionNotFound.
        """
        async with self._database.read() as connection:
            row = (await connection.execute(_SESSION, {"of_session": session_id})).one_or_none()
            if row is None:
                raise SessionNotFound(_START)
            session = _session(row)
            return session, await _turns(connection, session_id, after=turns_after(session))

    async def owner(self, session_id: str) -> str | None:
        """The user whose conversation this is; None when there is none."""
        async with self._database.glance() as connection:
            owner: str | None = await connection.scalar(_OWNER, {"of_session": session_id})
        return owner

    async def append(self, session: Session, turn: Turn, memory: dict[str, Any]) -> bool:
        """Store `turn` as the session's next one; False when the session has changed since it was read."""
        claim = {
            "of_session": session.session_id,
            "turns_before": turn.turn_number - 1,
            "turn_count": turn.turn_number,
            "last_activity_at": turn.answered_at,
            "memory": memory,
        }
        row = {
            "session_id": session.session_id,
            "turn_number": turn.turn_number,
            "user_message": turn.user_message,
            "ai_response": turn.ai_response,
            "answered_at": turn.answered_at,
            "labels": turn.labels,
            "generated_by": turn.generated_by,
        }
        async with self._database.write() as connection:
            claimed = (await connection.execute(_CLAIM, claim)).rowcount == 1
            if claimed:
                await connection.execute(_ADD_TURN, row)
        return claimed

    async def close(self, session_id: str, *, closed_at: float) -> None:
        """Closing twice keeps the first time."""
        closing = (
            update(tables.sessions)
            .where(tables.sessions.c.session_id == session_id, tables.sessions.c.closed_at.is_(None))
            .values(closed_at=closed_at)
        )
        async with self._database.write_once() as connection:
            await connection.execute(closing)

    async def erase(self, session_id: str) -> None:
        """Forget what was said; that there was a conversation, and of how many turns, stays."""
        of_session = tables.sessions.c.session_id == session_id
        async with self._database.write() as connection:
            await connection.execute(delete(tables.turns).where(tables.turns.c.session_id == session_id))
            await connection.execute(update(tables.sessions).where(of_session).values(memory={}))

    async def delete(self, session_id: str) -> None:
        """Raises SessionNotFound."""
        async with self._database.write() as connection:
            if not await _delete(connection, [session_id]):
                raise SessionNotFound(_START)

    async def purge(self, *, expired_before: float, most: int) -> int:
        """Delete up to `most` conversations that expired before that instant (epoch seconds); returns how many."""
        query = select(tables.sessions.c.session_id).where(tables.sessions.c.expires_at < expired_before).limit(most)
        async with self._database.glance() as connection:
            found = (await connection.scalars(query)).all()
        if found:
            async with self._database.write() as connection:
                await _delete(connection, found)
        return len(found)

    async def list(
        self, user_id: str, *, now: float, state: SessionState | None, limit: int, cursor: str | None
    ) -> Page[Session]:
        """Newest first. Raises InvalidCursor."""
        query = select(tables.sessions).where(tables.sessions.c.user_id == user_id).limit(limit + 1)
        if state is not None:
            query = query.where(_in_state(state, now))
        query = newest_first(query, table=tables.sessions, at="created_at", item_id="session_id", cursor=cursor)
        async with self._database.read() as connection:
            found = [_session(row) for row in (await connection.execute(query)).all()]
        last = found[limit - 1] if len(found) > limit else None
        return Page(found[:limit], str(Cursor(last.created_at, last.session_id)) if last else None)

    async def counts(self, user_id: str, *, now: float) -> SessionCounts:
        active = func.coalesce(func.sum(case((_in_state(SessionState.ACTIVE, now), 1), else_=0)), 0)
        query = select(func.count(), active).where(tables.sessions.c.user_id == user_id)
        async with self._database.read() as connection:
            total, active_count = (await connection.execute(query)).one()
        return SessionCounts(total, active_count)


async def _delete(connection: AsyncConnection, session_ids: Sequence[str]) -> int:
    await connection.execute(delete(tables.turns).where(tables.turns.c.session_id.in_(session_ids)))
    gone = await connection.execute(delete(tables.sessions).where(tables.sessions.c.session_id.in_(session_ids)))
    return gone.rowcount


def _session(row: Row[Any]) -> Session:
    return Session(**{**row._mapping, "persona": Persona(row.persona)})  # noqa: SLF001 - public in SQLAlchemy, by its documentation


async def _turns(connection: AsyncConnection, session_id: str, *, after: int) -> list[Turn]:
    rows = (await connection.execute(_TURNS, {"of_session": session_id, "after": after})).all()
    columns = ("turn_number", "user_message", "ai_response", "answered_at", "labels", "generated_by")
    return [Turn(**{name: getattr(row, name) for name in columns}) for row in rows]


def _in_state(state: SessionState, now: float) -> ColumnElement[bool]:
    closed_at, expires_at = tables.sessions.c.closed_at, tables.sessions.c.expires_at
    if state is SessionState.CLOSED:
        return closed_at.is_not(None)
    return and_(closed_at.is_(None), expires_at <= now if state is SessionState.EXPIRED else expires_at > now)
