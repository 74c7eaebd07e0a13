"""Asking who a request comes from, when that takes more than a glance at its headers."""

import asyncio
import logging
import time
from typing import cast

from serinus.asgi.body import BodyTape
from serinus.asgi.protocol import Scope
from serinus.asgi.subject import Source, Subject

log = logging.getLogger("serinus.asgi")

_BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
_LOG_EVERY_SECONDS = 60.0


class SubjectLookup:
    """Asks the sources in turn; `failures` counts the times that the application's own one raised or took too long.

    A body that takes a client longer than `body_seconds` has no subject.
    """

    def __init__(self, subject: Subject, limit_seconds: float, *, body_seconds: float | None = None) -> None:
        self.failures = 0
        self._sources = subject.sources
        self._limit_seconds = limit_seconds
        self._body_seconds = body_seconds
        self._logged_at = -_LOG_EVERY_SECONDS

    def wants_body(self, scope: Scope) -> bool:
        """Whether a source may ask for the body of this request."""
        bodiless = scope["type"] != "http" or scope["method"] in _BODILESS
        return not bodiless and any(source.needs_body for source in self._sources)

    async def find(self, scope: Scope, tape: BodyTape | None) -> str | None:
        """The subject; None also when a source failed, as another source might know the user by another name."""
        for source in self._sources:
            body = await self._body(tape) if tape is not None and source.needs_body else None
            try:
                subject = await self._ask(source, scope, body)
            except Exception as error:
                if source.foreign:
                    self._report(error)
                    return None
                raise
            if subject:
                return subject
        return None

    async def _body(self, tape: BodyTape) -> bytes | None:
        try:
            async with asyncio.timeout(self._body_seconds):
                return await tape.read()
        except TimeoutError:
            return None

    async def _ask(self, source: Source, scope: Scope, body: bytes | None) -> str | None:
        reading = source.read(scope, body)
        if reading is not None and not isinstance(reading, str):
            async with asyncio.timeout(self._limit_seconds):
                reading = await reading
        if reading is not None and not isinstance(reading, str):
            raise TypeError(f"a subject is a string or None, not {type(cast('object', reading)).__name__}")
        return reading

    def _report(self, error: Exception) -> None:
        self.failures += 1
        if time.monotonic() - self._logged_at >= _LOG_EVERY_SECONDS:
            self._logged_at = time.monotonic()
            log.error("the subject function failed (%d times so far): LEGACY answers", self.failures, exc_info=error)
