"""One turn of a conversation, decided: what is in the context, what is answered, what is remembered. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from mentor.canary.encoder import Encoder
from mentor.canary.memory import Memory, Statement
from mentor.canary.responders import Answer, OfflineResponder, Prompt
from mentor.detection import Detection, detect
from mentor.sessions import Session, Turn

WINDOW_TURNS: Final = 5
CONTEXT_CHARACTERS: Final = 2000
_MESSAGE_CHARACTERS: Final = 240
_ANSWER_CHARACTERS: Final = 80


@dataclass(frozen=True, slots=True)
class Reply:
    """`memory` is what the session has to keep, as JSON values."""

    answer: Answer
    context: str
    detected: Detection
    memory: dict[str, Any]


class MultiturnEngine:
    """Phase 4 remembers; Phase 3 (`remembers=False`) sees the last `WINDOW_TURNS` turns and leaves the memory alone."""

    def __init__(self, encoder: Encoder, responder: OfflineResponder, *, remembers: bool) -> None:
        self._encoder = encoder
        self._responder = responder
        self._remembers = remembers

    def reply(self, session: Session, turns: Sequence[Turn], message: str) -> Reply:
        """`turns` are the session's: at least the last `WINDOW_TURNS`, and all that its memory has not seen yet."""
        memory = self.memory(session, turns)
        window = turns[-WINDOW_TURNS:]
        detected = detect(message)
        prompt = Prompt(
            persona=session.persona,
            detected=detected,
            turn_number=session.turn_count + 1,
            message=message,
            known=_known(memory, window),
            preferences=memory.preferences,
        )
        return Reply(
            answer=self._responder.answer(prompt),
            context=context_of(memory, window, session),
            detected=detected,
            memory=self._remembered(session, memory, message),
        )

    def needs_turns_after(self, session: Session) -> int:
        """The number of the turn after which `reply` has to be given the session's turns."""
        before_window = max(0, session.turn_count - WINDOW_TURNS)
        if not self._uses_memory(session):
            return before_window
        return min(before_window, int(session.memory.get("through_turn", 0)))

    def memory(self, session: Session, turns: Sequence[Turn]) -> Memory:
        """The session's memory, brought up to the last of `turns`: a conversation may have gone on without it."""
        if not self._uses_memory(session):
            return Memory()
        memory = Memory.from_json(session.memory)
        for turn in turns:
            if turn.turn_number > memory.through_turn:
                memory = memory.after(turn.turn_number, turn.user_message, self._encoder)
        return memory

    def _remembered(self, session: Session, memory: Memory, message: str) -> dict[str, Any]:
        if not self._uses_memory(session):
            return session.memory
        return memory.after(session.turn_count + 1, message, self._encoder).to_json()

    def _uses_memory(self, session: Session) -> bool:
        return self._remembers and session.uses_memory


def context_of(memory: Memory, window: Sequence[Turn], session: Session) -> str:
    """What an answer may draw on, at most `CONTEXT_CHARACTERS` long; the latest turns come first."""
    entities = [mention.words for mention in memory.entities]
    head = (
        f"Topics: {_listed(memory.main_topics)}. Entities: {_listed(entities)}."
        f" User preferences: {_listed(memory.preferences)}"
    )
    for turn in reversed(window):
        said, answered = turn.user_message[:_MESSAGE_CHARACTERS], turn.ai_response[:_ANSWER_CHARACTERS]
        head += f". Turn {turn.turn_number}: user: {said} | {session.persona}: {answered}"
    return head[:CONTEXT_CHARACTERS]


def _listed(words: Sequence[str]) -> str:
    return f"[{', '.join(words)}]"


def _known(memory: Memory, window: Sequence[Turn]) -> list[Statement]:
    """What is remembered, and the window's messages; oldest first, each turn once."""
    said = {statement.turn_number: statement.text for statement in memory.statements}
    said |= {turn.turn_number: turn.user_message for turn in window}
    return [Statement(turn_number, said[turn_number]) for turn_number in sorted(said)]
