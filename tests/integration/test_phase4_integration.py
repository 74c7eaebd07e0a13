"""The customer's twenty integration tests of Phase 4, and beside each one that a constant answer fails."""

import json
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pytest

from mentor import dependencies
from mentor.personas import Persona
from mentor_service import Clock, Service, engines_at
from serinus import DeploymentVersion

PERSONALIZED = "/api/v2/recommend/personalized"
COMPARE = "/api/v2/recommend/compare"
START = "/api/v2/conversations/start"

TOPICS = {
    Persona.LUA: "I feel so lonely since my best friend moved away",
    Persona.ELRO: "Why does this Python decorator raise a TypeError?",
    Persona.RIRI: "Is the difference between the two conversion rates significant?",
    Persona.NANA: "Schedule the kickoff meeting and tell the whole team",
}


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with Service.of(engines_at(tmp_path, Clock()), DeploymentVersion.CANARY) as service:
        yield service


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for all requests that are refused: they change nothing."""
    with Service.of(engines_at(tmp_path_factory.mktemp("refusing"), Clock()), DeploymentVersion.CANARY) as service:
        yield service


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Service]:
    with Service.of(engines_at(tmp_path, Clock(), simulation=True), DeploymentVersion.CANARY) as service:
        yield service


# 1 Health


def test_phase4_health(service: Service) -> None:
    answer = service.get("/api/v2/phase4/health")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "healthy"
    assert body["phase4_features"] == {
        "recommendations_available": True,
        "conversations_available": True,
        "ab_testing_enabled": True,
    }


def test_health_is_degraded_when_the_store_is_broken(tmp_path: Path) -> None:
    (tmp_path / "mentor.db").mkdir()
    with Service.of(engines_at(tmp_path, Clock()), DeploymentVersion.CANARY) as service:
        body = service.get("/api/v2/phase4/health").json()
        assert body["status"] == "degraded"
        assert body["phase4_features"]["recommendations_available"] is True
        assert body["phase4_features"]["conversations_available"] is False


class Broken:
    """An engine whose model has come to nothing."""

    def recommend(self, *_: object) -> None:
        raise ValueError("the weights are not finite")


def test_health_is_unhealthy_when_an_engine_cannot_do_its_work(tmp_path: Path) -> None:
    engines = engines_at(tmp_path, Clock())
    engines.recommendation_engine = Broken()
    with Service.of(engines, DeploymentVersion.CANARY) as service:
        body = service.get("/api/v2/phase4/health").json()
        assert body["status"] == "unhealthy"
        assert body["phase4_features"]["recommendations_available"] is False


# 2-4 Personalised recommendation


def test_personalized_recommendation_success(service: Service) -> None:
    body = service.recommend(
        TOPICS[Persona.ELRO], context={"tone": "frustrated", "pace": "burst", "intent": "problem_solving"}
    )
    assert body["primary_persona"] in set(Persona)
    assert set(body["all_scores"]) == set(Persona)
    assert all(0 <= score <= 1 for score in body["all_scores"].values())
    assert len(body["ranked_recommendations"]) == 3
    assert body["metadata"]["detected"]["tone"] == "frustrated"
    assert body["metadata"]["algorithm"] == "ensemble"


@pytest.mark.parametrize(("persona", "query"), TOPICS.items())
def test_each_topic_is_recommended_its_own_persona(service: Service, persona: Persona, query: str) -> None:
    body = service.recommend(query)
    assert body["primary_persona"] == persona
    assert body["all_scores"][persona] == max(body["all_scores"].values())
    assert 0.25 < body["confidence"] < 1
    assert body["ranked_recommendations"][0]["persona"] == persona


def test_personalized_recommendation_without_context(service: Service) -> None:
    body = service.recommend("이 코드가 왜 느린지 궁금해요", options={"top_k": 4, "include_explanation": False})
    assert len(body["ranked_recommendations"]) == 4
    assert body["explanation"] is None
    assert body["metadata"]["detected"]["language"] == "ko"


def test_a_context_moves_the_scores(service: Service) -> None:
    query = "What should I look at next?"
    plain = service.recommend(query)["all_scores"]
    told = service.recommend(query, context={"tone": "collaborative", "intent": "planning"})["all_scores"]
    assert told["Nana"] > plain["Nana"]


@pytest.mark.parametrize(
    "body",
    [
        {"query": "no user"},
        {"user_id": "", "query": "empty user"},
        {"user_id": "ada", "query": "   "},
        {"user_id": "ada", "query": "q" * 4001},
        {"user_id": "u" * 129, "query": "long user"},
        {"user_id": "ada", "query": "unknown tone", "context": {"tone": "sarcastic"}},
        {"user_id": "ada", "query": "too many", "options": {"top_k": 5}},
        {"user_id": "\ud800", "query": "half a character"},
    ],
)
def test_personalized_recommendation_validation_error(refusing: Service, body: dict[str, object]) -> None:
    answer = refusing.post_raw(PERSONALIZED, json.dumps(body).encode())
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert isinstance(answer.json()["detail"], list)


def test_the_longest_valid_request_is_answered(service: Service) -> None:
    body = {"user_id": "u" * 128, "query": "q" * 4000}
    assert service.post(PERSONALIZED, body).status_code == 200


# 5-6 Comparison


def test_compare_with_legacy(service: Service) -> None:
    body = service.post(COMPARE, {"user_id": "ada", "query": TOPICS[Persona.LUA]}).json()
    assert body["new_recommendation"]["method"] == "ensemble"
    assert body["legacy_recommendation"]["method"] == "resonance_router"
    assert body["comparison"]["ab_test_assignment"] == "canary"


def test_the_comparison_follows_from_the_two_answers(service: Service) -> None:
    said = set()
    for query in (*TOPICS.values(), "I'm frustrated and anxious, I feel like crying, what should I do?"):
        body = service.post(COMPARE, {"user_id": "ada", "query": query}).json()
        new, old, comparison = body["new_recommendation"], body["legacy_recommendation"], body["comparison"]
        assert comparison["consensus"] == (new["persona"] == old["persona"])
        assert comparison["recommendation_changed"] != comparison["consensus"]
        assert comparison["confidence_improvement"] == pytest.approx(new["confidence"] - old["confidence"], abs=2e-4)
        said.add(comparison["consensus"])
    assert said == {True, False}


def test_compare_without_legacy(service: Service) -> None:
    body = service.post(COMPARE, {"user_id": "ada", "query": TOPICS[Persona.LUA], "include_legacy": False}).json()
    assert body["legacy_recommendation"] is None
    assert body["new_recommendation"]["persona"] == "Lua"


def test_without_legacy_nothing_is_said_about_a_difference(service: Service) -> None:
    body = service.post(COMPARE, {"user_id": "ada", "query": "hello", "include_legacy": False}).json()
    assert body["comparison"] == {"ab_test_assignment": "canary"}


# 7-14 Conversation


def test_start_conversation(service: Service) -> None:
    body = service.post(START, {"user_id": "ada", "persona_id": "Lua"}).json()
    assert body["user_id"] == "ada"
    assert body["persona_id"] == "Lua"
    assert body["status"] == "active"
    assert body["created_at"].endswith("Z")
    assert body["expires_at"] > body["created_at"]


def test_no_two_conversations_share_an_identifier(service: Service) -> None:
    identifiers = {service.start("ada") for _ in range(20)} | {service.start("bob")}
    assert len(identifiers) == 21
    assert all(len(identifier) >= 32 for identifier in identifiers)


@pytest.mark.parametrize("persona", Persona)
def test_start_conversation_with_every_persona(service: Service, persona: Persona) -> None:
    assert service.post(START, {"user_id": "ada", "persona_id": persona}).json()["persona_id"] == persona


def test_each_persona_answers_in_its_own_voice(service: Service) -> None:
    answers = {service.say(service.start(persona=persona), "I lost the file")["response_text"] for persona in Persona}
    assert len(answers) == len(Persona)
    assert all("I lost the file" in answer for answer in answers)


def test_process_turn(service: Service) -> None:
    session = service.start()
    body = service.say(session, "I am worried about the exam on Friday")
    assert body["turn_number"] == 1
    assert body["session_id"] == session
    assert body["metadata"]["persona_used"] == "Lua"
    assert body["metadata"]["detected"]["tone"] == "anxious"
    assert body["metadata"]["generated_by"] == "offline_responder"


def test_turn_numbers_count_and_the_context_grows(service: Service) -> None:
    session = service.start()
    turns = [service.say(session, f"My friend Mina sent letter {number}") for number in (41, 42, 43)]
    assert [turn["turn_number"] for turn in turns] == [1, 2, 3]
    assert "Mina" not in turns[0]["context_used"]
    assert "Mina" in turns[1]["context_used"]
    assert "41" in turns[2]["context_used"]


def test_get_conversation_context(service: Service) -> None:
    session = service.start(persona="Nana")
    service.say(session, "We meet Mr. Kim in Busan on March 3rd. I prefer trains.")
    body = service.get(f"/api/v2/conversations/{session}").json()
    assert body["turn_count"] == 1
    assert body["state"] == "active"
    assert "Busan" in body["context_memory"]["entities"]["name"]
    assert "March 3rd" in body["context_memory"]["entities"]["date"]
    assert body["context_memory"]["user_preferences"] == ["I prefer trains"]


def test_the_history_is_what_was_said(service: Service) -> None:
    session = service.start()
    said = ["the first thing", "두 번째 이야기", 'a "third" one']
    answered = [service.say(session, message)["response_text"] for message in said]
    messages = service.get(f"/api/v2/conversations/{session}").json()["messages"]
    assert [message["user_message"] for message in messages] == said
    assert [message["ai_response"] for message in messages] == answered
    assert [message["turn_id"] for message in messages] == [1, 2, 3]


def test_get_an_unknown_conversation(service: Service, simulated: Service) -> None:
    answer = service.get("/api/v2/conversations/nobody-started-this")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:mentor:problem:session-not-found"
    assert simulated.get("/api/v2/conversations/nobody-started-this").status_code == 200


def test_synthetic_conversations_follow_from_their_identifier(simulated: Service) -> None:
    first, again, other = (simulated.get(f"/api/v2/conversations/{name}").json() for name in ("one", "one", "two"))
    assert first == again
    assert first["messages"] != other["messages"]


def test_close_conversation(service: Service) -> None:
    session = service.start()
    service.say(session, "I feel better, thank you")
    body = service.post(f"/api/v2/conversations/{session}/close").json()
    assert body["session_id"] == session
    assert body["summary"]["total_turns"] == 1


def test_a_closed_conversation_takes_no_turn_and_closes_the_same_way_again(service: Service) -> None:
    session = service.start()
    service.say(session, "Tell me about the orchestra")
    first = service.post(f"/api/v2/conversations/{session}/close", {"save_conversation": True})
    assert service.post(f"/api/v2/conversations/{session}/close").json() == first.json()
    refused = service.post(f"/api/v2/conversations/{session}/turn", {"user_message": "one more"})
    assert refused.status_code == 409
    assert service.get(f"/api/v2/conversations/{session}").json()["turn_count"] == 1


def test_list_user_conversations(service: Service) -> None:
    sessions = [service.start("ada") for _ in range(3)]
    service.post(f"/api/v2/conversations/{sessions[0]}/close")
    body = service.get("/api/v2/conversations", user_id="ada").json()
    assert {item["session_id"] for item in body["sessions"]} == set(sessions)
    assert body["total_count"] == 3
    assert body["active_count"] == 2


def test_a_users_list_holds_nobody_elses_conversations(service: Service) -> None:
    mine, theirs = service.start("ada"), service.start("bob")
    listed = service.get("/api/v2/conversations", user_id="bob").json()["sessions"]
    assert [item["session_id"] for item in listed] == [theirs]
    assert mine != theirs


def test_full_conversation_flow(service: Service) -> None:
    session = service.start("ada", "Nana")
    service.say(session, "I plan a trip to Lisbon with my sister")
    for number in range(6):
        service.say(session, f"Let us talk about something else, number {number}")
    recalled = service.say(session, "What did I tell you about Lisbon?")
    assert "“I plan a trip to Lisbon with my sister”" in recalled["response_text"]
    assert service.get(f"/api/v2/conversations/{session}").json()["turn_count"] == 8
    assert service.post(f"/api/v2/conversations/{session}/close").json()["summary"]["total_turns"] == 8
    assert service.get(f"/api/v2/conversations/{session}").json()["state"] == "closed"


def test_two_conversations_at_the_same_time_do_not_mix(service: Service) -> None:
    ada, bob = service.start("ada"), service.start("bob")
    service.say(ada, "My cat is called Whiskers")
    service.say(bob, "My dog is called Rex")
    about_pets = service.say(bob, "Do you remember the name of my dog?")
    assert "Rex" in about_pets["response_text"]
    assert "Whiskers" not in about_pets["response_text"] + about_pets["context_used"]


# 15-16 Error handling


@pytest.mark.parametrize("path", [PERSONALIZED, COMPARE, START])
def test_invalid_json(refusing: Service, path: str) -> None:
    answer = refusing.post_raw(path, b'{"user_id": "ada",')
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:mentor:problem:invalid-request"


def test_a_refused_request_changes_nothing(service: Service) -> None:
    service.post_raw(START, b'{"user_id": "ada", "persona_id": "Lua"')
    service.post(START, {"user_id": "ada", "persona_id": "Zorro"})
    assert service.get("/api/v2/conversations", user_id="ada").json()["total_count"] == 0


@pytest.mark.parametrize(("path", "missing"), [(PERSONALIZED, "query"), (COMPARE, "query"), (START, "persona_id")])
def test_missing_required_fields(refusing: Service, path: str, missing: str) -> None:
    answer = refusing.post(path, {"user_id": "ada"})
    assert answer.status_code == 422
    assert ["body", missing] in [problem["loc"] for problem in answer.json()["detail"]]


def test_all_missing_fields_are_named_at_once(refusing: Service) -> None:
    detail = refusing.post(START, {}).json()["detail"]
    assert {problem["loc"][-1] for problem in detail} == {"user_id", "persona_id"}


# 17-18 Performance


def test_recommendation_response_time(service: Service) -> None:
    started = perf_counter()
    service.recommend(TOPICS[Persona.RIRI])
    assert perf_counter() - started < 0.5


def test_the_time_that_an_answer_reports_is_the_time_it_took(service: Service) -> None:
    for query in ("short", "a long one " * 300):
        started = perf_counter()
        reported_ms = service.recommend(query)["metadata"]["processing_time_ms"]
        assert 0 < reported_ms <= (perf_counter() - started) * 1000


def test_turn_response_time(service: Service) -> None:
    session = service.start()
    started = perf_counter()
    service.say(session, "How do I begin?")
    assert perf_counter() - started < 0.5


def test_the_fortieth_turn_is_as_quick_as_a_turn_has_to_be(service: Service) -> None:
    session = service.start()
    reported_ms = [
        service.say(session, f"Team {number} meets Ms. Park{number} on May {number % 28 + 1}")["metadata"][
            "processing_time_ms"
        ]
        for number in range(40)
    ]
    assert len(set(reported_ms)) > 1
    assert reported_ms[-1] < 500


# 19-20 Dependency injection


def test_engines_are_initialised_at_start_up(tmp_path: Path) -> None:
    engines = engines_at(tmp_path, Clock())
    with Service.of(engines, DeploymentVersion.CANARY):
        assert engines.status() == {
            "phase4_available": True,
            "recommendation_engine_initialized": True,
            "session_manager_initialized": True,
            "multiturn_engine_initialized": True,
        }


def test_before_the_start_no_engine_claims_to_be_initialised(tmp_path: Path) -> None:
    engines = engines_at(tmp_path, Clock())
    assert not any(engines.status().values())
    _ = engines.multiturn_engine
    assert engines.status()["multiturn_engine_initialized"]
    assert not engines.status()["phase4_available"]


def test_each_engine_is_a_singleton() -> None:
    dependencies.initialize_all_engines()
    assert dependencies.get_recommendation_engine() is dependencies.get_recommendation_engine()
    assert dependencies.get_session_manager() is dependencies.get_session_manager()
    assert dependencies.get_multiturn_engine() is dependencies.get_multiturn_engine()
    assert dependencies.get_phase4_status()["phase4_available"]


def test_two_services_do_not_share_their_engines(tmp_path: Path) -> None:
    one, other = engines_at(tmp_path, Clock()), engines_at(tmp_path, Clock())
    assert one.session_manager is not other.session_manager
    assert one.recommendation_engine is not other.recommendation_engine
