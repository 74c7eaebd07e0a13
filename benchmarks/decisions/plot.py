"""The results as one picture in SVG, legible on light and dark pages."""

from collections.abc import Iterator, Sequence
from html import escape
from math import isinf, log10

from benchmarks.decisions.outcomes import Summary
from benchmarks.decisions.streams import CANARY_REQUESTS, Truth
from benchmarks.decisions.tables import OURS

WIDTH, ROW, TOP = 900, 22, 60
LABELS, PANEL, GAP = 150, 340, 50
FOUND_LABELS, FOUND_WIDTH = 270, 600
NAMED = {OURS: "ours", "Kayenta": "kayenta", "mSPRT": "msprt"}
ANGULAR = {"Kayenta": False, "mSPRT": True}  # on its point or not
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f } .title { font-weight: 600; font-size: 13px }
  .axis { stroke: #8c959f; stroke-width: .6 } .limit { stroke: #cf222e; stroke-dasharray: 4 3 }
  .other { fill: none; stroke: #8c959f; stroke-width: 1.3 } .kayenta { fill: #bc4c00 } .msprt { fill: #1a7f37 }
  .ours { fill: #0969da; stroke: #0969da; stroke-width: 2 } .end { text-anchor: end } .middle { text-anchor: middle }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .ours { fill: #58a6ff; stroke: #58a6ff } .kayenta { fill: #f0883e } .msprt { fill: #56d364 }
  }
"""


def svg(summaries: Sequence[Summary]) -> str:
    deciders = list(dict.fromkeys(each.decider for each in summaries))
    regressions = [each for each in summaries if each.truth is Truth.WORSE]
    second = TOP + ROW * len(deciders) + 90
    height = second + ROW * (len(regressions) // len(deciders)) + 50
    parts = [
        *_rates(summaries, Truth.HEALTHY, deciders, LABELS),
        *_rates(summaries, Truth.BEYOND, deciders, LABELS + PANEL + GAP),
        *(_text(LABELS - 14, _row(TOP, index) + 4, name, "end") for index, name in enumerate(deciders)),
        *_regressions(regressions, second),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    title = "<title>False rollbacks, false promotions, and requests to detection of eight deciders</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", *parts, "</svg>\n"])


def _row(top: float, index: int) -> float:
    return top + ROW * index + ROW / 2


def _rates(summaries: Sequence[Summary], truth: Truth, deciders: Sequence[str], left: float) -> Iterator[str]:
    """One dot for each decider and scenario, from 0 to 100 %."""
    titles = {Truth.HEALTHY: "Healthy canaries rolled back, %", Truth.BEYOND: "Bad canaries promoted, %"}
    bottom = TOP + ROW * len(deciders)
    yield _text(left, 20, titles[truth], "title")
    for percent in (0, 25, 50, 75, 100):
        yield _line(left + PANEL * percent / 100, TOP - 6, bottom, "axis")
        yield _text(left + PANEL * percent / 100, TOP - 14, str(percent), "middle")
    yield _line(left + PANEL * 0.05, TOP - 6, bottom + 6, "limit")
    yield _text(left + PANEL * 0.05, bottom + 20, "5", "middle")
    for each in summaries:
        if each.truth is truth:
            events = each.rolled_back if truth is Truth.HEALTHY else each.promoted
            yield _mark(left + PANEL * events / each.runs, _row(TOP, deciders.index(each.decider)), each.decider)


def _regressions(summaries: Sequence[Summary], top: float) -> Iterator[str]:
    """Medians on a logarithmic axis, ours with its quartiles."""
    names = list(dict.fromkeys(each.scenario for each in summaries))
    yield _text(
        FOUND_LABELS, top - 48, "Canary requests until a regression is found (median; line: quartiles)", "title"
    )
    yield from _legend(FOUND_LABELS, top - 28)
    for requests in (1, 10, 100, 1_000, 10_000):
        yield _line(_log_x(requests), top, top + ROW * len(names), "axis")
        yield _text(_log_x(requests), top + ROW * len(names) + 16, f"{requests:,}", "middle")
    for index, name in enumerate(names):
        yield _text(FOUND_LABELS - 14, _row(top, index) + 4, name, "end")
    for each in sorted(summaries, key=lambda each: each.decider == OURS):
        low, middle, high = (_log_x(requests) for requests in each.found)
        y = _row(top, names.index(each.scenario))
        if each.decider == OURS:
            yield f'<line class="ours" x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}"/>'
        if not isinf(each.found[1]) and each.false_alarms < each.runs / 2:
            yield _mark(middle, y, each.decider)


def _legend(left: float, y: float) -> Iterator[str]:
    others = "the others: fast, for they roll back healthy canaries too"
    for x, (decider, text) in zip((0, 80, 165, 240), (*((name, name) for name in NAMED), ("", others)), strict=True):
        yield _mark(left + x + 6, y - 4, decider)
        yield _text(left + x + 16, y, text, "")


def _log_x(requests: float) -> float:
    return FOUND_LABELS + FOUND_WIDTH * log10(min(requests, CANARY_REQUESTS)) / log10(CANARY_REQUESTS)


def _mark(x: float, y: float, decider: str) -> str:
    """A disc, a square, a diamond or a ring: told apart without colours too."""
    kind = NAMED.get(decider, "other")
    if decider in ANGULAR:
        turn = f' transform="rotate(45 {x:.1f} {y:.1f})"' if ANGULAR[decider] else ""
        return f'<rect class="{kind}" x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"{turn}/>'
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'


def _line(x: float, top: float, bottom: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>'


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
