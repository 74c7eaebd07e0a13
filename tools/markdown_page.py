"""A page of Markdown as GitHub shows it: its links, its anchors, and the references that it does not define."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unicodedata import category

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

UNDEFINED_REFERENCE = re.compile(r"(?<![\w\]])\[([^\[\]]+)\]\[([^\[\]]*)\]|\[(\^[^\[\]\s]+)\]")
# Letters, their marks, digits and the underscore, as Unicode's categories name them.
KEPT_IN_A_SLUG = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "Pc"}


@dataclass(frozen=True, slots=True)
class Link:
    """A `target` as it is written, and its line, from 1."""

    line: int
    target: str


@dataclass(frozen=True, slots=True)
class Page:
    """`undefined` are references, ``[text][name]`` and ``[^note]``, to a name that the page does not define."""

    links: tuple[Link, ...]
    undefined: tuple[Link, ...]
    anchors: frozenset[str]


class _Html(HTMLParser):
    """The links, anchors and headings of a piece of HTML that begins on `line`."""

    def __init__(self, text: str, line: int) -> None:
        super().__init__()
        self.line = line
        self.links: list[Link] = []
        self.anchors: list[str] = []
        self.headings: list[str] = []
        self.in_heading = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self.line + self.getpos()[0] - 1
        for name, value in attrs:
            if name in {"href", "src"} and value is not None:
                self.links.append(Link(line, value.strip()))
            elif name == "srcset" and value:
                self.links += [Link(line, each.split()[0]) for each in value.split(",") if each.strip()]
            elif (name == "id" or (tag == "a" and name == "name")) and value:
                self.anchors.append(value)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append("")
            self.in_heading = True

    def handle_endtag(self, tag: str) -> None:
        self.in_heading = self.in_heading and not re.fullmatch("h[1-6]", tag)

    def handle_data(self, data: str) -> None:
        if self.in_heading:
            self.headings[-1] += data

    def unknown_decl(self, data: str) -> None:
        """Nothing is linked by a declaration."""


class _Parser(MarkdownIt):
    """Leaves addresses as they are written, the forbidden ones too."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the parser's name
        return url

    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - the parser's name
        return True


def slug(heading: str) -> str:
    """The anchor of a heading's text: letters, their marks and digits of any language stay, punctuation goes."""
    kept = (letter for letter in heading.lower() if letter in "- " or category(letter) in KEPT_IN_A_SLUG)
    return "".join(kept).replace(" ", "-")


@cache
def read(path: Path) -> Page:
    """The page at `path`, read as UTF-8 as far as it is; an OSError when it cannot be read."""
    parser = _Parser("commonmark", {"store_labels": True}).enable(["table", "strikethrough"])
    parser.use(footnote_plugin, inline=False, move_to_end=False)
    defined: dict[str, Any] = {}
    tokens = parser.parse(path.read_text(encoding="utf-8-sig", errors="replace"), defined)
    pieces = [each for token in tokens for each in _pieces(token)]
    linked = [(line, piece) for line, piece in pieces if piece.type in {"link_open", "image"}]
    html = [_Html(piece.content, line) for line, piece in pieces if piece.type in {"html_inline", "html_block"}]
    links = [Link(line, str(piece.attrGet("src" if piece.type == "image" else "href"))) for line, piece in linked]
    links += [link for each in html for link in each.links]
    links += _unused(defined, {piece.meta.get("label") for _, piece in linked})
    anchors = _numbered(_headings(tokens)) | {anchor for each in html for anchor in each.anchors}
    return Page(tuple(links), tuple(each for token in tokens for each in _undefined(token)), anchors)


def _pieces(block: Token) -> Iterator[tuple[int, Token]]:
    """The parts of a block, each with its line."""
    line = block.map[0] + 1 if block.map else 1
    yield line, block
    for child in block.children or ():
        line += child.type in {"softbreak", "hardbreak"}
        yield line, child


def _unused(defined: dict[str, Any], used: set[str | None]) -> list[Link]:
    """The definitions of references that no link on the page uses: they are to lead somewhere all the same."""
    definitions = defined.get("references", {}).items()
    return [Link(each["map"][0] + 1, each["href"]) for label, each in definitions if label not in used]


def _undefined(block: Token) -> Iterator[Link]:
    """What looks like a reference, and was left as text because nothing defines it."""
    if block.type == "inline":
        first = block.map[0] + 1 if block.map else 1
        text = "".join(_as_written(piece) for piece in block.children or ())
        for match in UNDEFINED_REFERENCE.finditer(text):
            shown, name, note = match.groups()
            yield Link(first + text[: match.start()].count("\n"), note or name or shown)


def _as_written(piece: Token) -> str:
    """Text as it is; of code and images only that something stands there."""
    if piece.type in {"softbreak", "hardbreak"}:
        return "\n"
    return piece.content if piece.type == "text" else "\N{OBJECT REPLACEMENT CHARACTER}" * bool(piece.content)


def _headings(tokens: Sequence[Token]) -> Iterator[str]:
    """The text of every heading, in Markdown or HTML, in the page's order."""
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            inside = tokens[place + 1].children or ()
            yield "".join(piece.content for piece in inside if piece.type in {"text", "code_inline"})
        elif token.type == "html_block":
            yield from _Html(token.content, 1).headings


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
