"""Deleting conversations that expired long ago and old recommendations, a few at a time, beside requests for others.

No task of its own: an instance that gets no requests, or no processor time between them, has nothing to delete either.
"""

import logging
from collections.abc import Callable
from typing import Final

from mentor.feedback import RecommendationLog
from mentor.sessions import SessionStore
from serinus import StoreUnavailable

logger = logging.getLogger(__name__)

_EVERY_S: Final = 60.0
_AT_ONCE: Final = 100


class Retention:
    def __init__(
        self, sessions: SessionStore, log: RecommendationLog, *, kept_s: float, clock: Callable[[], float]
    ) -> None:
        self._sessions = sessions
        self._log = log
        self._kept_s = kept_s
        self._clock = clock
        self._next = float("-inf")

    async def enforce(self) -> None:
        """At most once a minute, and again at once while there is more to delete than one part."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + _EVERY_S
        before = now - self._kept_s
        try:
            conversations = await self._sessions.purge(expired_before=before, most=_AT_ONCE)
            recommendations = await self._log.purge(made_before=before, most=_AT_ONCE)
        except StoreUnavailable as error:
            logger.warning("old conversations and recommendations are deleted later: %s", error)
            return
        if _AT_ONCE in (conversations, recommendations):
            self._next = now
