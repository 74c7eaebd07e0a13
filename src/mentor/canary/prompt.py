"""What a responder is asked, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from mentor.canary.summary import Statement
from mentor.detection import Detection, Intent
from mentor.personas import Persona
from mentor.sessions import OFFLINE, Turn


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that an answer may be made of.

    `known` holds what the user said in earlier turns, most relevant first; `window` the latest turns as they were;
    `theme` names what the message is about, or what was talked about before it, and may be empty; `intent` is what the
    user wants to do, kept from earlier turns where this one does not say; `has_purpose` whether that is sure;
    `in_scope` is False for a matter that no persona is for; `context` is all of it in words, bounded.
    """

    persona: Persona
    detected: Detection
    turn_number: int
    message: str
    known: Sequence[Statement]
    preferences: Sequence[str]
    theme: str
    intent: Intent
    has_purpose: bool
    in_scope: bool
    summary: Sequence[Statement]
    window: Sequence[Turn]
    context: str


@dataclass(frozen=True, slots=True)
class Answer:
    """`degraded`: it is a fallback, not the answer that the user should have had."""

    text: str
    next_suggestion: str
    generated_by: str
    degraded: bool = False

    @property
    def tells_more(self) -> bool:
        """Whether there may be something in it that the user has not said."""
        return self.generated_by != OFFLINE
