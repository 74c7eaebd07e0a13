"""Where requests meet the toolkit: one ASGI application in front of two."""

import time
from asyncio import CancelledError
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from serinus.asgi.arguments import refuse_unusable
from serinus.asgi.body import BodyTape
from serinus.asgi.breaker import Breaker, BreakerEvent
from serinus.asgi.current import answering
from serinus.asgi.exchange import Exchange
from serinus.asgi.http import HttpExchange
from serinus.asgi.in_flight import InFlight
from serinus.asgi.lifespan import Lifespan, serve
from serinus.asgi.lookup import SubjectLookup
from serinus.asgi.options import Options
from serinus.asgi.protocol import Application, Receive, Scope, Send, route_path
from serinus.asgi.subject import Reader, Subject, function
from serinus.asgi.websocket import WebSocketExchange
from serinus.deployment import OTHER_ENDPOINT, DeploymentVersion
from serinus.metrics.canary_metrics import CanaryMetricsCollector
from serinus.routing.canary_router import CanaryRouter
from serinus.routing.endpoints import EndpointTable, canonical, templates_of
from serinus.routing.split import Split

_LEGACY, _CANARY = DeploymentVersion.LEGACY, DeploymentVersion.CANARY
_EXCHANGES: dict[str, type[Exchange]] = {"http": HttpExchange, "websocket": WebSocketExchange}


