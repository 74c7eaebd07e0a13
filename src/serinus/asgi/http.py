"""An HTTP request and its response."""

import json
from collections.abc import Iterable

from serinus.asgi.body import BodyTape
from serinus.asgi.exchange import Exchange
from serinus.asgi.protocol import Message
from serinus.deployment import DeploymentVersion
from serinus.metrics.snapshot import Outcome

VERSION_HEADERS = {version: (b"x-deployment-version", version.value.encode()) for version in DeploymentVersion}
_FALLBACK_HEADER = (b"x-canary-fallback", b"1")
_OUTCOME_HEADER = b"x-serinus-outcome"
_OURS = frozenset({b"x-deployment-version", b"x-canary-fallback", _OUTCOME_HEADER})
_READ = _OURS | {b"content-type"}


def _problem(status: int, title: str, detail: str) -> bytes:
    return json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail}).encode()


OVERDUE = {
    408: _problem(408, "Request Timeout", "The rest of the request did not come in time; send it again."),
    504: _problem(504, "Gateway Timeout", "The service did not begin to answer in time; try again later."),
}
_PRIVATE = (
    (b"content-type", b"application/problem+json"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)
_BODIES = frozenset({"http.response.body", "http.response.pathsend", "http.response.zerocopysend"})


class HttpExchange(Exchange):
    """Answered with the first piece of the body; an event stream with its start, for silence is not slowness there."""

    outcome = Outcome.OK

    async def receive(self) -> Message:
        if self.muted:
            return {"type": "http.disconnect"}
        if self.is_safe and self.tape is None:  # most applications never ask for the body of a GET
            self.listen_to(BodyTape(self.hear, self.body_limit_bytes))
        message = await (self.hear() if self.tape is None else self.incoming())
        if message["type"] == "http.disconnect" and not self.complete:
            self.client_left = True
        return message

    async def send(self, message: Message) -> None:
        if self.muted:
            return
        kind = message["type"]
        if kind in _BODIES:
            if self.seconds is None:
                self.flight.answered(self)
            self.complete = not message.get("more_body", False)
        elif kind == "http.response.start":
            status = message["status"]
            if status >= 400 and self._stands_in(status):
                return
            self.status = status
            message = dict(message)  # two thirds of the price of a display with `**`
            message["headers"] = self._marked(message.get("headers", ()))
        try:
            await self.outgoing(message)
        except OSError:  # by the specification: the client is gone
            self.client_left = True
            raise
        if self.complete and not self.closed:
            is_cancelled = self.client_left and self.outcome is not Outcome.FAILED
            self.flight.close(self, Outcome.CANCELLED if is_cancelled else self.outcome)

    async def reject(self) -> None:
        headers = [*_PRIVATE, VERSION_HEADERS[self.version]]
        if not self.counted:
            headers.append(_FALLBACK_HEADER)
        status = 504 if self.status != 408 else 408
        if status == 408:
            headers.append((b"connection", b"close"))  # what may still come of the request is no other one
        await self.outgoing({"type": "http.response.start", "status": status, "headers": headers})
        await self.outgoing({"type": "http.response.body", "body": OVERDUE[status]})

    def _marked(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The headers to send on, in a list of our own, for the application's may serve it again."""
        for name, value in headers:
            if name in _READ:
                if name != b"content-type":
                    headers = self._take_ours(headers)
                elif value[:17] == b"text/event-stream":
                    self.flight.answered(self)
        marked = [*headers, VERSION_HEADERS[self.version]]
        if not self.counted:
            marked.append(_FALLBACK_HEADER)
        return marked

    def _stands_in(self, status: int) -> bool:
        """Note the error; whether legacy answers in the place of this failure."""
        if status < 500:
            self.outcome = Outcome.CLIENT_ERROR
        elif not self.client_left:
            self.outcome = Outcome.FAILED
            if self.is_safe:
                self._fail(status)
        return self.replaced

    def _take_ours(self, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        if self.status < 400 and (_OUTCOME_HEADER, b"degraded") in headers:
            self.outcome = Outcome.DEGRADED
        return [header for header in headers if header[0] not in _OURS]
