"""Where a plan's text comes from."""

import sys
from pathlib import Path

from serinus.cli.session import UNUSABLE, Failure


def named_text(name: str) -> str:
    """Of a file, or of the plan that ships with serinus under this name."""
    from serinus.plans import shipped_text

    return (
        read_text(name) if name == "-" or Path(name).suffix == ".toml" or Path(name).is_file() else shipped_text(name)
    )


def read_text(file: str) -> str:
    """Of a file; "-" is standard input."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise Failure(f"cannot read {file}: {error.strerror}", UNUSABLE) from error
    except UnicodeDecodeError as error:
        raise Failure(f"cannot read {file}: it is no text in UTF-8", UNUSABLE) from error
