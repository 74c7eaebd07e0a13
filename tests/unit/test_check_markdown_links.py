"""The checker of links finds what GitHub's readers would run into, and nothing else."""

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from check_markdown_links import main
from markdown_page import read


def run(root: Path, *arguments: str) -> tuple[int, str]:
    """The exit code and what is printed."""
    read.cache_clear()
    with redirect_stdout(StringIO()) as printed:
        code = main([*arguments, "--root", str(root), str(root)])
    return code, printed.getvalue()


def broken(root: Path, **pages: str) -> list[tuple[int, str]]:
    """Line and target of what is broken when the repository holds these pages."""
    for name, text in pages.items():
        path = root / f"{name.replace('__', '/')}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [(each["line"], each["target"]) for each in json.loads(run(root, "--json")[1])["broken"]]


def test_paths_anchors_references_images_and_html_that_lead_somewhere_are_fine(tmp_path: Path) -> None:
    (tmp_path / "a picture.png").write_bytes(b"")
    one = """# One
See [two](two.md), [its part](two.md#the-part), [here](#one), [the folder](docs/), [root](/two.md), [ref][r], [r].
![picture](a%20picture.png) <img src="a picture.png"> <a href="two.md#hand-made">x</a>
[outside](https://example.org/x#y) <https://example.org> [mail](mailto:a@example.org)

[r]: two.md "title"
"""
    two = '# Two\n## The `part`!\n<a id="hand-made"></a>\n'
    assert broken(tmp_path, one=one, two=two, docs__three="[up](../one.md)") == []


def test_what_leads_nowhere_is_named_with_its_line(tmp_path: Path) -> None:
    lines = ["# One", "", "[a](two.md)", "[b](#three)", "", "![c](c.png)", "", "[d][nobody]", "", "<img src='e.png'>"]
    one = "\n".join([*lines, "", "| t |", "|---|", "| [f](f) |"])
    expected = [(3, "two.md"), (4, "#three"), (6, "c.png"), (8, "nobody"), (10, "e.png"), (14, "f")]
    assert broken(tmp_path, one=one) == expected


def test_links_in_code_are_no_links(tmp_path: Path) -> None:
    assert broken(tmp_path, one="`[a](a.md)`\n\n```\n[b](b.md)\n```\n\n    [c](c.md)\n") == []


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("Hello, World!", "hello-world"),
        ("배포 가이드 (카나리)", "배포-가이드-카나리"),
        ("`serve --port` and _more_", "serve---port-and-more"),
        ("snake_case & dots.md", "snake_case--dotsmd"),
        ("A [link](one.md) inside", "a-link-inside"),
        ("1. First — step", "1-first--step"),
        ("🚀 Launch", "-launch"),
        (":rocket: Launch", "rocket-launch"),
        ("⚠\ufe0f Warning", "\ufe0f-warning"),
        ("हिन्दी में", "हिन्दी-में"),
        ("½ cup², ① of Ⅷ", "-cup--of-ⅷ"),
        ("![logo](one.md) Name", "-name"),
        ("Fish &amp; chips\\!", "fish--chips"),
    ],
)
def test_anchors_are_githubs(tmp_path: Path, heading: str, anchor: str) -> None:
    assert broken(tmp_path, one=f"# {heading}\n\n[to](#{anchor})\n") == []
    assert broken(tmp_path, one=f"# {heading}\n\n[to](#x{anchor})\n") == [(3, f"#x{anchor}")] or not anchor.isascii()


def test_headings_of_the_same_text_are_numbered(tmp_path: Path) -> None:
    page = "# Step\n# Step\n# Step 1\n# Step\n\n[0](#step) [1](#step-1) [2](#step-1-1) [3](#step-2) [4](#step-3)\n"
    assert broken(tmp_path, one=page) == [(6, "#step-3")]


def test_headings_in_html_and_of_a_folders_readme_are_anchors_too(tmp_path: Path) -> None:
    readme = '<h1 align="center"><img src="README.md">The <b>Name</b></h1>\n\n# The Name\n'
    page = "[1](docs#the-name-1) [2](docs/#the-name) [3](docs#nothing) [4](empty#nothing) [5](#top) [6](docs#TOP)"
    (tmp_path / "empty").mkdir()
    assert broken(tmp_path, docs__README=readme, one=page) == [(1, "docs#nothing"), (1, "empty#nothing")]


