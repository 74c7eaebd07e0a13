"""Every counted request from its routing to its end, and the one timer that looks after those without an answer."""

from asyncio import AbstractEventLoop, current_task, get_running_loop
from collections.abc import Callable

from serinus.asgi.breaker import Breaker
from serinus.asgi.exchange import Exchange
from serinus.deployment import DeploymentVersion
from serinus.metrics.canary_metrics import CanaryMetricsCollector
from serinus.metrics.sketch import SLOW_SECONDS
from serinus.metrics.snapshot import Outcome

_CANARY = DeploymentVersion.CANARY


class InFlight:
    """Reports to the collector and the breaker. `clock` gives epoch seconds, `timer` seconds that only grow."""

    def __init__(
        self,
        collector: CanaryMetricsCollector,
        breaker: Breaker,
        *,
        timeout_seconds: float | None,
        clock: Callable[[], float],
        timer: Callable[[], float],
    ) -> None:
        self.collector = collector
        self._record = collector.record
        self.breaker = breaker
        self.timeout_seconds = timeout_seconds
        self.clock = clock
        self.timer = timer
        self._unanswered: set[Exchange] = set()
        self._every_seconds = min(0.1, (timeout_seconds or SLOW_SECONDS) / 10)
        self._loop: AbstractEventLoop | None = None

    def enter(self, exchange: Exchange) -> None:
        """The request goes to its version now."""
        self._unanswered.add(exchange)
        loop = self._loop
        if loop is None or loop.is_closed():  # half the price of asking for the running loop
            self._loop = loop = get_running_loop()
            loop.call_later(self._every_seconds, self._tick)
        if self.timeout_seconds is not None:
            exchange.task, exchange.laden = current_task(loop), True

    def answered(self, exchange: Exchange) -> None:
        """It has begun to be answered: nobody waits any more."""
        exchange.seconds = exchange.lasted(self.timer())
        self._unanswered.discard(exchange)

    def forget(self, exchange: Exchange) -> None:
        """Its application has returned without an answer."""
        self._unanswered.discard(exchange)

    def close(self, exchange: Exchange, outcome: Outcome) -> None:
        """Its outcome is known; what comes after does not change it."""
        if exchange.closed:
            return
        exchange.closed = True
        if not exchange.counted:
            return
        seconds = exchange.seconds
        if seconds is None:
            seconds = exchange.lasted(self.timer())
        version, endpoint, slot = exchange.version, exchange.endpoint, exchange.slot
        self._record(version, endpoint, outcome, seconds, status=exchange.status, slot=slot)
        if exchange.slow:
            self.collector.slow_ended(version, endpoint, slot)
        if version is _CANARY:
            if exchange.probe:
                self.breaker.record_probe(outcome, self.clock())
            else:
                self.breaker.record(exchange.subject, outcome, self.clock())

    def sweep(self, now: float) -> None:
        """Count who has waited for over 2 s, and interrupt who has waited for too long; `now` is the timer's."""
        limit = self.timeout_seconds
        for exchange in tuple(self._unanswered):
            waited = exchange.lasted(now)
            if waited > SLOW_SECONDS and exchange.counted and not (exchange.slow or exchange.closed):
                exchange.slow = True
                self.collector.slow(exchange.version, exchange.endpoint, exchange.slot)
            if limit is not None and waited >= limit and exchange.is_awaited:
                exchange.interrupt()
            elif limit is not None and exchange.stalled(now) >= limit and exchange.is_awaited:
                exchange.give_up_client()

    def _tick(self) -> None:
        if self._loop is not None and self._unanswered:
            self._loop.call_later(self._every_seconds, self._tick)
            self.sweep(self.timer())
        else:
            self._loop = None
