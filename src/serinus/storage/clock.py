"""One time for all processes: the store's."""

import time
from collections.abc import Callable
from functools import partial

PROMPT_SECONDS = 0.2
"""An answer that took longer says too little of when it was given."""
DRIFT_SECONDS = 0.1
STEP_BACK_SECONDS = 1.0

elapsed: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)
"""Seconds that nobody can set; where the system can, those count in which the machine slept."""


class StoreClock:
    """Epoch seconds as the store's clock tells them: machines whose own clocks differ agree to a tenth of a second.

    Between two words of the store, and without the store, time goes on by a clock that nobody can set. It steps
    forward when the store's clock does, but never back: when that is set back, those who run go on from where they
    were, and who starts later follows the living controller (`hear`).
    """

    def __init__(self, *, own: Callable[[], float] = time.time, elapsed: Callable[[], float] = elapsed) -> None:
        self.elapsed = elapsed
        self._offset = own() - elapsed()
        self._has_heard = False
        self._last_tick: float | None = None

    def __call__(self) -> float:
        return self.elapsed() + self._offset

    def hear(self, store_at: float, *, asked: float, ticked_at: float | None) -> None:
        """The store's clock said `store_at` when it was asked at `asked` (by `elapsed`); the latest tick's time."""
        answered = self.elapsed()
        if answered - asked > PROMPT_SECONDS:
            return
        store_at += (answered - asked) / 2
        if ticked_at is not None and self._last_tick not in {None, ticked_at}:  # a controller lives, and tells the time
            store_at = max(store_at, ticked_at)
        self._last_tick = ticked_at
        step = store_at - self()
        if not self._has_heard or step > DRIFT_SECONDS or -STEP_BACK_SECONDS < step < -DRIFT_SECONDS:
            self._offset += step
        self._has_heard = True
