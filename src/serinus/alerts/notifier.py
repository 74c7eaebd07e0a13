"""Tells people of stored events, each channel at its own pace."""

import asyncio
import logging
import random
from collections import defaultdict, deque
from collections.abc import Callable, Mapping

from serinus.alerts.alert import LOG, alert_of
from serinus.alerts.channels import Channel
from serinus.alerts.delivery import NotDelivered
from serinus.alerts.silence import Silence
from serinus.pauses import lengthened
from serinus.storage.clock import elapsed
from serinus.storage.deliveries import Delivery
from serinus.storage.store import Store

logger = logging.getLogger(__name__)

POLL_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
SEND_SECONDS = 15.0
CLAIM_SECONDS = 60.0
FIRST_RETRY_SECONDS = 2.0
LONGEST_RETRY_SECONDS = 300.0
GIVE_UP_SECONDS = 86_400.0
DEFECT_TRIES = 3
ALERTS_A_MINUTE = 30
TURNS_SECONDS = 0.25
"""Within which the processes look for what is to be told: the first to look takes it, and the event's split, which all
hear of at the same instant, is read before."""


class Notifier:
    """One worker for each channel that has something to tell, so that a dead channel holds up no other.

    A delivery is claimed before it is sent and settled after. A process that dies in between leaves a claim that
    lapses after `CLAIM_SECONDS`, and the alert is sent again with the same event number and dedup key: never lost, and
    repeated only if the crash fell between the receiver's answer and the mark. `elapsed` are seconds that nobody can
    set: a process that was stopped and wakes up sends nothing on a claim that has lapsed.
    """

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        clock: Callable[[], float],
        *,
        language: str = "en",
        link: str | None = None,
        elapsed: Callable[[], float] = elapsed,
    ) -> None:
        self._store = store
        self._channels = channels
        self._clock = clock
        self._language = language
        self._link = link
        self._elapsed = elapsed
        self._silence = Silence(store, clock)
        self._sent_at: dict[str, deque[float]] = defaultdict(deque)
        self._busy: set[str] = set()
        self._unknown: set[str] = set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        heard, failures = -1, 0
        async with asyncio.TaskGroup() as workers:
            while True:
                try:
                    await self._silence.look()
                    await self._start_workers(workers)
                    failures = 0
                except Exception as error:  # noqa: BLE001 - a supervisor
                    failures += 1
                    logger.warning("alerts wait: %s", error)
                pause = lengthened(POLL_SECONDS, failures, longest=LONGEST_PAUSE_SECONDS)
                heard = await self._store.events_saved.wait(heard, pause)
                if not failures:
                    await asyncio.sleep(random.random() * TURNS_SECONDS)  # noqa: S311 - no secret

    async def deliver(self, channel: str) -> bool:
        """Send the next alert that is due on a channel; False when there is none, or the channel has had its share."""
        if self._is_sated(channel):
            return False
        asked = self._elapsed()
        delivery = await self._store.claim_delivery(channel, self._clock(), claim_seconds=CLAIM_SECONDS)
        if delivery is None or self._elapsed() - asked > CLAIM_SECONDS - SEND_SECONDS:
            return False  # this process was stopped for so long that another may be sending it
        self._sent_at[channel].append(self._clock())
        failure = await self._send(delivery)
        if failure is None:
            await self._store.delivered(delivery, self._clock())
        else:
            await self._retry(delivery, failure)
        return True

    def _is_sated(self, channel: str) -> bool:
        """At most `ALERTS_A_MINUTE`; the others wait in the store. The log takes everything."""
        now, sent_at = self._clock(), self._sent_at[channel]
        while sent_at and sent_at[0] <= now - 60:
            sent_at.popleft()
        return channel != LOG and len(sent_at) >= ALERTS_A_MINUTE

    async def _send(self, delivery: Delivery) -> NotDelivered | None:
        """One defect must not keep every later alert waiting behind it, so it counts as a failure of the channel."""
        is_last_try = delivery.attempts >= DEFECT_TRIES
        if delivery.event is None:  # another process may run the version that wrote it
            return NotDelivered("the stored event cannot be read", final=is_last_try)
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._channel(delivery.channel)(alert_of(delivery.event, self._language, self._link))
        except NotDelivered as error:
            return error
        except TimeoutError:
            return NotDelivered(f"no answer within {SEND_SECONDS:.0f} s")
        except Exception as error:
            logger.exception("event %s cannot be told on %s", delivery.sequence, delivery.channel)
            return NotDelivered(f"a defect ({type(error).__name__})", final=is_last_try)
        return None

    async def _start_workers(self, workers: asyncio.TaskGroup) -> None:
        for channel in await self._store.due_channels(self._clock()) - self._busy:
            self._busy.add(channel)
            workers.create_task(self._work(channel), name=f"alerts on {channel}")

    async def _work(self, channel: str) -> None:
        try:
            while await self.deliver(channel):
                pass
        except Exception:
            logger.exception("alerts on %s wait", channel)
        finally:
            self._busy.discard(channel)

    async def _retry(self, delivery: Delivery, failure: NotDelivered) -> None:
        now = self._clock()
        final = failure.final or (delivery.event is not None and now - delivery.event.at > GIVE_UP_SECONDS)
        pause = max(retry_after_seconds(delivery.attempts, random.random()), failure.retry_after_seconds)  # noqa: S311
        retry_at = None if final else now + pause
        await self._store.delivery_failed(delivery, now, retry_at=retry_at, error=str(failure))
        if delivery.channel not in self._unknown:
            outcome = "is given up" if final else "will be tried again"
            logger.warning("event %s on %s %s: %s", delivery.sequence, delivery.channel, outcome, failure)

    def _channel(self, name: str) -> Channel:
        if name in self._channels:
            return self._channels[name]
        if name not in self._unknown:
            self._unknown.add(name)
            logger.warning("no channel named %r is configured; alerts meant for it are only logged", name)
        return _not_configured


async def _not_configured(_alert: object) -> None:
    raise NotDelivered("no channel of this name is configured", final=True)


def retry_after_seconds(attempts: int, chance: float) -> float:
    """Doubling from 2 s to 5 min, the second half of it left to `chance` (0..1) so that many retries do not meet."""
    longest = lengthened(FIRST_RETRY_SECONDS, attempts - 1, longest=LONGEST_RETRY_SECONDS)
    return longest * (1 + chance) / 2
