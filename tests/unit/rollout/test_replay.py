"""A plan on recorded requests, with the log's own time as the clock."""

from collections.abc import Iterator
from dataclasses import replace

from serinus.deployment import DeploymentVersion
from serinus.metrics.snapshot import Outcome
from serinus.plans import load_shipped
from serinus.rollout.events import EventKind
from serinus.rollout.replay import Recorded, Replay, windows
from serinus.rollout.state import Phase

DEMO = load_shipped("demo")
AT = 1_700_000_000.0
LEGACY, CANARY = DeploymentVersion


def log(*, seconds: int, per_second: int = 40, canary_fails: int = 0, fails_from: int = 0) -> Iterator[Recorded]:
    """Half of the requests are the canary's; from the second `fails_from` on, of each 20 of them so many fail."""
    for number in range(seconds * per_second):
        at = AT + number / per_second
        version = CANARY if number % 2 else LEGACY
        failing = version is CANARY and at >= AT + fails_from and number // 2 % 20 < canary_fails
        latency = 0.1 + 0.001 * (number // 2 % 50)
        yield Recorded(at, version, 500 if failing else 200, latency, f"user {number % 997}", "/a")


def played(requests: Iterator[Recorded]) -> Replay:
    found = Replay(DEMO, AT)
    for window in windows(requests):
        found.see(window)
    return found


def kinds(found: Replay) -> list[EventKind]:
    return [event.kind for event in found.events]


def test_a_healthy_log_ends_in_success_with_every_approval_given_as_it_is_asked_for() -> None:
    found = played(log(seconds=240))
    assert found.rollout.phase is Phase.SUCCEEDED
    asked = [event for event in found.events if event.kind is EventKind.GATE_WAITING]
    given = [event for event in found.events if event.kind is EventKind.APPROVED]
    assert [event.at for event in asked] == [event.at for event in given]
    assert len(given) == 2
    promoted = next(event.at for event in found.events if event.kind is EventKind.PROMOTED)
    assert promoted >= AT + 15 + 20


def test_a_canary_that_fails_is_rolled_back_at_the_logs_own_time() -> None:
    found = played(log(seconds=60, canary_fails=8, fails_from=8))
    assert found.rollout.phase is Phase.ROLLED_BACK
    began = next(event.at for event in found.events if event.kind is EventKind.ROLLBACK_STARTED)
    assert AT + 8 < began < AT + 16
    assert EventKind.ROLLBACK_COMPLETED in kinds(found)


def test_a_log_that_ends_early_names_the_gates_that_were_closed() -> None:
    found = played(log(seconds=10))
    assert found.rollout.phase is Phase.PROGRESSING
    assert {"bake", "volume"} <= set(found.closed_gates)


def test_a_canary_without_a_request_is_never_promoted() -> None:
    found = played(request for request in log(seconds=120) if request.version is LEGACY)
    assert found.rollout.phase is Phase.PROGRESSING
    assert found.rollout.step == 0


def test_every_request_is_counted_once_and_silence_is_a_window_too() -> None:
    requests = [*log(seconds=3), *(replace(each, at=each.at + 11) for each in log(seconds=3))]
    seen = list(windows(requests))
    assert sum(window.requests for window in seen) == len(requests)
    assert sum(cell.requests for window in seen for cell in window.cells.values()) == len(requests)
    starts = [window.started_at for window in seen]
    assert starts == [AT + 2 * number for number in range(len(starts))]
    assert any(not window.cells for window in seen)


def test_a_status_says_how_a_request_ended() -> None:
    outcomes = {status: Recorded(AT, LEGACY, status, 0.1).outcome for status in (200, 304, 404, 429, 499, 500, 503)}
    assert outcomes == {
        200: Outcome.OK,
        304: Outcome.OK,
        404: Outcome.CLIENT_ERROR,
        429: Outcome.CLIENT_ERROR,
        499: Outcome.CANCELLED,
        500: Outcome.FAILED,
        503: Outcome.FAILED,
    }
