"""The results as Markdown tables."""

from collections.abc import Callable, Iterable, Sequence
from math import inf, isinf

from benchmarks.decisions.outcomes import Summary
from benchmarks.decisions.streams import CANARY_REQUESTS, Truth

OURS = "serinus"


def markdown(summaries: Sequence[Summary]) -> str:
    """All tables, each under a line that says what its figures are."""
    runs = summaries[0].runs
    return "\n\n".join(
        (
            f"**Healthy canaries rolled back**, in % of {runs:,} runs each (in brackets: one-sided 99 % bound)",
            _table(_of(summaries, Truth.HEALTHY), _rolled_back),
            f"**Canaries at or beyond a margin promoted**, in % of {runs:,} runs each",
            _table(_of(summaries, Truth.BEYOND), _promoted),
            "**Canary requests until a regression is found**, counted from its beginning: median (quartiles)",
            _table(_of(summaries, Truth.WORSE), _found),
            "**Worse, but within the margins: rolled back**, in %",
            _table(_of(summaries, Truth.TOLERABLE), _rolled_back),
            f"**{OURS}, besides**: canaries that may be promoted",
            _besides([each for each in summaries if each.decider == OURS]),
        )
    )


def _of(summaries: Iterable[Summary], truth: Truth) -> list[Summary]:
    return [each for each in summaries if each.truth is truth]


def _table(summaries: Sequence[Summary], cell: Callable[[Summary], str]) -> str:
    deciders = list(dict.fromkeys(each.decider for each in summaries))
    rows: dict[str, list[str]] = {}
    for each in summaries:
        text = cell(each)
        rows.setdefault(each.scenario, []).append(f"**{text}**" if each.decider == OURS else text)
    head = ["", *(f"**{name}**" if name == OURS else name for name in deciders)]
    return _lines([head, ["---", *["--:"] * len(deciders)], *([name, *cells] for name, cells in rows.items())])


def _lines(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _rolled_back(each: Summary) -> str:
    return _rate(each, each.rolled_back, each.rolled_back_bound)


def _promoted(each: Summary) -> str:
    return _rate(each, each.promoted, each.promoted_bound)


def _rate(each: Summary, events: int, bound: float) -> str:
    rate = f"{100 * events / each.runs:.3g}"
    return f"{rate} (≤ {100 * bound:.1f})" if each.decider == OURS else rate


def _found(each: Summary) -> str:
    text = _quartiles(each.found)
    return f"{text}; {100 * each.false_alarms / each.runs:.0f} % false alarms" if each.false_alarms else text


def _quartiles(quartiles: tuple[float, float, float]) -> str:
    low, middle, high = quartiles
    if isinf(middle):
        return f"> {CANARY_REQUESTS:,}"
    return f"{middle:,.0f} ({low:,.0f}–{'…' if high == inf else format(high, ',.0f')})"


def _besides(summaries: Iterable[Summary]) -> str:
    head = ["", "promoted, %", "canary requests to the proof: median (quartiles)", "limit breached at its deadline, %"]
    rows = [
        [
            each.scenario,
            f"{100 * each.promoted / each.runs:.3g}",
            _quartiles(each.promotes),
            f"{100 * each.due / each.runs:.3g}",
        ]
        for each in summaries
        if each.truth in {Truth.HEALTHY, Truth.TOLERABLE}
    ]
    return _lines([head, ["---", "--:", "--:", "--:"], *rows])
