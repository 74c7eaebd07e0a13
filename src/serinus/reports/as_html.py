"""A document as one HTML page that needs nothing else: no script, no font, no picture from anywhere.

It is built as a tree, so that it is well-formed, as XML too, and whatever stands in the facts is escaped.
"""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from xml.etree.ElementTree import Element, SubElement, tostring

from serinus.reports.as_json import iso
from serinus.reports.chart import svg
from serinus.reports.document import Block, Checklist, Document, Plot, Questions, Section, Table, Text, Unit, Value
from serinus.reports.words import Words

STYLE = files(__package__).joinpath("document.css").read_text(encoding="utf-8")
POLICY = f"default-src 'none'; style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'"
"""The page's own Content-Security-Policy: its style, and nothing that is fetched or run."""
NUMBERS = frozenset(Unit) - {Unit.TEXT, Unit.INSTANT, Unit.FLAG}
UNPRINTABLE = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127, *range(55296, 57344), 65534, 65535], "�")
"""What XML cannot hold, although a person's reason may."""


def html(document: Document) -> str:
    root = Element("html", lang=document.language, xmlns="http://www.w3.org/1999/xhtml")
    _head(root, document)
    words = Words(document.language)
    main = SubElement(SubElement(root, "body"), "main")
    _text(main, "h1", document.title)
    _text(main, "p", document.subtitle).set("class", "subtitle")
    for section in document.sections:
        _section(main, section, words)
    _text(SubElement(main, "footer"), "p", words("made_by", at=document.made_at))
    return "<!DOCTYPE html>\n" + tostring(root, encoding="unicode") + "\n"


def _head(root: Element, document: Document) -> None:
    head = SubElement(root, "head")
    SubElement(head, "meta", charset="utf-8")
    SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": POLICY})
    SubElement(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    SubElement(head, "meta", name="generator", content="serinus")
    _text(head, "title", f"{document.title} – {document.subtitle}")
    SubElement(head, "style").text = STYLE


def _section(parent: Element, section: Section, words: Words) -> None:
    part = SubElement(parent, "section", id=section.name)
    _text(part, "h2", section.title)
    for block in section.blocks:
        _block(part, block, words)


def _block(parent: Element, block: Block, words: Words) -> None:
    match block:
        case Text():
            _text(parent, "p", block.text)
        case Table():
            _table(parent, block, words)
        case Plot():
            figure = SubElement(parent, "figure")
            _text(figure, "figcaption", block.label)
            figure.append(svg(block, words))
        case Checklist():
            _checklist(parent, block, words)
        case Questions():
            _questions(parent, block)


def _table(parent: Element, block: Table, words: Words) -> None:
    if not block.rows:
        _text(parent, "p", f"{block.label}: {words('nothing')}" if block.label else words("nothing"))
        return
    table = SubElement(SubElement(parent, "div", {"class": "wide", "tabindex": "0"}), "table")
    if block.label:
        _text(table, "caption", block.label)
    heading = SubElement(SubElement(table, "thead"), "tr")
    for column in block.columns:
        _text(heading, "th", column.label).set("scope", "col")
    body = SubElement(table, "tbody")
    for number, row in enumerate(block.rows):
        line = SubElement(body, "tr")
        for place, value in enumerate(row):
            _cell(line, value, block.unit(number, place), words)


def _cell(line: Element, value: Value, unit: Unit, words: Words) -> None:
    cell = SubElement(line, "td")
    if unit in NUMBERS:
        cell.set("class", "number")
    if unit is Unit.INSTANT and isinstance(value, int | float):
        _text(cell, "time", words.shown(value, unit)).set("datetime", iso(value))
    else:
        cell.text = _clean(words.shown(value, unit)) or "\u00a0"


def _checklist(parent: Element, block: Checklist, words: Words) -> None:
    listed = SubElement(parent, "ul", {"class": "checklist"})
    for item in block.items:
        line = SubElement(listed, "li", {"class": "done" if item.done else "open"})
        _text(line, "strong", f"{'✔' if item.done else '✖'} {item.label}")
        _text(line, "span", item.evidence if item.done else f"{words('not_done')} {item.evidence}")


def _questions(parent: Element, block: Questions) -> None:
    listed = SubElement(parent, "ol")
    for text in block.texts:
        line = SubElement(listed, "li")
        _text(line, "span", text)
        SubElement(line, "div", {"class": "room"}).text = "\u00a0"


def _text(parent: Element, tag: str, text: str) -> Element:
    made = SubElement(parent, tag)
    made.text = _clean(text)
    return made


def _clean(text: str) -> str:
    return text.translate(UNPRINTABLE)
