"""What codes and events say to people, in English and Korean: the texts of ``en.toml`` and ``ko.toml``, and those of
documents, in ``reports.en.toml`` and ``reports.ko.toml``.

Placeholders take Python's format specifications, and those of `_Texts`: ``percent`` (0.012 is "1.20 %"), ``+percent``
(0.089 is "+8.9 %"), ``points`` and ``+points`` (0.005 is "0.50 pp"), ``percentage`` (5.0 is "5 %"), ``milliseconds``,
``duration``, ``pace`` and ``time`` (of seconds), ``about`` (of an estimated number), ``list``, ``rules`` (of
endpoints), and ``name`` (of a code that has a name of its own). A reason that reads differently for one metric stands
under ``reason.metric`` too, an event's headline that depends on its details under ``kind.case``.
"""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

from serinus.analysis.pace import LONGEST_SECONDS
from serinus.analysis.verdict import Check
from serinus.messages.particles import settled
from serinus.rollout.events import ITSELF, Event, EventKind
from serinus.rollout.findings import detailed
from serinus.rollout.gates import GateStatus

LANGUAGES = ("en", "ko")
DEFAULT_LANGUAGE = "en"
UNKNOWN = "–"
VERY_MANY = 1e7


def render(
    code: str, numbers: Mapping[str, Any], language: str = DEFAULT_LANGUAGE, *, metric: str | None = None
) -> str:
    """The sentence of a reason's code, in brief when there are no numbers; a person's words stand for themselves."""
    reasons, brief = catalogue(language)["reasons"], catalogue(language)["brief"]
    template = reasons.get(f"{code}.{metric}", reasons.get(code))
    if not numbers:
        template = brief.get(code, template)
    return code if template is None else _Texts(language).vformat(template, (), _Known(numbers))


def render_finding(finding: Check | GateStatus, language: str = DEFAULT_LANGUAGE) -> str:
    """What a check or a gate has found: its reason with the figures, where, and between which bounds."""
    return render_detailed(detailed(finding), language)


def render_detailed(details: Mapping[str, Any], language: str = DEFAULT_LANGUAGE) -> str:
    """`details` as `rollout.findings.detailed` makes them, possibly by an earlier version, that knew less."""
    texts, metric = catalogue(language)["findings"], details.get("metric")
    known = {name: details.get(name) for name in ("value", "need", "since")}
    said = {name: value for name, value in known.items() if value is not None}
    sentence = render(details["reason"], {**said, **details["numbers"]}, language, metric=metric)
    if bounds := details.get("interval"):
        template = texts.get(f"between.{metric}", texts["between"])
        sentence = _Texts(language).format(template, sentence=sentence, low=bounds[0], high=bounds[1])
    if endpoint := details.get("endpoint"):
        return _Texts(language).format(texts["on_endpoint"], endpoint=endpoint, sentence=sentence)
    if endpoints := details.get("worse_on"):
        return _Texts(language).format(texts["worse_on"], endpoints=endpoints, sentence=sentence)
    return sentence


def render_problem(code: str, details: Mapping[str, Any], language: str = DEFAULT_LANGUAGE) -> str:
    """What is wrong with the installation, and what to do about it."""
    return _Texts(language).vformat(catalogue(language)["problems"][code], (), _Known(details))


def render_users(state: str, figures: Mapping[str, Any], language: str = DEFAULT_LANGUAGE) -> str:
    """How users fare because of the canary."""
    return _Texts(language).vformat(catalogue(language)["users"][state], (), _Known(figures))


def render_name(code: str, language: str = DEFAULT_LANGUAGE) -> str:
    """What people call a metric, a gate ("bake", "proof:p95"), a cause, a phase or a role; its author's name else."""
    names = catalogue(language)["names"]
    kind, colon, metric = code.partition(":")
    if colon and kind in names:
        return names[kind].format(name=names.get(metric, metric))
    return names.get(code, code)


def render_label(name: str, language: str = DEFAULT_LANGUAGE, **values: Any) -> str:
    """A word or a phrase of the terminal's and the console's pages."""
    return _Texts(language).vformat(catalogue(language)["labels"][name], (), _Known(values))


def render_report(name: str, language: str = DEFAULT_LANGUAGE, /, **values: Any) -> str:
    """A word, a phrase or a sentence of the documents that `serinus.reports` makes."""
    return _Texts(language).vformat(catalogue(language)["documents"][name], (), _Known(values))


def format_value(value: Any, specification: str, language: str = DEFAULT_LANGUAGE) -> str:
    """One value by one of the format specifications above, or by Python's."""
    return str(_Texts(language).format_field(value, specification))


def render_event(event: Event, language: str = DEFAULT_LANGUAGE) -> tuple[str, str]:
    """What happened, and why as far as it is known (else empty)."""
    known = _Known({**event.details, "actor": event.actor})
    if isinstance(step := event.details.get("step"), int):
        known["step_number"] = step + 1  # people count from 1
    if event.incident is not None:
        known["limit"] = event.incident.rpartition("@")[0]  # of a breach or an alert
    headline = _Texts(language).vformat(catalogue(language)["events"][_headline(event)], (), known)
    return headline, _why(event, language)


