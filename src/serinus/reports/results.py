"""Test results as they are stored: in an event."""

from collections.abc import Mapping

from serinus.reports.junit import Group, TestResults
from serinus.rollout.events import Detail, Event


def details_of(results: TestResults, source: str) -> dict[str, Detail]:
    """`source` is the name of the file."""
    return {
        "source": source,
        "digest": results.digest,
        "seconds": results.seconds,
        "passed": sum(group.passed for group in results.groups),
        "failed": sum(group.failed for group in results.groups),
        "skipped": sum(group.skipped for group in results.groups),
        "groups": [
            {"name": group.name, "passed": group.passed, "failed": group.failed, "skipped": group.skipped}
            for group in results.groups
        ],
        "failures": list(results.failures),
        "skips": list(results.skips),
    }


def results_of(event: Event | None) -> TestResults | None:
    """What `details_of` wrote."""
    if event is None:
        return None
    details = event.details
    groups = details.get("groups")
    return TestResults(
        digest=str(details.get("digest", "")),
        seconds=_number(details.get("seconds")),
        groups=tuple(
            _group(group) for group in (groups if isinstance(groups, list) else ()) if isinstance(group, dict)
        ),
        failures=_texts(details.get("failures")),
        skips=_texts(details.get("skips")),
    )


def _group(stored: Mapping[str, Detail]) -> Group:
    counts = (int(_number(stored.get(name))) for name in ("passed", "failed", "skipped"))
    return Group(str(stored.get("name", "")), *counts)


def _texts(value: Detail) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _number(value: Detail) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
