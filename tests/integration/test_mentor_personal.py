"""What is stored about a user is given out, erased, and deleted in time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mentor_service import Clock, Service, engines_at
from serinus import DeploymentVersion

DAY_S = 24 * 3600


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=DeploymentVersion)
def service(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Service]:
    with Service.of(engines_at(tmp_path, clock), request.param) as service:
        yield service


def live_a_little(service: Service, user_id: str) -> str:
    session = service.start(user_id)
    service.say(session, f"The secret of {user_id} is Rumpelstiltskin")
    made = service.recommend("How do I undo a commit?", user_id=user_id)["metadata"]["recommendation_id"]
    body = {"user_id": user_id, "recommendation_id": made, "rating": 1, "comment": f"{user_id} says thanks"}
    assert service.post("/api/v2/recommend/feedback", body).status_code == 200
    return session


def test_a_user_gets_everything_that_is_stored_about_them_and_nothing_of_others(service: Service) -> None:
    for user in ("ada", "bob"):
        live_a_little(service, user)
    answer = service.get("/api/v2/users/ada/export")
    body = answer.json()
    assert {name: len(rows) for name, rows in body.items() if isinstance(rows, list)} == {
        **dict.fromkeys(("conversations", "turns", "recommendations", "feedback"), 1),
        "tastes": 2,
    }
    assert "The secret of ada" in answer.text
    assert "ada says thanks" in answer.text
    assert "bob" not in answer.text


def test_an_erased_user_has_left_nothing_and_others_keep_all(service: Service) -> None:
    ada, bob = (live_a_little(service, user) for user in ("ada", "bob"))
    bobs = service.get("/api/v2/users/bob/export").json()
    erased = service.delete("/api/v2/users/ada").json()["erased"]
    assert erased == {"conversations": 1, "turns": 1, "recommendations": 1, "feedback": 1}
    left = service.get("/api/v2/users/ada/export").json()
    assert not any(rows for rows in left.values() if isinstance(rows, list))
    assert service.get(f"/api/v2/conversations/{ada}").status_code == 404
    assert service.get(f"/api/v2/conversations/{bob}").status_code == 200
    assert service.get("/api/v2/users/bob/export").json() == bobs
    assert set(service.delete("/api/v2/users/ada").json()["erased"].values()) == {0}


def test_who_comes_back_after_erasure_is_a_stranger(service: Service) -> None:
    live_a_little(service, "ada")
    service.delete("/api/v2/users/ada")
    query = "What do you think about it?"
    assert (
        service.recommend(query, user_id="ada")["all_scores"] == service.recommend(query, user_id="new")["all_scores"]
    )


def test_a_deleted_conversation_is_gone_and_the_others_are_not(service: Service) -> None:
    one, other = (live_a_little(service, "ada") for _ in range(2))
    assert service.delete(f"/api/v2/conversations/{one}").status_code == 204
    assert service.get(f"/api/v2/conversations/{one}").status_code == 404
    assert service.delete(f"/api/v2/conversations/{one}").status_code == 404
    assert service.get(f"/api/v2/conversations/{other}").json()["turn_count"] == 1


def test_conversations_that_expired_a_month_ago_are_deleted(service: Service, clock: Clock) -> None:
    old = live_a_little(service, "ada")
    clock.advance(10 * DAY_S)
    recent = live_a_little(service, "ada")
    clock.advance(21.5 * DAY_S)
    service.start("bob")
    assert service.get(f"/api/v2/conversations/{old}").status_code == 404
    assert service.get(f"/api/v2/conversations/{recent}").json()["state"] == "expired"


def test_recommendations_of_a_month_ago_are_deleted_with_their_ratings_and_what_they_taught_stays(
    service: Service, clock: Clock
) -> None:
    live_a_little(service, "ada")
    clock.advance(10 * DAY_S)
    live_a_little(service, "ada")
    taught = service.get("/api/v2/users/ada/export").json()["tastes"]
    clock.advance(21.5 * DAY_S)
    service.recommend("Where do I begin?", user_id="bob")
    kept = service.get("/api/v2/users/ada/export").json()
    assert [len(kept[what]) for what in ("recommendations", "feedback")] == [1, 1]
    assert kept["tastes"] == taught


def test_a_pile_of_old_recommendations_is_deleted_in_parts(service: Service, clock: Clock) -> None:
    for number in range(105):
        service.recommend(f"Where do I begin with matter {number}?", user_id="ada")
    clock.advance(32 * DAY_S)
    totals = []
    for _ in range(3):
        service.recommend("And where do I begin?", user_id="bob")
        totals.append(len(service.get("/api/v2/users/ada/export").json()["recommendations"]))
    assert totals == [5, 0, 0]


def test_a_pile_of_old_conversations_is_deleted_in_parts(service: Service, clock: Clock) -> None:
    for _ in range(105):
        service.start("ada", session_ttl_hours=1)
    clock.advance(32 * DAY_S)
    totals = []
    for _ in range(3):
        service.start("bob")
        totals.append(service.get("/api/v2/conversations", user_id="ada").json()["total_count"])
    assert totals == [5, 0, 0]
