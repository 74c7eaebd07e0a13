"""A process that rates what it is recommended; in a module of its own, because a spawned process imports it by name."""

import asyncio

from mentor.dependencies import Engines
from mentor.detection import Hints
from mentor.feedback import Feedback
from mentor.settings import MentorSettings
from serinus import DeploymentVersion

QUERY = "What do you think about it?"


def rate_many(url: str, user_id: str, ratings: int) -> None:
    asyncio.run(_rate_many(Engines(MentorSettings(database_url=url), draw=lambda: 0.99), user_id, ratings))


async def _rate_many(engines: Engines, user_id: str, ratings: int) -> None:
    service = engines.recommendations(DeploymentVersion.CANARY)
    for _ in range(ratings):
        made = await service.recommend(user_id, QUERY, Hints())
        given = Feedback(
            recommendation_id=made.recommendation_id,
            user_id=user_id,
            rating=1.0,
            chosen_persona=None,
            comment=None,
            recorded_at=0.0,
        )
        await service.rate(given)
    await engines.close()