def test_lines_are_parts_of_a_file_that_has_them(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("one\ntwo\n", encoding="utf-8")
    page = "[1](x.py#L2) [2](x.py#L1-L3) [3](x.py#L1C2-L2C3) [4](one.md?plain=1#L1) [5](one.md#L1) [6](x.py#L9)"
    assert broken(tmp_path, one=page) == [(1, "x.py#L1-L3"), (1, "one.md#L1"), (1, "x.py#L9")]


def test_footnotes_are_no_references_and_need_a_definition(tmp_path: Path) -> None:
    page = "A[^1] b[^2] c[^3]\n\n[^1]: word\n[^2]:\n    see [x](nowhere.md)\n"
    assert broken(tmp_path, one=page) == [(1, "^3"), (5, "nowhere.md")]


def test_references_of_every_form_need_a_definition_and_every_definition_a_target(tmp_path: Path) -> None:
    page = "[**a** `b`][no] [c][] [D][]\nx\n[e\nf][nope] table[i][j] [maybe]\n\n[d]: one.md\n[unused]: gone.md\n"
    expected = [(1, "no"), (1, "c"), (3, "nope"), (7, "gone.md")]
    assert broken(tmp_path, one=page) == expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("~~~\n[a](a.md)\n~~~\n- x\n\n      [b](b.md)\n", []),
        ("- x\n  1. y\n\n     [a](a.md)\n> [b](b.md)\n", [(4, "a.md"), (5, "b.md")]),
        ("<!-- [a](a.md) <a href='b.md'> -->\n\\[c](c.md)", []),
        ("<picture>\n<source srcset='a.png 1x, b.png 2x'>\n</picture>", [(2, "a.png"), (2, "b.png")]),
        ("[a]() ![b]()", [(1, ""), (1, "")]),
        ("[a](<c (1).md>) [b](c%20(1).md) [c](c%20%281%29.md) [d](<c (2).md>)", [(1, "c (2).md")]),
        ("[a](DOCS/two.md) [b](docs/two.md/) [c](docs/two.md/x)", [(1, "DOCS/two.md"), (1, "docs/two.md/x")]),
    ],
)
def test_what_is_a_link_is_what_commonmark_says(tmp_path: Path, page: str, expected: list[tuple[int, str]]) -> None:
    (tmp_path / "c (1).md").touch()
    assert broken(tmp_path, one=page, docs__two="# Two") == expected


@pytest.mark.parametrize(
    "page",
    [
        f"[x]({'a' * 5_000}.md)",
        f"[x]({'a/' * 5_000}b.md)",
        "[x](a%00b.md)",
        "[x](%FF%FE.md#%ED%A0%80)",
        "[x](x.bin#L99999999999999999999)",
        "[x](loop.md#a)",
    ],
)
def test_a_target_that_cannot_be_is_broken_and_breaks_nothing(tmp_path: Path, page: str) -> None:
    (tmp_path / "x.bin").write_bytes(b"\xff\x00\n")
    (tmp_path / "loop.md").symlink_to("loop.md")
    assert len(broken(tmp_path, one=page)) == 1


@pytest.mark.parametrize(
    "page", ["[" * 9_000 + "]" * 9_000, "[a](" * 9_000, "<![x[ <a " * 2_000, "> " * 9_000, "\x00[^"]
)
def test_hostile_pages_are_read_to_their_end(tmp_path: Path, page: str) -> None:
    assert broken(tmp_path, one=page) == []


def test_a_link_out_of_the_repository_is_broken_for_its_readers(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "secret.md").write_text("x", encoding="utf-8")
    assert broken(tmp_path / "repo", one="[s](../secret.md)") == [(1, "../secret.md")]


@pytest.mark.parametrize("target", ["https://", "javascript:alert(1)", "http://[::1", "mailto:"])
def test_an_address_without_a_host_or_of_an_unknown_kind_is_broken(tmp_path: Path, target: str) -> None:
    assert broken(tmp_path, one=f"[x](<{target}>)") == [(1, target)]


def test_another_spelling_is_another_file(tmp_path: Path) -> None:
    assert broken(tmp_path, one="[x](TWO.md)", two="# Two") == [(1, "TWO.md")]


def test_people_are_told_what_was_probably_meant_and_how_much_was_looked_at(tmp_path: Path) -> None:
    (tmp_path / "one.md").write_text("# Setting up\n[a](#seting-up)\n[b](on.md)\n", encoding="utf-8")
    code, printed = run(tmp_path)
    assert code == 1
    assert "one.md:2: #seting-up: the page has no such heading; did you mean setting-up?" in printed
    assert "did you mean one.md?" in printed
    assert "1 Markdown files, 2 links, 2 broken" in printed


def test_packages_and_environments_of_any_name_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    (tmp_path / "env/pyvenv.cfg").touch()
    assert broken(tmp_path, node_modules__x="[x](nowhere.md)", env__x="[x](nowhere.md)", one="# One") == []


def test_every_spelling_of_the_ending_is_looked_at(tmp_path: Path) -> None:
    for name in ("a.MD", "b.markdown"):
        (tmp_path / name).write_text("\ufeff# One\n[x](#one) [y](nowhere.md)", encoding="utf-8")
    assert broken(tmp_path) == [(2, "nowhere.md"), (2, "nowhere.md")]


def test_a_place_that_is_not_there_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "nowhere")])
    assert "no such file or folder" in capsys.readouterr().err
