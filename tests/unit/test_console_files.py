"""What the console serves: small modules without anything from elsewhere, and words in two languages."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

from serinus.access import Role
from serinus.admin.rollout_shapes import Users
from serinus.analysis.verdict import Metric, Verdict
from serinus.console.files import static_files
from serinus.messages import LANGUAGES, catalogue
from serinus.reports.document import Kind
from serinus.rollout.plan import Evidence, Severity
from serinus.rollout.state import Phase
from serinus.routing.canary_router import Reason

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "src" / "serinus" / "console" / "static"
OWN = sorted(path for path in STATIC.rglob("*") if path.is_file() and "vendor" not in path.parts)
MODULES = [path for path in OWN if path.suffix == ".js"]
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def words(language: str) -> dict[str, str]:
    spoken: dict[str, str] = json.loads((STATIC / "words" / f"{language}.json").read_text(encoding="utf-8"))
    return spoken


def used() -> Iterator[str]:
    for path in MODULES:
        yield from re.findall(r"\bt\(\s*'([^']+)'", path.read_text(encoding="utf-8"))


def test_all_languages_have_the_same_words_with_the_same_placeholders() -> None:
    shapes = [{key: set(PLACEHOLDER.findall(text)) for key, text in words(name).items()} for name in LANGUAGES]
    assert all(shape == shapes[0] for shape in shapes)


def test_no_word_is_empty_and_none_is_left_in_english() -> None:
    english, korean = words("en"), words("ko")
    assert all(english.values())
    same = {key for key, text in english.items() if text == korean[key]}
    assert same <= {"name.p95", "column.p95", "curve.p95", "curve.p99", "receipt.after", "unit.gap"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_severities_verdicts_and_roles_are_called_alike_in_the_console_on_the_terminal_and_in_documents(
    language: str,
) -> None:
    texts = catalogue(language)
    for key, word in words(language).items():
        kind, _, code = key.partition(".")
        if kind in {"severity", "verdict", "role"}:
            others = (texts["names"][code], texts["documents"].get(f"{kind}_{code}", word))
            assert {word.lower(), *(other.lower() for other in others)} == {word.lower()}, key


def test_every_word_that_a_module_asks_for_is_there() -> None:
    missing = set(used()) - set(words("en"))
    assert not missing


@pytest.mark.parametrize(
    ("prefix", "names"),
    [
        ("phase", Phase),
        ("where", Phase),
        ("tab", Users),
        ("advice", Users),
        ("verdict", Verdict),
        ("role", Role),
        ("severity", Severity),
        ("evidence", Evidence),
        ("reason", Reason),
        ("report", Kind),
        ("name", Metric),
    ],
)
def test_whatever_the_api_may_answer_has_a_word(prefix: str, names: type) -> None:
    missing = {f"{prefix}.{name}" for name in names} - set(words("en"))  # type: ignore[attr-defined]  # an enum
    assert not missing


def test_modules_stay_under_three_hundred_lines() -> None:
    long = [path.name for path in MODULES if len(path.read_text(encoding="utf-8").splitlines()) > 300]
    assert not long


def test_nothing_comes_from_elsewhere_and_nothing_is_inline() -> None:
    for path in OWN:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|\beval\(|innerHTML|\sstyle=|@import|unsafe", text), path.name
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)|\son\w+=", page)


def test_every_file_that_a_page_or_a_module_names_is_there() -> None:
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    for name in re.findall(r'(?:href|src)="console/([^"]+)"', page):
        assert name in static_files()
    for path in MODULES:
        for name in re.findall(r"from '(\.[^']+)'", path.read_text(encoding="utf-8")):
            assert (path.parent / name).is_file(), f"{path.name} imports {name}"


def test_every_library_has_its_licence_beside_it() -> None:
    libraries = [folder for folder in (STATIC / "vendor").iterdir() if folder.is_dir()]
    assert {folder.name for folder in libraries} == {"uplot", "lit-html"}
    assert all((folder / "LICENSE").read_text(encoding="utf-8") for folder in libraries)


def test_the_wheel_holds_the_console(tmp_path: Path) -> None:
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    packed = set(ZipFile(wheel).namelist())
    assert {f"serinus/console/static/{path.relative_to(STATIC).as_posix()}" for path in OWN} <= packed
    assert "serinus/console/static/vendor/uplot/LICENSE" in packed
