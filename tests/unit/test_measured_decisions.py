"""The tables and the plot of docs/statistics.md are those of the stored results, and nobody's wish."""

import json
from math import inf
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "decisions" / "results.json"
FEWEST_RUNS = 100


@pytest.fixture
def summaries(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.decisions.outcomes import Summary
    from benchmarks.decisions.streams import Truth

    found = []
    for row in json.loads(RESULTS.read_text(encoding="utf-8")):
        known = {name: value for name, value in row.items() if not name.endswith("_bound")}
        for name in ("found", "promotes"):
            known[name] = tuple(inf if number is None else number for number in known[name])
        found.append(Summary(**{**known, "truth": Truth(row["truth"])}))
    return found


def test_the_document_shows_the_stored_results(summaries: list[Any]) -> None:
    from benchmarks.decisions.plot import svg
    from benchmarks.decisions.tables import markdown

    document = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    assert f"\n{markdown(summaries)}\n" in document
    assert (ROOT / "docs" / "statistics" / "decisions.svg").read_text(encoding="utf-8") == svg(summaries)


@pytest.mark.parametrize(("name", "language"), [("summary.md", "en"), ("summary.ko.md", "ko")])
def test_the_executive_summary_says_what_was_measured(summaries: list[Any], name: str, language: str) -> None:
    from benchmarks.decisions.headlines import put_in, rows

    document = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert [row for row in rows(summaries, language) if row not in document.splitlines()] == []
    assert put_in(document, summaries, language) == document


def test_every_scenario_was_played_to_every_decider_as_often(summaries: list[Any]) -> None:
    from benchmarks.decisions.run import DECIDERS
    from benchmarks.decisions.scenarios import SCENARIOS

    runs = {each.runs for each in summaries}
    assert len(runs) == 1
    assert runs.pop() >= FEWEST_RUNS
    played = [(each.scenario, each.truth, each.decider) for each in summaries]
    assert played == [(scenario.name, scenario.truth, decider) for scenario in SCENARIOS for decider in DECIDERS]


def test_the_bounds_hold_what_is_promised_of_healthy_canaries_and_bad_ones(summaries: list[Any]) -> None:
    """A true 5 % is not refuted by any of serinus' rates; the others' are left to speak for themselves."""
    from benchmarks.decisions.outcomes import upper_bound
    from benchmarks.decisions.streams import Truth

    for each in summaries:
        if each.decider == "serinus" and each.truth in {Truth.HEALTHY, Truth.BEYOND}:
            wrong = each.rolled_back if each.truth is Truth.HEALTHY else each.promoted
            assert 1 - upper_bound(each.runs - wrong, each.runs) <= 0.05, each.scenario


def test_an_interrupted_benchmark_goes_on_from_what_it_has_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.decisions.outcomes import Outcome
    from benchmarks.decisions.played import Played

    kept = tmp_path / "played.jsonl"
    Played(kept).add("healthy", 0, {"one": Outcome(rolled_back_at=300), "two": Outcome()})
    with kept.open("a", encoding="utf-8") as file:
        file.write('{"scenario": "healthy", "seed": 1, "deci')  # killed while it wrote
    again = Played(kept)
    assert again.missing("healthy", 0, ["one", "two", "three"]) == ["three"]
    assert again.missing("healthy", 1, ["one"]) == ["one"]
    again.add("healthy", 1, {"one": Outcome()})
    whole = Played(kept).complete(["healthy"], ["one"], 5)["healthy"]
    assert [run["one"].rolled_back_at for run in whole] == [300, float("inf")]
