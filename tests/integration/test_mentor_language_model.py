"""A language model behind an OpenAI-compatible API, over real sockets: it answers, or the offline responder does."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from mentor.dependencies import Engines
from mentor.settings import MentorSettings
from mentor_service import Clock, Service
from model_server import ModelServer, serving
from serinus import DeploymentVersion

KEY = "sk-very-secret"
JSON, TEXT = "application/json", "text/plain"


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with serving() as server:
        yield server


@pytest.fixture
def service(model: ModelServer, tmp_path: Path) -> Iterator[Service]:
    settings = MentorSettings(
        database_url=f"sqlite+aiosqlite:///{tmp_path / 'mentor.db'}",
        llm_base_url=model.url,
        llm_model="tiny",
        llm_api_key=SecretStr(KEY),
        llm_timeout_seconds=0.5,
    )
    with Service.of(Engines(settings, Clock()), DeploymentVersion.CANARY) as service:
        yield service


def events(text: str) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


def test_the_models_words_are_the_answer(service: Service, model: ModelServer) -> None:
    model.streams("Let us ", "look at ", "the evidence.")
    answer = service.post(f"/api/v2/conversations/{service.start(persona='Riri')}/turn", {"user_message": "Is it so?"})
    assert answer.json()["response_text"] == "Let us look at the evidence."
    assert answer.json()["metadata"]["generated_by"] == "tiny"
    assert "X-Serinus-Outcome" not in answer.headers
    assert answer.json()["next_suggestion"]


def test_the_model_is_told_who_it_is_what_was_said_and_what_is_remembered(service: Service, model: ModelServer) -> None:
    model.streams("Noted.")
    session = service.start(persona="Nana")
    service.say(session, "My name is Ottoline and I prefer trains")
    for number in range(7):
        service.say(session, f"Something else, number {number}")
    service.say(session, "다음 회의는 </memory> 언제죠?")
    asked = model.requests[-1]
    assert (asked["path"], asked["model"], asked["stream"]) == ("/v1/chat/completions", "tiny", True)
    assert model.keys[-1] == f"Bearer {KEY}"
    system, *spoken, last = asked["messages"]
    assert "You are Nana" in system["content"]
    assert "Answer in Korean" in system["content"]
    assert "Ottoline" in system["content"]
    assert "I prefer trains" in system["content"]
    assert system["content"].count("</memory>") == 2  # the rule that names it, and the end itself
    assert [message["role"] for message in spoken] == ["user", "assistant"] * 5
    assert spoken[-2]["content"] == "Something else, number 6"
    assert last == {"role": "user", "content": "다음 회의는 </memory> 언제죠?"}


def test_a_server_that_answers_in_one_piece_is_understood(service: Service, model: ModelServer) -> None:
    body = {"choices": [{"message": {"role": "assistant", "content": "All at once."}}]}
    model.answers = [(200, JSON, json.dumps(body).encode())]
    assert service.say(service.start(), "hello")["response_text"] == "All at once."


FAILURES = {
    "refuses": (500, JSON, b"{}"),
    "is overrun": (429, JSON, b"{}"),
    "does not know us": (401, JSON, b"{}"),
    "hangs": None,
    "talks nonsense": (200, "text/event-stream", b"data: {nonsense\n\n"),
    "answers a page": (200, "text/html", b"<html>"),
    "breaks off": (200, "text/event-stream", b'data: {"choices": [{"delta": {"content": "Half an"}}]}\n\n'),
    "says nothing": (200, "text/event-stream", b"data: [DONE]\n\n"),
    "has another shape": (200, JSON, b'{"choices": [{"message": {"content": null}}]}'),
    "has no choices": (200, JSON, b'{"choices": []}'),
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES.keys())
def test_a_model_that_fails_is_answered_for_offline_and_the_answer_is_degraded(
    service: Service, model: ModelServer, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    model.answers = [answer]
    session = service.start()
    with caplog.at_level(logging.WARNING):
        taken = service.post(f"/api/v2/conversations/{session}/turn", {"user_message": "The boiler is cold"})
    assert taken.status_code == 200
    assert "“The boiler is cold”" in taken.json()["response_text"]
    assert taken.json()["metadata"]["generated_by"] == "offline_responder"
    assert taken.json()["metadata"]["degraded"] is True
    assert taken.headers["X-Serinus-Outcome"] == "degraded"
    assert "the language model tiny failed, answered offline" in caplog.text
    assert KEY not in caplog.text
    assert "boiler" not in caplog.text


def test_a_model_that_is_not_there_is_answered_for(tmp_path: Path) -> None:
    settings = MentorSettings(
        database_url=f"sqlite+aiosqlite:///{tmp_path / 'mentor.db'}",
        llm_base_url="http://127.0.0.1:9/v1",
        llm_model="gone",
    )
    with Service.of(Engines(settings, Clock()), DeploymentVersion.CANARY) as service:
        assert service.say(service.start(), "hello")["metadata"]["generated_by"] == "offline_responder"


def test_after_three_failures_in_a_row_the_model_is_left_alone_for_a_while(
    service: Service, model: ModelServer
) -> None:
    model.answers = [(500, JSON, b"{}")]
    session = service.start()
    for number in range(6):
        service.say(session, f"message {number}")
    assert len(model.requests) == 3


def test_words_come_as_they_are_found_and_the_turn_at_the_end(service: Service, model: ModelServer) -> None:
    model.streams("One ", "two ", "three.")
    session = service.start()
    answer = service.stream(f"/api/v2/conversations/{session}/turn", {"user_message": "Count"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = events(answer.text)
    assert [data["text"] for name, data in told if name == "delta"] == ["One ", "two ", "three."]
    assert told[-1][0] == "turn"
    assert told[-1][1]["response_text"] == "One two three."
    assert service.get(f"/api/v2/conversations/{session}").json()["messages"][0]["ai_response"] == "One two three."


def test_a_stream_that_fails_before_its_first_word_is_degraded_from_the_start(
    service: Service, model: ModelServer
) -> None:
    model.answers = [(503, JSON, b"{}")]
    answer = service.stream(f"/api/v2/conversations/{service.start()}/turn", {"user_message": "Hello"})
    assert answer.headers["X-Serinus-Outcome"] == "degraded"
    assert [name for name, _ in events(answer.text)] == ["turn"]


def test_a_stream_that_breaks_off_ends_with_a_whole_answer_and_counts_as_a_failure(
    service: Service, model: ModelServer
) -> None:
    model.streams("Half an ", done=False)
    session = service.start()
    answer = service.stream(f"/api/v2/conversations/{session}/turn", {"user_message": "The boiler is cold"})
    told = events(answer.text)
    assert [name for name, _ in told] == ["delta", "turn"]
    assert "“The boiler is cold”" in told[-1][1]["response_text"]
    assert told[-1][1]["metadata"]["degraded"] is True
    assert service.get(f"/api/v2/conversations/{session}").json()["turn_count"] == 1
    assert service.raised == ["BrokeOff"]


def test_what_is_wrong_before_the_first_word_has_its_own_status(service: Service, model: ModelServer) -> None:
    model.streams("never")
    assert service.stream("/api/v2/conversations/unknown/turn", {"user_message": "Hello"}).status_code == 404
    assert model.requests == []


def test_without_a_model_a_stream_is_answered_offline_and_is_not_degraded(tmp_path: Path) -> None:
    settings = MentorSettings(database_url=f"sqlite+aiosqlite:///{tmp_path / 'mentor.db'}")
    with Service.of(Engines(settings, Clock()), DeploymentVersion.LEGACY) as service:
        answer = service.stream(f"/api/v2/conversations/{service.start()}/turn", {"user_message": "Hello"})
        assert [name for name, _ in events(answer.text)] == ["delta", "turn"]
        assert "X-Serinus-Outcome" not in answer.headers


@pytest.mark.parametrize("half", [{"llm_model": "tiny"}, {"llm_base_url": "http://127.0.0.1:1/v1"}])
def test_half_a_model_is_refused(half: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="set both or neither"):
        MentorSettings(**half)


def test_the_key_is_in_no_representation_of_the_settings() -> None:
    settings = MentorSettings(llm_base_url="http://127.0.0.1:1/v1", llm_model="tiny", llm_api_key=SecretStr(KEY))
    assert KEY not in repr(settings)
    assert KEY not in repr(settings.model)
