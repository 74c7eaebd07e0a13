"""Whether a version can do its work, found out by doing a little of it."""

import asyncio
import logging
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Final

from sqlalchemy import select

from mentor import tables
from mentor.canary.multiturn import MultiturnEngine
from mentor.canary.offline import OfflineResponder
from mentor.canary.population import nothing_learned
from mentor.detection import Hints, detect
from mentor.personas import Persona
from mentor.recommendation import Query, Recommender
from mentor.sessions import Session
from serinus import Database, StoreUnavailable

logger = logging.getLogger(__name__)

_PROBES: Final = ("How do I plan the next step?", "다음 단계를 어떻게 계획하면 좋을까요?")
_STORE_TIMEOUT_S: Final = 3.0


class Condition(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True)
class Checkup:
    recommends: bool
    converses: bool
    stores: bool

    @property
    def condition(self) -> Condition:
        """Without the store, recommendations go on impersonally and conversations do not."""
        if not (self.recommends and self.converses):
            return Condition.UNHEALTHY
        return Condition.HEALTHY if self.stores else Condition.DEGRADED


class Health:
    def __init__(self, *, recommender: Recommender, engine: MultiturnEngine, database: Database) -> None:
        self._recommender = recommender
        self._engine = engine
        self._database = database

    async def check(self) -> Checkup:
        recommends, converses = self.rehearse()
        return Checkup(recommends=recommends, converses=converses, stores=await self.stores())

    def rehearse(self) -> tuple[bool, bool]:
        """Whether it recommends, and converses, in each language.

        Patterns and words are read when they are first asked for: after a rehearsal no user waits for that.
        """
        return all(map(self._recommends, _PROBES)), all(map(self._converses, _PROBES))

    async def stores(self) -> bool:
        """Whether the tables are there and a write transaction can begin."""
        try:
            async with asyncio.timeout(_STORE_TIMEOUT_S), self._database.write() as connection:
                await connection.execute(select(tables.sessions.c.session_id).limit(1))
        except (StoreUnavailable, TimeoutError) as error:
            logger.warning("the store fails its check: %s", error)
            return False
        return True

    def _recommends(self, probe: str) -> bool:
        try:
            made = self._recommender.recommend(Query(probe, detect(probe), Hints()), nothing_learned())
        except (ArithmeticError, LookupError, ValueError):
            logger.exception("the recommendation engine fails its check")
            return False
        return set(made.scores) == set(Persona) and isfinite(made.confidence)

    def _converses(self, probe: str) -> bool:
        session = Session(
            session_id="health",
            user_id="health",
            persona=Persona.NANA,
            created_at=0.0,
            expires_at=0.0,
            last_activity_at=0.0,
            memory={},
        )
        try:
            answer = OfflineResponder().compose(self._engine.prepare(session, [], probe).prompt)
        except (ArithmeticError, LookupError, ValueError):
            logger.exception("the conversation engine fails its check")
            return False
        return probe in answer.text
