"""How long a command that follows a service bears that nobody answers: services are started anew, networks fail."""

import time

import click

from serinus.cli.session import NO_ANSWER, Failure
from serinus.cli.tongue import say

LONGEST_SECONDS = 600.0


class Patience:
    """Bears a silence after a first answer, tells of it once, and ends with what was wrong when it lasts."""

    def __init__(self) -> None:
        self._has_heard = False
        self._silent_since: float | None = None

    def heard(self) -> None:
        """The service has answered."""
        self._has_heard, self._silent_since = True, None

    def bear(self, error: Failure) -> None:
        """Raises `error` unless it is a silence that may pass."""
        if not self._has_heard or error.exit_code != NO_ANSWER:
            raise error
        if self._silent_since is None:
            self._silent_since = time.monotonic()
            click.echo(f"{error.message}\n{say('Asking again for up to ten minutes; Ctrl-C ends it')}", err=True)
        elif time.monotonic() - self._silent_since > LONGEST_SECONDS:
            raise error
