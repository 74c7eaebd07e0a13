"""Browsers for the console's tests: Debian's Chromium, headless."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console_stage import Stage
from console_visitor import Visitor

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """One for the tests of a file: while Playwright is open no other test can run an event loop."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with Stage(tmp_path) as opened:
        yield opened


@pytest.fixture
def visitor(chromium: Any, stage: Stage) -> Iterator[Visitor]:
    """Whoever has seen the console complain fails, unless the story expected it and emptied `complaints`."""
    guest = Visitor(chromium, stage)
    yield guest
    for context in chromium.contexts:
        context.close()
    assert guest.strangers == []
    assert guest.complaints == []
