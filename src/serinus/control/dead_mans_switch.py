"""A canary that nobody watches stops by itself."""

from dataclasses import replace

from serinus.control.kept_split import KeptSplit
from serinus.routing.split import LEGACY_ONLY, Split
from serinus.storage.splits import StoredSplit


class DeadMansSwitch:
    """Says what to route by: the stored split while a controller is heard of, LEGACY for everybody otherwise.

    Manual shares and a hold need a living controller too; only a settled split (a rollout that SUCCEEDED) does not.
    `blank_successor`: the database was made anew and knows of no split, which is no word against the last one.
    `elapsed` is a monotonic clock in seconds: setting the machine's clock neither triggers nor delays the switch.
    `kept` is read once, for what a former life of the process knew; the store's first word replaces it.
    """

    def __init__(self, stale_after_seconds: float, kept: KeptSplit | None = None) -> None:
        self.stale_after_seconds = stale_after_seconds
        self.kept = kept
        self.stored: StoredSplit | None = kept.read() if kept else None
        self.blank_successor = False
        self._has_heard = False
        self._word_at: float | None = None

    def hear(self, stored: StoredSplit, *, now: float, elapsed: float) -> None:
        """Take note of what the store says at `now` (epoch seconds)."""
        self.blank_successor = self._is_blank_successor(stored) and not self.is_open(elapsed)
        if self.blank_successor:
            return
        heard_before = self.stored.controller_heard_at if self.stored else None
        heard = stored.controller_heard_at
        if heard is not None and heard != heard_before:
            # Later words are fresh ones, whatever the clocks say.
            age = 0.0 if self._has_heard else max(0.0, now - heard)
            self._word_at = elapsed - age
        self.stored, self._has_heard = stored, True

    def is_open(self, elapsed: float) -> bool:
        """Whether everybody is on LEGACY for want of a watcher."""
        silent = self.silent_seconds(elapsed)
        return not self._is_settled and (silent is None or silent > self.stale_after_seconds)

    def silent_seconds(self, elapsed: float) -> float | None:
        """Since the last word of a controller; None when there never was one."""
        return None if self._word_at is None else elapsed - self._word_at

    def split(self, elapsed: float) -> Split:
        """What to route by now."""
        if self.stored is None:
            return LEGACY_ONLY
        return replace(self.stored.split, enabled=False) if self.is_open(elapsed) else self.stored.split

    @property
    def _is_settled(self) -> bool:
        return self.stored is not None and self.stored.settled

    def _is_blank_successor(self, stored: StoredSplit) -> bool:
        before = self.stored if self._has_heard else None
        return before is not None and stored.store_id != before.store_id and stored.changed_at is None
