"""Conversations of one version: starting, answering, reading, closing."""

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from mentor.canary.memory import Memory
from mentor.canary.multiturn import MultiturnEngine, Prepared
from mentor.canary.population import nothing_learned
from mentor.canary.prompt import Answer
from mentor.canary.responders import Responder, whole
from mentor.detection import Hints
from mentor.errors import SessionBusy, SessionClosed, SessionExpired
from mentor.feedback import RecommendationLog
from mentor.paging import Page
from mentor.personas import Persona
from mentor.recommendation import Query, Recommender
from mentor.sessions import Session, SessionCounts, SessionState, SessionStore, Turn

_ATTEMPTS: Final = 8
_ONE_BY_ONE: Final = "Send the turns of one conversation one after the other."
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class TakenTurn:
    """`fit` is the recommender's score of the session's persona for this message; `word_count` is of all texts."""

    session: Session
    turn: Turn
    prepared: Prepared
    answer: Answer
    fit: float
    word_count: int


@dataclass(frozen=True, slots=True)
class Conversation:
    session: Session
    state: SessionState
    turns: list[Turn]
    memory: Memory


@dataclass(frozen=True, slots=True)
class ClosedConversation:
    """`key_points` sum it up in the user's words, in order.

    `satisfaction` is the mean rating (-1..1) that the user gave while it lasted; None when there was none.
    """

    session_id: str
    closed_at: float
    total_turns: int
    duration_s: float
    main_topics: list[str]
    key_points: list[str]
    satisfaction: float | None


class Conversations:
    def __init__(
        self,
        *,
        sessions: SessionStore,
        log: RecommendationLog,
        engine: MultiturnEngine,
        responder: Responder,
        recommender: Recommender,
        clock: Callable[[], float],
    ) -> None:
        self._sessions = sessions
        self._log = log
        self._engine = engine
        self._responder = responder
        self._recommender = recommender
        self._clock = clock

    async def start(self, user_id: str, persona: Persona, *, ttl_s: float, uses_memory: bool) -> Session:
        now = self._clock()
        session = Session(
            session_id=self._sessions.new_id(user_id, persona),
            user_id=user_id,
            persona=persona,
            created_at=now,
            expires_at=now + ttl_s,
            last_activity_at=now,
            uses_memory=uses_memory,
            memory={},
        )
        await self._sessions.create(session)
        return session

    async def owner(self, session_id: str) -> str | None:
        """The user whose conversation this is; None when there is none."""
        return await self._sessions.owner(session_id)

    async def turn(self, session_id: str, message: str, labels: dict[str, Any]) -> TakenTurn:
        """Raises SessionNotFound, SessionClosed, SessionExpired; SessionBusy when others always came first."""
        for _ in range(_ATTEMPTS):
            taken = await self._try_turn(session_id, message, labels)
            if taken is not None:
                return taken
        raise SessionBusy(_ONE_BY_ONE)

    async def turn_in_pieces(
        self, session_id: str, message: str, labels: dict[str, Any]
    ) -> AsyncGenerator[str | TakenTurn, None]:
        """The words as they come, then the turn that was taken. Raises like `turn`, before the first word.

        SessionBusy comes after the words: they cannot be taken back. Nothing is stored for who stops listening.
        """
        session, turns = await self._sessions.load(session_id, self._engine.needs_turns_after)
        self._check_open(session)
        prepared = self._engine.prepare(session, turns, message)
        async with aclosing(self._responder.answer(prepared.prompt)) as pieces:
            async for piece in pieces:
                if isinstance(piece, str):
                    yield piece
                    continue
                taken = await self._take(session, prepared, piece, labels)
                if taken is None:
                    raise SessionBusy(_ONE_BY_ONE)
                yield taken

    async def conversation(self, session_id: str) -> Conversation:
        """Raises SessionNotFound."""
        session, turns = await self._sessions.load(session_id, _all_turns)
        return Conversation(session, session.state(self._clock()), turns, self._engine.memory(session, turns))

    async def close(self, session_id: str, *, keep_messages: bool) -> ClosedConversation:
        """Raises SessionNotFound. Closing twice answers the same; what was erased is in no answer."""
        await self._sessions.close(session_id, closed_at=self._clock())
        if not keep_messages:
            await self._sessions.erase(session_id)
        return await self._closed(await self.conversation(session_id))

    async def delete(self, session_id: str) -> None:
        """Raises SessionNotFound."""
        await self._sessions.delete(session_id)

    async def list(
        self, user_id: str, *, state: SessionState | None, limit: int, cursor: str | None
    ) -> tuple[Page[Session], SessionCounts]:
        now = self._clock()
        page = await self._sessions.list(user_id, now=now, state=state, limit=limit, cursor=cursor)
        return page, await self._sessions.counts(user_id, now=now)

    def state(self, session: Session) -> SessionState:
        return session.state(self._clock())

    async def _try_turn(self, session_id: str, message: str, labels: dict[str, Any]) -> TakenTurn | None:
        session, turns = await self._sessions.load(session_id, self._engine.needs_turns_after)
        self._check_open(session)
        prepared = self._engine.prepare(session, turns, message)
        answer = await whole(self._responder.answer(prepared.prompt))
        return await self._take(session, prepared, answer, labels)

    async def _take(
        self, session: Session, prepared: Prepared, answer: Answer, labels: dict[str, Any]
    ) -> TakenTurn | None:
        """Store the turn; None when another one came first."""
        prompt = prepared.prompt
        turn = Turn(prompt.turn_number, prompt.message, answer.text, self._clock(), labels, answer.generated_by)
        if not await self._sessions.append(session, turn, self._engine.remembered(session, prepared, answer)):
            return None
        return self._taken(session, turn, prepared, answer)

    def _taken(self, session: Session, turn: Turn, prepared: Prepared, answer: Answer) -> TakenTurn:
        query = Query(turn.user_message, prepared.prompt.detected, Hints())
        scores = self._recommender.recommend(query, nothing_learned()).scores
        texts = (prepared.prompt.context, turn.user_message, answer.text)
        words = sum(len(_WORD.findall(text)) for text in texts)
        return TakenTurn(session, turn, prepared, answer, scores[session.persona], words)

    def _check_open(self, session: Session) -> None:
        state = self.state(session)
        if state is SessionState.CLOSED:
            raise SessionClosed("Start another conversation to go on.")
        if state is SessionState.EXPIRED:
            raise SessionExpired("Start another conversation to go on.")

    async def _closed(self, conversation: Conversation) -> ClosedConversation:
        session = conversation.session
        closed_at = self._clock() if session.closed_at is None else session.closed_at
        ratings = await self._log.ratings(session.user_id, since=session.created_at, until=closed_at)
        return ClosedConversation(
            session_id=session.session_id,
            closed_at=closed_at,
            total_turns=session.turn_count,
            duration_s=closed_at - session.created_at,
            main_topics=conversation.memory.main_topics,
            key_points=[statement.text for statement in conversation.memory.summary],
            satisfaction=sum(ratings) / len(ratings) if ratings else None,
        )


def _all_turns(_session: Session) -> int:
    return 0
