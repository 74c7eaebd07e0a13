"""One turn of a conversation, decided: its context, what is asked of a responder, what is remembered. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mentor.canary import extraction
from mentor.canary.acts import tells
from mentor.canary.context import WINDOW_TURNS, context_of, focus_of, foreign_words, recalled
from mentor.canary.encoder import Encoder
from mentor.canary.memory import Memory
from mentor.canary.prompt import Answer, Prompt
from mentor.canary.retrieval import Retriever
from mentor.canary.summary import Statement
from mentor.detection import Intent, clear_intent, detect, language_of
from mentor.sessions import Session, Turn

RETRIEVED_FROM_TURNS: Final = 200
_CHOOSES: Final = re.compile(r"\b(?:which|whether|or|better)\b|할까 말까|둘 중|어느|나을까", re.IGNORECASE)
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
        self._remembers = remembers

    def prepare(self, session: Session, turns: Sequence[Turn], message: str) -> Prepared:
        """`turns` are the session's, from `needs_turns_after` on."""
        memory = self.memory(session, turns)
        window, before = turns[-WINDOW_TURNS:], turns[:-WINDOW_TURNS]
        reachable = turns if self._uses_memory(session) else window
        known = recalled(self._retriever, message, reachable)
        earlier = {turn.turn_number for turn in before}
        prompt = Prompt(
            persona=session.persona,
            detected=detect(message),
            turn_number=session.turn_count + 1,
            message=message,
            known=known,
            preferences=memory.preferences,
            theme=_theme(message, window),
            intent=_intent(message, window),
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

    def _uses_memory(self, session: Session) -> bool:
        return self._remembers and session.uses_memory


def _opening(window: Sequence[Turn]) -> tuple[Statement, ...]:
    """All that a version without a memory can sum up."""
    return tuple(Statement(turn.turn_number, turn.user_message) for turn in window)


def _theme(message: str, window: Sequence[Turn]) -> str:
    """What the message is about; one that names nothing is about what was named last in its language.

    A name counts where it is asked about, and else only for want of anything better, the first that was said.
    """
    language = language_of(message)
    earlier = (turn.user_message for turn in reversed(window))
    said = [text for text in (message, *earlier) if language_of(text) is language]
    asked = (
        (extraction.theme(text, language), "" if tells(text) else extraction.name(text, language)) for text in said
    )
    named = (theme or name for theme, name in asked)
    names = (extraction.name(text, language) for text in reversed(said))
    return next(filter(None, named), "") or next(filter(None, names), "")


def _intent(message: str, window: Sequence[Turn]) -> Intent:
    """What the user wants to do: said in this message, or in the latest that says it clearly.

    "What should I do first?" asks for advice on what is being talked about: on the problem, on the plan.
    """
    earlier = (clear_intent(turn.user_message) for turn in reversed(window))
    before = next((intent for intent in earlier if intent), None)
    said = clear_intent(message)
    names_nothing = not extraction.theme(message, language_of(message)) and not _CHOOSES.search(message)
    if said is Intent.SEEK_ADVICE and before in _MATTERS and names_nothing:
        return before
    return said or before or detect(message).intent
