"""One turn of a conversation, decided: its context, what is asked of a responder, what is remembered. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from mentor.canary import extraction, recollection
from mentor.canary.acts import Act, act_of, names_a_matter, tells
from mentor.canary.content import OUT_OF_SCOPE_ODDS, shared_head
from mentor.canary.context import WINDOW_TURNS, context_of, focus_of, foreign_words, recalled
from mentor.canary.encoder import Encoder
from mentor.canary.manner import speaks_of_manner
from mentor.canary.memory import Memory
from mentor.canary.prompt import Answer, Prompt
from mentor.canary.retrieval import Retriever
from mentor.canary.summary import Statement
from mentor.detection import (
    Detection,
    Hints,
    Intent,
    Tone,
    clear_intent,
    cued_intent,
    cued_tone,
    detect,
    has_language,
    language_of,
)
from mentor.personas import Language
from mentor.sessions import Session, Turn

RETRIEVED_FROM_TURNS: Final = 200
_CHOOSES: Final = re.compile(r"\b(?:which|whether|or|better)\b|할까 말까|둘 중|어느|나을까", re.IGNORECASE)
_WHY: Final = re.compile(r"^(?:so |and |but )?why\b|^(?:근데 |그런데 |그럼 )?왜", re.IGNORECASE)
_TURNS_AWAY: Final = re.compile(
    r"\b(?:by the way|btw|anyway|on another note|something else)\b"
    r"|그나저나|그건 그렇고|아무튼|(?:딴|다른) (?:얘기|이야기)",
    re.IGNORECASE,
)
_OF_A_MATTER: Final = frozenset(
    {Act.STATEMENT, Act.QUESTION, Act.TASK, Act.RECALL, Act.CORRECTION, Act.DENIAL, Act.PAUSE}
)
"""What the other acts do says nothing of a matter, and nothing of what is wanted with it."""
_ASKS: Final = frozenset({Act.QUESTION, Act.TASK})
_SURE: Final = 0.65
_PURPOSES: Final = frozenset(Intent) - {Intent.REFLECTION}
_MATTERS: Final = frozenset({Intent.PROBLEM_SOLVING, Intent.PLANNING, Intent.LEARNING, Intent.VALIDATION})


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a responder is asked; `memory` is what was known before this turn."""

    prompt: Prompt
    memory: Memory


class MultiturnEngine:
    """Phase 4 remembers; Phase 3 (`remembers=False`) sees the last `WINDOW_TURNS` turns and leaves the memory alone."""

    def __init__(self, encoder: Encoder, *, remembers: bool) -> None:
        self._encoder = encoder
        self._retriever = Retriever(encoder)
        self._head = shared_head()
        self._remembers = remembers

    def prepare(self, session: Session, turns: Sequence[Turn], message: str) -> Prepared:
        """`turns` are the session's, from `needs_turns_after` on."""
        memory = self.memory(session, turns)
        window, before = turns[-WINDOW_TURNS:], turns[:-WINDOW_TURNS]
        reachable = turns if self._uses_memory(session) else window
        known = recalled(self._retriever, message, reachable)
        detected = _detected(message, window)
        earlier = {turn.turn_number for turn in before}
        prompt = Prompt(
            persona=session.persona,
            detected=detected,
            turn_number=session.turn_count + 1,
            message=message,
            known=known,
            preferences=memory.preferences,
            theme=_theme(message, window, detected.language),
            intent=_intent(message, window),
            has_purpose=_has_purpose(message, window),
            in_scope=self._is_in_scope(message),
            summary=memory.summary or _opening(window),
            window=window,
            context=context_of(
                memory,
                window,
                [statement for statement in known if statement.turn_number in earlier],
                session.persona,
                focus_of(message, window) if self._uses_memory(session) else "",
            ),
        )
        return Prepared(prompt, memory)

    def needs_turns_after(self, session: Session) -> int:
        """The number of the turn after which `prepare` has to be given the session's turns."""
        if not self._uses_memory(session):
            return max(0, session.turn_count - WINDOW_TURNS)
        retrieved_after = max(0, session.turn_count - RETRIEVED_FROM_TURNS)
        return min(retrieved_after, int(session.memory.get("through_turn", 0)))

    def memory(self, session: Session, turns: Sequence[Turn]) -> Memory:
        """The session's memory, brought up to the last of `turns`: a conversation may have gone on without it."""
        if not self._uses_memory(session):
            return Memory()
        memory = Memory.from_json(session.memory)
        for turn in turns:
            if turn.turn_number > memory.through_turn:
                memory = memory.after(turn.turn_number, turn.user_message, self._encoder, answer=foreign_words(turn))
        return memory

    def remembered(self, session: Session, prepared: Prepared, answer: Answer) -> dict[str, Any]:
        """What the session has to keep after this turn, as JSON values."""
        if not self._uses_memory(session):
            return session.memory
        said = answer.text if answer.tells_more else ""
        prompt = prepared.prompt
        return prepared.memory.after(prompt.turn_number, prompt.message, self._encoder, answer=said).to_json()

    def _is_in_scope(self, message: str) -> bool:
        """A text that names nothing of its own is about what is being talked about."""
        names_nothing = not extraction.theme(message, language_of(message))
        return names_nothing or bool(self._head.odds(message, Hints())[-1] < OUT_OF_SCOPE_ODDS)

    def _uses_memory(self, session: Session) -> bool:
        return self._remembers and session.uses_memory


