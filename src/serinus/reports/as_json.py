"""A document as JSON: numbers as numbers with their units beside them, instants in ISO 8601."""

import json
from datetime import UTC, datetime
from typing import Any

from serinus.reports.document import Block, Checklist, Document, Plot, Questions, Table, Text, Unit, Value


def json_text(document: Document) -> str:
    return json.dumps(as_mapping(document), ensure_ascii=False, indent=2) + "\n"


def as_mapping(document: Document) -> dict[str, Any]:
    return {
        "kind": document.kind,
        "title": document.title,
        "subtitle": document.subtitle,
        "language": document.language,
        "made_at": iso(document.made_at),
        "rollout_id": document.rollout_id,
        "sections": [
            {"name": section.name, "title": section.title, "blocks": [_block(block) for block in section.blocks]}
            for section in document.sections
        ],
    }


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Text():
            return {"type": "text", "text": block.text}
        case Table():
            return _table(block)
        case Plot():
            return _plot(block)
        case Checklist():
            items = ({"name": i.name, "label": i.label, "done": i.done, "evidence": i.evidence} for i in block.items)
            return {"type": "checklist", "label": block.label, "items": list(items)}
        case Questions():
            return {"type": "questions", "questions": list(block.texts)}


def _table(table: Table) -> dict[str, Any]:
    """Rows by column; a row whose last value has a unit of its own names it."""
    rows = []
    for number, row in enumerate(table.rows):
        line: dict[str, Any] = {
            column.name: _value(value, table.unit(number, place))
            for place, (column, value) in enumerate(zip(table.columns, row, strict=True))
        }
        rows.append({**line, "unit": table.unit(number, len(row) - 1)} if table.units else line)
    columns = [{"name": column.name, "label": column.label, "unit": column.unit} for column in table.columns]
    return {"type": "table", "label": table.label, "columns": columns, "rows": rows}


def _plot(plot: Plot) -> dict[str, Any]:
    series = [
        {"name": one.name, "label": one.label, "points": [[iso(at), value] for at, value in one.points]}
        for one in plot.series
    ]
    marks = [{"at": iso(mark.at), "label": mark.label} for mark in plot.marks]
    return {"type": "plot", "name": plot.name, "label": plot.label, "unit": plot.unit, "series": series, "marks": marks}


def _value(value: Value, unit: Unit) -> Value:
    return iso(value) if unit is Unit.INSTANT and isinstance(value, int | float) else value
