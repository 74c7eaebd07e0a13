"""A request's messages, kept while that is cheap, so that they can be read before and played again after."""

from math import inf

from serinus.asgi.protocol import Message, Receive

MOST_PIECES = 1_000  # a message takes a few hundred bytes beside its body, which may be a single one


class BodyTape:
    """What came of a request, message by message: `read` ahead of the application, or play it to more than one.

    Once more than `limit_bytes` of body, or `MOST_PIECES`, have come it stops `recording`: then `read` gives None, and
    a second `play` would miss the rest, while the first still hears everything once.
    """

    __slots__ = ("_bytes", "_ended", "_limit_bytes", "_messages", "_most_pieces", "_receive", "recording")

    def __init__(self, receive: Receive, limit_bytes: float) -> None:
        self._receive = receive
        self._limit_bytes = limit_bytes
        self._most_pieces: float = MOST_PIECES
        self._messages: list[Message] = []
        self._bytes = 0
        self._ended = False
        self.recording = True

    async def read(self) -> bytes | None:
        """The whole body; None when it is larger than the limit or the client left before its end."""
        while self.recording and not self._ended:
            await self._pull()
        if not self.recording or any(message["type"] != "http.request" for message in self._messages):
            return None
        return b"".join(message.get("body", b"") for message in self._messages)

    def play(self) -> Receive:
        """A `receive` that gives what is on the tape, in the pieces in which it came, and then goes on live."""
        position = 0

        async def receive() -> Message:
            nonlocal position
            if position >= len(self._messages):
                message = await self._pull()
                if position >= len(self._messages):  # no longer recording, or played out
                    return message
            position += 1
            return self._messages[position - 1]

        return receive

    def keep_everything(self) -> None:
        """From now on without a limit: somebody else will play the tape out from its start."""
        self._limit_bytes = self._most_pieces = inf

    def play_out(self) -> Receive:
        """The last play, from the start: what it has given is kept no longer."""

        async def receive() -> Message:
            while not self._messages:
                await self._pull()
            return self._messages.pop(0)

        return receive

    async def _pull(self) -> Message:
        message = await self._receive()
        if self.recording:
            self._messages.append(message)
            self._bytes += len(message.get("body", b""))
            self._ended = not message.get("more_body", False)
            self.recording = self._bytes <= self._limit_bytes and len(self._messages) <= self._most_pieces
        return message
