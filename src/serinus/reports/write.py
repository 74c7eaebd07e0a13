"""From facts to a document, and from a document to what is sent."""

from collections.abc import Callable, Mapping
from enum import StrEnum

from serinus.reports import baseline, checkpoint, comparison, drill, incident, readiness
from serinus.reports.as_html import html
from serinus.reports.as_json import json_text
from serinus.reports.as_markdown import markdown
from serinus.reports.document import Document, Kind, Section
from serinus.reports.facts import Facts
from serinus.reports.words import Words

SECTIONS: Mapping[Kind, Callable[[Facts, Words], tuple[Section, ...]]] = {
    Kind.BASELINE: baseline.sections,
    Kind.COMPARISON: comparison.sections,
    Kind.CHECKPOINT: checkpoint.sections,
    Kind.READINESS: readiness.sections,
    Kind.INCIDENT: incident.sections,
    Kind.DRILL: drill.sections,
}


class Format(StrEnum):
    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"


RENDERERS: Mapping[Format, tuple[str, Callable[[Document], str]]] = {
    Format.MARKDOWN: ("text/markdown; charset=utf-8", markdown),
    Format.HTML: ("text/html; charset=utf-8", html),
    Format.JSON: ("application/json", json_text),
}


def write(kind: Kind, facts: Facts, language: str) -> Document:
    """Sections that have nothing to say are left out."""
    words = Words(language)
    plan = facts.rollout.plan.name if facts.rollout else ""
    subtitle = words("subtitle_rollout" if facts.rollout else "subtitle", plan=plan, at=facts.now)
    return Document(
        kind=kind,
        title=words(f"title_{kind}"),
        subtitle=subtitle,
        language=language,
        made_at=facts.now,
        rollout_id=facts.rollout.id if facts.rollout else None,
        sections=tuple(section for section in SECTIONS[kind](facts, words) if section.blocks),
    )
