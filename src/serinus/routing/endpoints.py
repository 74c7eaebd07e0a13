"""From a path to its route template, so that the endpoints of a service are few and known."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TypeAlias

from serinus.deployment import OTHER_ENDPOINT
from serinus.errors import InvalidInput, Problem

Segment: TypeAlias = tuple[int, str]
"""How early it is tried, and its regular expression."""

_PARAMETER = re.compile(r"{[a-zA-Z_][a-zA-Z0-9_]*(?::([a-zA-Z_][a-zA-Z0-9_]*))?}")  # as starlette.routing writes it
_CONVERTERS = {
    "int": "[0-9]+",
    "float": r"[0-9]+(?:\.[0-9]+)?",
    "uuid": "[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}",
    "str": "[^/]+",
    "path": ".*",
}
_LITERAL, _MIXED, _TYPED, _ANY, _REST = range(5)
_END = r"/?\Z()"


class EndpointTable:
    """Finds the template of a path: literal segments beat parameters, a trailing slash is ignored.

    Parameters are written as Starlette's, with its converters (``{id:int}``, ``{rest:path}``) or inside a segment
    (``{name}.json``); a converter that the application registered itself is taken for one segment. Of templates that
    match the same paths the first stands for all. A path without a parameter costs one look-up in a dict, any other
    one match of a regular expression; nothing is remembered per path. Raises `InvalidInput` for a template that does
    not begin with "/".
    """

    def __init__(self, templates: Iterable[str]) -> None:
        unique = list(dict.fromkeys(canonical(template) for template in templates))
        wrong = [Problem("endpoints", f'{name!r} must begin with "/"') for name in unique if not name.startswith("/")]
        if wrong:
            raise InvalidInput(*wrong)
        shapes = _shapes(template for template in unique if "{" in template)
        self._literal = {
            spelling: template
            for template in unique
            if "{" not in template
            for spelling in (template.rstrip("/"), template.rstrip("/") + "/")
        }
        self._ends = [OTHER_ENDPOINT, *(shapes[shape] for shape in sorted(shapes))]  # the groups count from 1
        self._match = re.compile(_expression(sorted(shapes)), re.DOTALL).match
        possible = {*self._literal.values(), *shapes.values()}
        self.templates = tuple(template for template in unique if template in possible)

    def match(self, path: str) -> str:
        """The template of `path` (decoded, without the query), or `OTHER_ENDPOINT`."""
        if path in self._literal:
            return self._literal[path]
        found = self._match(path)
        return self._ends[found.lastindex] if found else OTHER_ENDPOINT  # type: ignore[index]  # every end has a group


def canonical(template: str) -> str:
    """The one way to write a template: without its trailing slash."""
    return template.rstrip("/") or "/"


def templates_of(app: object) -> tuple[str, ...]:
    """The route templates of an ASGI application that lists its `routes` (Starlette, FastAPI), mounted ones included.

    Middleware is looked through by its `app` attribute; a mounted application without routes is ``{path:path}`` under
    its prefix. An application that lists nothing has no templates.
    """
    return tuple(dict.fromkeys(canonical(template) for template in _collect(app, "") if template.startswith("/")))


def _shapes(templates: Iterable[str]) -> dict[tuple[Segment, ...], str]:
    """What paths each template matches; the first that does has them. ``/static/{rest:path}`` takes ``/static`` too."""
    shapes: dict[tuple[Segment, ...], str] = {}
    for template in templates:
        shapes.setdefault(tuple(_segment(part) for part in template.split("/")[1:]), template)
    for shape, template in list(shapes.items()):
        if shape[-1] == (_REST, _CONVERTERS["path"]):
            shapes.setdefault(shape[:-1], template)
    return shapes


def _segment(part: str) -> Segment:
    pieces = _PARAMETER.split(part)  # text, converter, text, converter, …, text
    expressions = [_CONVERTERS.get(name or "str", _CONVERTERS["str"]) for name in pieces[1::2]]
    texts = [re.escape(text) for text in pieces[::2]]
    expression = "".join(text + value for text, value in zip(texts, [*expressions, ""], strict=True))
    if not expressions:
        return _LITERAL, expression
    if _CONVERTERS["path"] in expressions:
        return _REST, expression
    if any(texts) or len(expressions) > 1:
        return _MIXED, expression
    return (_ANY if expression == _CONVERTERS["str"] else _TYPED), expression


def _expression(shapes: Sequence[tuple[Segment, ...]]) -> str:
    """One expression for all (sorted) shapes, with an empty group at the end of each, in their order.

    Alternatives are tried in order and undone where they lead nowhere: "literal beats parameter" at every level.
    """
    alternatives = [
        f"/{head[0][1]}{_expression([shape[1:] for shape in group])}" if head else _END
        for head, group in groupby(shapes, key=lambda shape: shape[:1])
    ]
    return f"(?:{'|'.join(alternatives)})" if alternatives else "(?!)"


def _collect(app: object, prefix: str) -> Iterator[str]:
    routes = getattr(app, "routes", None)
    while not routes and (app := getattr(app, "app", None)) is not None:
        routes = getattr(app, "routes", None)
    for route in routes or ():
        yield from _collect_route(route, prefix)


def _collect_route(route: object, prefix: str) -> Iterator[str]:
    path = prefix + getattr(route, "path", "")
    included = getattr(route, "original_router", None)  # FastAPI's include_router, which keeps the router as it is
    if included is not None:
        yield from _collect(included, prefix + getattr(getattr(route, "include_context", None), "prefix", ""))
    elif not hasattr(route, "routes"):
        yield path
    else:  # a mount or a host
        below = list(_collect(route, path))
        yield from below or [f"{path}/{{path:path}}"]
