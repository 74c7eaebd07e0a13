"""A turn as server-sent events: `delta` for words as they come, then `turn` with the whole answer, or `problem`."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Final

from mentor.conversations import TakenTurn
from mentor.errors import MentorError

MEDIA_TYPE: Final = "text/event-stream"


class BrokeOff(Exception):
    """The model stopped in the middle of an answer. The client has a whole one all the same; this is for the count."""


async def events(
    first: str | TakenTurn, rest: AsyncGenerator[str | TakenTurn, None], present: Callable[[TakenTurn], str]
) -> AsyncIterator[str]:
    """Raises BrokeOff at the very end, when the words that were sent are not those of the turn that was taken.

    The status and the headers are sent by then, so that it is the only way to let the version's metrics know.
    """
    try:
        async with aclosing(rest):
            yield _shown(first, present)
            async for piece in rest:
                yield _shown(piece, present)
                if isinstance(piece, TakenTurn) and piece.answer.degraded:
                    raise BrokeOff("the language model broke off; the turn was answered offline")
    except MentorError as error:
        body = {"type": f"urn:mentor:problem:{error.name}", "title": error.title, "status": error.status}
        yield _event("problem", json.dumps({**body, "detail": str(error)}))


def _shown(piece: str | TakenTurn, present: Callable[[TakenTurn], str]) -> str:
    if isinstance(piece, TakenTurn):
        return _event("turn", present(piece))
    return _event("delta", json.dumps({"text": piece}, ensure_ascii=False))


def _event(name: str, body: str) -> str:
    return f"event: {name}\ndata: {body}\n\n"
