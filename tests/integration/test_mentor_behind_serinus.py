"""The whole reference service: both versions, the canary layer, the agent, the controller and the admin API."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from mentor.application import version_app
from mentor.dependencies import Engines
from mentor.main import create_app, templates
from mentor.settings import MentorSettings
from mentor_service import Service
from serinus import DeploymentVersion

TOKEN = "0123456789abcdef" * 2
USERS = [f"user-{number}" for number in range(12)]


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'serinus.db'}"
    monkeypatch.setenv("SERINUS_DATABASE_URL", url)
    monkeypatch.setenv("SERINUS_ADMIN_TOKEN", TOKEN)
    app = create_app(MentorSettings(database_url=url))
    with Service(app, {"Authorization": f"Bearer {TOKEN}"}) as service:
        yield service


def set_share(service: Service, percentage: float) -> None:
    """Returns when this process routes by it, and a controller watches over it."""
    body = {"canary_percentage": percentage, "enabled": percentage > 0, "reason": "test"}
    answer = service.post("/admin/canary/config", body)
    assert answer.status_code == 200, answer.text
    for _ in count():
        agent = service.get("/ready").json()["serinus"]
        if agent["watched"] and agent["split_revision"] >= answer.json()["revision"]:
            return


def version_for(service: Service, user_id: str) -> str:
    body = {"user_id": user_id, "query": "How do I begin?"}
    answer = service.post("/api/v2/recommend/personalized", body)
    assert answer.json()["metadata"]["ab_group"] == answer.headers["X-Deployment-Version"]
    return answer.headers["X-Deployment-Version"]


def turn(service: Service, session_id: str, message: str) -> tuple[str, dict[str, Any]]:
    answer = service.post(f"/api/v2/conversations/{session_id}/turn", {"user_message": message})
    return answer.headers["X-Deployment-Version"], answer.json()


def test_before_any_rollout_everybody_gets_legacy(whole: Service) -> None:
    assert {version_for(whole, user) for user in USERS} == {"legacy"}


def test_a_user_has_one_version_in_recommendations_and_in_their_conversations(whole: Service) -> None:
    set_share(whole, 50)
    versions = {user: version_for(whole, user) for user in USERS}
    assert set(versions.values()) == {"legacy", "canary"}
    for user, version in versions.items():
        session = whole.start(user)
        assert turn(whole, session, "Hello")[0] == version
        assert whole.get(f"/api/v2/conversations/{session}").headers["X-Deployment-Version"] == version
        assert whole.get("/api/v2/conversations", user_id=user).headers["X-Deployment-Version"] == version


def test_after_a_rollback_a_conversation_goes_on_in_legacy(whole: Service) -> None:
    set_share(whole, 100)
    session = whole.start("ada", "Riri")
    assert turn(whole, session, "Our churn in Oslo is 7%")[0] == "canary"
    set_share(whole, 0)
    version, body = turn(whole, session, "What did I say about the churn?")
    assert version == "legacy"
    assert body["turn_number"] == 2
    assert body["metadata"]["persona_used"] == "Riri"
    assert "Our churn in Oslo is 7%" in body["response_text"]


def test_the_services_own_probes_are_answered_beside_the_admin_api(whole: Service) -> None:
    assert whole.get("/health").json() == {"status": "alive"}
    assert whole.get("/ready").status_code == 200
    assert whole.get("/api/v2/phase4/health").json()["status"] == "healthy"
    assert "serinus_requests_total" in whole.get("/metrics").text


def test_feedback_is_satisfaction_counted_by_version_each_rating_once(whole: Service) -> None:
    set_share(whole, 50)
    for user in USERS:
        made = whole.recommend("How do I begin?", user)
        rating = 1 if made["metadata"]["ab_group"] == "canary" else -1
        body = {"user_id": user, "recommendation_id": made["metadata"]["recommendation_id"], "rating": rating}
        for _ in range(2):
            assert whole.post("/api/v2/recommend/feedback", body).status_code == 200
    for _ in count():
        values = whole.get("/admin/canary/metrics").json()["comparison"]["values"]
        if values and values[0]["legacy_count"] + values[0]["canary_count"] >= len(USERS):
            break
    assert (values[0]["name"], values[0]["legacy_mean"], values[0]["canary_mean"]) == ("satisfaction", -1.0, 1.0)
    assert values[0]["legacy_count"] + values[0]["canary_count"] == len(USERS)


def test_every_call_of_the_api_takes_part_in_a_rollout() -> None:
    engines = Engines(MentorSettings(simulation=True))
    offered = {path for path in version_app(engines, DeploymentVersion.CANARY).openapi()["paths"] if "/v2/" in path}
    assert set(templates(engines)) == offered
    assert len(templates(engines)) == len(offered)
