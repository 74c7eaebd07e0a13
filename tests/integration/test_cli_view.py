"""What the terminal shows of a status, drawn from the admin API's real answers."""

from dataclasses import replace

import pytest
from rich.console import Console

from admin_desk import Desk, at_desk
from control_room import PLAN
from serinus.cli.lines import spoken_line, status_line
from serinus.cli.view import FittedStatus, status_view
from serinus.rollout.plan import ApprovalGate
from serinus.rollout.state import AgentStatus, Phase

GATED = replace(PLAN, steps=(PLAN.steps[0], replace(PLAN.steps[1], approvals=(ApprovalGate("management"),))))


async def drawn(desk: Desk, language: str = "en") -> str:
    status = (await desk.get("/status", params={"language": language})).json()
    console = Console(width=120, no_color=True, force_terminal=False)
    with console.capture() as capture:
        console.print(status_view(status, language))
    return capture.get()


async def line(desk: Desk) -> str:
    return status_line((await desk.get("/status")).json())


def test_a_small_terminal_gets_the_most_telling_sections_whole() -> None:
    async def story(desk: Desk) -> None:
        await desk.room.commands.start(GATED, desk.room.order())
        await desk.room.until(Phase.PROGRESSING, step=1)
        status = (await desk.get("/status")).json()

        def lines(height: int) -> list[str]:
            console = Console(width=80, height=height, no_color=True, force_terminal=False)
            with console.capture() as capture:
                console.print(FittedStatus(status, "en"))
            return capture.get().splitlines()

        small, large = lines(24), lines(60)
        assert len(small) <= 24 < len(large)
        assert any("◌ management" in line for line in small)
        assert "Triggers" in large
        assert "Triggers" not in small

    at_desk(story)


def test_without_a_rollout_the_share_and_the_last_minute_are_shown() -> None:
    async def story(desk: Desk) -> None:
        await desk.post("/config", {"canary_percentage": 30})
        await desk.room.agent.beat()
        await desk.room.second(100)
        await desk.room.second(100)
        text = await drawn(desk)
        assert "none has been started" in text
        assert "30 %" in text
        assert "in the last minute" in text
        assert "no rollout, share 30 %" in await line(desk)

    at_desk(story)


def test_a_running_rollout_shows_steps_shares_gates_and_triggers() -> None:
    async def story(desk: Desk) -> None:
        await desk.room.commands.start(GATED, desk.room.order())
        await desk.room.until(Phase.PROGRESSING, step=1)
        for _ in range(8):
            await desk.room.second(120)
        text = await drawn(desk)
        assert "progressing, step 2 of 2" in text
        assert "✔   20 %" in text
        assert "●   50 %" in text
        assert "approval management" in text
        assert "management" in await line(desk)
        assert "◌ management" in text
        assert "✔ canary requests" in text
        assert "error_rate" not in text
        assert text.index("●   50 %") < text.index("◌ management") < text.index("○  100 %"), (
            "gates hang below their step"
        )
        assert "difference" in text

    at_desk(story)


def test_after_the_promotion_the_last_requests_of_legacy_are_no_measure() -> None:
    async def story(desk: Desk) -> None:
        await desk.room.commands.start(PLAN, desk.room.order())
        await desk.room.until(Phase.WATCHING)
        await desk.room.second(30)
        text = await drawn(desk)
        assert "in this step" in text
        assert "difference" not in text

    at_desk(story)


def test_a_breach_and_its_rollback_are_shown_with_the_receipt() -> None:
    async def story(desk: Desk) -> None:
        await desk.room.commands.start(GATED, desk.room.order())
        await desk.room.until(Phase.PROGRESSING)
        await desk.room.second()
        desk.room.new.status = 500
        await desk.room.until(Phase.ROLLED_BACK)
        text = await drawn(desk)
        assert "✖ rolled back" in text
        assert "Receipt of the rollback" in text
        assert "last canary request" in text
        assert "deadline met" in text
        assert "rolled back" in await line(desk)

    at_desk(story)


def test_what_is_wrong_is_shown() -> None:
    async def story(desk: Desk) -> None:
        desk.room.clock.forward(60)
        assert "! no controller has been heard for 1 min" in await drawn(desk)

    at_desk(story)


@pytest.mark.parametrize("phase", [Phase.PENDING, Phase.PAUSED, Phase.WATCHING, Phase.SUCCEEDED])
def test_every_phase_can_be_drawn_in_both_languages(phase: Phase) -> None:
    async def story(desk: Desk) -> None:
        await desk.room.commands.start(PLAN, desk.room.order())
        if phase is Phase.PAUSED:
            await desk.room.until(Phase.PROGRESSING)
            await desk.room.commands.pause(desk.room.order("lunch"), 5)
        elif phase is not Phase.PENDING:
            await desk.room.until(phase)
        english, korean = await drawn(desk), await drawn(desk, "ko")
        assert "Steps" in english
        assert "롤아웃" in korean
        assert "Steps" not in korean
        assert phase.value.replace("_", " ") in await line(desk)

    at_desk(story)


def test_counts_that_were_given_up_are_shown_as_long_as_their_process_lives() -> None:
    async def story(desk: Desk) -> None:
        await desk.room.second()
        assert "not counted" not in await drawn(desk)
        status = AgentStatus("away-for-long", desk.room.clock(), 0, dropped=1_234)
        await desk.room.store.append_snapshots([], status)
        assert "requests not counted: 1234" in await drawn(desk)
        assert "집계하지 못한 요청: 1234건" in await drawn(desk, "ko")

    at_desk(story)


def test_a_line_is_spoken_in_the_language_that_is_asked_for() -> None:
    async def story(desk: Desk) -> None:
        status = (await desk.get("/status", params={"language": "ko"})).json()
        assert spoken_line(status, "ko").startswith(status_line(status)[:20])
        assert "롤아웃 없음" in spoken_line(status, "ko")
        assert spoken_line(status, "en") == status_line(status)
        await desk.room.commands.start(GATED, desk.room.order())
        await desk.room.until(Phase.PROGRESSING)
        status = (await desk.get("/status")).json()
        assert "waits for bake time: " in spoken_line(status, "en")
        assert "기다리는 것: 안정화 시간, " in spoken_line(status, "ko")

    at_desk(story)
