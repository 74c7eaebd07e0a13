"""What a conversation remembers, and what it answers from that."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentor.canary import extraction
from mentor.canary.encoder import shared_encoder
from mentor.canary.memory import ENTITIES_KEPT, Memory
from mentor.canary.multiturn import CONTEXT_CHARACTERS, WINDOW_TURNS, MultiturnEngine
from mentor.canary.responders import OfflineResponder
from mentor.personas import Language, Persona
from mentor.sessions import Session, Turn


def remembered(*messages: str) -> Memory:
    memory = Memory()
    for number, message in enumerate(messages, start=1):
        memory = memory.after(number, message, shared_encoder())
    return memory


def session_of(turn_count: int = 0, *, memory: Memory | None = None, uses_memory: bool = True) -> Session:
    return Session(
        session_id="s",
        user_id="ada",
        persona=Persona.ELRO,
        created_at=0.0,
        expires_at=1.0,
        last_activity_at=0.0,
        turn_count=turn_count,
        memory=memory.to_json() if memory else {},
        uses_memory=uses_memory,
    )


def turns_of(*messages: str) -> list[Turn]:
    return [Turn(number, message, "…", 0.0, {}) for number, message in enumerate(messages, start=1)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We fly to New York on March 9th at 7 pm", [("time", "7 pm"), ("date", "March 9th"), ("name", "New York")]),
        ("Book 4 seats for $120", [("number", "4"), ("number", "$120")]),
        ('She called it "the blue hour"', [("quote", "the blue hour")]),
        ("다음 주 화요일에 부산에서 만나요", [("date", "다음 주 화요일"), ("term", "부산")]),
        ("민수랑 오후 3시에 회의를 해요", [("time", "오후 3시"), ("term", "민수"), ("term", "회의")]),
    ],
)
def test_names_dates_numbers_and_quotes_are_found(text: str, found: list[tuple[str, str]]) -> None:
    language = Language.KO if "요" in text else Language.EN
    assert set(found) <= set(extraction.entities(text, language))


def test_a_sentences_first_word_is_no_name() -> None:
    assert extraction.entities("Please help me", Language.EN) == []


def test_what_the_user_likes_is_kept_in_their_own_words() -> None:
    assert remembered("I prefer short answers. The rest is fine.").preferences == ("I prefer short answers",)
    assert remembered("저는 커피보다 차를 좋아해요").preferences == ("저는 커피보다 차를 좋아해요",)


def test_what_is_said_often_and_lately_comes_first() -> None:
    memory = remembered("Anna and Bert called", "Bert called", "Carla called")
    assert memory.entities_by_kind["name"] == ["Bert", "Carla", "Anna"]


def test_a_bounded_number_of_things_is_kept() -> None:
    memory = remembered(*(f"Person{number}A met Person{number}B" for number in range(60)))
    assert len(memory.entities) == ENTITIES_KEPT
    assert "Person59B" in memory.entities_by_kind["name"]
    assert len(json.dumps(memory.to_json())) < 20_000


@given(st.lists(st.text(max_size=120), max_size=6))
def test_a_memory_survives_being_stored(messages: list[str]) -> None:
    memory = remembered(*messages)
    assert Memory.from_json(json.loads(json.dumps(memory.to_json()))) == memory


@given(st.lists(st.text(min_size=1, max_size=4000), min_size=1, max_size=8))
def test_the_context_is_capped(messages: list[str]) -> None:
    engine = MultiturnEngine(shared_encoder(), OfflineResponder(), remembers=True)
    reply = engine.reply(session_of(len(messages)), turns_of(*messages), "and now?")
    assert reply.context.startswith("Topics: [")
    assert len(reply.context) <= CONTEXT_CHARACTERS


def test_phase4_recalls_what_phase3_has_forgotten() -> None:
    turns = turns_of("My daughter Olga plays the cello", *(f"Something else, {number}" for number in range(6)))
    question = "What did I say about Olga and the cello?"
    answers = {
        remembers: MultiturnEngine(shared_encoder(), OfflineResponder(), remembers=remembers).reply(
            session_of(len(turns)), turns, question
        )
        for remembers in (True, False)
    }
    assert "“My daughter Olga plays the cello”" in answers[True].answer.text
    assert "Olga" in answers[True].context
    assert "plays the cello" not in answers[False].answer.text
    assert "I find nothing about that" in answers[False].answer.text


def test_a_memory_catches_up_on_turns_that_were_taken_without_it() -> None:
    engine = MultiturnEngine(shared_encoder(), OfflineResponder(), remembers=True)
    turns = turns_of("I met Ingrid", "I met Jonas", "I met Karim")
    session = session_of(3, memory=remembered("I met Ingrid"))
    assert engine.needs_turns_after(session) == 0
    assert {"Ingrid", "Jonas", "Karim"} <= set(engine.memory(session, turns).entities_by_kind["name"])


def test_only_the_window_is_needed_when_the_memory_is_up_to_date() -> None:
    engine = MultiturnEngine(shared_encoder(), OfflineResponder(), remembers=True)
    session = session_of(30, memory=Memory(through_turn=30))
    assert engine.needs_turns_after(session) == 30 - WINDOW_TURNS


def test_a_session_that_wants_no_memory_has_none() -> None:
    engine = MultiturnEngine(shared_encoder(), OfflineResponder(), remembers=True)
    reply = engine.reply(session_of(1, uses_memory=False), turns_of("I met Ingrid"), "And Lothar")
    assert reply.memory == {}
    assert "Entities: []" in reply.context


@pytest.mark.parametrize("message", ["ㅋㅋ", "...", "🙂", "a" * 4000, "Why?\n\nWhy?"])
def test_whatever_is_said_is_taken_up_and_nothing_is_invented(message: str) -> None:
    engine = MultiturnEngine(shared_encoder(), OfflineResponder(), remembers=True)
    reply = engine.reply(session_of(), [], message)
    assert message.strip()[:20].split("\n")[0] in reply.answer.text
    assert reply.answer.generated_by == "offline_responder"


def test_the_answer_is_in_the_language_of_the_message() -> None:
    engine = MultiturnEngine(shared_encoder(), OfflineResponder(), remembers=True)
    assert "지금까지 알려진 것" in engine.reply(session_of(), [], "서버가 멈췄어요").answer.text
    assert "Known so far" in engine.reply(session_of(), [], "The server has stopped").answer.text
