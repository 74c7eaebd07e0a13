"""The documents say what is: commands exist, both READMEs show the same code. Links are `scripts/check`'s matter."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from serinus.cli.main import main

ROOT = Path(__file__).parents[1]
ONE_PAGE = {"README.md": 100, "README.ko.md": 100, "ARCHITECTURE.md": 100, "CONTRIBUTING.md": 80}


def fenced(page: Path) -> list[str]:
    """The lines of code blocks, without their comments."""
    blocks = re.findall(r"```[a-z]*\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [line.split("#")[0].rstrip() for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_every_command_of_the_readme_exists(name: str) -> None:
    commands = [line.split() for line in fenced(ROOT / name) if line.startswith("serinus ")]
    assert commands
    for command in commands:
        result = CliRunner().invoke(main, [command[1], "--help"])
        assert result.exit_code == 0, command
        options = [word for word in command if word.startswith("--")]
        assert all(option in result.output for option in options), command


def test_both_readmes_show_the_same_code() -> None:
    def code(name: str) -> list[str]:
        return [re.sub(r'"[^"]*[가-힣 ]+[^"]*"', '""', line) for line in fenced(ROOT / name)]

    assert code("README.ko.md") == code("README.md")


def test_the_index_names_every_page() -> None:
    index = ROOT / "docs/INDEX.md"
    named = {
        (index.parent / target).resolve() for target in re.findall(r"\]\(([^)#]+)\)", index.read_text(encoding="utf-8"))
    }
    pages = {path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "decisions"} - {index}
    assert sorted(str(page) for page in pages - named) == []


COMMAND = r"(\$ )?(serinus|curl|export|scripts/)"
KOREAN = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.ko.md"))


@pytest.mark.parametrize("name", KOREAN)
def test_a_page_in_korean_has_all_that_its_english_sister_has(name: str) -> None:
    """The same headings, rows, steps and commands, and a link to each other."""

    def shape(page: Path) -> dict[str, list[str] | int]:
        lines = page.read_text(encoding="utf-8").splitlines()
        return {
            "headings": [line.split()[0] for line in lines if line.startswith("#")],
            "rows": sum(line.startswith("|") for line in lines),
            "steps": sum(re.match(r"\d\. |- ", line) is not None for line in lines),
            "commands": [re.sub(r'"[^"]*"', '""', line) for line in fenced(page) if re.match(COMMAND, line)],
            "pictures": sum(line.startswith("![") for line in lines),
        }

    korean = ROOT / name
    english = korean.with_name(korean.name.replace(".ko.md", ".md"))
    assert shape(korean) == shape(english)
    assert f"]({english.name})" in korean.read_text(encoding="utf-8")
    assert f"]({korean.name})" in english.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "lines"), ONE_PAGE.items())
def test_the_first_documents_stay_a_page_each(name: str, lines: int) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= lines


def test_every_decision_is_listed() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text(encoding="utf-8")
    assert [page.name for page in (ROOT / "docs/decisions").glob("0*.md") if page.name not in listed] == []


def test_every_name_in_the_architectures_tree_and_table_exists() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = [*in_the_tree(page.split("```")[1]), *(ROOT / "src/serinus" / path for path in in_the_table(page))]
    assert len(named) > 60
    assert [str(path) for path in named if not path.exists() and not path.with_suffix(".py").exists()] == []


def in_the_tree(tree: str) -> Iterator[Path]:
    """What stands before the description of each line: a folder and what is inside it, or several of either."""
    place = ROOT
    for line in tree.strip().splitlines():
        words = [word for part in re.split(r" {3,}", line.strip())[:-1] for word in part.split()]
        if not line.startswith(" "):
            place = ROOT / (words or line.split())[0]
            words = words[1:] if place.name == "tests" else []
        folders = [word for word in words if word.endswith("/")]
        inside = place / words.pop(0) if len(folders) == 1 else place
        yield inside
        yield from (inside / word for word in words if word not in {"pure", "shell"})


def in_the_table(page: str) -> list[str]:
    """The paths of the table `Where to change what`."""
    rows = page.split("## Where to change what")[1].splitlines()
    cells = [row.split("|")[2] for row in rows if row.startswith("| ")]
    return [
        path for cell in cells for path in re.findall(r"`([a-z_]+/[a-z_/]*(?:\.py)?)`", cell) if "tests" not in path
    ]


def test_every_test_that_a_document_names_exists() -> None:
    def found(folder: str, pages: str, pattern: str) -> set[str]:
        texts = (page.read_text(encoding="utf-8") for page in (ROOT / folder).rglob(pages))
        return {name for text in texts for name in re.findall(pattern, text)}

    named = found("docs", "*.md", r"`(test_\w+)`")
    assert len(named) >= 10
    assert named - found("tests", "test_*.py", r"def (test_\w+)\(") == set()


@pytest.mark.parametrize("page", ["reliability.md", "security.md"])
def test_every_test_that_a_promise_names_exists(page: str) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "docs" / page).read_text(encoding="utf-8"))
    assert len(named) >= 10
    for path, test in named:
        assert f"def {test}" in (ROOT / path).read_text(encoding="utf-8"), (path, test)


def test_every_line_of_python_in_the_page_on_embedding_is_an_examples_which_a_test_runs() -> None:
    page = (ROOT / "docs/howto/embed.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    examples = [path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py")]
    assert len(blocks) >= 5
    assert [block for block in blocks if not any(block in example for example in examples)] == []


def test_every_example_is_named_on_a_page() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs/howto").glob("*.md"))
    assert {path.name for path in (ROOT / "examples").glob("*.py")} <= set(re.findall(r"\w+\.py", pages))
