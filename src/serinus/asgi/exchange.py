"""One request on its way through one version: watched from both sides, and interrupted when it takes too long."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Self

from serinus.asgi.body import BodyTape
from serinus.asgi.protocol import Message, Receive, Scope, Send
from serinus.deployment import DeploymentVersion
from serinus.metrics.snapshot import Outcome
from serinus.routing.canary_router import Assignment

if TYPE_CHECKING:
    from serinus.asgi.in_flight import InFlight

log = logging.getLogger("serinus.asgi")


async def _nobody(*_: object) -> Any:
    """In the place of the server's two ends once the application has ended; `muted` answers before it is asked."""


class Exchange:
    """What `HttpExchange` and `WebSocketExchange` have in common.

    `started` is the timer's, later by what the client took to send the rest of its request; while that is awaited,
    `awaiting_since` is there. `seconds`, the latency, is there with the answer: what the user waited for, and neither
    how long a stream goes on nor how fast the client reads or writes. `status` is 0 until the application has begun to
    answer. It is `muted` once the client shall hear no more of this application: the time is up (`expired`), or legacy
    answers in its place (`replaced`). The application's own end is awaited first, for it may hold what legacy needs.
    """

    # What every request reads is set for each; a default in the class is cheaper for what few ask for.
    assignment: Assignment | None = None  # as it was routed, whoever answers
    subject = ""
    probe = False
    is_safe = False  # legacy may answer in its place
    body_limit_bytes: float = 0  # of what is kept for it
    tape: BodyTape | None = None  # of what was heard of the client
    client: Receive | None = None  # who fills the tape
    heard = False  # the whole request
    pristine: Scope  # of one that is safe: the scope for legacy, with nothing of the canary's in it
    replaced = False
    expired = False
    task: "asyncio.Task[object] | None" = None  # whom to interrupt
    cancelling = 0  # how often others had cancelled it before

    def __init__(self, flight: "InFlight", started: float, endpoint: str, incoming: Receive, outgoing: Send) -> None:
        self.flight = flight
        self.started = started
        self.endpoint = endpoint
        self.incoming = incoming
        self.outgoing = outgoing
        self.version = DeploymentVersion.LEGACY
        self.slot: int | None = None
        self.counted = True  # False for legacy in the place of a failed canary
        self.status = 0
        self.seconds: float | None = None
        self.awaiting_since: float | None = None
        self.slow = False
        self.client_left = False
        self.complete = False
        self.closed = False
        self.muted = False
        self.laden = False  # with more of the request than its two ends

    def listen_to(self, tape: BodyTape) -> None:
        """Hear the client through `tape` from now on, which itself is to `hear` them."""
        self.tape, self.client, self.laden = tape, self.incoming, True
        self.incoming = tape.play()

    async def hear(self) -> Message:
        """What comes of the client next; until its request is whole, it is the client that takes the time."""
        receive = self.client or self.incoming
        if self.heard or self.awaiting_since is not None:
            return await receive()
        self.awaiting_since = since = self.flight.timer()
        try:
            message = await receive()
        finally:
            self.awaiting_since = None
            self.started += self.flight.timer() - since
        self.heard = not message.get("more_body", False)
        return message

    def lasted(self, now: float) -> float:
        """The seconds of this request that are the service's own."""
        return (now if self.awaiting_since is None else self.awaiting_since) - self.started

    def stand_in(self, started: float) -> Self:
        """The same request for legacy, from its beginning, when this exchange is `replaced`; it is not counted."""
        incoming = self.tape.play_out() if self.tape else self.incoming
        other = type(self)(self.flight, started, self.endpoint, incoming, self.outgoing)
        other.assignment, other.subject = self.assignment, self.subject
        other.counted = False
        return other

    def let_go(self) -> None:
        """The application has ended: hold nothing of the server's, and pass nothing on to it.

        Servers set timers while they send (uvicorn's of keep-alive), and a timer keeps the context that it was set in,
        in which this exchange is the current one: seconds long, with every connection.
        """
        self.muted = True
        self.incoming = self.outgoing = _nobody
        if self.laden:
            self.tape = self.client = self.task = None
            self.pristine = {}

    @property
    def is_awaited(self) -> bool:
        """Whether the client still has no answer, or cannot have legacy's before this application has ended."""
        return (not self.status or self.muted) and not self.expired

    async def receive(self) -> Message:
        raise NotImplementedError

    async def send(self, message: Message) -> None:
        raise NotImplementedError

    async def reject(self) -> None:
        """Tell the client that the time is up."""
        raise NotImplementedError

    def stalled(self, now: float) -> float:
        """For how long nothing has come of a request that is not whole."""
        return 0.0 if self.awaiting_since is None else now - self.awaiting_since

    def interrupt(self) -> None:
        """The time is up: cancel the application, and nothing around it."""
        self._fail(504)
        self._cancel()

    def give_up_client(self) -> None:
        """The client has stopped in the middle of its request, which is no fault of the application's."""
        self.status = 408
        self.flight.close(self, Outcome.CANCELLED)
        self._cancel()

    def _cancel(self) -> None:
        self.expired = self.muted = True
        if self.task is not None:
            self.cancelling = self.task.cancelling()
            self.task.cancel()

    def _fail(self, status: int) -> None:
        """Close it as failed, by legacy's answer if that is possible; `status` is what the client gets otherwise."""
        if self.is_safe and not self.status and not self.client_left and self._can_repeat():
            self.replaced = self.muted = True
        self.status = self.status or status
        self.flight.close(self, Outcome.CANCELLED if self.client_left else Outcome.FAILED)

    def _can_repeat(self) -> bool:
        """Whether legacy can hear all that the client has said; what it says from now on is kept for it as well."""
        if self.tape is None:
            return True
        if self.tape.recording:
            self.tape.keep_everything()
        return self.tape.recording

    def is_settled(self, error: BaseException) -> bool:
        """The application raised; whether somebody else answers. What it raises after its answer changes no outcome."""
        if not self._was_interrupted():
            if isinstance(error, asyncio.CancelledError):
                self.flight.close(self, Outcome.CANCELLED)
                return False
            if not self.closed:
                self._fail(500)
            if not self.replaced:
                return False
        log.warning("%s failed on %s", self.version, self.endpoint, exc_info=error)
        return True

    def note_return(self) -> None:
        """The application took the interruption for an end, or did not answer whole: servers make a 500 of none."""
        if not self._was_interrupted():
            self._fail(500)

    def _was_interrupted(self) -> bool:
        """Whether the cancellation that ends the application is ours alone (`asyncio.timeout` does it this way)."""
        return self.expired and self.task is not None and self.task.uncancel() <= self.cancelling
