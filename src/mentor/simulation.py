"""Simulation mode: the engines are real, the stores are not. Everything follows from the input; nothing is kept.

A session's identifier holds its user and persona; any other identifier names a synthetic conversation made from it.
"""

import base64
import binascii
import json
from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5
from zlib import crc32

from mentor.canary.offline import OfflineResponder
from mentor.canary.population import Learned, nothing_learned
from mentor.canary.prompt import Prompt
from mentor.detection import detect
from mentor.feedback import Feedback, MadeRecommendation, RecommendationLog
from mentor.paging import Page
from mentor.personas import Language, Persona
from mentor.sessions import Session, SessionCounts, SessionState, SessionStore, Turn

_PREFIX: Final = "sim-"
_SYNTHETIC_TURNS: Final = 3
_TTL_S: Final = 24 * 3600.0


class SimulatedSessions(SessionStore):
    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock

    def new_id(self, user_id: str, persona: Persona) -> str:
        return _PREFIX + base64.urlsafe_b64encode(json.dumps([user_id, persona]).encode()).decode().rstrip("=")

    async def create(self, session: Session) -> None: ...

    async def load(self, session_id: str, turns_after: Callable[[Session], int]) -> tuple[Session, list[Turn]]:
        """Never raises: an unknown session is a synthetic one."""
        session = self._session(session_id)
        numbers = range(turns_after(session) + 1, session.turn_count + 1)
        return session, [_synthetic_turn(session, number) for number in numbers]

    async def owner(self, session_id: str) -> str | None:
        return self._session(session_id).user_id

    async def append(self, session: Session, turn: Turn, memory: dict[str, Any]) -> bool:  # noqa: ARG002 - kept nowhere
        return True

    async def close(self, session_id: str, *, closed_at: float) -> None: ...

    async def erase(self, session_id: str) -> None: ...

    async def delete(self, session_id: str) -> None: ...

    async def purge(self, *, expired_before: float, most: int) -> int:  # noqa: ARG002 - nothing is kept
        return 0

    async def list(
        self, user_id: str, *, now: float, state: SessionState | None, limit: int, cursor: str | None
    ) -> Page[Session]:
        """One conversation with each persona, all of them active."""
        found = [self._session(self.new_id(user_id, persona)) for persona in Persona]
        return Page([session for session in found if state in (None, session.state(now)) and not cursor][:limit], None)

    async def counts(self, user_id: str, *, now: float) -> SessionCounts:  # noqa: ARG002 - the same for every user
        return SessionCounts(len(Persona), len(Persona))

    def _session(self, session_id: str) -> Session:
        started = _started(session_id)
        user_id, persona = started or (f"simulated-{_seed(session_id) % 1000}", _pick(list(Persona), session_id))
        now = self._clock()
        return Session(
            session_id=session_id,
            user_id=user_id,
            persona=persona,
            created_at=now,
            expires_at=now + _TTL_S,
            last_activity_at=now,
            turn_count=0 if started else _SYNTHETIC_TURNS,
            memory={},
        )


class SimulatedLog(RecommendationLog):
    def __init__(self) -> None: ...

    def new_id(self, user_id: str, query: str) -> str:
        return f"{_PREFIX}{uuid5(NAMESPACE_URL, json.dumps([user_id, query]))}"

    async def add(self, made: MadeRecommendation) -> None: ...

    async def learned(self, user_id: str) -> Learned:  # noqa: ARG002 - nobody is known
        return nothing_learned()

    async def record(self, given: Feedback) -> float:
        return given.recorded_at

    async def history(self, user_id: str, *, limit: int, cursor: str | None) -> Page[MadeRecommendation]:  # noqa: ARG002 - nothing is kept
        return Page([], None)

    async def purge(self, *, made_before: float, most: int) -> int:  # noqa: ARG002 - nothing is kept
        return 0

    async def ratings(self, user_id: str, *, since: float, until: float) -> list[float]:  # noqa: ARG002 - nothing is kept
        return []


def _started(session_id: str) -> tuple[str, Persona] | None:
    """The user and persona in an identifier that `new_id` made."""
    if not session_id.startswith(_PREFIX):
        return None
    encoded = session_id.removeprefix(_PREFIX)
    try:
        user_id, persona = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        return str(user_id), Persona(persona)
    except (binascii.Error, ValueError, TypeError):
        return None


def _synthetic_turn(session: Session, number: int) -> Turn:
    message = _pick(_seeds(session.persona), f"{session.session_id}/{number}")
    detected = detect(message)
    prompt = Prompt(
        persona=session.persona,
        detected=detected,
        turn_number=number,
        message=message,
        known=(),
        preferences=(),
        theme="",
        intent=detected.intent,
        has_purpose=True,
        in_scope=True,
        summary=(),
        window=(),
        context="",
    )
    answer = OfflineResponder().compose(prompt)
    return Turn(number, message, answer.text, session.created_at, {}, answer.generated_by)


def _seeds(persona: Persona) -> list[str]:
    folder = files("mentor.canary").joinpath("seeds")
    return folder.joinpath(f"{persona.lower()}.{Language.EN}.txt").read_text("utf-8").splitlines()


def _pick(choices: list[Any], seed: str) -> Any:
    return choices[_seed(seed) % len(choices)]


def _seed(text: str) -> int:
    return crc32(text.encode())
