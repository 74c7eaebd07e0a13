"""Checks the links of Markdown files: paths, anchors, references and images; without the network.

    python tools/check_markdown_links.py [--json] [FILE or FOLDER ...]

Links are found by a CommonMark parser, so what stands in code is none. Anchors are GitHub's: made of the headings' text
(https://docs.github.com/en/get-started/writing-on-github, "Section links"), or an `id` or `name` in HTML.
Links to other hosts are only looked at for their form. Exits with 1 when a link is broken.
"""

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

SKIPPED_FOLDERS = {".git", ".venv", "venv", "node_modules", "build", "dist"}
UNDEFINED_REFERENCE = re.compile(r"\[[^\[\]]+\]\[([^\[\]]+)\]")
NOT_IN_A_SLUG = re.compile(r"[^\w\- ]")
HOSTED = {"http", "https", "ftp"}
WITHOUT_HOST = {"mailto", "tel"}


@dataclass(frozen=True, slots=True)
class Link:
    """A `target` as it is written, and the line (from 1) of the block in which it stands."""

    line: int
    target: str


@dataclass(frozen=True, slots=True)
class Broken:
    file: str
    line: int
    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class Page:
    """`undefined` are references, ``[text][name]``, to a name that the page does not define."""

    links: tuple[Link, ...]
    undefined: tuple[Link, ...]
    anchors: frozenset[str]


class _Html(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src"} and value:
                self.targets.append(value)
            elif (name == "id" or (tag == "a" and name == "name")) and value:
                self.anchors.append(value)


class _Parser(MarkdownIt):
    """Leaves addresses as they are written, the forbidden ones too."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the parser's name
        return url

    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - the parser's name
        return True


def slug(heading: str) -> str:
    """The anchor of a heading's text: letters and digits of any language stay, punctuation goes."""
    return NOT_IN_A_SLUG.sub("", heading.strip().lower()).replace(" ", "-")


@cache
def read(path: Path) -> Page:
    """The page at `path`, read as UTF-8 as far as it is."""
    text = path.read_text(encoding="utf-8", errors="replace")
    tokens = _Parser("commonmark").enable(["table", "strikethrough"]).parse(text)
    links: list[Link] = []
    undefined: list[Link] = []
    headings: list[str] = []
    anchors: set[str] = set()
    for place, token in enumerate(tokens):
        for line, piece in _pieces(token):
            if target := piece.attrGet("href") or piece.attrGet("src"):
                links.append(Link(line, str(target)))
            elif piece.type in {"html_inline", "html_block"}:
                html = _Html(piece.content)
                links += [Link(line, target) for target in html.targets]
                anchors.update(html.anchors)
            elif piece.type == "text":
                undefined += [Link(line, name) for name in UNDEFINED_REFERENCE.findall(piece.content)]
        if token.type == "heading_open":
            headings.append(_text(tokens[place + 1].children or ()))
    return Page(tuple(links), tuple(undefined), frozenset(anchors) | _numbered(headings))


def _pieces(block: Token) -> Iterator[tuple[int, Token]]:
    """The parts of a block, each with its line."""
    line = block.map[0] + 1 if block.map else 1
    yield line, block
    for child in block.children or ():
        line += child.type in {"softbreak", "hardbreak"}
        yield line, child


def _text(pieces: Iterable[Token]) -> str:
    return "".join(piece.content for piece in pieces if piece.type in {"text", "code_inline"})


def _numbered(headings: Iterable[str]) -> frozenset[str]:
    """Headings of the same text get -1, -2 and so on, in their order."""
    taken: dict[str, int] = {}
    for heading in headings:
        first = name = slug(heading)
        while name in taken:
            taken[first] += 1
            name = f"{first}-{taken[first]}"
        taken[name] = 0
    return frozenset(taken)


def check(path: Path, root: Path) -> list[Broken]:
    """The broken links of the page at `path`, in a repository at `root`."""
    name = path.relative_to(root).as_posix()
    page = read(path)
    broken = [Broken(name, link.line, link.target, "no such reference is defined") for link in page.undefined]
    wrong = ((link, wrong_with(link.target, path, root)) for link in page.links)
    broken += [Broken(name, link.line, link.target, reason) for link, reason in wrong if reason]
    return sorted(broken, key=lambda each: each.line)


def wrong_with(target: str, page: Path, root: Path) -> str | None:
    """What is wrong with a link on `page`; None when it leads somewhere, as far as can be said without the network."""
    try:
        parts = urlsplit(target)
    except ValueError as error:
        return f"this is no address: {error}"
    if parts.scheme or parts.netloc:
        return _wrong_address(parts)
    path = unquote(parts.path)
    place = page if not path else root / path.lstrip("/") if path.startswith("/") else page.parent / path
    place = place.resolve()
    if not place.is_relative_to(root):
        return "it leads out of the repository"
    if not _exists(place):
        return "there is no such file" + _meant(place.name, (each.name for each in _siblings(place)))
    return _wrong_anchor(unquote(parts.fragment), place) if parts.fragment else None


def _wrong_address(parts: SplitResult) -> str | None:
    if parts.scheme in HOSTED or not parts.scheme:
        return None if parts.hostname else "the address names no host"
    return None if parts.scheme in WITHOUT_HOST and parts.path else "this kind of address is not known"


def _exists(place: Path) -> bool:
    """By the exact spelling: a file system that ignores case must not hide what is broken elsewhere."""
    return place.exists() and place.name in {place.parent.name, *(each.name for each in _siblings(place)), ""}


def _siblings(place: Path) -> list[Path]:
    return sorted(place.parent.iterdir()) if place.parent.is_dir() else []


def _wrong_anchor(anchor: str, place: Path) -> str | None:
    if place.suffix.lower() != ".md" or anchor in read(place).anchors:
        return None
    return "the page has no such heading" + _meant(anchor, read(place).anchors)


def _meant(name: str, candidates: Iterable[str]) -> str:
    found = get_close_matches(name, list(candidates), n=1)
    return f"; did you mean {found[0]}?" if found else ""


def pages(places: Sequence[Path]) -> list[Path]:
    """All Markdown files at and below `places`, without those of others (environments, packages)."""
    found: set[Path] = set()
    for place in places:
        below = place.rglob("*.md") if place.is_dir() else [place]
        found.update(path.resolve() for path in below if not SKIPPED_FOLDERS & set(path.relative_to(place).parts))
    return sorted(found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is broken; the exit code says whether anything is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", nargs="*", type=Path, default=[Path()], metavar="FILE or FOLDER")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: the working directory)")
    parser.add_argument("--json", action="store_true", help="for programs")
    chosen = parser.parse_args(arguments)
    if missing := [str(place) for place in chosen.places if not place.exists()]:
        parser.error(f"no such file or folder: {', '.join(missing)}")
    root, files = chosen.root.resolve(), pages(chosen.places)
    if outside := [str(path) for path in files if not path.is_relative_to(root)]:
        parser.error(f"outside of the repository {root}: {', '.join(outside)}; name it with --root")
    broken = [each for path in files for each in check(path, root)]
    links = sum(len(read(path).links) + len(read(path).undefined) for path in files)
    if chosen.json:
        answer = {"pages": len(files), "links": links, "broken": [asdict(each) for each in broken]}
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        for each in broken:
            print(f"{each.file}:{each.line}: {each.target}: {each.reason}")
        print(f"{len(files)} Markdown files, {links} links, {len(broken) or 'none'} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
