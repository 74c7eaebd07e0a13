"""A service's status as it is drawn in a terminal: from the API's answer to what rich prints."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from serinus.cli.tables import count, increase, milliseconds, percent, points, share, table
from serinus.messages import render_label, render_name

Answer = Mapping[str, Any]
Row = tuple[str, str, str, str]

PHASES = {
    "pending": ("◌", "yellow"),
    "progressing": ("●", "green"),
    "paused": ("‖", "yellow"),
    "holding": ("■", "cyan"),
    "watching": ("◉", "green"),
    "rolling_back": ("↺", "red"),
    "rolled_back": ("✖", "red"),
    "succeeded": ("✔", "green"),
}
PROMOTED = {"watching", "succeeded"}  # the few requests that LEGACY still answers are no measure for the canary's
VERDICTS = {"pass": ("✔", "green"), "inconclusive": ("◌", "yellow"), "fail": ("✖", "red"), "error": ("!", "red")}
MOODS = {
    **dict.fromkeys(("hurt", "hurt_by_both"), "bold red"),
    **dict.fromkeys(("unwatched", "suspected", "unjudged"), "yellow"),
    **dict.fromkeys(("fine", "promoted"), "green"),
}
STEPS = {"done": ("✔", "green"), "current": ("●", "bold"), "ahead": ("○", "dim")}
INSTANTS = ("breach_at", "decided_at", "split_changed_at", "last_canary_at", "completed_at", "deadline_at")
DISPENSABLE = ("triggers", "steps", "open gates", "figures")  # the first is the first to go
LABEL_COLUMNS, BAR_COLUMNS = 11, 30


def status_view(status: Answer, language: str = "en", *, without: Collection[str] = ()) -> RenderableType:
    """All of a ``GET /status`` answer: users, share, figures, steps with gates, triggers, receipt, what is wrong."""
    view = _View(language)
    rollout = status["rollout"]
    parts = [*view.heading(status)]
    if rollout is None:
        parts.append(view.last_minute(status["metrics"]))
    else:
        sections: dict[str, Callable[[], Iterable[RenderableType]]] = {
            "figures": lambda: [view.figures(rollout, status["metrics"])],
            "steps": lambda: [view.steps(rollout, only_closed="open gates" in without)],
            "gates": lambda: view.gates(rollout, only_closed="open gates" in without) if "steps" in without else (),
            "triggers": lambda: view.triggers(rollout),
            "receipt": lambda: view.receipt(rollout["receipt"]),
        }
        parts += [part for name, draw in sections.items() if name not in without for part in draw()]
    problems = [Text(f"! {problem['message']}", style="yellow") for problem in status["problems"]]
    return Group(*parts, *([Text(""), *problems] if problems else []))


@dataclass(frozen=True, slots=True)
class FittedStatus:
    """A status without those of its sections that a small terminal has no room for."""

    status: Answer
    language: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        views = (
            status_view(self.status, self.language, without=DISPENSABLE[:count])
            for count in range(len(DISPENSABLE) + 1)
        )
        for view in views:
            if len(console.render_lines(view, options, pad=False)) <= console.height:
                break
        yield view


class _View:
    def __init__(self, language: str) -> None:
        self._say = partial(render_label, language=language)
        self._name = partial(render_name, language=language)

    def heading(self, status: Answer) -> Iterator[RenderableType]:
        rollout, config, users = status["rollout"], status["config"], status["users"]
        yield self._line("users", Text(users["message"], style=MOODS.get(users["state"], "")))
        if rollout is None:
            yield self._line("rollout", Text(self._say("none"), style="dim"))
        else:
            sign, style = PHASES[rollout["phase"]]
            plan = self._say("by_plan", plan=rollout["plan"])
            yield self._line("rollout", Text(rollout["id"]).append(f"  {plan}", style="dim"))
            yield self._line("phase", Text(f"{sign} {self._phase(rollout)}", style=style))
        enabled = config["enabled"]
        yield self._bar("desired", config["canary_percentage"] if enabled else 0.0, "" if enabled else "disabled")
        yield self._bar("observed", config["observed_percentage"], "of_last_minute")
        yield self._line("watched", self._watchers(status))

    def figures(self, rollout: Answer, metrics: Answer) -> RenderableType:
        """Of the present step as the controller judges it; before its first report, of the last minute."""
        report = rollout["report"]
        if report is None:
            return self.last_minute(metrics)
        legacy, canary = report["legacy"], report["canary"]
        rows = [
            (self._say("requests"), count(legacy["requests"]), count(canary["requests"]), ""),
            (
                self._say("error_rate"),
                percent(legacy["error_rate"]),
                percent(canary["error_rate"]),
                points(_minus(canary["error_rate"], legacy["error_rate"])),
            ),
        ]
        rows += [
            (
                label,
                milliseconds(legacy[name]),
                milliseconds(canary[name]),
                increase(_growth(canary[name], legacy[name])),
            )
            for label, name in (("P95", "p95_ms"), ("P99", "p99_ms"))
        ]
        if rollout["phase"] in PROMOTED:
            return table(self._say("in_step"), ">LEGACY", ">CANARY", rows=[row[:3] for row in rows])
        return table(self._say("in_step"), ">LEGACY", ">CANARY", f">{self._say('difference')}", rows=rows)

    def last_minute(self, metrics: Answer) -> RenderableType:
        lines = (
            (self._say("requests"), "request_count", count),
            (self._say("error_rate"), "error_rate", percent),
            ("P95", "p95_response_time_ms", milliseconds),
        )
        rows = [(label, shown(metrics["legacy"][name]), shown(metrics["canary"][name])) for label, name, shown in lines]
        return table(self._say("in_minute"), ">LEGACY", ">CANARY", rows=rows)

    def steps(self, rollout: Answer, *, only_closed: bool) -> RenderableType:
        """As a tree, with the gates below the step that they end."""
        tree = Tree(Text(self._say("steps"), style="bold"), guide_style="dim")
        went_back = rollout["phase"] in {"rolling_back", "rolled_back"}
        branches = [(step["state"] == "current", self._step(step, went_back=went_back)) for step in rollout["steps"]]
        branches.append((rollout["phase"] == "watching", self._last_step(rollout)))
        for is_current, words in branches:
            branch = tree.add(words)
            if is_current:
                self._hang(branch, list(self._gates(rollout, only_closed=only_closed)))
        return tree

    def gates(self, rollout: Answer, *, only_closed: bool) -> Iterator[RenderableType]:
        if rows := list(self._gates(rollout, only_closed=only_closed)):
            yield from self._section("gates", rows)

    def _gates(self, rollout: Answer, *, only_closed: bool) -> Iterator[Row]:
        for gate in rollout["gates"]:
            if not (only_closed and gate["is_open"]):
                yield (*VERDICTS[gate["verdict"]], self._name(gate["name"]), gate["message"])

    def _step(self, step: Answer, *, went_back: bool) -> Text:
        sign, style = PHASES["rolling_back"] if went_back and step["state"] == "current" else STEPS[step["state"]]
        asked = "".join(f", {self._say('step_approval', gate=gate)}" for gate in step["approvals"])
        words = self._say("step", bake=step["bake_seconds"], evidence=step["evidence"])
        return Text(f"{sign} {share(step['percentage']):>6}  {words}{asked}", style=style)

    @staticmethod
    def _hang(branch: Tree, rows: list[Row]) -> None:
        """Names in one column, words in another."""
        width = max((cell_len(name) for _, _, name, _ in rows), default=0)
        for sign, style, name, words in rows:
            grid = Table.grid(padding=(0, 2))
            grid.add_column(width=width + 2)
            grid.add_row(Text(f"{sign} {name}", style=style), Text(words))
            branch.add(grid)

    def triggers(self, rollout: Answer) -> Iterator[RenderableType]:
        report = rollout["report"]
        checks = {limit["name"]: limit["check"] for limit in report["limits"]} if report else {}
        breaches = {breach["trigger"]: breach for breach in rollout["breaches"]}
        names = [trigger["name"] for trigger in rollout["triggers"]]
        yield from self._section(
            "triggers", (self._trigger(name, checks.get(name), breaches.get(name)) for name in names)
        )

    def receipt(self, receipt: Answer | None) -> Iterator[RenderableType]:
        if receipt is None:
            return
        cause = self._say("cause_by", cause=receipt["cause"], person=receipt["by"])
        rows = [("", "", self._say("cause"), f"{cause}: {receipt['message']}" if receipt["message"] else cause)]
        rows += [("", "", self._say(name), _instant(receipt[name])) for name in INSTANTS if receipt[name]]
        if receipt["deadline_met"] is not None:
            met = self._say("met" if receipt["deadline_met"] else "missed")
            rows.append(("", "bold", self._say("deadline_met"), met))
        if receipt["unheard"]:
            rows.append(("", "red", self._say("unheard"), ", ".join(receipt["unheard"])))
        yield from self._section("receipt", rows)

    def _phase(self, rollout: Answer) -> str:
        phase = rollout["phase"]
        words = [self._say(phase)]
        if phase in {"progressing", "paused"}:
            words.append(self._say("step_of", number=rollout["step"] + 1, count=rollout["step_count"]))
        if rollout["frozen_by"]:
            words.append(self._say("frozen_by", cause=rollout["frozen_by"]))
        if rollout["pause"]:
            words.append(self._say("paused_by", person=rollout["pause"]["by"]))
        if rollout["seconds_left"] and phase in {"progressing", "watching"}:
            words.append(self._say("left", seconds=rollout["seconds_left"]))
        return ", ".join(words)

    def _watchers(self, status: Answer) -> Text:
        controller, agents = status["controller"], status["agents"]
        heard = self._say("controller", seconds=controller["seconds_ago"])
        adopted = sum(agent["adopted"] for agent in agents)
        text = Text(heard, style="" if controller["alive"] else "red")
        text.append(f", {self._say('agents', count=len(agents), adopted=adopted)}")
        if dropped := sum(agent["dropped"] for agent in agents):
            text.append(f", {self._say('dropped', count=dropped)}", style="yellow")
        return text

    def _last_step(self, rollout: Answer) -> Text:
        if rollout["final"] == "hold":
            sign, style = STEPS["current" if rollout["phase"] == "holding" else "ahead"]
            return Text(f"{sign} {self._say('hold_step')}", style=style)
        sign, style = STEPS[{"watching": "current", "succeeded": "done"}.get(rollout["phase"], "ahead")]
        words = self._say("watch_step", seconds=rollout["watch_seconds"])
        return Text(f"{sign} {share(100):>6}  {words}", style=style)

    def _trigger(self, name: str, check: Answer | None, breach: Answer | None) -> Row:
        words = check["message"] if check else self._say("not_measured")
        name = self._name(name)
        if breach is None:
            return (*(VERDICTS[check["verdict"]] if check else ("·", "")), name, words)
        left = self._say("left", seconds=max(0.0, breach["seconds_left"]))
        return ("✖", "red", name, f"{words}; {self._say('legacy_too') if breach['environment'] else left}")

    def _section(self, label: str, rows: Iterable[Row]) -> Iterator[RenderableType]:
        """Rows of a sign, its style, a name, and words."""
        grid = Table.grid(padding=(0, 2))
        for sign, style, name, words in rows:
            grid.add_row(Text(f"  {sign} {name}" if sign else f"  {name}", style=style), Text(words))
        yield Text(f"\n{self._say(label)}", style="bold")
        yield grid

    def _line(self, label: str, words: Text) -> RenderableType:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=LABEL_COLUMNS)
        grid.add_row(self._say(label), words)
        return grid

    def _bar(self, label: str, percentage: float | None, note: str) -> RenderableType:
        grid = Table.grid(padding=(0, 1))
        for width in (LABEL_COLUMNS, 7, BAR_COLUMNS):
            grid.add_column(width=width)
        bar = ProgressBar(total=100, completed=percentage or 0.0, width=BAR_COLUMNS)
        grid.add_row(self._say(label), share(percentage), bar, Text(self._say(note) if note else "", style="dim"))
        return grid


def _minus(canary: float | None, legacy: float | None) -> float | None:
    return None if legacy is None or canary is None else canary - legacy


def _growth(canary: float | None, legacy: float | None) -> float | None:
    return None if not legacy or canary is None else canary / legacy - 1


def _instant(at: str) -> str:
    """To the tenth of a second: receipts are about seconds. A whole second comes without a fraction."""
    fraction = at[19:21] if at[19] == "." else ".0"
    return f"{at[:10]} {at[11:19]}{fraction}"
