"""One document, three forms: whatever stands in it comes out whole in each of them."""

import json

from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from serinus.reports.as_html import html
from serinus.reports.as_json import json_text
from serinus.reports.as_markdown import markdown, sparkline
from serinus.reports.chart import svg, ticks
from serinus.reports.document import (
    Checklist,
    Column,
    Document,
    Item,
    Kind,
    Mark,
    Plot,
    Questions,
    Section,
    Series,
    Table,
    Text,
    Unit,
)
from serinus.reports.words import Words

TEXTS = st.text(max_size=40)
VALUES = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9) | TEXTS


def document(text: str, value: object = None, *blocks: object) -> Document:
    table = Table((Column("a", text), Column("b", "b", Unit.FRACTION)), ((text, value),), text)  # type: ignore[arg-type]
    every = (Text(text), table, Checklist((Item("x", text, False, text),)), Questions((text,)), *blocks)
    return Document(Kind.INCIDENT, text, text, "en", 0.0, None, (Section("s", text, every),))  # type: ignore[arg-type]


@given(TEXTS, VALUES)
def test_any_text_makes_well_formed_html(text: str, value: object) -> None:
    fromstring(html(document(text, value)).removeprefix("<!DOCTYPE html>\n"))


@given(TEXTS, VALUES)
def test_json_keeps_every_text_and_number(text: str, value: object) -> None:
    found = json.loads(json_text(document(text, value)))
    assert found["title"] == text
    assert found["sections"][0]["blocks"][1]["rows"] == [{"a": text, "b": value}]


@given(TEXTS)
def test_no_text_breaks_a_markdown_table_or_opens_a_tag(text: str) -> None:
    lines = markdown(document(text, 0.5)).splitlines()
    [row] = [line for line in lines if line.endswith("| 50.00 % |")]
    assert row.replace("\\\\", "").replace("\\|", "").count("|") == 3
    assert all(before.endswith("\\") for line in lines for before in line.split("<")[:-1])


@given(st.floats(1e-9, 1e9))
def test_an_axis_ends_just_above_what_it_shows(highest: float) -> None:
    marks = ticks(highest)
    assert marks[0] == 0
    assert highest * (1 - 1e-9) <= marks[-1] <= highest * 2.0001
    assert 2 <= len(marks) <= 6


def test_a_gap_in_a_series_is_a_gap_in_the_line() -> None:
    series = Series("canary", "CANARY", ((0.0, 1.0), (1.0, 2.0), (2.0, None), (3.0, 4.0)))
    plot = Plot("p95", "P95", Unit.MILLISECONDS, (series,), (Mark(1.5, "breach"), Mark(99.0, "outside")))
    picture = svg(plot, Words("en"))
    assert [element.tag for element in picture if (element.get("class") or "").endswith("canary")] == [
        "polyline",
        "circle",
        "line",  # the legend's
    ]
    assert [element[0].text for element in picture if element.get("class") == "mark"] == ["breach"]
    assert sparkline(series) == "▃▅ █"


def test_a_plot_without_any_point_says_so() -> None:
    picture = svg(Plot("p95", "P95", Unit.MILLISECONDS, ()), Words("ko"))
    assert "기록 없음" in "".join(picture.itertext())
