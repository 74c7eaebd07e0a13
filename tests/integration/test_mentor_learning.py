"""Feedback is learnt at once, by every process, for good; what was tried out is on record."""

import asyncio
import multiprocessing
from pathlib import Path

import pytest
from sqlalchemy import select

from mentor import tables
from mentor.dependencies import Engines
from mentor.personas import Persona
from mentor.settings import MentorSettings
from mentor_learner import QUERY, rate_many
from mentor_service import Clock, Service, engines_at
from serinus import Database, DeploymentVersion

CANARY = DeploymentVersion.CANARY
FEEDBACK = "/api/v2/recommend/feedback"


def rate(service: Service, rating: float, *, user_id: str = "ada", **more: str) -> None:
    made = service.recommend(QUERY, user_id=user_id)["metadata"]["recommendation_id"]
    body = {"user_id": user_id, "recommendation_id": made, "rating": rating, **more}
    assert service.post(FEEDBACK, body).status_code == 200


def test_what_was_learnt_is_there_after_a_restart(tmp_path: Path) -> None:
    with Service.of(engines_at(tmp_path, Clock()), CANARY) as service:
        before = service.recommend(QUERY)
        other = next(persona for persona in Persona if persona != before["primary_persona"])
        rate(service, -1, chosen_persona=other)
        learnt = service.recommend(QUERY)
        assert learnt["all_scores"][other] > before["all_scores"][other] + 0.05
    with Service.of(engines_at(tmp_path, Clock()), CANARY) as again:
        assert again.recommend(QUERY)["all_scores"] == learnt["all_scores"]


def test_one_users_ratings_teach_the_other_process_what_a_stranger_may_like(tmp_path: Path) -> None:
    with (
        Service.of(engines_at(tmp_path, Clock()), CANARY) as one,
        Service.of(engines_at(tmp_path, Clock()), CANARY) as other,
    ):
        before = other.recommend(QUERY, user_id="stranger")
        for user in range(3):
            rate(one, -1, user_id=f"user-{user}")
        after = other.recommend(QUERY, user_id="stranger")
        assert after["all_scores"][before["primary_persona"]] < before["all_scores"][before["primary_persona"]] - 0.02
        assert "0 ratings of yours, 3 of all users" in after["explanation"]


def test_a_better_rating_leaves_a_better_score(tmp_path: Path) -> None:
    scores = []
    for number, rating in enumerate((-1, 0, 1)):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Service.of(engines_at(folder, Clock()), CANARY) as service:
            rate(service, rating)
            scores.append(max(service.recommend(QUERY)["all_scores"].values()))
    assert scores[0] < scores[1] < scores[2]


async def _prepare(url: str) -> None:
    engines = Engines(MentorSettings(database_url=url))
    await engines.prepare()
    await engines.database.close()


@pytest.mark.slow
def test_processes_that_learn_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'mentor.db'}?timeout=60"  # on a busy machine a turn may be long in coming
    asyncio.run(_prepare(url))
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=rate_many, args=(url, f"user-{number % 2}", 10)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 4

    async def stored() -> tuple[int, int, float]:
        database = Database(url)
        async with database.read() as connection:
            row = (await connection.execute(select(tables.population))).one()
            tastes = (await connection.execute(select(tables.tastes.c.ratings))).scalars().all()
        await database.close()
        return row.revision, row.state["feedback_count"], sum(tastes)

    assert asyncio.run(stored()) == (40, 40, 40.0)


def test_the_history_keeps_with_which_probability_each_persona_came_first(tmp_path: Path) -> None:
    draws = iter([0.5, 0.001, 0.99])  # not explored; explored, and the fourth persona drawn
    settings = MentorSettings(database_url=f"sqlite+aiosqlite:///{tmp_path / 'mentor.db'}", exploration=0.2)
    engines = Engines(settings, Clock(), draw=draws.__next__)
    with Service.of(engines, CANARY) as service:
        plain, explored = (service.recommend("How do I undo a commit?") for _ in range(2))
        assert (plain["primary_persona"], plain["metadata"]["explored"]) == ("Elro", False)
        assert (explored["primary_persona"], explored["metadata"]["explored"]) == ("Nana", True)
        assert [item["persona"] for item in explored["ranked_recommendations"]][:2] == ["Nana", "Elro"]
        assert explored["confidence"] < plain["confidence"]
        items = service.get("/api/v2/recommend/history", user_id="ada").json()["items"]
    for item in items:
        assert item["propensities"] == pytest.approx({**dict.fromkeys(Persona, 0.05), Persona.ELRO: 0.85})


def test_legacy_always_shows_what_scores_best(tmp_path: Path) -> None:
    settings = MentorSettings(database_url=f"sqlite+aiosqlite:///{tmp_path / 'mentor.db'}", exploration=0.5)
    with Service.of(Engines(settings, Clock(), draw=lambda: 0.0), DeploymentVersion.LEGACY) as service:
        made = service.recommend(QUERY)
        assert made["metadata"]["explored"] is False
        assert made["all_scores"][made["primary_persona"]] == max(made["all_scores"].values())
        items = service.get("/api/v2/recommend/history", user_id="ada").json()["items"]
    assert set(items[0]["propensities"].values()) == {0.0, 1.0}


@pytest.mark.parametrize("query", ["How do I undo a commit?", "팀 회의 일정을 잡아 주세요", "I feel so lonely"])
def test_comparing_runs_both_versions_as_each_would_answer(tmp_path: Path, query: str) -> None:
    with (
        Service.of(engines_at(tmp_path, Clock()), CANARY) as canary,
        Service.of(engines_at(tmp_path, Clock()), DeploymentVersion.LEGACY) as legacy,
    ):
        rate(canary, 1)
        answers = {"new_recommendation": canary.recommend(query), "legacy_recommendation": legacy.recommend(query)}
        compared = legacy.post("/api/v2/recommend/compare", {"user_id": "ada", "query": query}).json()
        for name, answer in answers.items():
            assert compared[name]["persona"] == answer["primary_persona"]
            assert compared[name]["confidence"] == answer["confidence"]
            assert compared[name]["method"] == answer["metadata"]["algorithm"]
