"""Whoever looks at the console in a browser, and what the browser complains about."""

from dataclasses import dataclass, field
from typing import Any

from console_stage import ADMIN_TOKEN, Stage

PATIENCE_MS = 60_000  # the machine may be busy with other things


@dataclass
class Visitor:
    """Opens the console of `stage`; `complaints` are what the browser's own console says, `strangers` other origins."""

    browser: Any
    stage: Stage
    complaints: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    def visit(self, *, width: int = 1_280, language: str = "en-GB", theme: str = "light", **options: Any) -> Any:
        """The page before anybody has logged in."""
        look = {"viewport": {"width": width, "height": 900}, "locale": language, "color_scheme": theme}
        page = self.browser.new_context(**look, **options).new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._asked)
        page.goto(f"{self.stage.url}/console")
        page.locator("input[name=token]").wait_for()
        return page

    def log_in(self, token: str = ADMIN_TOKEN, **look: Any) -> Any:
        page = self.visit(**look)
        page.locator("input[name=token]").fill(token)
        page.locator("form button").click()
        page.locator(".glance").wait_for()
        return page

    def _heard(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(self.stage.url):
            self.strangers.append(request.url)
