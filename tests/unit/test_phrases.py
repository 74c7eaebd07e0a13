"""What is said in English where it happens has its Korean: help, refusals, errors, and what commands write."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from string import Formatter

import click
import pytest
from click.testing import CliRunner

from serinus.cli.main import COMMANDS, main
from serinus.errors import TooManyAttempts
from serinus.messages.phrases import knows, preferred, translate
from serinus.problems import TITLES

SOURCE = Path(__file__).parents[2] / "src" / "serinus"
RAISED = {"Refused", "Forbidden", "Unauthenticated", "NotFound", "StaleRevision", "_NotAsExpected"}
BOOK = files("serinus.messages").joinpath("phrases.ko.toml").read_text(encoding="utf-8")
HANGUL = re.compile("[가-힣]")
FORMS = re.compile(r"\b(?:serinus|curl) [a-z]")
ADVICE = "add it to src/serinus/messages/phrases.ko.toml"


def entries() -> Iterator[tuple[str, str]]:
    for section in tomllib.loads(BOOK).values():
        yield from section.items()


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
            raised = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED
            if raised and node.args and (text := said_by(node.args[0])) is not None:
                yield text


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


def test_a_translation_has_the_places_of_its_sentence_and_is_korean() -> None:
    for english, korean in entries():
        places = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (english, korean)]
        assert places[0] == places[1], english
        bare = re.sub(r"\{\w+\}", "", korean)
        assert HANGUL.search(korean) or not re.search("[a-z]{3}", bare) or "legacy" in bare, english


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        (
            "cannot pause a rollout that is rolled_back; this is possible when it is progressing, holding",
            "롤아웃의 상태가 롤백됨이므로 일시 정지할 수 없습니다. 가능한 상태: 진행 중, 유지 중",
        ),
        ("this needs the role operator; bob has viewer", "역할 운영자이(가) 필요합니다. bob 님은 조회자입니다"),
        ("Refused: no rollout is running; start one first", "Refused: 진행 중인 롤아웃이 없습니다. 먼저 시작하십시오"),
        ("a sentence that nobody has foreseen", "a sentence that nobody has foreseen"),
    ],
)
def test_a_sentence_is_translated_with_what_it_speaks_of(english: str, korean: str) -> None:
    assert translate(english, "ko") == korean
    assert translate(english, "en") == english


def test_the_language_is_the_first_that_there_is() -> None:
    assert preferred(("", "fr-CH", "ko-KR;q=0.9", "en"), "en") == "ko"
    assert preferred(("", "fr"), "ko") == "ko"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["rolback"], "'rollback'을(를) 뜻했습니까?"),
        (["approve"], "인자 'GATE'이(가) 없습니다."),
        (["pause", "--cap", "300"], "300이(가) 0에서 100 사이가 아닙니다"),
        (["status", "--wach"], "옵션"),
        (["status", "--url", "http://127.0.0.1:1"], "응답이 없습니다"),
    ],
)
def test_a_mistake_on_the_command_line_is_told_in_korean(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(main, arguments, env={"SERINUS_LANGUAGE": "ko"})
    assert result.exit_code in {2, 4}
    assert "오류: " in result.stderr
    assert told in result.stderr


def test_help_is_in_korean_where_that_is_the_language() -> None:
    told = CliRunner().invoke(main, ["plan", "estimate", "--help"], env={"SERINUS_LANGUAGE": "ko"}).stdout
    assert told.startswith("사용법: main plan estimate")
    assert "\n옵션:\n" in told
    assert "[기본값: 1d]" in told
    assert "serinus plan estimate phase4 --rps 20000/d --from-store" in told
