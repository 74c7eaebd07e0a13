"""The local breaker: takes a dead canary out of this process at once, without waiting for statistics."""

from dataclasses import dataclass

from serinus.metrics.snapshot import Outcome


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """When to open and how to try again.

    `failures` in a row from at least `subjects` subjects open it; so do they from fewer when nobody else has been
    answered well by the canary for `alone_seconds`. After `probe_after_seconds` one request at a time tries the canary:
    `probes` good answers close it, a failure doubles the wait, up to `longest_wait_seconds`.
    """

    failures: int = 10
    subjects: int = 3
    alone_seconds: float = 60.0
    probe_after_seconds: float = 5.0
    longest_wait_seconds: float = 120.0
    probes: int = 5


@dataclass(frozen=True, slots=True)
class BreakerEvent:
    """The breaker opened or closed `at` (epoch seconds)."""

    opened: bool
    at: float
    reason: str


class Breaker:
    """Counts how the canary answers; `now` is epoch seconds and comes from the caller.

    Only FAILED is a failure and only OK breaks a row of them: a client error or a degraded answer proves neither.
    Subjects are known by their hash alone, and never more than a few of them.
    """

    def __init__(self, limits: BreakerLimits | None = None) -> None:
        self.limits = limits or BreakerLimits()
        self.is_open = False
        self._events: list[BreakerEvent] = []
        self._row = 0
        self._row_subjects: set[int] = set()
        self._answered: dict[
            int, float
        ] = {}  # who was answered well last, and when: one more than a row needs, newest last
        self._wait_seconds = self.limits.probe_after_seconds
        self._retry_at = 0.0
        self._probe_ends_at: float | None = None
        self._good_probes = 0

    def admits(self, now: float) -> bool:
        """While open: whether this request is the one that tries the canary. The caller must `record_probe` its end.

        A probe that has not ended after the present wait no longer keeps the next one back.
        """
        if now < self._retry_at or (self._probe_ends_at is not None and now < self._probe_ends_at):
            return False
        self._probe_ends_at = now + self._wait_seconds
        return True

    def record(self, subject: str, outcome: Outcome, now: float) -> None:
        """An ordinary canary request ended."""
        if self.is_open:  # it began before, and says nothing about now
            return
        if outcome is Outcome.OK:
            self._note_answer(hash(subject), now)
        elif outcome is Outcome.FAILED:
            self._row += 1
            if len(self._row_subjects) < self.limits.subjects:
                self._row_subjects.add(hash(subject))
            if self._row >= self.limits.failures and (self._is_widespread() or self._is_alone(now)):
                self._open(now)

    def record_probe(self, outcome: Outcome, now: float) -> None:
        """A request that `admits` let through ended; one that proves nothing only makes room for the next."""
        if not self.is_open:
            return
        self._probe_ends_at = None
        if outcome is Outcome.OK:
            self._good_probes += 1
            if self._good_probes >= self.limits.probes:
                self._close(now, f"{self._good_probes} good answers in a row on trial")
        elif outcome is Outcome.FAILED:
            self._good_probes = 0
            self._wait_seconds = min(self._wait_seconds * 2, self.limits.longest_wait_seconds)
            self._retry_at = now + self._wait_seconds

    def reset(self, now: float) -> None:
        """Another canary is on trial: what the last one did is no longer held against it."""
        if self.is_open:
            self._close(now, "another canary is on trial")
        self._row = 0
        self._row_subjects.clear()
        self._answered.clear()

    def take_events(self) -> tuple[BreakerEvent, ...]:
        """What happened since the last call, oldest first."""
        events, self._events = tuple(self._events), []
        return events

    def _note_answer(self, subject: int, now: float) -> None:
        if self._row:
            self._row = 0
            self._row_subjects.clear()
        answered = self._answered
        answered.pop(subject, None)
        answered[subject] = now
        if len(answered) > self.limits.subjects:
            del answered[next(iter(answered))]

    def _is_widespread(self) -> bool:
        return len(self._row_subjects) >= self.limits.subjects

    def _is_alone(self, now: float) -> bool:
        since = now - self.limits.alone_seconds
        return not any(at > since for subject, at in self._answered.items() if subject not in self._row_subjects)

    def _open(self, now: float) -> None:
        who = (
            f"at least {self.limits.subjects} subjects" if self._is_widespread() else "the only canary traffic there is"
        )
        self._events.append(BreakerEvent(opened=True, at=now, reason=f"{self._row} failures in a row from {who}"))
        self.is_open = True
        self._wait_seconds = self.limits.probe_after_seconds
        self._retry_at = now + self._wait_seconds
        self._probe_ends_at = None
        self._good_probes = 0

    def _close(self, now: float, reason: str) -> None:
        self._events.append(BreakerEvent(opened=False, at=now, reason=reason))
        self.is_open = False
        self._row = 0
        self._row_subjects.clear()
