"""What Prometheus's HTTP API answers, read at the border."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from serinus.errors import SourceUnavailable


@dataclass(frozen=True, slots=True)
class Series:
    """One series' raw samples, the oldest first: (epoch seconds by Prometheus's clock, value)."""

    labels: Mapping[str, str]
    samples: tuple[tuple[float, float], ...]


def read_scalar(answer: object) -> float:
    """Of a scalar query; raises `SourceUnavailable` for anything else."""
    try:
        _, value = _result(answer, "scalar")
        return float(value)
    except (TypeError, ValueError, KeyError) as error:
        raise _not_understood(error) from error


def read_matrix(answer: object) -> tuple[Series, ...]:
    """Of a range selector; native histograms, which have no plain samples, are left out."""
    try:
        return tuple(_series(each) for each in _result(answer, "matrix") if each.get("values"))
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        raise _not_understood(error) from error


def _result(answer: Any, kind: str) -> Any:
    data = answer["data"]
    if data["resultType"] != kind:
        raise ValueError(f"a {data['resultType']} instead of a {kind}")
    return data["result"]


def _series(found: Any) -> Series:
    labels = {str(name): str(value) for name, value in found["metric"].items()}
    samples = tuple((float(at), float(value)) for at, value in found["values"])
    return Series(labels, tuple(sorted((at, value) for at, value in samples if isfinite(at) and isfinite(value))))


def _not_understood(error: Exception) -> SourceUnavailable:
    return SourceUnavailable(f"what Prometheus answered is not understood ({error}); is the address that of its API?")
