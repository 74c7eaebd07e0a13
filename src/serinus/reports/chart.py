"""A plot as SVG: drawn to be read on paper too, told apart by dashes as well as by colour."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from math import floor, log10
from xml.etree.ElementTree import Element, SubElement

from serinus.reports.document import Mark, Plot, Series
from serinus.reports.words import Words

WIDTH, HEIGHT = 720, 220
LEFT, RIGHT, TOP, BOTTOM = 74, 12, 26, 34
TICKS = 4
TIMES = 5
DAY_SECONDS = 86_400


class Scale:
    """From values and instants to places in the picture."""

    def __init__(self, plot: Plot) -> None:
        instants = [at for series in plot.series for at, _ in series.points]
        values = [value for series in plot.series for _, value in series.points if value is not None]
        self.first, self.last = min(instants), max(instants)
        self.ticks = ticks(max(values, default=0.0))
        self.top = self.ticks[-1]

    def x(self, at: float) -> float:
        share = (at - self.first) / (self.last - self.first) if self.last > self.first else 0.5
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM), 1)


def svg(plot: Plot, words: Words) -> Element:
    """The picture; its title and description say in words what it shows."""
    root = Element("svg", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", xmlns="http://www.w3.org/2000/svg")
    SubElement(root, "title").text = plot.label
    SubElement(root, "desc").text = description(plot, words)
    if not plot.series:
        _label(root, WIDTH / 2, HEIGHT / 2, words("nothing"), anchor="middle")
        return root
    scale = Scale(plot)
    _draw_axes(root, plot, scale, words)
    for mark in plot.marks:
        if scale.first <= mark.at <= scale.last:
            _draw_mark(root, mark, scale)
    for series in plot.series:
        for line in _lines(series):
            _draw_line(root, series, line, scale)
    _draw_legend(root, plot.series)
    return root


def description(plot: Plot, words: Words) -> str:
    parts = []
    for series in plot.series:
        values = [value for _, value in series.points if value is not None]
        if values:
            low, high = words.shown(min(values), plot.unit), words.shown(max(values), plot.unit)
            parts.append(f"{series.label}: {low} … {high}")
    return "; ".join(parts) or words("nothing")


def ticks(highest: float) -> list[float]:
    """From 0 to the first round number that is not below `highest`, in steps of 1, 2 or 5 times a power of ten."""
    if not highest > 0:
        return [0.0, 1.0]
    rough = highest / TICKS
    power = 10.0 ** floor(log10(rough))
    step = next((factor * power for factor in (1, 2, 5) if factor * power >= rough), 10 * power)
    count = next(number for number in range(1, TICKS + 2) if number * step >= highest * (1 - 1e-9))
    return [number * step for number in range(count + 1)]


def _draw_axes(root: Element, plot: Plot, scale: Scale, words: Words) -> None:
    for value in scale.ticks:
        y = scale.y(value)
        SubElement(root, "line", {"class": "grid"}, x1=f"{LEFT}", x2=f"{WIDTH - RIGHT}", y1=f"{y}", y2=f"{y}")
        _label(root, LEFT - 6, y + 4, words.shown(value, plot.unit), anchor="end")
    form = "%m-%d %H:%M" if scale.last - scale.first > DAY_SECONDS / 2 else "%H:%M:%S"
    for number in range(TIMES):
        at = scale.first + (scale.last - scale.first) * number / (TIMES - 1)
        anchor = "start" if number == 0 else "end" if number == TIMES - 1 else "middle"
        _label(root, scale.x(at), HEIGHT - 12, datetime.fromtimestamp(at, UTC).strftime(form), anchor=anchor)


def _draw_mark(root: Element, mark: Mark, scale: Scale) -> None:
    x = scale.x(mark.at)
    line = SubElement(root, "line", {"class": "mark"}, x1=f"{x}", x2=f"{x}", y1=f"{TOP}", y2=f"{HEIGHT - BOTTOM}")
    SubElement(line, "title").text = mark.label


def _lines(series: Series) -> Iterator[Sequence[tuple[float, float]]]:
    """Runs without a gap."""
    for is_there, run in groupby(series.points, key=lambda point: point[1] is not None):
        if is_there:
            yield [(at, value) for at, value in run if value is not None]


def _draw_line(root: Element, series: Series, line: Sequence[tuple[float, float]], scale: Scale) -> None:
    if len(line) == 1:
        [(at, value)] = line
        SubElement(
            root, "circle", {"class": f"dot {series.name}"}, cx=f"{scale.x(at)}", cy=f"{scale.y(value)}", r="2.5"
        )
        return
    points = " ".join(f"{scale.x(at)},{scale.y(value)}" for at, value in line)
    SubElement(root, "polyline", {"class": f"line {series.name}"}, points=points)


def _draw_legend(root: Element, several: Sequence[Series]) -> None:
    for number, series in enumerate(several):
        x = LEFT + 110 * number
        SubElement(root, "line", {"class": f"line {series.name}"}, x1=f"{x}", x2=f"{x + 26}", y1="12", y2="12")
        _label(root, x + 32, 16, series.label)


def _label(root: Element, x: float, y: float, text: str, *, anchor: str = "start") -> None:
    SubElement(root, "text", {"text-anchor": anchor}, x=f"{x:g}", y=f"{y:g}").text = text
