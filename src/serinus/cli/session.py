"""What the commands have in common: where the service is, how to show an answer, and how to fail."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import wraps
from typing import IO, TYPE_CHECKING, Any, ParamSpec, TypeAlias

import click

from serinus.cli.tongue import language, say
from serinus.errors import InvalidInput, NotFound, SerinusError, StoreUnavailable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from serinus.cli.client import Client

P = ParamSpec("P")
_Option: TypeAlias = Callable[[Callable[..., None]], Callable[..., None]]

FAILED, UNUSABLE, NOT_ALLOWED, NO_ANSWER, ATTENTION, ROLLED_BACK = 1, 2, 3, 4, 5, 6
DEFAULT_URL = "http://127.0.0.1:8000"
PIPE_COLUMNS = 120


class Failure(click.ClickException):
    """What happened and what to do about it; ends the command with its exit code."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        super().__init__(say(message))
        self.language = language()
        self.exit_code = exit_code  # type: ignore[misc]  # a class variable by name, which click reads from the instance

    def show(self, file: IO[Any] | None = None) -> None:
        """In the language of the command, which is over by now."""
        click.echo(say(f"Error: {self.message}", self.language), file=file, err=file is None)


class _Percentage(click.ParamType[float]):
    name = "percentage"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Click's own range lets NaN through."""
        try:
            percentage = float(value)
        except ValueError:
            self.fail(f"{value!r} is not a number", param, ctx)
        if not 0 <= percentage <= 100:
            self.fail(f"{value} is not between 0 and 100", param, ctx)
        return percentage


PERCENTAGE = _Percentage()


@dataclass(frozen=True, slots=True)
class Output:
    """Where one call of the command line writes, and how."""

    as_json: bool
    color: bool
    language: str

    @property
    def console(self) -> "Console":
        from rich.console import Console

        width = None if sys.stdout.isatty() else PIPE_COLUMNS
        return Console(no_color=not self.color, highlight=False, width=width, emoji=False)

    def show(self, answer: Mapping[str, Any], render: "Callable[[Mapping[str, Any]], RenderableType]") -> None:
        """The answer as one JSON value, or as `render` makes it readable."""
        if self.as_json:
            click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        else:
            shown = render(answer)
            if isinstance(shown, str):
                click.echo(say(shown, self.language))
            else:
                self.console.print(shown)


@dataclass(frozen=True, slots=True)
class Session(Output):
    """One call of the command line that speaks to the admin API."""

    url: str
    token: str | None

    @property
    def client(self) -> "Client":
        from serinus.cli.client import Client  # httpx2 takes a while to load

        return Client(self.url, self.token, self.language)


def with_output(function: Callable[P, None]) -> Callable[P, None]:
    """Give a command the options that all have, and an `Output` made of them as its first argument."""
    return _with(Output, _OUTPUT_OPTIONS, function)


def with_session(function: Callable[P, None]) -> Callable[P, None]:
    """As `with_output`, with where the service is and who asks: a `Session`."""
    return _with(Session, (*_SERVICE_OPTIONS, *_OUTPUT_OPTIONS), function)


def _with(kind: type[Output], options: Sequence[_Option], function: Callable[P, None]) -> Callable[P, None]:
    @wraps(function)
    def command(*args: Any, **given: Any) -> None:
        first = kind(**{each.name: given.pop(each.name) for each in fields(kind)})
        with failures():
            function(first, *args, **given)  # type: ignore[arg-type]  # P has no first argument to name

    made: Callable[..., None] = command
    for option in reversed(options):
        made = option(made)
    return made


@contextmanager
def failures() -> Iterator[None]:
    """Our own errors end a command as a sentence, not as a traceback."""
    try:
        yield
    except InvalidInput as error:
        raise Failure(str(error), UNUSABLE) from error
    except NotFound as error:
        raise Failure(str(error), UNUSABLE) from error
    except StoreUnavailable as error:
        raise Failure(str(error), NO_ANSWER) from error
    except SerinusError as error:
        raise Failure(str(error)) from error


_SERVICE_OPTIONS = (
    click.option("--url", envvar="SERINUS_URL", default=DEFAULT_URL, show_default=True, help="Where the service is."),
    click.option("--token", envvar="SERINUS_TOKEN", help="The bearer token; better given as SERINUS_TOKEN."),
)
_OUTPUT_OPTIONS = (
    click.option("--json", "as_json", is_flag=True, help="One JSON value on standard output."),
    click.option("--color/--no-color", default=True, help="Colours on a terminal."),
    click.option(
        "--language", envvar="SERINUS_LANGUAGE", type=click.Choice(["en", "ko"]), default="en", help="Of messages."
    ),
)