def _opening(window: Sequence[Turn]) -> tuple[Statement, ...]:
    """All that a version without a memory can sum up."""
    return tuple(Statement(turn.turn_number, turn.user_message) for turn in window)


def _detected(message: str, window: Sequence[Turn]) -> Detection:
    """Emoji, figures and code have no language: they are answered in that of the talk."""
    detected, texts = detect(message), (message, *(turn.user_message for turn in reversed(window)))
    language = next((language_of(text) for text in texts if has_language(text)), detected.language)
    return replace(detected, language=language)


def _theme(message: str, window: Sequence[Turn], language: Language) -> str:
    """What the message is about; one that names nothing is about what was named last in its language.

    A name counts where it is asked about, and else only for want of anything better, the first that was said.
    """
    earlier = (turn.user_message for turn in reversed(window) if names_a_matter(turn.user_message))
    said = [text for text in (message, *earlier) if language_of(text) is language and _has_matter(text)]
    asked = (
        (extraction.theme(text, language), "" if tells(text) else extraction.name(text, language)) for text in said
    )
    named = (theme or name for theme, name in asked if not _names_a_person(theme))
    names = (extraction.name(text, language) for text in reversed(said))
    return next(filter(None, named), "") or next(filter(None, names), "")


def _names_a_person(theme: str) -> bool:
    """Whom a matter concerns is not the matter."""
    return not extraction.PERSONS.isdisjoint(re.split(r"\W", theme.lower()))


def _has_matter(text: str) -> bool:
    return act_of(text) in _OF_A_MATTER and not speaks_of_manner(text)


def _intent(message: str, window: Sequence[Turn]) -> Intent:
    """What the user wants to do: said in this message, or in the latest that says it clearly."""
    intent: Intent | None = None
    for text in (*(turn.user_message for turn in window), message):
        if act_of(text) in _OF_A_MATTER:
            intent = _intent_after(intent, text)
    return intent or (detect(message).intent if has_language(message) else Intent.REFLECTION)


def _has_purpose(message: str, window: Sequence[Turn]) -> bool:
    """Whether the user asked for something, or is sure to want something: who only tells is not advised."""
    texts = [text for text in (message, *(turn.user_message for turn in window)) if has_language(text)]
    return any(
        act_of(text) in _ASKS or clear_intent(text, at_least=_SURE) in _PURPOSES or cued_tone(text) is Tone.URGENT
        for text in texts
    )


def _intent_after(before: Intent | None, text: str) -> Intent | None:
    """What the user wants after one more message.

    "What should I do first?" asks for advice on what is being talked about: on the problem, on the plan. What is told
    in between says nothing of it without a cue, unless it turns to something else.
    """
    if not has_language(text):
        return before
    if recollection.asks_what_is(text):
        return before or Intent.REFLECTION
    told_on = before is not None and act_of(text) is not Act.QUESTION and not _TURNS_AWAY.search(text)
    said = cued_intent(text) if told_on else clear_intent(text)
    if cued_tone(text) is Tone.URGENT and before is None:
        return cued_intent(text) or Intent.PROBLEM_SOLVING
    names_nothing = not extraction.theme(text, language_of(text)) and not _CHOOSES.search(text)
    of_the_matter = (said is Intent.SEEK_ADVICE and names_nothing) or (said is Intent.LEARNING and _WHY.search(text))
    return before if before in _MATTERS and of_the_matter else said or before
