"""A document as Markdown (GitHub's): tables as tables, plots as lines of blocks."""

import re
from collections.abc import Iterator

from serinus.reports.document import Block, Checklist, Document, Plot, Questions, Series, Table, Text
from serinus.reports.words import Words

BLOCKS = "▁▂▃▄▅▆▇█"
WIDTH = 60
SPECIAL = re.compile(r"([\\`*\[\]<>|#~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
ROOM = "…"


def markdown(document: Document) -> str:
    words = Words(document.language)
    lines = [f"# {escaped(document.title)}", "", escaped(document.subtitle), ""]
    for section in document.sections:
        lines += [f"## {escaped(section.title)}", ""]
        for block in section.blocks:
            lines += [*_block(block, words), ""]
    return "\n".join(lines).rstrip() + "\n"


def escaped(text: str) -> str:
    """On one line, with nothing that Markdown or HTML would take for its own."""
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _block(block: Block, words: Words) -> Iterator[str]:
    match block:
        case Text():
            yield escaped(block.text)
        case Table():
            yield from _table(block, words)
        case Plot():
            yield from _plot(block, words)
        case Checklist():
            yield from _checklist(block, words)
        case Questions():
            yield from (line for text in block.texts for line in (f"- {escaped(text)}", f"  {ROOM}"))


def _table(table: Table, words: Words) -> Iterator[str]:
    if table.label:
        yield from (f"**{escaped(table.label)}**", "")
    if not table.rows:
        yield escaped(words("nothing"))
        return
    yield _row(column.label for column in table.columns)
    yield "|" + "|".join("---" for _ in table.columns) + "|"
    for number, row in enumerate(table.rows):
        yield _row(words.shown(value, table.unit(number, place)) for place, value in enumerate(row))


def _row(cells: Iterator[str]) -> str:
    return "| " + " | ".join(escaped(cell) for cell in cells) + " |"


def _checklist(checklist: Checklist, words: Words) -> Iterator[str]:
    for item in checklist.items:
        state = "" if item.done else f"**{escaped(words('not_done'))}** "
        yield f"- [{'x' if item.done else ' '}] {escaped(item.label)}: {state}{escaped(item.evidence)}"


def _plot(plot: Plot, words: Words) -> Iterator[str]:
    yield f"**{escaped(plot.label)}**"
    for series in plot.series:
        values = [value for _, value in series.points if value is not None]
        if values:
            span = f"{words.shown(min(values), plot.unit)} … {words.shown(max(values), plot.unit)}"
            yield from ("", f"`{sparkline(series)}` {escaped(f'{series.label}: {span}')}")
    if not plot.series:
        yield from ("", escaped(words("nothing")))


def sparkline(series: Series) -> str:
    """At most `WIDTH` blocks; a block is the largest value of its part, a gap is a space."""
    count = min(WIDTH, len(series.points))
    parts = [
        [
            v
            for _, v in series.points[len(series.points) * n // count : len(series.points) * (n + 1) // count]
            if v is not None
        ]
        for n in range(count)
    ]
    top = max((max(part) for part in parts if part), default=0.0)
    return "".join(
        BLOCKS[round((max(part) / top if top else 0) * (len(BLOCKS) - 1))] if part else " " for part in parts
    )
