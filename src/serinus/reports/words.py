"""The words of documents, in one language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serinus.messages import format_value, render, render_detailed, render_name, render_report
from serinus.reports.document import Column, Section, Table, Unit, Value

SPECIFICATIONS = {
    Unit.COUNT: ",.0f",
    Unit.FRACTION: "percent",
    Unit.POINTS: "+points",
    Unit.CHANGE: "+percent",
    Unit.PERCENTAGE: "percentage",
    Unit.MILLISECONDS: "milliseconds",
    Unit.SECONDS: "duration",
    Unit.INSTANT: "time",
    Unit.NUMBER: ",.4g",
}


@dataclass(frozen=True, slots=True)
class Words:
    """Texts of the section `documents` of the messages; `words("title_baseline")`."""

    language: str

    def __call__(self, name: str, /, **values: Any) -> str:
        return render_report(name, self.language, **values)

    def reason(self, code: str, numbers: dict[str, float] | None = None, metric: str | None = None) -> str:
        return render(code, numbers or {}, self.language, metric=metric)

    def name(self, code: str) -> str:
        """What people call a check, a limit or a cause."""
        return render_name(code, self.language)

    def finding(self, details: Mapping[str, Any]) -> str:
        """The sentence of a check with its numbers, as `rollout.findings.detailed` gives them."""
        return render_detailed(details, self.language)

    def shown(self, value: Value, unit: Unit) -> str:
        """As people read it; what is not known is a dash."""
        if isinstance(value, bool):
            return self("yes" if value else "no")
        if isinstance(value, str):
            return value
        return format_value(value, SPECIFICATIONS.get(unit, "g"), self.language)

    def column(self, name: str, unit: Unit = Unit.TEXT) -> Column:
        return Column(name, self(f"column_{name}"), unit)

    def section(self, name: str, *blocks: Any) -> Section:
        """Blocks that are None are left out."""
        return Section(name, self(f"section_{name}"), tuple(block for block in blocks if block is not None))

    def facts(self, *lines: tuple[str, Value, Unit], label: str = "") -> Table:
        """One line for each fact: its name, what it is called, and its value in a unit of its own."""
        return Table(
            columns=(self.column("fact"), self.column("value")),
            rows=tuple((self(f"fact_{name}"), value) for name, value, _ in lines),
            label=label,
            units=tuple(unit for _, _, unit in lines),
        )
