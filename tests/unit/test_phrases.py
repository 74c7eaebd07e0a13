"""What is said in English where it happens is told in Korean."""

import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from string import Formatter

import pytest
from click.testing import CliRunner

from serinus.cli.main import main
from serinus.messages.phrases import preferred, translate

BOOK = files("serinus.messages").joinpath("phrases.ko.toml").read_text(encoding="utf-8")
HANGUL = re.compile("[가-힣]")


def entries() -> Iterator[tuple[str, str]]:
    for section in tomllib.loads(BOOK).values():
        yield from section.items()


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
        ("this needs the role operator; bob has viewer", "역할 운영자가 필요합니다. bob 님은 조회자입니다"),
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
        (["serve", "no_such_module:app"], '모듈 "no_such_module"을(를) 불러올 수 없습니다'),
        (["replay", "no-such.log", "--plan", "demo"], "no-such.log"),
        (["pause", "--cap", "300"], "300이 0에서 100 사이가 아닙니다"),
        (["status", "--wach"], "옵션"),
        (["status", "--url", "http://127.0.0.1:1"], "응답이 없습니다"),
    ],
)
def test_a_mistake_on_the_command_line_is_told_in_korean(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(main, arguments, env={"SERINUS_LANGUAGE": "ko"})
    assert result.exit_code in {2, 4}
    assert "오류: " in result.stderr
    assert told in result.stderr


@pytest.mark.parametrize(("environment", "option", "said"), [("en", "ko", "오류: "), ("ko", "en", "Error: ")])
def test_a_failure_is_told_in_the_language_that_the_command_was_asked_for(
    environment: str, option: str, said: str
) -> None:
    arguments = ["replay", "no-such.log", "--plan", "demo", "--language", option]
    told = CliRunner().invoke(main, arguments, env={"SERINUS_LANGUAGE": environment}).stderr
    assert told.startswith(said)


def test_help_is_in_korean_where_that_is_the_language() -> None:
    told = CliRunner().invoke(main, ["plan", "estimate", "--help"], env={"SERINUS_LANGUAGE": "ko"}).stdout
    assert told.startswith("사용법: main plan estimate")
    assert "\n옵션:\n" in told
    assert "[기본값: 1d]" in told
    assert "serinus plan estimate phase4 --rps 20000/d --from-store" in told