class Canary:
    """Answers every request by `legacy` or by `canary`, as `router` says, and counts how it went in `collector`.

        app = Canary(legacy=old_app, canary=new_app, subject=subject.header("x-user-id"))

    `subject` may be a function `(scope, body) -> str | None`, sync or async; one that wants the body is given as
    `subject.function(f, needs_body=True)`. The answer's header ``X-Deployment-Version`` says who answered; an answer
    with ``X-Serinus-Outcome: degraded`` counts as that, and the header is taken off. Runs on asyncio. `clock` gives
    epoch seconds, `timer` seconds that only grow.

    Raises `InvalidInput` for what is no ASGI application, no subject, or no `Options`, with everything that is wrong.

    `last_canary_at` is when a request was last routed to the canary; `canary_in_flight` counts those whose application
    has not returned, streams and websockets among them.
    """

    def __init__(
        self,
        legacy: Application,
        canary: Application,
        *,
        subject: Subject | Reader,
        options: Options | None = None,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        refuse_unusable(legacy, canary, subject, options)
        self.legacy = legacy
        self.canary = canary
        self.options = options or Options()
        self.router = CanaryRouter()
        self.breaker = Breaker(self.options.breaker)
        self.last_canary_at: float | None = None
        self.canary_in_flight = 0
        self._clock = clock
        self._timer = timer
        self.endpoints = EndpointTable(_templates(self.options, legacy, canary))
        self._match = self.endpoints.match
        self._route = self.router.route
        self._legacy_state: dict[str, Any] = {}
        self._canary_state: dict[str, Any] = self._legacy_state if canary is legacy else {}
        self._sent_out = self.router.split
        self._listeners: list[Callable[[Split], None]] = []
        self._excluded = tuple(canonical(prefix) + "/" for prefix in self.options.exclude)
        self._unclear = frozenset(  # endpoints whose paths have to be asked; a look-up is cheaper than a dozen prefixes
            {OTHER_ENDPOINT, *(name for name in self.endpoints.templates if _may_be_excluded(name, self._excluded))}
        )
        self._safe_endpoints = frozenset(map(canonical, self.options.safe_endpoints))
        subject = subject if isinstance(subject, Subject) else function(subject)
        self._read = subject.plain
        self._lookup = SubjectLookup(subject, self.options.subject_seconds, body_seconds=self.options.timeout_seconds)
        self.collector = CanaryMetricsCollector(max_endpoints=len(self.endpoints.templates))
        self._flight = InFlight(
            self.collector, self.breaker, timeout_seconds=self.options.timeout_seconds, clock=clock, timer=timer
        )

    @property
    def subject_failures(self) -> int:
        """How often the application's subject function raised or took too long."""
        return self._lookup.failures

    def take_breaker_events(self) -> tuple[BreakerEvent, ...]:
        """What the local breaker did since the last call."""
        return self.breaker.take_events()

    def adopt(self, split: Split) -> None:
        """Route by `split` from the next request on.

        A canary that is sent out, or sent out again, starts with a closed breaker; one that only paused for want of
        word from a controller comes back with the breaker that it had.
        """
        was_out = _sends_out(self.router.split)
        self.router.adopt(split)
        if _sends_out(split):
            former, self._sent_out = self._sent_out, split
            if split.salt != former.salt or (not was_out and split.revision != former.revision):
                self.breaker.reset(self._clock())
        for listener in tuple(self._listeners):
            listener(split)

    def listen(self, listener: Callable[[Split], None]) -> Callable[[], None]:
        """Tell `listener` of every split that is adopted, until the function that this returns is called."""
        self._listeners.append(listener)
        return partial(self._listeners.remove, listener)

    def alone(self, version: DeploymentVersion) -> Application:
        """One version's application, past routing and counting, with the state of its own lifespan."""
        app, state = (self.legacy, self._legacy_state) if version is _LEGACY else (self.canary, self._canary_state)

        async def call(scope: Scope, receive: Receive, send: Send) -> None:
            await app(_with_state(scope, state), receive, send)

        return call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: C901, PLR0912  # see below
        # One function on purpose: split, every request would pay for another coroutine and two more calls.
        exchange_type = _EXCHANGES.get(scope["type"])
        if exchange_type is None:
            await self._pass_by(scope, receive, send)
            return
        path = route_path(scope) if scope.get("root_path") else scope["path"]
        endpoint = self._match(path)
        if endpoint in self._unclear and f"{path}/".startswith(self._excluded):
            await self._pass_by(scope, receive, send)
            return
        exchange = exchange_type(self._flight, self._timer(), endpoint, receive, send)
        if self._read is not None:
            subject = self._read(scope, None)
        else:
            subject = await self._find_subject(exchange, scope)
        exchange.subject = subject or ""
        exchange.assignment = assignment = self._route(subject, endpoint)
        app, state = self.legacy, self._legacy_state
        if assignment.version is _LEGACY:
            exchange.slot = assignment.slot
        elif self._admits(exchange):
            exchange.slot = assignment.slot
            self._enter_canary(exchange, scope)
            app, state = self.canary, self._canary_state
        elif assignment.slot is not None:
            self.collector.divert(endpoint, assignment.slot)
        while True:  # a second time where legacy answers in the canary's place
            self._flight.enter(exchange)
            before = answering.set(exchange)
            try:
                await app(_with_state(scope, state) if state else scope, exchange.receive, exchange.send)
            except (CancelledError, Exception) as error:
                if not exchange.is_settled(error):
                    exchange.let_go()
                    raise
            else:
                if exchange.muted or not exchange.closed:
                    exchange.note_return()
            finally:
                answering.reset(before)
                if exchange.seconds is None:
                    self._flight.forget(exchange)
                if exchange.version is _CANARY:
                    self.canary_in_flight -= 1
            if not exchange.muted:
                exchange.let_go()
                return
            if not exchange.replaced:
                await exchange.reject()
                return
            app, state, scope = self.legacy, self._legacy_state, exchange.pristine
            exchange = exchange.stand_in(self._timer())

    async def _pass_by(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is not routed: the lifespan of both applications, and what LEGACY answers always."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        else:
            await self.legacy(_with_state(scope, self._legacy_state), receive, send)

    async def _find_subject(self, exchange: Exchange, scope: Scope) -> str | None:
        if self._lookup.wants_body(scope):
            exchange.listen_to(BodyTape(exchange.hear, self.options.body_limit_bytes))
        return await self._lookup.find(scope, exchange.tape)

    def _admits(self, exchange: Exchange) -> bool:
        """Whether the local breaker lets it go to the canary; if not, it is no comparison that legacy answers."""
        now = self._clock()
        if self.breaker.is_open:
            exchange.probe = self.breaker.admits(now)
            if not exchange.probe:
                return False
        self.last_canary_at = now
        return True

    def _enter_canary(self, exchange: Exchange, scope: Scope) -> None:
        exchange.version = _CANARY
        self.canary_in_flight += 1
        options = self.options
        is_http = scope["type"] == "http"
        if is_http and (scope["method"] in options.safe_methods or exchange.endpoint in self._safe_endpoints):
            exchange.is_safe = exchange.laden = True
            exchange.body_limit_bytes = options.body_limit_bytes
            exchange.pristine = _copy(scope)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        lifespans = [Lifespan("legacy", self.legacy, self._legacy_state)]
        if self.canary is not self.legacy:
            lifespans.append(Lifespan("canary", self.canary, self._canary_state))
        await serve(lifespans, scope, receive, send)


def _templates(options: Options, *apps: Application) -> Iterable[str]:
    if options.endpoints is not None:
        return options.endpoints
    return [template for app in apps for template in templates_of(app)]


def _may_be_excluded(template: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a path of this template can be below one of the prefixes (which end in a slash)."""
    head, parameter, _ = template.partition("{")
    return f"{head}/".startswith(prefixes) or (bool(parameter) and any(prefix.startswith(head) for prefix in prefixes))


def _with_state(scope: Scope, state: dict[str, Any]) -> Scope:
    """The scope with what a version's own lifespan has put into its state."""
    return {**scope, "state": {**scope.get("state", {}), **state}} if state else scope


def _copy(scope: Scope) -> Scope:
    """For a second application: the first writes its route, its state and its headers into its own."""
    copy = dict(scope)
    copy["headers"] = list(scope["headers"])
    if "state" in copy:
        copy["state"] = {**copy["state"]}
    return copy


def _sends_out(split: Split) -> bool:
    return split.enabled and split.percentage > 0
