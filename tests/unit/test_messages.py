"""Every code can be said in every language, with the same figures."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import click
import pytest

from serinus.analysis.intervals import Interval
from serinus.analysis.pace import LONGEST_SECONDS
from serinus.analysis.reasons import NUMBERS, Reason
from serinus.analysis.verdict import Check, Metric, Verdict
from serinus.cli.main import COMMANDS, main
from serinus.errors import TooManyAttempts
from serinus.messages import (
    LANGUAGES,
    catalogue,
    placeholders,
    render,
    render_event,
    render_finding,
    render_label,
    render_problem,
)
from serinus.messages.phrases import knows
from serinus.problems import TITLES
from serinus.rollout.events import ITSELF, Event, EventKind
from serinus.rollout.gates import GateReason

SOURCE = Path(__file__).parents[2] / "src" / "serinus"
RAISED = {"Refused", "Forbidden", "Unauthenticated", "NotFound", "StaleRevision", "_NotAsExpected"}
FORMS = re.compile(r"\b(?:serinus|curl) [a-z]")
ADVICE = "add it to src/serinus/messages/phrases.ko.toml"
COMPUTED = {"value", "need", "since"}  # of every check, beside its numbers


def rule(template: str, *, enabled: bool = True, most: float | None = None) -> dict[str, Any]:
    return {"template": template, "enabled": enabled, "max_percentage": most}


def test_all_languages_have_the_same_texts_with_the_same_placeholders() -> None:
    def shape(language: str) -> dict[tuple[str, str], set[str]]:
        return {
            (section, code): placeholders(text)
            for section, texts in catalogue(language).items()
            for code, text in texts.items()
        }

    english = shape("en")
    for language in LANGUAGES:
        assert shape(language) == english


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_of_a_check_or_a_gate_has_a_sentence(language: str) -> None:
    codes = {*Reason, *GateReason}
    assert codes <= set(catalogue(language)["reasons"])


def test_sentences_use_only_the_numbers_that_their_reason_carries() -> None:
    for code, text in catalogue("en")["reasons"].items():
        reason = code.partition(".")[0]
        if reason in set(Reason):
            assert placeholders(text) <= {*NUMBERS[Reason(reason)], *COMPUTED}, code


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_event_has_a_headline_even_without_its_details(language: str) -> None:
    for kind in EventKind:
        headline, _ = render_event(Event(kind, 0.0, "ann"), language)
        assert headline
        assert "{" not in headline


def test_figures_are_told_with_their_units() -> None:
    numbers = {"legacy": 900.0, "canary": 980.0, "margin": 0.1, "requests": 5_000.0, "value": 0.0889}
    told = render("within_margin", numbers, metric="p95")
    assert told == "P95 980 ms against LEGACY's 900 ms, +8.9 % (needs < 10.00 %)"
    rates = {"legacy": 0.0001, "canary": 0.0002, "margin": 0.005, "requests": 5_000.0, "value": 0.0001}
    assert render("within_margin", rates, metric="error_rate") == (
        "0.02 % against LEGACY's 0.01 %, +0.01 pp (needs < 0.50 pp)"
    )
    assert "+0.01 %p" in render("within_margin", rates, "ko", metric="error_rate")


def test_a_figure_that_is_missing_is_shown_as_unknown() -> None:
    assert render("stale", {}) == "the last counts came – ago; are the agents running?"


def test_a_reason_without_any_figures_is_told_in_brief() -> None:
    assert render("worse", {}) == "proven worse than LEGACY"


def test_what_is_no_code_stands_for_itself() -> None:
    assert render("the support sees complaints", {}) == "the support sees complaints"


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (0.4, "0.4 s", "0.4초"),
        (42, "42 s", "42초"),
        (60, "1 min", "1분"),
        (3_725, "1 h 2 min", "1시간 2분"),
        (86_400 * 3, "3 d", "3일"),
        (86_400 + 59, "1 d", "1일"),
    ],
)
def test_durations_are_told_in_their_two_largest_units(seconds: float, english: str, korean: str) -> None:
    assert render_label("left", "en", seconds=seconds) == f"{english} left"
    assert render_label("left", "ko", seconds=seconds) == f"{korean} 남음"


def test_an_event_by_itself_tells_the_finding_it_rests_on() -> None:
    numbers = {"requests": 300.0, "limit": 0.05, "evidence": 900.0, "evidence_needed": 166.7}
    found = {"metric": "error_rate", "reason": "limit_exceeded", "value": 0.21, "need": 0.05, "since": 60.0}
    details = {**found, "numbers": numbers}
    event = Event(
        EventKind.BREACH_OPENED, 0.0, ITSELF, reason="error-rate", details={**details, "severity": "critical"}
    )
    headline, why = render_event(event)
    assert "critical" in headline
    assert why == (
        "21.00 % over 300 requests (limit 5.00 %), since 1970-01-01 00:01:00 UTC; "
        "at most 1 of 900 rollouts within the limit would show as much (needs 167)"
    )


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "/cart: P95 900 ms against LEGACY's 800 ms, +12.5 % (needs < 10.00 %); 95 %: +1.0 % to +30.0 %"),
        ("ko", "/cart: P95 900 ms, LEGACY는 800 ms, +12.5 % (필요: 10.00 % 미만); 95 % 구간 +1.0 % ~ +30.0 %"),
    ],
)
def test_a_finding_tells_of_its_endpoint_and_its_bounds(language: str, told: str) -> None:
    numbers = {"legacy": 800.0, "canary": 900.0, "margin": 0.1, "requests": 5_000.0}
    interval = Interval(0.01, 0.3)
    check = Check(
        "p95", Metric.P95, Verdict.FAIL, "beyond_margin", 0.125, 0.1, numbers, endpoint="/cart", interval=interval
    )
    assert render_finding(check, language) == told


def test_an_event_by_a_person_tells_their_words_even_when_they_are_a_code() -> None:
    event = Event(EventKind.PAUSED, 0.0, "ann", reason="deadline")
    assert render_event(event) == ("ann paused the rollout", "deadline")


def test_people_count_steps_from_one() -> None:
    event = Event(EventKind.STEP_ENTERED, 0.0, ITSELF, details={"step": 0, "steps": 4, "percentage": 5.0})
    assert render_event(event)[0] == "The canary gets 5 % (step 1 of 4)"


def test_a_rollback_before_the_first_canary_request_names_no_instant() -> None:
    at = {"last_canary_at": 60.0}
    done = Event(EventKind.ROLLBACK_COMPLETED, 0.0, ITSELF, details=at)
    assert render_event(done)[0] == "Rolled back: the last canary request was routed at 1970-01-01 00:01:00 UTC"
    untouched = replace(done, details={"last_canary_at": None})
    assert render_event(untouched)[0] == "Rolled back: no request had been routed to the canary"


@pytest.mark.parametrize(
    ("details", "english", "korean"),
    [
        ({"enabled": True, "canary_percentage": 50.0, "endpoints": []}, ": the canary gets 50 %", ": 카나리 비율 50 %"),
        ({"enabled": False, "canary_percentage": 50.0, "endpoints": []}, ": the canary is off", ": 카나리 꺼짐"),
        (
            {"endpoints": [rule("/cart", enabled=False), rule("/pay", most=10.0), rule("/")]},
            "; /cart off; /pay at most 10 %; / on",
            "; /cart 꺼짐; /pay 최대 10 %; / 켜짐",
        ),
    ],
)
def test_a_changed_configuration_says_what_it_is_now(details: dict[str, Any], english: str, korean: str) -> None:
    event = Event(EventKind.CONFIG_CHANGED, 0.0, "ann", details=details)
    assert render_event(event)[0].endswith(english)
    assert render_event(event, "ko")[0].endswith(korean)


def test_an_infinite_figure_does_not_fail_the_sentence() -> None:
    numbers = {"evidence": inf, "evidence_needed": 20.0, "requests": 5.0}
    assert "at most 1 of 1,000,000+ rollouts (needs 20)" in render("proven_within_margin", numbers)


@pytest.mark.parametrize(("evidence", "said"), [(0.0, "0.0"), (1.84, "1.8"), (2_941.2, "2,941"), (3e7, "1,000,000+")])
def test_evidence_is_said_as_a_number_that_people_can_read(evidence: float, said: str) -> None:
    numbers = {"evidence": evidence, "evidence_needed": 20.0, "requests": 5.0}
    assert f"at most 1 of {said} rollouts (needs 20)" in render("proven_within_margin", numbers)


@pytest.mark.parametrize(
    ("more", "english", "korean"),
    [(1_234.4, "about 1,234 requests", "약 1,234건"), (1e9, "at least 10,000,000 requests", "최소 10,000,000건")],
)
def test_an_estimate_beyond_all_patience_is_no_figure(more: float, english: str, korean: str) -> None:
    numbers = {"evidence": 1.0, "evidence_needed": 20.0, "more_requests": more, "more_seconds": 90.0}
    assert english in render(Reason.NOT_YET_PROVEN, numbers, "en")
    assert korean in render(Reason.NOT_YET_PROVEN, numbers, "ko")


@pytest.mark.parametrize(
    ("seconds", "english", "korean"),
    [
        (20_000.0, "(951 to go, about 5 h 33 min at this rate)", "(951건 남음, 이 속도로 약 5시간 33분)"),
        (LONGEST_SECONDS, "(951 to go, never at this rate)", "(951건 남음, 이 속도로는 끝나지 않음)"),
    ],
)
def test_where_no_requests_come_no_time_is_promised(seconds: float, english: str, korean: str) -> None:
    numbers = {"requests": 50.0, "needed": 1_000.0, "more_requests": 951.0, "more_seconds": seconds}
    assert english in render(Reason.FEW_REQUESTS, numbers, "en")
    assert korean in render(Reason.FEW_REQUESTS, numbers, "ko")


def test_a_problem_says_what_to_do() -> None:
    assert "serinus controller" in render_problem("controller_silent", {"seconds": None})


def said_by(node: ast.expr) -> str | None:
    """A sentence as its source has it, with something in the place of what varies."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
    return None


