"""Whose conversation a request belongs to: the user who keeps their version for it."""

import re
from collections.abc import Awaitable
from typing import Final

from starlette.types import Scope

from mentor.sessions import SessionStore

_CONVERSATION: Final = re.compile(r"/api/v2/conversations/(?!start/?$)([^/\0]+)(?:/turn|/close)?/?$")
_REMEMBERED: Final = 10_000


class ConversationOwner:
    """`owner(scope, body)` is the user of the conversation that the path names; None for other paths and unknown ones.

    Owners never change, so the latest ten thousand are kept in memory and given at once. Another one is looked up,
    which raises StoreUnavailable while the store is away.
    """

    def __init__(self, sessions: SessionStore) -> None:
        self._sessions = sessions
        self._owners: dict[str, str] = {}

    def __call__(self, scope: Scope, _body: bytes | None) -> Awaitable[str | None] | str | None:
        conversation = _CONVERSATION.search(scope["path"])
        if conversation is None:
            return None
        return self._owners.get(conversation[1]) or self._look_up(conversation[1])

    async def _look_up(self, session_id: str) -> str | None:
        owner = await self._sessions.owner(session_id)
        if owner is not None:
            self._owners[session_id] = owner
            if len(self._owners) > _REMEMBERED:
                del self._owners[next(iter(self._owners))]
        return owner
