"""Test results, as runners write them."""

import pytest

from serinus.errors import InvalidInput
from serinus.reports.junit import MOST_NAMES, Group, read_junit
from serinus.reports.results import details_of, results_of
from serinus.rollout.events import Event, EventKind

WRITTEN = b"""<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="5" time="2.5">
<testcase classname="tests.integration.test_a" name="test_one" time="0.5" />
<testcase classname="tests.integration.test_a" name="test_two[&lt;x&gt;]" time="1.5"><failure></failure></testcase>
<testcase classname="tests.unit.test_b.TestC" name="test_three" time="0.25"><skipped message="no tool" /></testcase>
<testcase classname="tests.unit.test_b" name="test_four" time="soon"><error message="set-up" /></testcase>
<testcase name="alone" time="0.25" />
</testsuite></testsuites>"""


def test_tests_are_counted_by_folder_and_named_when_they_failed_or_were_skipped() -> None:
    results = read_junit(WRITTEN)
    assert results.groups == (
        Group("(other)", 1, 0, 0),
        Group("tests.integration", 1, 1, 0),
        Group("tests.unit", 0, 1, 1),
    )
    assert results.failures == ("tests.integration.test_a.test_two[<x>]", "tests.unit.test_b.test_four")
    assert results.skips == ("tests.unit.test_b.TestC.test_three",)
    assert results.seconds == 2.5


def test_results_come_back_from_the_event_that_holds_them() -> None:
    results = read_junit(WRITTEN)
    event = Event(EventKind.TESTS_RECORDED, 0.0, "ann", details=details_of(results, "junit.xml"))
    assert results_of(event) == results


def test_a_run_of_thousands_of_groups_stays_small() -> None:
    cases = "".join(f'<testcase classname="a.b{number}" name="t"><failure/></testcase>' for number in range(3_000))
    results = read_junit(f"<testsuite>{cases}</testsuite>".encode())
    assert len(results.groups) == MOST_NAMES + 1
    assert sum(group.failed for group in results.groups) == 3_000
    assert len(results.failures) == MOST_NAMES


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"not xml",
        b"<html></html>",
        b"<testsuites></testsuites>",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><testsuites><testcase name="&a;"/></testsuites>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuites><testcase name="t"/></testsuites>\xff',
    ],
)
def test_what_is_no_test_report_is_refused(source: bytes) -> None:
    with pytest.raises(InvalidInput, match="junit: "):
        read_junit(source)