@cache
def catalogue(language: str) -> dict[str, dict[str, str]]:
    """All texts of a language, by section and code."""
    texts = (files(__name__).joinpath(name) for name in (f"{language}.toml", f"reports.{language}.toml"))
    return {name: codes for text in texts for name, codes in tomllib.loads(text.read_text(encoding="utf-8")).items()}


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name}


def _headline(event: Event) -> str:
    """The code of the headline; what an event's details leave out has a headline that does without."""
    if event.kind is EventKind.ROLLBACK_COMPLETED and event.details.get("last_canary_at") is None:
        return f"{event.kind}.untouched"
    if event.kind is EventKind.CONFIG_CHANGED and event.details:
        enabled = event.details.get("enabled", "endpoints")
        return f"{event.kind}.{'on' if enabled is True else enabled or 'off'}"
    return event.kind


def _why(event: Event, language: str) -> str:
    """The finding that an event rests on; or else the words, or the code, of its reason."""
    if isinstance(event.details.get("numbers"), dict) and isinstance(event.details.get("reason"), str):
        return render_detailed(event.details, language)
    return render(event.reason, {}, language) if event.actor == ITSELF else event.reason


class _Known(dict[str, Any]):
    """Figures by name; one that is not there is shown as unknown instead of failing the whole sentence."""

    def __missing__(self, _name: str) -> None:
        return None


class _Texts(Formatter):
    def __init__(self, language: str) -> None:
        self._language = language
        self._words = catalogue(language)["words"]
        self._formats: Mapping[str, Callable[[Any], str]] = {
            "percent": lambda share: f"{share * 100:.2f} %",
            "+percent": lambda share: f"{share * 100:+.1f} %",
            "points": lambda share: f"{share * 100:.2f} {self._words['points']}",
            "+points": lambda share: f"{share * 100:+.2f} {self._words['points']}",
            "percentage": lambda percentage: f"{round(percentage, 2):g} %",
            "milliseconds": lambda value: f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms",
            "about": self._about,
            "strength": _strength,
            "duration": self._duration,
            "pace": self._pace,
            "time": lambda at: datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
            "name": lambda code: render_name(code, language),
            "rules": self._rules,
            "list": lambda items: ", ".join(map(_plain, items)) or UNKNOWN,
        }

    def vformat(self, format_string: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        text = super().vformat(format_string, args, kwargs)
        return settled(text) if self._language == "ko" else text

    def format_field(self, value: Any, format_spec: str) -> str:
        if value is None:
            return UNKNOWN
        own = self._formats.get(format_spec)
        return own(value) if own else str(super().format_field(value, format_spec))

    def _about(self, count: float) -> str:
        """An estimate of how many; of very many nobody waits for the last."""
        if count >= VERY_MANY:
            return f"{self._words['at_least']} {VERY_MANY:,.0f}"
        return f"{self._words['about']} {count:,.0f}"

    def _pace(self, seconds: float) -> str:
        """How long something takes if requests go on coming as they do."""
        if seconds >= LONGEST_SECONDS:
            return str(self._words["pace_never"])
        return str(self._words["pace"].format(duration=self._duration(seconds)))

    def _rules(self, endpoints: Iterable[Mapping[str, Any]]) -> str:
        """The endpoints with a rule of their own, each behind a semicolon; nothing without any."""
        return "".join(f"; {rule['template']} {self._rule(rule)}" for rule in endpoints)

    def _rule(self, rule: Mapping[str, Any]) -> str:
        if not rule["enabled"]:
            return str(self._words["endpoint_off"])
        if rule["max_percentage"] is None:
            return str(self._words["endpoint_on"])
        return f"{self._words['at_most']} {rule['max_percentage']:g} %"

    def _duration(self, seconds: float) -> str:
        """The two largest units, as a person would say it."""
        if seconds < 60:
            return f"{seconds:.{0 if seconds >= 10 else 1}f}{self._words['before_unit']}{self._words['second']}"
        rest, parts = round(seconds), []
        for name, length in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
            count, rest = divmod(rest, length)
            parts.append((count, name))
        first = next(index for index, (count, _) in enumerate(parts) if count)
        gap = self._words["before_unit"]
        return " ".join(f"{count}{gap}{self._words[name]}" for count, name in parts[first : first + 2] if count)


def _strength(evidence: float) -> str:
    """An e-value; beyond a million nobody cares by how much."""
    if evidence >= 1e6:
        return "1,000,000+"
    return f"{evidence:,.0f}" if evidence >= 10 else f"{evidence:.1f}"


def _plain(item: object) -> str:
    return f"{item:g}" if isinstance(item, float) else str(item)
