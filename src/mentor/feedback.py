"""What was recommended to whom, how it was rated, and what the ratings taught."""

import secrets
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mentor import tables
from mentor.canary.content import ContentHead
from mentor.canary.population import Learned
from mentor.detection import Hints, Intent, Pace, Tone
from mentor.errors import RecommendationNotFound
from mentor.learning import LearnedStore
from mentor.paging import Cursor, Page, newest_first
from mentor.personas import Persona
from serinus import Database, DeploymentVersion

_ADD: Final = insert(tables.recommendations)
_COLUMNS: Final = tuple(column.name for column in tables.recommendations.columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeRecommendation:
    """One recommendation as it was answered.

    `expected` is P(positive feedback) by persona at that time; `propensities` are the probabilities with which each
    persona could have been shown first (None where none were kept); `rating` lies in -1..1.
    """

    recommendation_id: str
    user_id: str
    query: str
    version: str
    persona: Persona
    confidence: float
    expected: dict[Persona, float]
    made_at: float
    hints: Hints
    propensities: dict[Persona, float] | None
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

    def __init__(self, database: Database, head: ContentHead) -> None:
        self._database = database
        self._head = head
        self._learned = LearnedStore()

    def new_id(self, user_id: str, query: str) -> str:  # noqa: ARG002 - the simulated log derives it from them
        return f"rec_{secrets.token_urlsafe(18)}"

    async def add(self, made: MadeRecommendation) -> None:
        values = {name: getattr(made, name) for name in _COLUMNS}
        values["hints"] = {name: label for name, label in asdict(made.hints).items() if label is not None}
        async with self._database.write_once() as connection:
            await connection.execute(_ADD, values)

    async def learned(self, user_id: str) -> Learned:
        """What all feedback so far has taught, for this user's next recommendation."""
        return await self._learned.read(self._database, user_id)

    async def record(self, given: Feedback) -> float:
        """Store and learn at once; returns when it was recorded, which for a repeated feedback is the first time.

        Raises RecommendationNotFound, also when the recommendation was made to another user.
        """
        try:
            async with self._database.write() as connection:
                made = await _recommendation(connection, given)
                await connection.execute(insert(tables.feedback).values(_row(given)))
                odds = self._head.odds(made.query, made.hints)
                await self._learned.teach(connection, given.user_id, odds, _rewards(made, given))
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

    async def rated(self, *, since: float, most: int) -> list[MadeRecommendation]:
        """CANARY's rated answers whose propensities were kept, the latest `most` of them made after `since`."""
        made = tables.recommendations.c
        query = (
            select(tables.recommendations, tables.feedback.c.rating, tables.feedback.c.chosen_persona)
            .join(tables.feedback)
            .where(made.made_at > since, made.version == DeploymentVersion.CANARY, made.propensities.is_not(None))
            .order_by(made.made_at.desc())
            .limit(most)
        )
        async with self._database.read() as connection:
            return [_made(row) for row in (await connection.execute(query)).all()]

    async def ratings(self, user_id: str, *, since: float, until: float) -> list[float]:
        """The ratings (-1..1) that a user gave between two instants."""
        query = select(tables.feedback.c.rating).where(
            tables.feedback.c.user_id == user_id, tables.feedback.c.recorded_at.between(since, until)
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def purge(self, *, made_before: float, most: int) -> int:
        """Delete up to `most` recommendations older than that instant (epoch seconds); returns how many.

        Their ratings go with them; what those have taught stays.
        """
        made, rated = tables.recommendations, tables.feedback
        query = select(made.c.recommendation_id).where(made.c.made_at < made_before).limit(most)
        async with self._database.glance() as connection:
            found = (await connection.scalars(query)).all()
        if found:
            async with self._database.write() as connection:
                await connection.execute(delete(rated).where(rated.c.recommendation_id.in_(found)))
                await connection.execute(delete(made).where(made.c.recommendation_id.in_(found)))
        return len(found)

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


def _rewards(made: MadeRecommendation, given: Feedback) -> list[tuple[Persona, float]]:
    """Rewards in 0..1: the rating is of the recommended persona; another one chosen in its place was wanted."""
    rewards = [(made.persona, (given.rating + 1) / 2)]
    if given.chosen_persona is not None and given.chosen_persona != made.persona:
        rewards.append((given.chosen_persona, 1.0))
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
            "expected": _by_persona(row.expected),
            "hints": _hints(row.hints or {}),
            "propensities": _by_persona(row.propensities) if row.propensities else None,
            "chosen_persona": Persona(chosen) if chosen else None,
        }
    )


def _by_persona(kept: dict[str, float]) -> dict[Persona, float]:
    return {Persona(name): value for name, value in kept.items()}


def _hints(kept: dict[str, str]) -> Hints:
    tone, pace, intent = (kept.get(name) for name in ("tone", "pace", "intent"))
    return Hints(Tone(tone) if tone else None, Pace(pace) if pace else None, Intent(intent) if intent else None)
