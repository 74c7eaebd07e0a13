"""Checks the links of Markdown files: paths, anchors, references, footnotes and images; without the network.

    python tools/check_markdown_links.py [--json] [FILE or FOLDER ...]

Links are found by a CommonMark parser, so what stands in code is none. Anchors are GitHub's: made of the headings' text
(https://docs.github.com/en/get-started/writing-on-github, "Section links"), or an `id` or `name` in HTML.
Links to other hosts are only looked at for their form. Exits with 1 when a link is broken.
"""

import argparse
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from markdown_page import read

SKIPPED_FOLDERS = {".git", ".venv", "venv", ".tox", ".nox", "node_modules", "build", "dist"}
MARKDOWN = {".md", ".markdown"}
LINES = re.compile(r"L(\d+)(?:C\d+)?(?:-L(\d+)(?:C\d+)?)?")
HOSTED = {"http", "https", "ftp"}
WITHOUT_HOST = {"mailto", "tel"}


@dataclass(frozen=True, slots=True)
class Broken:
    file: str
    line: int
    target: str
    reason: str


def check(path: Path, root: Path) -> list[Broken]:
    """The broken links of the page at `path`, in a repository at `root`."""
    name = path.relative_to(root).as_posix()
    try:
        page = read(path)
    except OSError as error:
        return [Broken(name, 1, "", f"the page cannot be read: {error.strerror}")]
    broken = [Broken(name, link.line, link.target, "no such reference is defined") for link in page.undefined]
    wrong = ((link, wrong_with(link.target, path, root)) for link in page.links)
    broken += [Broken(name, link.line, link.target, reason) for link, reason in wrong if reason]
    return sorted(broken, key=lambda each: each.line)


def wrong_with(target: str, page: Path, root: Path) -> str | None:
    """What is wrong with a link on `page`; None when it leads somewhere, as far as can be said without the network."""
    if not target:
        return "the link names no target"
    try:
        parts = urlsplit(target)
    except ValueError as error:
        return f"this is no address: {error}"
    if parts.scheme or parts.netloc:
        return _wrong_address(parts)
    path = unquote(parts.path)
    place = page if not path else root / path.lstrip("/") if path.startswith("/") else page.parent / path
    try:
        return _wrong_place(Path(os.path.normpath(place)), root) or _wrong_part(parts, place.resolve())
    except (OSError, ValueError) as error:  # such as a name that is too long, or holds what no name may hold
        return f"there can be no such file: {getattr(error, 'strerror', None) or error}"


def _wrong_address(parts: SplitResult) -> str | None:
    if parts.scheme in HOSTED or not parts.scheme:
        return None if parts.hostname else "the address names no host"
    return None if parts.scheme in WITHOUT_HOST and parts.path else "this kind of address is not known"


def _wrong_place(place: Path, root: Path) -> str | None:
    """By the exact spelling: a file system that ignores case must not hide what is broken elsewhere."""
    if not place.is_relative_to(root):
        return "it leads out of the repository"
    here = root
    for name in place.relative_to(root).parts:
        if not here.is_dir():
            return "there is no such file"
        names = [sibling.name for sibling in here.iterdir()]
        here /= name
        if name not in names or not here.exists():
            return "there is no such file" + _meant(name, names)
    return None


def _wrong_part(parts: SplitResult, place: Path) -> str | None:
    """What is wrong with a link's fragment: a heading of a page, or lines of a file."""
    anchor = unquote(parts.fragment)
    if not anchor or anchor.lower() == "top":
        return None
    if place.is_dir():
        place /= "README.md"
        if not place.exists():
            return "the folder has no README.md, so it has no headings"
    if place.suffix.lower() not in MARKDOWN or "plain=1" in parts.query:
        return _wrong_lines(anchor, place)
    anchors = read(place).anchors
    return None if anchor in anchors else "the page has no such heading" + _meant(anchor, anchors)


def _wrong_lines(anchor: str, place: Path) -> str | None:
    """Other fragments than lines are the matter of whoever shows the file."""
    if not (lines := LINES.fullmatch(anchor)):
        return None
    last, count = max(int(each) for each in lines.groups("0")), len(place.read_bytes().splitlines())
    return None if last <= count else f"the file has only {count} lines"


def _meant(name: str, candidates: Iterable[str]) -> str:
    spelt = {candidate.casefold(): candidate for candidate in sorted(candidates)}
    found = get_close_matches(name.casefold(), spelt, n=1)
    return f"; did you mean {spelt[found[0]]}?" if found else ""


def pages(places: Sequence[Path]) -> list[Path]:
    """All Markdown files at and below `places`, without those of others (environments, packages)."""
    below = (each for place in places for each in (_below(place) if place.is_dir() else [place]))
    return sorted({path.resolve() for path in below})


def _below(folder: Path) -> Iterator[Path]:
    for name, folders, files in os.walk(folder):
        here = Path(name)
        folders[:] = [
            each for each in folders if each not in SKIPPED_FOLDERS and not (here / each / "pyvenv.cfg").exists()
        ]
        pages_here = (here / each for each in files if Path(each).suffix.lower() in MARKDOWN)
        yield from (page for page in pages_here if not page.is_symlink())  # it is checked where it is


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
    links = sum(_count(path) for path in files)
    if chosen.json:
        answer = {"pages": len(files), "links": links, "broken": [asdict(each) for each in broken]}
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        for each in broken:
            print(f"{each.file}:{each.line}: {each.target}: {each.reason}")
        print(f"{len(files)} Markdown files, {links} links, {len(broken) or 'none'} broken")
    return 1 if broken else 0


def _count(path: Path) -> int:
    try:
        return len(read(path).links) + len(read(path).undefined)
    except OSError:  # told as a broken page already
        return 0


if __name__ == "__main__":
    raise SystemExit(main())
