"""A websocket, from its handshake to its close."""

from serinus.asgi.exchange import Exchange
from serinus.asgi.http import VERSION_HEADERS
from serinus.asgi.protocol import Message
from serinus.metrics.snapshot import Outcome

_ACCEPTED, _REJECTED = 101, 403
_TRY_AGAIN_LATER = 1013
# RFC 6455, section 7.4.1, and the IANA registry: what the application says when it closes. Its own codes (4000-4999)
# and all others are ordinary ends.
_CLOSE_OUTCOMES = {
    **dict.fromkeys((1002, 1003, 1007, 1008, 1009, 1010), Outcome.CLIENT_ERROR),
    **dict.fromkeys((1011, 1012, 1013, 1014), Outcome.FAILED),
}


class WebSocketExchange(Exchange):
    """Answered when it is accepted or rejected. A client that closes an accepted one ends it well, by any code."""

    async def receive(self) -> Message:
        if self.muted:
            return {"type": "websocket.disconnect", "code": 1006}
        message = await self.incoming()
        if message["type"] == "websocket.disconnect" and not self.complete:
            self.client_left = True
            self.flight.close(self, Outcome.OK if self.status == _ACCEPTED else Outcome.CANCELLED)
        return message

    async def send(self, message: Message) -> None:
        if self.muted:
            return
        outcome = None
        match message["type"]:
            case "websocket.accept":
                message = self._begin(_ACCEPTED, message)
            case "websocket.http.response.start":
                message = self._begin(message["status"], message)
            case "websocket.http.response.body" if not message.get("more_body", False):
                outcome = _outcome_of_status(self.status)
            case "websocket.close":
                outcome = self._closed_by_application(message.get("code", 1000))
        self.complete = self.complete or outcome is not None
        try:
            await self.outgoing(message)
        except OSError:
            self.client_left = True
            raise
        if outcome is not None:
            self.flight.close(self, outcome)

    async def reject(self) -> None:
        await self.outgoing({"type": "websocket.close", "code": _TRY_AGAIN_LATER})

    def _begin(self, status: int, message: Message) -> Message:
        self.status = status
        self.flight.answered(self)
        return {**message, "headers": [*message.get("headers", ()), VERSION_HEADERS[self.version]]}

    def _closed_by_application(self, code: int) -> Outcome:
        if self.status == _ACCEPTED:
            return _CLOSE_OUTCOMES.get(code, Outcome.OK)
        self.status = _REJECTED  # what a server makes of a close before the handshake is over
        self.flight.answered(self)
        return Outcome.CLIENT_ERROR


def _outcome_of_status(status: int) -> Outcome:
    return Outcome.FAILED if status >= 500 else Outcome.CLIENT_ERROR
