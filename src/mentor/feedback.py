"""What was recommended to whom, how it was rated, and what the ratings taught."""

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mentor import tables
from mentor.canary.ensemble import learn
from mentor.errors import RecommendationNotFound
from mentor.paging import Cursor, Page, newest_first
from mentor.personas import Persona
from mentor.recommendation import Affinities, Affinity
from serinus import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeRecommendation:
    """One recommendation as it was answered.

    `expected` is P(positive feedback) by persona at that time; `rating` lies in -1..1.
    """

    recommendation_id: str
    user_id: str
    query: str
    version: str
    persona: Persona
    confidence: float
    expected: dict[Persona, float]
    made_at: float
    rating: float | None = None
    chosen_persona: Persona | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    recommendation_id: str
    user_id: str
    rating: float
    chosen_persona: Persona | None
    comment: str | None
    recorded_at: float


class RecommendationLog:
    """Raises StoreUnavailable from every method while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def new_id(self, user_id: str, query: str) -> str:  # noqa: ARG002 - the simulated log derives it from them
        return f"rec_{secrets.token_urlsafe(18)}"

    async def add(self, made: MadeRecommendation) -> None:
        values = {column.name: getattr(made, column.name) for column in tables.recommendations.columns}
        async with self._database.write() as connection:
            await connection.execute(insert(tables.recommendations).values(values))

    async def affinities(self, user_id: str) -> Affinities:
        """Only personas that the user has rated."""
        async with self._database.read() as connection:
            return await _affinities(connection, user_id)

    async def record(self, given: Feedback) -> float:
        """Store and learn at once; returns when it was recorded, which for a repeated feedback is the first time.

        Raises RecommendationNotFound, also when the recommendation was made to another user.
        """
        try:
            async with self._database.write() as connection:
                made = await _recommendation(connection, given)
                await connection.execute(insert(tables.feedback).values(_row(given)))
                await _learn(connection, made, given)
        except IntegrityError:  # rated before
            return await self._recorded_at(given.recommendation_id)
        return given.recorded_at

    async def history(self, user_id: str, *, limit: int, cursor: str | None) -> Page[MadeRecommendation]:
        """Newest first. Raises InvalidCursor."""
        query = (
            select(tables.recommendations, tables.feedback.c.rating, tables.feedback.c.chosen_persona)
            .outerjoin(tables.feedback)
            .where(tables.recommendations.c.user_id == user_id)
            .limit(limit + 1)
        )
        query = newest_first(
            query, table=tables.recommendations, at="made_at", item_id="recommendation_id", cursor=cursor
        )
        async with self._database.read() as connection:
            found = [_made(row) for row in (await connection.execute(query)).all()]
        last = found[limit - 1] if len(found) > limit else None
        return Page(found[:limit], str(Cursor(last.made_at, last.recommendation_id)) if last else None)

    async def ratings(self, user_id: str, *, since: float, until: float) -> list[float]:
        """The ratings (-1..1) that a user gave between two instants."""
        query = select(tables.feedback.c.rating).where(
            tables.feedback.c.user_id == user_id, tables.feedback.c.recorded_at.between(since, until)
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def _recorded_at(self, recommendation_id: str) -> float:
        query = select(tables.feedback.c.recorded_at).where(tables.feedback.c.recommendation_id == recommendation_id)
        async with self._database.read() as connection:
            return float((await connection.execute(query)).scalar_one())


async def _recommendation(connection: AsyncConnection, given: Feedback) -> MadeRecommendation:
    query = select(tables.recommendations).where(
        tables.recommendations.c.recommendation_id == given.recommendation_id,
        tables.recommendations.c.user_id == given.user_id,
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise RecommendationNotFound("Rate with the recommendation_id and user_id of a recommendation that was made.")
    return _made(row)


async def _affinities(connection: AsyncConnection, user_id: str) -> dict[Persona, Affinity]:
    query = select(tables.affinities).where(tables.affinities.c.user_id == user_id)
    rows = (await connection.execute(query)).all()
    return {Persona(row.persona): Affinity(row.residual_sum, row.ratings) for row in rows}


async def _learn(connection: AsyncConnection, made: MadeRecommendation, given: Feedback) -> None:
    known = await _affinities(connection, given.user_id)
    for persona, reward in _rewards(made, given).items():
        learnt = learn(known.get(persona, Affinity()), reward=reward, expected=made.expected[persona])
        of_persona = (tables.affinities.c.user_id == given.user_id) & (tables.affinities.c.persona == persona)
        values = {"residual_sum": learnt.residual_sum, "ratings": learnt.ratings}
        change = (
            tables.affinities.update().where(of_persona).values(values)
            if persona in known
            else insert(tables.affinities).values(user_id=given.user_id, persona=persona, **values)
        )
        await connection.execute(change)


def _rewards(made: MadeRecommendation, given: Feedback) -> dict[Persona, float]:
    """Rewards in 0..1: the rating is of the recommended persona; another one chosen in its place was wanted."""
    rewards = {made.persona: (given.rating + 1) / 2}
    if given.chosen_persona is not None and given.chosen_persona != made.persona:
        rewards[given.chosen_persona] = 1.0
    return rewards


def _row(given: Feedback) -> dict[str, Any]:
    return {column.name: getattr(given, column.name) for column in tables.feedback.columns}


def _made(row: Row[Any]) -> MadeRecommendation:
    values = dict(row._mapping)  # noqa: SLF001 - public in SQLAlchemy, by its documentation
    chosen = values.get("chosen_persona")
    return MadeRecommendation(
        **{
            **values,
            "persona": Persona(row.persona),
            "expected": {Persona(name): value for name, value in row.expected.items()},
            "chosen_persona": Persona(chosen) if chosen else None,
        }
    )
