"""Who a request comes from: the string that keeps a user on one version.

    subject.header("x-user-id")
    subject.first_of(subject.cookie("session"), subject.json_field("user.id"))
    subject.function(owner_of_the_conversation)

Header, cookie and JSON text that is the same user's is the same subject: bytes are read as UTF-8, and as Latin-1 where
they are none. A name that no request can have is an `InvalidInput`.
"""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias, cast
from urllib.parse import parse_qsl

from serinus.asgi.protocol import Scope
from serinus.errors import InvalidInput, Problem

Reading: TypeAlias = "str | Awaitable[str | None] | None"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_ANYTHING = re.compile(r".+", re.DOTALL)
_PATH = re.compile(r"[^.]+(\.[^.]+)*", re.DOTALL)

Reader: TypeAlias = Callable[[Scope, bytes | None], Reading]


@dataclass(frozen=True, slots=True)
class Source:
    """One place to look. `read(scope, body)` gives the subject or None, at once or when awaited.

    `body` is the whole request body if the source `needs_body`, and None for one that is over the limit, for GET, HEAD
    and OPTIONS, and for websockets. A `foreign` one is the application's own and may raise, or take its time.
    """

    read: Reader
    needs_body: bool = False
    foreign: bool = False


@dataclass(frozen=True, slots=True)
class Subject:
    """The places where the subject is looked for, in order; the first that gives a non-empty string decides."""

    sources: tuple[Source, ...]

    @property
    def plain(self) -> "Callable[[Scope, None], str | None] | None":
        """The one source's `read` when it answers at once, without a body, and is ours; else None."""
        source = self.sources[0]
        if len(self.sources) > 1 or source.needs_body or source.foreign:
            return None
        return cast("Callable[[Scope, None], str | None]", source.read)


def header(name: str) -> Subject:
    """The value of the request header `name`; of several, the first."""
    wanted = _named(name, _TOKEN, "a header").lower().encode("ascii")

    def read(scope: Scope, _: bytes | None) -> str | None:
        for key, value in scope["headers"]:
            if key == wanted:
                return value.decode() if value.isascii() else _text(value)
        return None

    return Subject((Source(read),))


def cookie(name: str) -> Subject:
    """The value of the cookie `name` as it was sent, without the quotes around it."""
    _named(name, _TOKEN, "a cookie")

    def read(scope: Scope, _: bytes | None) -> str | None:
        for key, value in scope["headers"]:
            if key == b"cookie":
                for pair in _text(value).split(";"):
                    sent, _equals, content = pair.partition("=")
                    if sent.strip() == name:
                        return content.strip().strip('"')
        return None

    return Subject((Source(read),))


def query(name: str) -> Subject:
    """The first value of the query parameter `name`, decoded."""
    _named(name, _ANYTHING, "a query parameter")

    def read(scope: Scope, _: bytes | None) -> str | None:
        pairs = parse_qsl(_text(scope.get("query_string", b"")), keep_blank_values=True)
        return next((value for key, value in pairs if key == name), None)

    return Subject((Source(read),))


def json_field(path: str) -> Subject:
    """A field of the JSON body, ``user.id`` for one inside another; a string or a whole number, else no subject.

    The Content-Type is not asked. The application receives the body as it was sent.
    """
    names = _named(path, _PATH, "a field").split(".")

    def read(_: Scope, body: bytes | None) -> str | None:
        try:
            value = json.loads(body or b"null")
        except (ValueError, RecursionError):  # not JSON, not text, or nested beyond reason
            return None
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        return value if isinstance(value, str) else None

    return Subject((Source(read, needs_body=True),))


def function(read: Reader, *, needs_body: bool = False) -> Subject:
    """The application's own `read(scope, body)`, sync or async; with `needs_body` the body is read before it is called.

    An async one has `Options.subject_seconds`. One that raises or takes longer gives no subject, which means LEGACY.
    """
    return Subject((Source(read, needs_body, foreign=True),))


def first_of(*subjects: Subject) -> Subject:
    """Each in turn until one finds a subject; the body is read only when its turn comes."""
    if not subjects or not all(isinstance(subject, Subject) for subject in subjects):
        raise InvalidInput(Problem("subject", "first_of takes one subject or more, such as header('x-user-id')"))
    return Subject(tuple(source for subject in subjects for source in subject.sources))


def parse(text: str) -> Subject:
    """The subject that a setting describes: ``header:x-user-id, cookie:session, query:user, json:user.id``, in order.

    Raises `InvalidInput`.
    """
    return first_of(*(_parse_source(part.strip()) for part in text.split(",")))


def _parse_source(text: str) -> Subject:
    kind, _, name = text.partition(":")
    make = _KINDS.get(kind.strip())
    if make is None or not name.strip():
        kinds = ", ".join(f"{kind}:NAME" for kind in _KINDS)
        raise InvalidInput(Problem("subject", f"{text!r} names no part of a request; write one of {kinds}"))
    return make(name.strip())


_KINDS: dict[str, Callable[[str], Subject]] = {
    "header": header,
    "cookie": cookie,
    "query": query,
    "json": json_field,
}


def _named(name: str, form: re.Pattern[str], kind: str) -> str:
    """A name that no request can have would make everybody nobody, and nobody get the canary."""
    if not form.fullmatch(name):
        raise InvalidInput(Problem("subject", f"{name!r} cannot be the name of {kind}"))
    return name


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