def refusals() -> Iterator[str]:
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            said = node.args[:1] if node.func.id in RAISED else node.args[1:2] if node.func.id == "Problem" else []
            yield from (text for each in said if (text := said_by(each)) is not None)


def helps(command: click.Command) -> Iterator[str]:
    """Paragraph by paragraph, as the terminal shows them; lines that are commands or fields stay as they are."""
    for text in (command.help, command.epilog):
        for paragraph in (text or "").replace("\\b\n", "\b\n").split("\n\n"):
            lines = [line.strip() for line in paragraph.strip("\n ").split("\n")]
            yield from lines[1:] if lines[0] == "\b" else [" ".join(lines)]
    yield from (parameter.help or "" for parameter in command.params if isinstance(parameter, click.Option))
    for name in getattr(command, "commands", {}):
        yield from helps(command.commands[name])  # type: ignore[attr-defined]  # a group


def test_every_help_has_its_korean() -> None:
    context = click.Context(main)
    texts = {line for _, line in COMMANDS.values()} | set(helps(main))
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        texts |= set(helps(command))
    missing = {text for text in texts if text and not FORMS.match(text) and not knows(text, "ko")}
    assert not missing, ADVICE


def test_every_refusal_has_its_korean() -> None:
    found = {*refusals(), *TITLES.values(), str(TooManyAttempts(3))}
    assert len(found) > 40
    missing = {text for text in found if not knows(text, "ko")}
    assert not missing, ADVICE
