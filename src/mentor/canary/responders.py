"""Who answers a prompt: the offline responder, or a language model that it stands in for."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Final, Protocol

from mentor.canary.language_model import LanguageModel, ModelUnavailable
from mentor.canary.offline import OfflineResponder, suggestion
from mentor.canary.prompt import Answer, Prompt

logger = logging.getLogger(__name__)

_FAILURES: Final = 3
_PAUSE_S: Final = 30.0


class Responder(Protocol):
    def answer(self, prompt: Prompt) -> AsyncGenerator[str | Answer, None]:
        """The words as they come, then the whole answer, whose text wins over the words."""
        ...

    async def close(self) -> None: ...


async def whole(pieces: AsyncGenerator[str | Answer, None]) -> Answer:
    async with aclosing(pieces):
        async for piece in pieces:
            if isinstance(piece, Answer):
                return piece
    raise RuntimeError("a responder ends with an Answer")


class Offline:
    """Answers at once, from the user's own words."""

    def __init__(self) -> None:
        self._responder = OfflineResponder()

    async def answer(self, prompt: Prompt) -> AsyncGenerator[str | Answer, None]:
        answer = self._responder.compose(prompt)
        yield answer.text
        yield answer

    async def close(self) -> None:
        """Holds nothing."""


class WithFallback:
    """A language model, and the offline responder where it gives no whole answer in time: degraded, and said to be.

    After `_FAILURES` failures in a row it is not asked for `_PAUSE_S` seconds: nobody waits for what is down.
    """

    def __init__(self, model: LanguageModel, *, timeout_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._model = model
        self._offline = OfflineResponder()
        self._timeout_s = timeout_s
        self._clock = clock
        self._failures = 0
        self._paused_until = float("-inf")

    async def answer(self, prompt: Prompt) -> AsyncGenerator[str | Answer, None]:
        spoken: list[str] = []
        try:
            async with aclosing(self._words(prompt)) as words:
                async for piece in words:
                    spoken.append(piece)
                    yield piece
        except (ModelUnavailable, TimeoutError) as error:
            self._note(error)
            yield replace(self._offline.compose(prompt), degraded=True)
        else:
            self._failures = 0
            yield Answer("".join(spoken).strip(), suggestion(prompt), self._model.name)

    async def close(self) -> None:
        await self._model.close()

    async def _words(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """Each word waits only for what is left of the time: the listener's own time is not the model's."""
        if self._clock() < self._paused_until:
            raise ModelUnavailable("it is paused after failures in a row")
        left_s = self._timeout_s
        async with aclosing(self._model.words(prompt)) as words:
            while True:
                started = self._clock()
                async with asyncio.timeout(left_s):
                    piece = await anext(words, None)
                if piece is None:
                    return
                left_s -= self._clock() - started
                yield piece

    def _note(self, error: Exception) -> None:
        reason = str(error) or f"no whole answer within {self._timeout_s:g} s"
        logger.warning("the language model %s failed, answered offline: %s", self._model.name, reason)
        if self._clock() >= self._paused_until:
            self._failures += 1
            if self._failures >= _FAILURES:
                self._failures = 0
                self._paused_until = self._clock() + _PAUSE_S
