"""An estimate as it is drawn in a terminal."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from serinus.cli.tables import count, share, table
from serinus.messages import render_label

Answer = Mapping[str, Any]
Row = tuple[str | Text, ...]
DAY_SECONDS = 86_400


def estimate_view(answer: Answer, language: str = "en") -> RenderableType:
    """Steps, gates and regressions as tables; then what does not fit, and how to read it."""
    view = _View(language)
    warnings = [Text(f"! {warning}", style="yellow") for warning in view.warnings(answer["steps"])]
    return Group(
        *view.heading(answer),
        view.steps(answer["steps"]),
        view.gates(answer["steps"]),
        view.regressions(answer["steps"]),
        *(Text(line, style="dim") for line in view.closing(answer)),
        *warnings,
    )


class _View:
    def __init__(self, language: str) -> None:
        self._say = partial(render_label, language=language)

    def heading(self, answer: Answer) -> Iterator[RenderableType]:
        rate, legacy = answer["requests_per_second"], answer["legacy"]
        yield Text(self._say("estimate_title", plan=answer["plan"], rate=rate, day=rate * DAY_SECONDS), style="bold")
        known = {"error_rate": legacy["error_rate"], "p95": legacy["p95_ms"], "design_effect": legacy["design_effect"]}
        yield Text(self._say("estimate_baseline", **known))
        yield Text("")

    def steps(self, steps: list[Answer]) -> RenderableType:
        names = [self._say(f"estimate_{name}") for name in ("step", "day", "binding", "left")]
        rows = [
            (
                f"{number} · {share(step['percentage'])}",
                count(step["canary_requests_per_second"] * DAY_SECONDS),
                self._gate(step["opens_last"]),
                self._left(step),
            )
            for number, step in enumerate(steps, 1)
        ]
        return table(names[0], f">{names[1]}", *names[2:], rows=rows)

    def gates(self, steps: list[Answer]) -> RenderableType:
        """Steps side by side; a gate that a step does not have is left blank."""
        by_step = [{gate["gate"]: gate for gate in step["gates"]} for step in steps]
        names = list(dict.fromkeys(name for gates in by_step for name in gates))
        rows: list[Row] = []
        for name in names:
            cells: list[str | Text] = [
                self._cell(gates[name], late=name in step["not_within_bake"]) if name in gates else Text("")
                for gates, step in zip(by_step, steps, strict=True)
            ]
            rows.append((self._gate(name), *cells))
        return table(self._say("estimate_gate"), *self._columns(steps), rows=rows)

    def regressions(self, steps: list[Answer]) -> RenderableType:
        rows: list[Row] = [
            (self._regression(sides[0]), *(self._cell(side) for side in sides))
            for sides in zip(*(step["regressions"] for step in steps), strict=True)
        ]
        return table(self._say("estimate_regression"), *self._columns(steps), rows=rows)

    def closing(self, answer: Answer) -> Iterator[str]:
        if answer["seconds"] is not None:
            yield self._say("estimate_total", seconds=answer["seconds"])
        yield self._say("estimate_note")

    def warnings(self, steps: list[Answer]) -> Iterator[str]:
        for number, step in enumerate(steps, 1):
            bake, *others = step["gates"]
            for gate in others:
                name = self._gate(gate["gate"])
                if gate["seconds"] is None:
                    yield self._say("estimate_undecidable", step=number, gate=name)
                elif gate["gate"] in step["not_within_bake"]:
                    over = gate["seconds"] - bake["seconds"]
                    yield self._say("estimate_late", step=number, gate=name, over=over, bake=bake["seconds"])

    def _columns(self, steps: list[Answer]) -> list[str]:
        return [f">{share(step['percentage'])}" for step in steps]

    def _gate(self, name: str) -> str:
        return self._say(f"estimate_{name}")

    def _left(self, step: Answer) -> str:
        left = step["left_after_seconds"]
        if left is None:
            return self._say("estimate_never")
        if step["approvals"]:
            return self._say("estimate_and_approvals", left=left, approvals=step["approvals"])
        return self._say("estimate_time", seconds=left)

    def _cell(self, found: Answer, *, late: bool = False) -> Text:
        style = "yellow" if late else ""
        if found["seconds"] is None:
            return Text(self._say("estimate_never"), style=style or "dim")
        name = "estimate_cell" if found["requests"] else "estimate_time"
        return Text(self._say(name, requests=found["requests"], seconds=found["seconds"]), style=style)

    def _regression(self, found: Answer) -> str:
        if found["error_rate"]:
            return self._say("estimate_errors", excess=found["error_rate"])
        return self._say("estimate_slower", factor=found["slowdown"])
