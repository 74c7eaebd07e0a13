"""The console's pages, styles, scripts and words, as they lie in the package."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}
"""Whatever has another ending is not served."""


@dataclass(frozen=True, slots=True)
class File:
    content: bytes
    media_type: str
    etag: str


@cache
def static_files() -> Mapping[str, File]:
    """Every file that may be served, by its path below ``static``; there are some dozens."""
    return dict(_below(files("serinus.console") / "static", ""))


def _below(folder: Traversable, path: str) -> list[tuple[str, File]]:
    found: list[tuple[str, File]] = []
    for item in folder.iterdir():
        if item.is_dir():
            found += _below(item, f"{path}{item.name}/")
        elif media_type := TYPES.get(item.name.rpartition(".")[2]):
            content = item.read_bytes()
            found.append((path + item.name, File(content, media_type, f'"{sha256(content).hexdigest()[:20]}"')))
    return found
