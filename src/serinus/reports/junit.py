"""Test results, read from the XML that pytest and most other runners write (JUnit's format)."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from serinus.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MOST_NAMES = 50
OTHERS = "(other)"


class Result(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Group:
    """The tests of one folder, module or suite."""

    name: str
    passed: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True)
class TestResults:
    """`failures` and `skips` name the first `MOST_NAMES` tests; `digest` is the file's SHA-256."""

    __test__ = False  # pytest would take it for a test class

    digest: str
    seconds: float
    groups: tuple[Group, ...]
    failures: tuple[str, ...]
    skips: tuple[str, ...]


def read_junit(source: bytes) -> TestResults:
    """Raises `InvalidInput` for what is no such file; entities and external references are refused."""
    try:
        root = fromstring(source)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise InvalidInput(Problem("junit", f"is no XML that can be read ({type(error).__name__})")) from None
    if root.tag not in {"testsuites", "testsuite"}:
        raise InvalidInput(Problem("junit", f"begins with <{root.tag[:40]}>; a JUnit file begins with <testsuites>"))
    cases = list(root.iter("testcase"))
    if not cases:
        raise InvalidInput(Problem("junit", "holds no test; was it written by a run that collected none?"))
    return TestResults(
        digest=sha256(source).hexdigest(),
        seconds=sum(_seconds(case) for case in cases),
        groups=_groups(cases),
        failures=_named(cases, Result.FAILED),
        skips=_named(cases, Result.SKIPPED),
    )


def _groups(cases: "list[Element]") -> tuple[Group, ...]:
    """By the first two parts of the class name, such as `tests.integration`; beyond `MOST_NAMES` they are one."""
    counted: dict[str, Counter[Result]] = {}
    for case in cases:
        name = ".".join(case.get("classname", "").split(".")[:2]) or OTHERS
        key = name if name in counted or len(counted) < MOST_NAMES else OTHERS
        counted.setdefault(key, Counter())[_result(case)] += 1
    return tuple(
        Group(name[:200], counts[Result.PASSED], counts[Result.FAILED], counts[Result.SKIPPED])
        for name, counts in sorted(counted.items())
    )


def _named(cases: "list[Element]", result: Result) -> tuple[str, ...]:
    names = (
        f"{case.get('classname', '')}.{case.get('name', '')}".strip(".") for case in cases if _result(case) is result
    )
    return tuple(sorted(name[:300] for name in names))[:MOST_NAMES]


def _result(case: "Element") -> Result:
    if case.find("failure") is not None or case.find("error") is not None:
        return Result.FAILED
    return Result.SKIPPED if case.find("skipped") is not None else Result.PASSED


def _seconds(case: "Element") -> float:
    try:
        return max(0.0, float(case.get("time", "0")))
    except ValueError:
        return 0.0
