"""On which line of a TOML source a key stands: `tomllib` does not say."""

import re

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\-]+)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([\w\-]+)\s*=")
_LONG_TEXT = re.compile("\"\"\"|'''")


def key_lines(source: str) -> dict[str, int]:
    """Paths such as ``steps[1].bake`` -> line, counted from 1.

    Keys inside inline tables are not followed: for them the line of the key around them is near enough. The source must
    have been parsed by `tomllib` before; quoted and dotted keys are left out, as no plan has any.
    """
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    prefix = ""
    inside_text = False
    for number, line in enumerate(source.splitlines(), start=1):
        opened_inside = inside_text
        inside_text ^= len(_LONG_TEXT.findall(line)) % 2 == 1
        if opened_inside:
            continue
        if header := _HEADER.match(line):
            prefix = _entered(header[2], counts, is_item=header[1] == "[[")
            lines[prefix] = number
        elif key := _KEY.match(line):
            lines[f"{prefix}.{key[1]}".strip(".")] = number
    return lines


def _entered(name: str, counts: dict[str, int], *, is_item: bool) -> str:
    """The full path of a header: every list of tables in it means that list's latest item."""
    path = ""
    parts = name.split(".")
    for depth, part in enumerate(parts):
        path = f"{path}.{part}".strip(".")
        if is_item and depth == len(parts) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = f"{path}[{counts[path]}]"
    return path
