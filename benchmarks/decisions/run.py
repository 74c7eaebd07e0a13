"""Deciders side by side on identical streams: `python -m benchmarks.decisions.run [--runs 400] [--keep FILE]`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from math import isfinite
from multiprocessing import Pool
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal

import click
from benchmarks.decisions.deciders import PEERS
from benchmarks.decisions.headlines import put_in
from benchmarks.decisions.judged import Serinus
from benchmarks.decisions.outcomes import Outcome, Summary, play, summarise
from benchmarks.decisions.played import Played
from benchmarks.decisions.plot import svg
from benchmarks.decisions.scenarios import SCENARIOS
from benchmarks.decisions.tables import OURS, markdown
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

DECIDERS = {**PEERS, OURS: Serinus}
ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).with_name("results.json")
PLOT = ROOT / "docs" / "statistics" / "decisions.svg"
DOCUMENT = ROOT / "docs" / "statistics.md"
SUMMARIES = {"en": ROOT / "docs" / "summary.md", "ko": ROOT / "docs" / "summary.ko.md"}
BEGIN, END = "<!-- measured -->\n", "\n<!-- /measured -->"
QUICK_RUNS = 20


@click.command()
@click.option("--runs", default=400, show_default=True, help="Runs of each scenario, each with its own seed.")
@click.option("--quick", is_flag=True, help=f"{QUICK_RUNS} runs; prints the tables and writes nothing.")
@click.option("--processes", default=2, show_default=True)
@click.option(
    "--keep",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Add every outcome to this file, and play none that is there. Delete it when a decider has changed.",
)
def main(runs: int, quick: bool, processes: int, keep: Path | None) -> None:  # noqa: FBT001 - click passes by name
    """Play every scenario to every decider; write results.json, the plot, and what the documents say of it.

    Interrupt it to stop early: what has been played is written.
    """
    runs = QUICK_RUNS if quick else runs
    outcomes = _play_all(runs, processes, Played(keep))
    if not outcomes[SCENARIOS[0].key]:
        raise click.ClickException("interrupted before every scenario was played once")
    summaries = [
        summarise(scenario, decider, [run[decider] for run in outcomes[scenario.key]])
        for scenario in SCENARIOS
        for decider in DECIDERS
    ]
    click.echo(markdown(summaries))
    if not quick:
        _write(summaries)


def _play_all(runs: int, processes: int, played: Played) -> Mapping[str, Sequence[dict[str, Outcome]]]:
    """The runs by scenario, in the order of their seeds; after an interrupt, the seeds that every scenario has had."""
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Pool(processes, _leave_interrupts) as pool, Progress(*columns, console=Console(stderr=True)) as progress:
        missing = list(_missing(runs, played))
        total = runs * len(SCENARIOS)
        bar = progress.add_task("runs", total=total, completed=total - len(missing))
        with suppress(KeyboardInterrupt):
            for index, seed, outcomes in pool.imap_unordered(_play, missing, chunksize=4):
                played.add(SCENARIOS[index].key, seed, outcomes)
                progress.advance(bar)
    return played.complete([scenario.key for scenario in SCENARIOS], list(DECIDERS), runs)


def _leave_interrupts() -> None:
    """To the main process: it knows what has been played."""
    signal(SIGINT, SIG_IGN)


def _missing(runs: int, played: Played) -> Iterator[tuple[int, int, list[str]]]:
    for seed in range(runs):
        for index, scenario in enumerate(SCENARIOS):
            if deciders := played.missing(scenario.key, seed, DECIDERS):
                yield index, seed, deciders


def _play(run: tuple[int, int, list[str]]) -> tuple[int, int, dict[str, Outcome]]:
    index, seed, deciders = run
    return index, seed, play(SCENARIOS[index], seed, {name: DECIDERS[name] for name in deciders})


def _write(summaries: Sequence[Summary]) -> None:
    rows = ",\n".join(json.dumps(_plain(each), ensure_ascii=False) for each in summaries)
    RESULTS.write_text(f"[\n{rows}\n]\n", encoding="utf-8")
    PLOT.parent.mkdir(exist_ok=True)
    PLOT.write_text(svg(summaries), encoding="utf-8")
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{markdown(summaries)}\n{END}{after}", encoding="utf-8")
    for language, page in SUMMARIES.items():
        page.write_text(put_in(page.read_text(encoding="utf-8"), summaries, language), encoding="utf-8")


def _plain(summary: Summary) -> dict[str, object]:
    """For JSON: "never" is null."""
    document = asdict(summary)
    for name in ("found", "promotes"):
        document[name] = [number if isfinite(number) else None for number in document[name]]
    return document | {"rolled_back_bound": summary.rolled_back_bound, "promoted_bound": summary.promoted_bound}


if __name__ == "__main__":
    main()
