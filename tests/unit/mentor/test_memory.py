"""What a conversation remembers, and what it answers from that."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentor.canary import extraction
from mentor.canary.context import CONTEXT_CHARACTERS, WINDOW_TURNS
from mentor.canary.encoder import shared_encoder
from mentor.canary.memory import ENTITIES_KEPT, Memory
from mentor.canary.multiturn import RETRIEVED_FROM_TURNS, MultiturnEngine
from mentor.canary.offline import OfflineResponder
from mentor.canary.prompt import Answer
from mentor.personas import Language, Persona
from mentor.sessions import Session, Turn


def remembered(*messages: str) -> Memory:
    memory = Memory()
    for number, message in enumerate(messages, start=1):
        memory = memory.after(number, message, shared_encoder())
    return memory


@dataclass(frozen=True)
class Reply:
    answer: Answer
    context: str
    memory: dict[str, Any]


def reply(session: Session, turns: list[Turn], message: str, *, remembers: bool = True) -> Reply:
    """A turn as the service takes it, answered offline."""
    engine = MultiturnEngine(shared_encoder(), remembers=remembers)
    prepared = engine.prepare(session, turns, message)
    answer = OfflineResponder().compose(prepared.prompt)
    return Reply(answer, prepared.prompt.context, engine.remembered(session, prepared, answer))


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


def test_a_preference_goes_when_its_opposite_is_said() -> None:
    assert remembered("I love meetings", "I hate tea", "I don't love meetings any more").preferences == ("I hate tea",)
    assert remembered("저는 커피를 좋아해요", "이제 커피가 싫어요").preferences == ("이제 커피가 싫어요",)


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
    taken = reply(session_of(len(messages)), turns_of(*messages), "and now?")
    assert taken.context.startswith("Topics: [")
    assert len(taken.context) <= CONTEXT_CHARACTERS


def test_phase4_recalls_what_phase3_has_forgotten() -> None:
    turns = turns_of("My daughter Olga plays the cello", *(f"Something else, {number}" for number in range(6)))
    question = "What did I say about Olga and the cello?"
    answers = {
        remembers: reply(session_of(len(turns)), turns, question, remembers=remembers) for remembers in (True, False)
    }
    assert "“My daughter Olga plays the cello”" in answers[True].answer.text
    assert "Olga" in answers[True].context
    assert "plays the cello" not in answers[False].answer.text
    assert "I find nothing about that" in answers[False].answer.text


def test_a_memory_catches_up_on_turns_that_were_taken_without_it() -> None:
    engine = MultiturnEngine(shared_encoder(), remembers=True)
    turns = turns_of("I met Ingrid", "I met Jonas", "I met Karim")
    session = session_of(3, memory=remembered("I met Ingrid"))
    assert engine.needs_turns_after(session) == 0
    assert {"Ingrid", "Jonas", "Karim"} <= set(engine.memory(session, turns).entities_by_kind["name"])


def test_a_bounded_number_of_turns_is_needed_however_long_the_conversation() -> None:
    engine = MultiturnEngine(shared_encoder(), remembers=True)
    forgetful = MultiturnEngine(shared_encoder(), remembers=False)
    session = session_of(300, memory=Memory(through_turn=300))
    assert engine.needs_turns_after(session) == 300 - RETRIEVED_FROM_TURNS
    assert forgetful.needs_turns_after(session) == 300 - WINDOW_TURNS


def test_a_session_that_wants_no_memory_has_none() -> None:
    taken = reply(session_of(1, uses_memory=False), turns_of("I met Ingrid"), "And Lothar")
    assert taken.memory == {}
    assert "Entities: []" in taken.context


@pytest.mark.parametrize("message", ["...", "🙂", "a" * 4000, "Why?\n\nWhy?"])
def test_whatever_is_said_is_taken_up_and_nothing_is_invented(message: str) -> None:
    taken = reply(session_of(), [], message)
    assert message.strip()[:20].split("\n")[0] in taken.answer.text
    assert taken.answer.generated_by == "offline_responder"


def test_the_answer_is_in_the_language_of_the_message() -> None:
    korean = reply(session_of(), [], "서버가 멈췄어요").answer
    english = reply(session_of(), [], "The server has stopped").answer
    for each in (korean.text, korean.next_suggestion):
        assert re.search("[가-힣]", each)
        assert not re.search("[A-Za-z]", each)
    for each in (english.text, english.next_suggestion):
        assert not re.search("[가-힣]", each)


def long_talk(*others: str) -> list[str]:
    return [*others, *(f"Let us think about something else, number {number}" for number in range(30))]


def test_an_old_turn_is_found_by_what_it_is_about_and_comes_with_its_neighbours() -> None:
    turns = turns_of(*long_talk("I want to book a hotel", "with a pool, near the sea", "for my parents' anniversary"))
    context = reply(session_of(len(turns)), turns, "Back to the hotel: what did I ask for?").context
    assert "with a pool, near the sea" in context
    assert context.index("I want to book a hotel") < context.index("with a pool")


def test_an_old_korean_turn_is_found_too() -> None:
    turns = turns_of(*long_talk("부산에서 묵을 호텔을 찾고 있어요", "수영장이 있으면 좋겠어요"))
    context = reply(session_of(len(turns)), turns, "아까 호텔 얘기할 때 제가 뭐라고 했죠?").context
    assert "수영장이 있으면 좋겠어요" in context


def test_what_is_asked_for_is_answered_in_the_users_words_and_only_that() -> None:
    turns = turns_of(*long_talk("My sister Ada lives in Turin", "My brother Bo lives in Ghent"))
    answer = reply(session_of(len(turns)), turns, "Where did I say my brother lives?").answer.text
    assert "in turn 2, you told me: “My brother Bo lives in Ghent”" in answer
    assert "number" not in answer


def test_a_summary_keeps_the_first_thing_and_what_tells_most() -> None:
    said = ["I plan to open a bakery in Lyon", "ok", "yes", "thanks", "The rent is 2,400 euros", "sure", "hm"]
    said += [f"fine {number}" for number in range(10)] + ["I prefer sourdough", "Margot will run the shop on Sundays"]
    summary = [statement.text for statement in remembered(*said).summary]
    assert summary[0] == said[0]
    assert {"The rent is 2,400 euros", "I prefer sourdough", "Margot will run the shop on Sundays"} <= set(summary)
    assert not {"ok", "yes", "thanks"} & set(summary)
    assert len(summary) <= 6


def test_who_asks_for_a_summary_gets_it_in_their_language() -> None:
    turns = turns_of("I plan to open a bakery in Lyon", "Margot will run the shop on Sundays")
    english = reply(session_of(2), turns, "Can you summarise what we have so far?").answer.text
    assert "told me: “I plan to open a bakery in Lyon”, “Margot will run the shop on Sundays”" in english
    korean = reply(session_of(1), turns_of("다음 달에 빵집을 열어요"), "지금까지 한 이야기를 요약해 줘").answer.text
    assert "지금까지 이렇게 말씀하셨습니다: “다음 달에 빵집을 열어요”" in korean
    assert "nothing to sum up yet" in reply(session_of(), [], "Please recap").answer.text


def test_the_next_step_is_the_personas_for_the_intent_and_about_the_topic() -> None:
    planned = reply(session_of(), [], "Plan the roadmap for the aquarium next quarter").answer.next_suggestion
    learnt = reply(session_of(), [], "Explain how the aquarium works, I want to learn it").answer.next_suggestion
    assert planned != learnt
    assert "“" in planned
    assert all("aquarium" in each or "roadmap" in each for each in (planned, learnt))
    korean = reply(session_of(), [], "다음 주 회의 일정을 계획해 주세요").answer.next_suggestion
    assert "(를)" not in korean


def test_what_a_language_model_said_is_remembered_and_what_the_offline_responder_said_is_not() -> None:
    engine = MultiturnEngine(shared_encoder(), remembers=True)
    told = Turn(1, "Where could we eat?", "You could try Café Procope in Paris.", 0.0, {}, "some-model")
    quoted = Turn(1, "Where could we eat?", "Let us see: Café Procope", 0.0, {}, "offline_responder")
    assert "Café Procope" in engine.memory(session_of(1), [told]).entities_by_kind["name"]
    assert engine.memory(session_of(1), [quoted]).entities == ()
    context = engine.prepare(session_of(1), [told], "Is it far?").prompt.context
    assert "Focus: Café Procope" in context


@pytest.mark.parametrize(
    "message",
    [
        *("I want to kill myself", "요즘 죽고 싶다는 생각이 들어요"),
        *("they'd all be happier without me", "내가 없는 게 모두에게 나아요"),
        *("i dont want to wake up", "아침에 눈을 안 떴으면 좋겠어"),
        *("I took too many pills", "약을 한꺼번에 먹었어요"),
    ],
)
def test_who_may_be_in_danger_is_told_where_help_is_first(message: str) -> None:
    answer = reply(session_of(), [], message).answer.text
    assert answer.startswith(("If you may be in danger", "혹시 위험한 상황이라면"))
    assert not any(character.isdigit() for character in answer)


HOSTILE = [
    "x'; DROP TABLE mentor_sessions; --",
    "<script>alert(1)</script>",
    "{facts} {turn} {0} %s %(x)s",
    "\u202e\u200b\ufeffhidden\u0007",
    "((((((((((((((((((((((((((((((" * 50,
    "Docker 컨테이너가 계속 restart 되는데 왜 그래? please help",
    "🙂" * 500,
    "no " * 1300,
    "가" * 4000,
]


@pytest.mark.parametrize("message", HOSTILE)
def test_hostile_odd_and_mixed_texts_are_taken_up_like_any_other(message: str) -> None:
    first = reply(session_of(), [], message)
    assert max(re.split(r"[\s;]", message), key=len)[:20] in first.answer.text
    assert len(first.answer.text) < 1_500
    assert len(json.dumps(first.memory)) < 20_000
    again = reply(session_of(1, memory=Memory.from_json(first.memory)), turns_of(message), message)
    assert len(again.context) <= CONTEXT_CHARACTERS


@given(st.text(max_size=300), st.text(max_size=300))
def test_an_answer_is_made_of_the_voices_and_the_users_words_only(earlier: str, message: str) -> None:
    """Whatever stands in quotation marks was said by the user."""
    taken = reply(session_of(1), turns_of(earlier), message)
    for quoted in re.findall(r"“([^“”]*)”", taken.answer.text):
        said = f"{earlier} {message}"
        assert quoted.rstrip("…").strip() in said or "“" in said or "”" in said
