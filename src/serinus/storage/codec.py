"""Frozen dataclasses to JSON text and back, exactly.

Every float comes back bit for bit (`repr` round-trips; infinities are written as Python's ``Infinity``). Fields at
their default are left out, so a row stays small and a field that a later version adds is simply absent. A row that
this version does not understand (an unknown field, a wrong type, broken JSON) is `Unreadable`, never half an object.
"""

import json
import types
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache, partial
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from serinus.errors import InvalidInput, Unreadable

T = TypeVar("T")
Reader = Callable[[Any], Any]
Writer = Callable[[Any], Any]
ATOMS = frozenset({str, int, float, bool, type(None)})
PLAIN = ATOMS | {list, dict}


def dump(value: object) -> str:
    """JSON text, in ASCII, of dataclasses, named tuples, tuples, mappings, enums and plain values."""
    return json.dumps(_plain(value), separators=(",", ":"))


def load(kind: type[T], text: str | bytes) -> T:
    """The `kind` that `dump` wrote; raises `Unreadable`."""
    try:
        value: T = _reader(cast("Hashable", kind))(json.loads(text))
    except (ValueError, TypeError, KeyError, RecursionError, InvalidInput) as error:
        raise Unreadable(
            f"a stored {kind.__name__} cannot be read ({error}); it is damaged, or a later version of serinus wrote it"
        ) from error
    return value


def _plain(value: Any) -> Any:
    """What `json` understands: itself for most of what is stored, which are numbers and texts."""
    kind = type(value)
    return value if kind in ATOMS else _writer(cast("Hashable", kind))(value)


@cache
def _writer(kind: Any) -> Writer:
    if issubclass(kind, Enum):
        return attrgetter("value")
    if issubclass(kind, str | int | float):
        return lambda value: value
    if is_dataclass(kind):
        return partial(_plain_fields, _defaults(kind))
    if issubclass(kind, Mapping):
        return _plain_mapping
    if issubclass(kind, tuple | list):
        return _plain_items
    raise TypeError(f"{kind.__name__} has no JSON form")


def _defaults(kind: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((f.name, f.default if f.default_factory is MISSING else f.default_factory()) for f in fields(kind))


def _plain_fields(defaults: Iterable[tuple[str, Any]], value: Any) -> dict[str, Any]:
    items = ((name, getattr(value, name), default) for name, default in defaults)
    return {name: _plain(item) for name, item, default in items if default is MISSING or item != default}


def _plain_mapping(value: Mapping[Any, Any]) -> Any:
    if {str, int}.issuperset(map(type, value)) and ATOMS.issuperset(map(type, value.values())):
        return dict(value)
    if all(isinstance(key, str | int) for key in value):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    return [[_plain(key), _plain(item)] for key, item in value.items()]


def _plain_items(value: Collection[Any]) -> Any:
    return value if ATOMS.issuperset(map(type, value)) else [_plain(item) for item in value]


@cache
def _reader(kind: Any) -> Reader:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _union_reader(arguments)
    if origin is tuple:
        return _tuple_reader(arguments)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_reader(*arguments)
    if isinstance(kind, type):
        return _dataclass_reader(kind) if is_dataclass(kind) else _class_reader(kind)
    raise TypeError(f"{kind} has no JSON form")


def _class_reader(kind: type[Any]) -> Reader:
    if issubclass(kind, Enum):
        return kind
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _named_tuple_reader(kind)
    if kind is float:
        return _read_float
    if kind in PLAIN:
        return _exact_reader(kind)
    raise TypeError(f"{kind.__name__} has no JSON form")


def _read_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"expected a number, found {value!r:.60}")
    return float(value)


def _exact_reader(kind: type[Any]) -> Reader:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"expected {kind.__name__}, found {value!r:.60}")
        return value

    return read


def _many_reader(kind: Any) -> Callable[[Collection[Any]], Iterable[Any]]:
    """Reads all items; numbers and texts, of which there are many, by one look at their types."""
    read = _reader(kind)
    if kind not in (int, float, str):
        return lambda values: map(read, values)
    return lambda values: values if {kind}.issuperset(map(type, values)) else list(map(read, values))


def _union_reader(members: tuple[Any, ...]) -> Reader:
    others = [member for member in members if member is not types.NoneType]
    if len(others) == 1:
        read = _reader(others[0])
        return lambda value: None if value is None else read(value)
    if all((get_origin(member) or member) in PLAIN for member in members):
        return lambda value: value
    raise TypeError(f"a union of {members} has no JSON form")


def _tuple_reader(members: tuple[Any, ...]) -> Reader:
    if len(members) == 2 and members[1] is Ellipsis:
        read_all = _many_reader(members[0])
        return lambda value: tuple(read_all(_listed(value)))
    reads = tuple(_reader(member) for member in members)
    return lambda value: tuple(read(item) for read, item in zip(reads, _listed(value), strict=True))


def _named_tuple_reader(kind: type[Any]) -> Reader:
    read = _tuple_reader(tuple(get_type_hints(kind).values()))
    return lambda value: kind(*read(value))


def _mapping_reader(key: Any, item: Any) -> Reader:
    if isinstance(key, type) and issubclass(key, str | int):
        read_all, make = _many_reader(item), cast("Callable[[str], Any]", key)
        return lambda value: MappingProxyType(
            dict(zip(map(make, _object(value)), read_all(value.values()), strict=True))
        )
    read_item = _reader(item)
    read_key = _reader(key)
    return lambda value: MappingProxyType({read_key(k): read_item(v) for k, v in (_listed(value) if value else ())})


def _dataclass_reader(kind: type[Any]) -> Reader:
    hints = get_type_hints(kind)
    reads: dict[str, Reader] = {}

    def read(value: Any) -> Any:
        if not reads:  # filled late, so that a class may contain itself
            reads.update({f.name: _reader(hints[f.name]) for f in fields(kind)})
        return kind(**{name: _read_field(kind, name, reads, item) for name, item in _object(value).items()})

    return read


def _read_field(kind: type[Any], name: str, reads: Mapping[str, Reader], item: Any) -> Any:
    if name not in reads:
        raise ValueError(f"{kind.__name__} has no field {name!r}")
    try:
        return reads[name](item)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{kind.__name__}.{name}: {error}") from error


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list, found {value!r:.60}")
    return value


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"expected an object, found {value!r:.60}")
    return value
