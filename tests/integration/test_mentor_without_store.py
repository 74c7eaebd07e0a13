"""The store goes away under a running service, and comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mentor_service import Clock, Service, engines_at
from serinus import DeploymentVersion


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "mentor.db").mkdir()
    with Service.of(engines_at(tmp_path, Clock()), DeploymentVersion.CANARY) as service:
        yield service


def test_a_recommendation_is_still_answered_and_marked_as_degraded(broken: Service) -> None:
    body = {"user_id": "ada", "query": "Why does this Python loop never end?"}
    answer = broken.post("/api/v2/recommend/personalized", body)
    assert answer.status_code == 200
    assert answer.json()["primary_persona"] == "Elro"
    assert answer.headers["X-Serinus-Outcome"] == "degraded"


def test_a_recommendation_with_the_store_is_not_marked(tmp_path: Path) -> None:
    with Service.of(engines_at(tmp_path, Clock()), DeploymentVersion.CANARY) as service:
        answer = service.post("/api/v2/recommend/compare", {"user_id": "ada", "query": "hello"})
        assert "X-Serinus-Outcome" not in answer.headers


def test_what_needs_the_store_says_so_and_leaks_nothing(broken: Service, tmp_path: Path) -> None:
    answer = broken.post("/api/v2/conversations/start", {"user_id": "ada", "persona_id": "Lua"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["type"] == "urn:mentor:problem:store-unavailable"
    assert str(tmp_path) not in answer.text
    assert "sqlite" not in answer.text


def test_the_service_lives_is_not_ready_and_becomes_ready_when_the_store_is_back(
    broken: Service, tmp_path: Path
) -> None:
    assert broken.get("/health").status_code == 200
    assert broken.get("/ready").status_code == 503
    (tmp_path / "mentor.db").rmdir()
    assert broken.get("/ready").status_code == 200
    assert broken.say(broken.start(), "welcome back")["turn_number"] == 1


def test_simulation_stores_nothing_says_so_and_repeats_itself(tmp_path: Path) -> None:
    with Service.of(engines_at(tmp_path, Clock(), simulation=True), DeploymentVersion.CANARY) as service:
        assert service.get("/api/v2/phase4/health").json()["simulation"] is True
        first, again, other = (service.recommend(query) for query in ("same", "same", "another"))
        for body in (first, again, other):
            assert body["metadata"]["simulated"] is True
            body["metadata"].pop("processing_time_ms")
        assert first == again != other
        session = service.start("ada", "Nana")
        assert service.start("ada", "Nana") == session != service.start("bob", "Nana")
        assert service.say(session, "Hello")["metadata"]["persona_used"] == "Nana"
        assert service.get(f"/api/v2/conversations/{session}").json()["user_id"] == "ada"
        assert service.get("/api/v2/recommend/history", user_id="ada").json()["items"] == []
    assert list(tmp_path.iterdir()) == []
