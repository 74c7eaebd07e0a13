"""What has been learnt from the slices so far, as one value that is stored between ticks and folded forward."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from types import MappingProxyType
from typing import Any, TypeAlias, cast, get_args, get_origin, get_type_hints

import numpy as np

from serinus.analysis.accumulator import Beginnings
from serinus.analysis.arrays import Floats
from serinus.analysis.comparison import Past
from serinus.analysis.criteria import Desired
from serinus.analysis.tables import Table, Tally

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """The strata since the evidence for the mildest alternative was last nil (CUSUM): what an estimate of *this*
    excess rests on.

    `since` is the start of the first of them, infinite while `cusum` (nats) is 0.
    """

    since: float
    cusum: float
    tally: Tally


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Rollback evidence against LEGACY over all steps; `log_sums`: `Rollback` x alternatives, a segment per `Watch`."""

    log_sums: Floats
    beginnings: Beginnings
    segments: tuple[Segment, ...]
    whole: Tally


@dataclass(frozen=True, slots=True, eq=False)
class EndpointEvidence:
    """Rollback evidence for each endpoint by itself, one row each in the order in which they were first compared.

    `log_weights`: their parts of the mixture. `log_sums`: endpoints x `Rollback` x alternatives. The rest is the CUSUM
    segment of each `Watch`: `cusums` and `since` endpoints x watches, `counts` and `slots` as in `Tally` after these
    two axes, and `latency` of P95's only.
    """

    names: tuple[str, ...]
    log_weights: Floats
    log_sums: Floats
    cusums: Floats
    since: Floats
    counts: Floats
    slots: Floats
    latency: Floats


@dataclass(frozen=True, slots=True, eq=False)
class LimitEvidence:
    """Rollback evidence against the absolute limits, one row each in the order of the criteria.

    `counts`: requests and events of the canary, then of LEGACY, in the row's CUSUM segment; `slots`, `latency` and
    `seconds`: the canary's there; `total`: all canary requests ever counted here. `clearest`: by how many nats at most
    the stretch has been clearer than an observed breach must be.
    """

    log_sums: Floats
    beginnings: Beginnings
    cusums: Floats
    since: Floats
    counts: Floats
    slots: Floats
    latency: Floats
    seconds: Floats
    clearest: Floats
    total: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Arrivals:
    """Who came, by slot, before anything but the bucket had a say: requests of the canary's users, as many as there
    should have been, and all. `variance` is the sum of p (1 - p) over them, p being the share where they came.
    """

    canary: Floats
    expected: Floats
    total: Floats
    variance: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class StepEvidence:
    """What counts for the present step only: `table` of every request, `tally` of the strata, promotion evidence."""

    started_at: float
    split_revision: int
    table: Table
    tally: Tally
    log_products: Floats
    arrivals: Arrivals
    desired: Desired


@dataclass(frozen=True, slots=True, eq=False)
class OpenStratum:
    """One endpoint's counts that are too few to compare yet."""

    started_at: float
    split_revision: int
    table: Table


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """`through_at`: end of the last slice folded; `unusable` slices were left out, the last at `unusable_at`."""

    started_at: float
    step: StepEvidence
    comparison: Comparison
    endpoints: EndpointEvidence
    limits: LimitEvidence
    past: Past
    open: Mapping[str, OpenStratum] = field(default_factory=lambda: MappingProxyType({}))
    through_at: float | None = None
    unusable: int = 0
    unusable_at: float | None = None

    def to_json(self) -> dict[str, Json]:
        """A JSON document from which `from_json` makes the same evidence, every float bit for bit."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_json(cls, document: Mapping[str, Json]) -> "Evidence":
        """Raises KeyError, TypeError or ValueError for what `to_json` did not write."""
        evidence: Evidence = _read(cls, document)
        return evidence


def _plain(value: Any) -> Json:
    if isinstance(value, np.ndarray):
        flat = value.ravel()
        at = np.flatnonzero(flat)
        return {
            "shape": list(value.shape),
            "at": [int(index) for index in at],
            "values": [_number(x) for x in flat[at]],
        }
    if isinstance(value, float):
        return _number(value)
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value  # type: ignore[no-any-return]  # what is left is a whole number or None


def _number(value: float) -> Json:
    """Whole numbers without a fraction, to be short; JSON has no infinities, so these are words."""
    value = float(value)
    if not math.isfinite(value):
        return repr(value)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _read(kind: Any, document: Any) -> Any:
    if kind in (str, int):
        return kind(document)
    if kind is float or kind == float | None:
        return None if document is None else float(document)
    if is_dataclass(kind):
        hints, make = get_type_hints(kind), cast("Callable[..., Any]", kind)
        return make(**{each.name: _read(hints[each.name], document[each.name]) for each in fields(kind)})
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is np.ndarray:
        return _read_array(document)
    if origin is tuple:
        return tuple(_read(arguments[0], item) for item in document)
    return MappingProxyType({key: _read(arguments[1], item) for key, item in document.items()})


def _read_array(document: Mapping[str, Any]) -> Floats:
    array = np.zeros(math.prod(document["shape"]))
    array[np.asarray(document["at"], dtype=np.intp)] = [float(value) for value in document["values"]]
    return array.reshape(document["shape"])
