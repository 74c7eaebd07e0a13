"""All that is stored about one user: given out, or erased, on request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, Table, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mentor import tables
from serinus import Database


@dataclass(frozen=True, slots=True)
class PersonalRecords:
    """Rows as they are stored, oldest first; `tastes` are what the user's ratings have taught."""

    conversations: list[dict[str, Any]]
    turns: list[dict[str, Any]]
    recommendations: list[dict[str, Any]]
    feedback: list[dict[str, Any]]
    tastes: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows of each there were."""

    conversations: int
    turns: int
    recommendations: int
    feedback: int


class PersonalStore:
    """Raises StoreUnavailable while the database is away. What all ratings taught together names nobody, and stays."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def export(self, user_id: str) -> PersonalRecords:
        """Everything at one instant; empty lists for a user who is not known."""
        async with self._database.read() as connection:
            affinities = await _rows(connection, select(tables.affinities).filter_by(user_id=user_id))
            tastes = await _rows(connection, select(tables.tastes).filter_by(user_id=user_id))
            return PersonalRecords(
                conversations=await _rows(connection, _of(user_id, tables.sessions, "created_at")),
                turns=await _rows(connection, _turns_of(user_id)),
                recommendations=await _rows(connection, _of(user_id, tables.recommendations, "made_at")),
                feedback=await _rows(connection, _of(user_id, tables.feedback, "recorded_at")),
                tastes=[*affinities, *tastes],
            )

    async def erase(self, user_id: str) -> Erased:
        """Forget the user, in one transaction. Erasing twice finds nothing the second time."""
        sessions = select(tables.sessions.c.session_id).where(tables.sessions.c.user_id == user_id)
        async with self._database.write() as connection:
            turns = await connection.execute(delete(tables.turns).where(tables.turns.c.session_id.in_(sessions)))
            counts = {"turns": turns.rowcount}
            for table in (tables.sessions, tables.feedback, tables.recommendations, tables.affinities, tables.tastes):
                gone = await connection.execute(delete(table).where(table.c.user_id == user_id))
                counts[table.name.removeprefix("mentor_")] = gone.rowcount
        return Erased(counts["sessions"], counts["turns"], counts["recommendations"], counts["feedback"])


def _of(user_id: str, table: Table, order: str) -> Select[Any]:
    return select(table).where(table.c.user_id == user_id).order_by(table.c[order])


def _turns_of(user_id: str) -> Select[Any]:
    return (
        select(tables.turns)
        .join(tables.sessions)
        .where(tables.sessions.c.user_id == user_id)
        .order_by(tables.turns.c.answered_at, tables.turns.c.turn_number)
    )


async def _rows(connection: AsyncConnection, query: Select[Any]) -> list[dict[str, Any]]:
    rows: Sequence[Any] = (await connection.execute(query)).mappings().all()
    return [dict(row) for row in rows]
