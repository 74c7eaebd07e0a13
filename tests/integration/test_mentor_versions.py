"""LEGACY and CANARY over one store: the same paths, the same shapes, one conversation."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mentor_service import Clock, Service, engines_at
from serinus import DeploymentVersion

LEGACY, CANARY = DeploymentVersion.LEGACY, DeploymentVersion.CANARY


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=DeploymentVersion)
def service(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Service]:
    with Service.of(engines_at(tmp_path, clock), request.param) as service:
        yield service


@pytest.fixture(params=DeploymentVersion, scope="module")
def refusing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all requests that are refused: they change nothing."""
    engines = engines_at(tmp_path_factory.mktemp("refusing"), Clock())
    with Service.of(engines, request.param) as service:
        yield service


@pytest.fixture
def legacy(tmp_path: Path, clock: Clock) -> Iterator[Service]:
    with Service.of(engines_at(tmp_path, clock), LEGACY) as service:
        yield service


@pytest.fixture
def canary(tmp_path: Path, clock: Clock) -> Iterator[Service]:
    with Service.of(engines_at(tmp_path, clock), CANARY) as service:
        yield service


def shape(value: object) -> object:
    """The keys of an answer, all the way down."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value[:1]] if isinstance(value, list) else None


def test_both_versions_serve_the_same_paths(legacy: Service, canary: Service) -> None:
    paths = [set(service.get("/openapi.json").json()["paths"]) for service in (legacy, canary)]
    assert paths[0] == paths[1]
    assert len(paths[0]) == 14


def test_both_versions_answer_in_the_same_shape(legacy: Service, canary: Service) -> None:
    recommended = [service.recommend("Plan the week") for service in (legacy, canary)]
    assert shape(recommended[0]) == shape(recommended[1])
    assert [body["metadata"]["ab_group"] for body in recommended] == ["legacy", "canary"]
    turns = [service.say(service.start(), "Hello") for service in (legacy, canary)]
    assert shape(turns[0]) == shape(turns[1])


def test_a_conversation_begun_in_canary_goes_on_in_legacy_and_back(legacy: Service, canary: Service) -> None:
    session = canary.start("ada", "Riri")
    canary.say(session, "Our churn in Oslo is 7%")
    continued = legacy.say(session, "What did I say about the churn?")
    assert continued["turn_number"] == 2
    assert continued["metadata"]["persona_used"] == "Riri"
    assert "Our churn in Oslo is 7%" in continued["response_text"]
    legacy.say(session, "Then we met Ragnhild")
    back = canary.say(session, "And now?")
    assert back["turn_number"] == 4
    assert "Oslo" in back["context_used"]
    assert "Ragnhild" in back["context_used"]


def test_legacy_forgets_what_left_its_window_and_canary_does_not(legacy: Service, canary: Service) -> None:
    for service, remembers in ((legacy, False), (canary, True)):
        session = service.start()
        service.say(session, "My teacher is called Ottoline")
        for number in range(6):
            service.say(session, f"Something else, {number}")
        assert ("Ottoline" in service.say(session, "Go on")["context_used"]) is remembers


def test_feedback_given_in_legacy_is_known_in_canary(legacy: Service, canary: Service) -> None:
    query = "What do you think about it?"
    before = canary.recommend(query)["all_scores"]
    made = legacy.recommend(query)
    body = {
        "user_id": "ada",
        "recommendation_id": made["metadata"]["recommendation_id"],
        "rating": -1,
        "chosen_persona": "nana",
    }
    assert legacy.post("/api/v2/recommend/feedback", body).json()["accepted"] is True
    after = canary.recommend(query)["all_scores"]
    assert after["Nana"] > before["Nana"]
    assert after[made["primary_persona"]] <= before[made["primary_persona"]]
    others = canary.recommend(query, user_id="bob")["all_scores"]
    assert before["Nana"] < others["Nana"] < after["Nana"]  # everybody's ratings count a little, one's own much more


def test_the_same_feedback_twice_is_one(service: Service, clock: Clock) -> None:
    identifier = service.recommend("How are you?")["metadata"]["recommendation_id"]
    body = {"user_id": "ada", "recommendation_id": identifier, "rating": 1}
    first = service.post("/api/v2/recommend/feedback", body).json()
    learnt = service.recommend("How are you?")["all_scores"]
    clock.advance(60)
    assert service.post("/api/v2/recommend/feedback", body).json() == first
    assert service.recommend("How are you?")["all_scores"] == learnt


@pytest.mark.parametrize("rating", [1.5, -2, "good", None])
def test_a_rating_outside_of_its_range_is_refused(refusing: Service, rating: object) -> None:
    identifier = refusing.recommend("How are you?")["metadata"]["recommendation_id"]
    body = {"user_id": "ada", "recommendation_id": identifier, "rating": rating}
    assert refusing.post("/api/v2/recommend/feedback", body).status_code == 422


def test_nobody_rates_what_was_recommended_to_another(refusing: Service) -> None:
    identifier = refusing.recommend("How are you?", user_id="ada")["metadata"]["recommendation_id"]
    answer = refusing.post(
        "/api/v2/recommend/feedback", {"user_id": "bob", "recommendation_id": identifier, "rating": 1}
    )
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:mentor:problem:recommendation-not-found"


def test_the_history_of_recommendations_comes_in_pages_newest_first(service: Service, clock: Clock) -> None:
    for number in range(5):
        service.recommend(f"question {number}")
        clock.advance(1)
    service.recommend("somebody else's question", user_id="bob")
    queries: list[str] = []
    cursor: str | None = None
    for expected in (2, 2, 1):
        parameters: dict[str, str] = {"cursor": cursor} if cursor else {}
        page = service.get("/api/v2/recommend/history", user_id="ada", limit=2, **parameters).json()
        assert len(page["items"]) == expected
        queries += [item["query"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert queries == [f"question {number}" for number in (4, 3, 2, 1, 0)]


def test_pages_of_conversations_skip_none_that_began_at_the_same_instant(service: Service) -> None:
    started = {service.start() for _ in range(5)}
    first = service.get("/api/v2/conversations", user_id="ada", limit=3).json()
    rest = service.get("/api/v2/conversations", user_id="ada", limit=3, cursor=first["next_cursor"]).json()
    assert {item["session_id"] for item in first["sessions"] + rest["sessions"]} == started
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("cursor", ["nonsense", "W10", "WyJ4IiwgInkiXQ", "W05hTiwgIngiXQ", "é"])
def test_a_foreign_cursor_is_refused(refusing: Service, cursor: str) -> None:
    answer = refusing.get("/api/v2/conversations", user_id="ada", cursor=cursor)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:mentor:problem:invalid-cursor"


def test_conversations_are_listed_by_state(service: Service, clock: Clock) -> None:
    short = service.start(session_ttl_hours=1)
    closed, active = service.start(), service.start()
    service.post(f"/api/v2/conversations/{closed}/close")
    clock.advance(3601)
    for state, session in (("expired", short), ("closed", closed), ("active", active)):
        listed = service.get("/api/v2/conversations", user_id="ada", state=state).json()["sessions"]
        assert [(item["session_id"], item["state"]) for item in listed] == [(session, state)]


def test_an_expired_conversation_takes_no_turn_and_can_be_read(service: Service, clock: Clock) -> None:
    session = service.start(session_ttl_hours=0.5)
    service.say(session, "in time")
    clock.advance(1800)
    answer = service.post(f"/api/v2/conversations/{session}/turn", {"user_message": "too late"})
    assert answer.status_code == 410
    assert answer.json()["type"] == "urn:mentor:problem:session-expired"
    found = service.get(f"/api/v2/conversations/{session}").json()
    assert (found["state"], found["turn_count"]) == ("expired", 1)


def test_closing_without_saving_erases_what_was_said(service: Service) -> None:
    session = service.start()
    service.say(session, "My secret is called Rumpelstiltskin")
    closing = service.post(f"/api/v2/conversations/{session}/close", {"save_conversation": False})
    assert closing.json()["summary"]["total_turns"] == 1
    assert service.post(f"/api/v2/conversations/{session}/close").json() == closing.json()
    found = service.get(f"/api/v2/conversations/{session}").text
    assert "Rumpelstiltskin" not in found + closing.text


def test_the_summary_tells_how_long_it_took_and_how_the_user_liked_it(service: Service, clock: Clock) -> None:
    session = service.start()
    for rating in (1, 0.5):
        identifier = service.recommend("How are you?")["metadata"]["recommendation_id"]
        service.post(
            "/api/v2/recommend/feedback",
            {"user_id": "ada", "recommendation_id": identifier, "rating": rating},
        )
    clock.advance(90)
    summary = service.post(f"/api/v2/conversations/{session}/close").json()["summary"]
    assert summary["total_duration_minutes"] == 1.5
    assert summary["user_satisfaction"] == 0.75


def test_turns_at_the_same_time_are_all_taken_one_after_the_other(service: Service) -> None:
    session = service.start()
    bodies = [{"user_message": f"message {number}"} for number in range(6)]
    answers = service.post_at_once(f"/api/v2/conversations/{session}/turn", bodies)
    assert sorted(answer.json()["turn_number"] for answer in answers) == [1, 2, 3, 4, 5, 6]
    messages = service.get(f"/api/v2/conversations/{session}").json()["messages"]
    assert sorted(message["user_message"] for message in messages) == [body["user_message"] for body in bodies]


@pytest.mark.parametrize("message", ["", "   ", "\n", "m" * 4001, None, 7])
def test_a_message_has_to_say_something_and_not_too_much(refusing: Service, message: object) -> None:
    session = refusing.start()
    answer = refusing.post(f"/api/v2/conversations/{session}/turn", {"user_message": message})
    assert answer.status_code == 422
    assert refusing.get(f"/api/v2/conversations/{session}").json()["turn_count"] == 0


def test_the_callers_metadata_comes_back_with_the_history(service: Service) -> None:
    session = service.start()
    for metadata in ({"client": "ios", "ids": [1, 2]}, {}):
        body = {"user_message": "hello", "metadata": metadata}
        assert service.post(f"/api/v2/conversations/{session}/turn", body).status_code == 200
    messages = service.get(f"/api/v2/conversations/{session}").json()["messages"]
    assert [message["metadata"] for message in messages] == [{"client": "ios", "ids": [1, 2]}, {}]


@pytest.mark.parametrize("metadata", ["text", {"big": "x" * 5000}, [1], {"half": "\ud800"}])
def test_metadata_is_a_small_object(refusing: Service, metadata: object) -> None:
    body = json.dumps({"user_message": "hello", "metadata": metadata})
    path = f"/api/v2/conversations/{refusing.start()}/turn"
    assert refusing.post_raw(path, body.encode()).status_code == 422


@pytest.mark.parametrize("hours", [0, -1, 168.5, "long"])
def test_a_conversation_lasts_more_than_nothing_and_at_most_a_week(refusing: Service, hours: object) -> None:
    body = {"user_id": "ada", "persona_id": "Lua", "options": {"session_ttl_hours": hours}}
    assert refusing.post("/api/v2/conversations/start", body).status_code == 422


@pytest.mark.parametrize("path", ["/turn", "/close", ""])
def test_an_unknown_conversation_is_not_found(refusing: Service, path: str) -> None:
    url = f"/api/v2/conversations/unknown{path}"
    answer = refusing.post(url, {"user_message": "hello"}) if path else refusing.get(url)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_unknown_path_and_a_wrong_method_are_problems_too(refusing: Service) -> None:
    for answer, status in ((refusing.get("/api/v2/nothing"), 404), (refusing.get("/api/v2/recommend/compare"), 405)):
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status


def test_an_unknown_persona_is_refused_with_those_that_there_are(refusing: Service) -> None:
    answer = refusing.post("/api/v2/conversations/start", {"user_id": "zoe", "persona_id": "Zorro"})
    assert answer.status_code == 422
    assert all(persona in answer.json()["detail"][0]["msg"] for persona in ("Lua", "Elro", "Riri", "Nana"))
    assert refusing.get("/api/v2/conversations", user_id="zoe").json()["total_count"] == 0


def test_a_body_over_the_limit_is_refused_before_it_is_understood(refusing: Service) -> None:
    def body(size: int) -> bytes:
        text = json.dumps({"user_id": "max", "persona_id": "Lua", "padding": ""})
        return text.encode()[:-2] + b" " * (size - len(text)) + b'"}'

    assert refusing.post_raw("/api/v2/conversations/start", body(65_536)).status_code == 200
    answer = refusing.post_raw("/api/v2/conversations/start", body(65_537))
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:mentor:problem:body-too-large")
    assert "65536 bytes; send less" in answer.json()["detail"]
    assert refusing.get("/api/v2/conversations", user_id="max").json()["total_count"] == 1


def test_the_character_that_databases_do_not_keep_is_refused_everywhere(refusing: Service) -> None:
    nul = "a\0b"
    session = refusing.start()
    bodies = [
        ("recommend/personalized", {"user_id": nul, "query": "hello"}),
        ("recommend/personalized", {"user_id": "ada", "query": nul}),
        ("recommend/feedback", {"user_id": "ada", "recommendation_id": nul, "rating": 1}),
        ("recommend/feedback", {"user_id": "ada", "recommendation_id": "r", "rating": 1, "comment": nul}),
        (f"conversations/{session}/turn", {"user_message": nul}),
    ]
    assert [refusing.post(f"/api/v2/{path}", body).status_code for path, body in bodies] == [422] * 5
    assert refusing.get("/api/v2/users/a%00b/export").status_code == 422
    assert refusing.get("/api/v2/conversations/a%00b").status_code == 404
    assert refusing.get("/api/v2/conversations", user_id="ada", cursor="WzEsICJcdTAwMDAiXQ").status_code == 422
