"""The console in a real browser: in both languages, light and dark, on a phone, by keyboard, and for every reader."""

from typing import Any

import pytest

from console_stage import Stage
from console_visitor import Visitor

pytestmark = [pytest.mark.slow, pytest.mark.tool("chromium")]

LOOKS = [
    (width, language, theme) for width in (1_280, 390) for language in ("en-GB", "ko-KR") for theme in ("light", "dark")
]


def violations(page: Any) -> list[str]:
    """What axe-core finds, by all of its rules."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    found = axe.run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:160]} {node['failureSummary']}" for each in found for node in each["nodes"]]


def is_wider_than_its_window(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize(("width", "language", "theme"), LOOKS)
def test_every_page_suits_its_reader(visitor: Visitor, stage: Stage, width: int, language: str, theme: str) -> None:
    """Logging in, nothing yet, a question, a rollout, its end."""
    look = {"width": width, "language": language, "theme": theme, "bypass_csp": True}  # axe makes functions of strings
    page = visitor.visit(**look)
    assert violations(page) == []
    page = visitor.log_in(**look)
    assert page.evaluate("document.documentElement.lang") == language[:2]
    page.locator(".next").wait_for()
    assert violations(page) == []
    stage.start(bake="10m")
    stage.until(lambda status: status["metrics"]["canary"]["request_count"] > 20)
    page.locator(".line").wait_for()
    page.locator("details summary").first.click()
    assert violations(page) == []
    assert not is_wider_than_its_window(page)
    page.locator(".button.stop").click()
    assert violations(page) == []
    page.locator("dialog .button.danger").click()
    page.locator(".receipt").wait_for()
    assert violations(page) == []
    assert not is_wider_than_its_window(page)


@pytest.mark.parametrize("width", [1_280, 390])
def test_many_endpoints_with_long_names_take_no_more_room_than_there_is(
    visitor: Visitor, stage: Stage, width: int
) -> None:
    stage.close()
    part = "/line-items-with-a-very-long-name/{line_item_id}/attachments"
    stage.endpoints = tuple(f"/customers/{{customer_id}}/orders/{number:02d}{part}" for number in range(60))
    stage.open()
    last = stage.endpoints[-1]
    stage.order("/config", {"endpoints": [{"template": last, "enabled": False}], "reason": "it stands out"})
    page = visitor.log_in(width=width)
    shown = page.get_by_role("switch")
    assert shown.count() == 12
    assert shown.first.get_attribute("aria-label") == f"Canary on {last}"
    assert not is_wider_than_its_window(page)
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("button", name="Show only the first 12").wait_for()
    assert shown.count() >= 60  # and one for requests that match none
    assert not is_wider_than_its_window(page)


def test_the_language_changes_everything_at_once_and_is_remembered(visitor: Visitor, stage: Stage) -> None:
    stage.start(bake="10m")
    stage.until(lambda status: status["rollout"]["gates"])
    page = visitor.log_in()
    page.get_by_text("Waits for").first.wait_for()
    page.get_by_label("Language").select_option("ko")
    page.get_by_role("heading", name="기다리는 것").wait_for()
    page.locator(".events", has_text="롤아웃을 시작했습니다").wait_for()
    page.reload()
    page.get_by_role("button", name="카나리 중지").wait_for()
    page.get_by_label("언어").select_option("en")
    page.get_by_role("button", name="Stop the canary").wait_for()


def test_the_colours_are_the_systems_until_they_are_chosen(visitor: Visitor) -> None:
    def background(page: Any) -> str:
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    dark = background(visitor.visit(theme="dark"))
    page = visitor.visit(theme="light")
    light = background(page)
    assert light != dark
    page.get_by_label("Colours").select_option("dark")
    assert background(page) == dark
    page.reload()
    page.locator("input[name=token]").wait_for()
    assert background(page) == dark


def test_the_whole_way_to_a_rollback_goes_by_keyboard(visitor: Visitor, stage: Stage) -> None:
    stage.start(bake="10m")
    stage.until_phase("progressing")
    page = visitor.visit()
    assert page.evaluate("document.activeElement.name") == "token"
    page.keyboard.type(stage.token("operator"))
    page.keyboard.press("Enter")
    page.locator(".glance").wait_for()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.button.stop')"):
            break
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    page.keyboard.type("it hurts")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    stage.until_phase("rolled_back")
    page.locator("#said", has_text="everybody gets LEGACY").wait_for(state="attached")


def test_what_changes_is_told_to_who_listens_and_what_is_drawn_is_told_in_words(visitor: Visitor, stage: Stage) -> None:
    stage.start(bake="10m")
    stage.until(lambda status: status["metrics"]["canary"]["request_count"] > 20)
    page = visitor.log_in()
    page.locator(".plot[aria-label*='Latest: CANARY']").first.wait_for()
    assert page.locator("[role=status]").count() >= 2
    landmarks = page.evaluate("[...document.querySelectorAll('main, header, section[aria-labelledby]')].length")
    assert landmarks >= 8
    page.get_by_text("Show as a table").click()
    page.locator("details[open] tbody th[scope=row]").first.wait_for()


def test_a_tables_focus_and_an_open_question_survive_live_updates(visitor: Visitor, stage: Stage) -> None:
    stage.start(bake="10m")
    page = visitor.log_in()
    field = page.get_by_label("User", exact=True)
    field.fill("half a na")
    with page.expect_response(lambda response: "/status" in response.url):
        pass
    with page.expect_response(lambda response: "/status" in response.url):
        pass
    assert field.input_value() == "half a na"
    assert page.evaluate("document.activeElement.name") == "user_id"
