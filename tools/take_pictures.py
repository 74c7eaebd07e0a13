"""The pictures of docs/console.md, taken by a browser from `serinus demo`, whose canary is broken on the way."""

import argparse
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
LOCALES = {"en": "en-GB", "ko": "ko-KR"}
WIDE, PHONE = {"width": 1_280, "height": 900}, {"width": 390, "height": 844}
ENDED_MS = 180_000


def main() -> None:
    """Write all pictures into the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to (docs/images)")
    parser.add_argument("--chromium", default=CHROMIUM, help=f"the browser ({CHROMIUM})")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with demonstration() as (url, token), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chosen.chromium, args=["--no-sandbox"])
        Photographer(browser, url, token, chosen.folder).take_all()
        browser.close()


@contextmanager
def demonstration() -> Iterator[tuple[str, str]]:
    """The console's address and a token for it, as the demo's first line says them."""
    command = [sys.executable, "-m", "serinus", "demo", "--stay"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as demo:  # noqa: S603 - our own
        try:
            first = demo.stdout.readline() if demo.stdout else ""
            found = re.search(r"(http\S+/console)\D.*token (\S+)", first)
            if not found:
                sys.exit(f"the demo did not begin with the console's address: {first!r}")
            yield found[1], found[2]
        finally:
            demo.send_signal(signal.SIGINT)
            demo.communicate()


class Photographer:
    """Opens every page before there is much to see, so that no moment is missed."""

    def __init__(self, browser: Any, url: str, token: str, folder: Path) -> None:
        self.browser = browser
        self.url = url
        self.token = token
        self.folder = folder

    def take_all(self) -> None:
        """A rollout that goes well for a while, a question, and the curves of the rollback."""
        pages = {language: self.page(language, "light", WIDE) for language in LOCALES}
        dark, phone = self.page("en", "dark", WIDE), self.page("ko", "light", PHONE)
        pages["en"].locator('.glance[data-mood="good"]').wait_for(timeout=ENDED_MS)
        for language, page in pages.items():
            self.take(page, f"console-running.{language}.png")
        self.take(dark, "console-running-dark.png")
        self.take(phone, "console-phone.png")
        for language, page in pages.items():
            page.locator(".button.stop").click()
            self.take(page, f"console-question.{language}.png")
            page.keyboard.press("Escape")
            page.locator("section:has(> #judgement)").screenshot(path=self.folder / f"console-judgement.{language}.png")
        httpx2.post(self.url.replace("/console", "/demo/fault"), json={"fault": "errors"}).raise_for_status()
        pages["en"].locator('.phase[data-phase="rolled_back"]').wait_for(timeout=ENDED_MS)
        for language, page in pages.items():
            page.locator(".receipt").wait_for()
            page.locator("section:has(> header #curves)").screenshot(
                path=self.folder / f"console-curves.{language}.png"
            )

    def page(self, language: str, theme: str, size: dict[str, int]) -> Any:
        """A page that has logged in."""
        look = {"viewport": size, "locale": LOCALES[language], "color_scheme": theme}
        page = self.browser.new_context(**look).new_page()
        page.goto(self.url)
        page.locator("input[name=token]").fill(self.token)
        page.locator("form button").click()
        page.locator(".glance").wait_for()
        return page

    def take(self, page: Any, name: str) -> None:
        """What a person sees without scrolling."""
        page.screenshot(path=self.folder / name)


if __name__ == "__main__":
    main()
