"""What people write, made harmless for whoever reads it in a terminal or a log."""

from unicodedata import category

from pydantic import AfterValidator

_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""The marks that change the direction of the text around them (https://trojansource.codes)."""
_STEERING = frozenset({"Cc", "Cs", "Zl", "Zp"})


def _printable(text: str, *, kept: str = "") -> str:
    """Characters that steer terminals or turn text around are shown as replaced: an order is not refused for them."""
    return "".join(c if c in kept or not (category(c) in _STEERING or c in _TURNING) else "\ufffd" for c in text)


def _printable_lines(text: str) -> str:
    return _printable(text.replace("\r\n", "\n"), kept="\n\t")


OneLine = AfterValidator(_printable)
Lines = AfterValidator(_printable_lines)
