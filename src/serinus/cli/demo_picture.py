"""Where the demo is shown: drawn in a terminal, in lines for a pipe, or as JSON for a program."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from serinus.cli.lines import spoken_line
from serinus.cli.view import FittedStatus, status_view

ENDED = frozenset({"succeeded", "rolled_back"})

Answer = Mapping[str, Any]


class Picture(Protocol):
    """`say` is for sentences, `tell` for events, `draw` for how everything fares at the moment."""

    def say(self, sentence: str) -> None: ...
    def tell(self, event: Answer) -> None: ...
    def draw(self, status: Answer) -> None: ...


@contextmanager
def picture(*, as_json: bool, language: str) -> Iterator[Picture]:
    """The one that suits standard output."""
    console = Console(highlight=False, emoji=False, soft_wrap=True)
    if as_json:
        yield JsonLines()
    elif not console.is_terminal:
        yield Lines(console, language)
    else:
        with Live(console=console, auto_refresh=False) as live:
            yield Drawing(live, language)


class Lines:
    """Sentences and events as they come, the status every few seconds, and its end whole."""

    EVERY_SECONDS = 5.0

    def __init__(self, console: Console, language: str) -> None:
        self._console = console
        self._language = language
        self._drawn_at = -self.EVERY_SECONDS

    def say(self, sentence: str) -> None:
        self._console.print(sentence)

    def tell(self, event: Answer) -> None:
        line = Text(f"{event['at'][11:19]}  ", style="dim").append(event["title"], style="not dim bold")
        self._console.print(line.append(f"  {event['message']}" if event["message"] else "", style="not bold dim"))

    def draw(self, status: Answer) -> None:
        if status["rollout"]["phase"] in ENDED:
            self._console.print(status_view(status, self._language), soft_wrap=False)
        elif time.monotonic() - self._drawn_at >= self.EVERY_SECONDS:
            self._drawn_at = time.monotonic()
            self._console.print(spoken_line(status, self._language))


class Drawing(Lines):
    """The whole status below everything that was said, drawn over the one before."""

    def __init__(self, live: Live, language: str) -> None:
        super().__init__(live.console, language)
        self._live = live

    def draw(self, status: Answer) -> None:
        self._live.update(FittedStatus(status, self._language), refresh=True)


class JsonLines:
    """One JSON value a line: the events, and at the end the status."""

    def say(self, sentence: str) -> None:
        click.echo(sentence, err=True)

    def tell(self, event: Answer) -> None:
        click.echo(json.dumps(event, ensure_ascii=False))

    def draw(self, status: Answer) -> None:
        if status["rollout"]["phase"] in ENDED:
            click.echo(json.dumps(status, ensure_ascii=False))
