"""mentor on every store that it may share: a whole life of a user, and processes that learn at once."""

import asyncio
from pathlib import Path

import pytest

from backends import SHARED, params, url_of
from mentor.dependencies import Engines
from mentor.detection import Hints
from mentor.feedback import Feedback
from mentor.personas import Persona
from mentor.settings import MentorSettings
from mentor_service import Clock, Service
from serinus import DeploymentVersion

QUERY = "What do you think about it?"
CANARY = DeploymentVersion.CANARY


@pytest.fixture(params=params(SHARED))
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_of(request, tmp_path)


def engines_over(url: str) -> Engines:
    return Engines(MentorSettings(database_url=url), Clock(), draw=lambda: 0.99)


def test_a_user_is_served_learnt_about_given_their_data_and_forgotten(url: str) -> None:
    with Service.of(engines_over(url), CANARY) as service:
        made = service.recommend(QUERY)
        other = next(persona for persona in Persona if persona != made["primary_persona"])
        body = {
            "user_id": "ada",
            "recommendation_id": made["metadata"]["recommendation_id"],
            "rating": -1,
            "chosen_persona": other,
            "comment": "한글도 괜찮아요 🙂",
        }
        assert service.post("/api/v2/recommend/feedback", body).status_code == 200
        assert service.post("/api/v2/recommend/feedback", body).status_code == 200
        assert service.recommend(QUERY)["all_scores"][other] > made["all_scores"][other]
        session = service.start()
        for message in ("My sister Ada lives in Turin", "ok", "what did I say about my sister?"):
            said = service.say(session, message)
        assert "My sister Ada lives in Turin" in said["response_text"]
        exported = service.get("/api/v2/users/ada/export").json()
        assert [len(exported[name]) for name in ("turns", "recommendations", "feedback", "tastes")] == [3, 2, 1, 4]
        assert exported["feedback"][0]["comment"] == "한글도 괜찮아요 🙂"
        assert service.delete("/api/v2/users/ada").json()["erased"]["turns"] == 3
        assert service.get("/api/v2/conversations", user_id="ada").json()["total_count"] == 0


def test_feedback_at_the_same_time_is_all_learnt(url: str) -> None:
    async def run() -> int:
        one, other = engines_over(url), engines_over(url)
        await one.prepare()
        services = [each.recommendations(CANARY) for each in (one, other)]

        async def rate(number: int) -> None:
            service, user = services[number % 2], f"user-{number % 3}"
            made = await service.recommend(user, QUERY, Hints())
            await service.rate(
                Feedback(
                    recommendation_id=made.recommendation_id,
                    user_id=user,
                    rating=1.0,
                    chosen_persona=None,
                    comment=None,
                    recorded_at=0.0,
                )
            )

        await asyncio.gather(*(rate(number) for number in range(12)))
        learned = await other.log.learned("user-0")
        for engines in (one, other):
            await engines.close()
        return learned.population.feedback_count

    assert asyncio.run(run()) == 12
