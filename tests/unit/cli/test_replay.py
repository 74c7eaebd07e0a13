"""`serinus replay` on small logs in every format, and on logs that are partly nonsense."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from serinus.cli.main import main

AT = 1_700_000_000
RECORDED = Path(__file__).parents[4] / "shared/data/traffic/apache_semicomplete_10k.csv"


def test_examples_in_the_help_stand_on_lines_of_their_own() -> None:
    for command in (["replay"], ["plan", "estimate"]):
        lines = CliRunner().invoke(main, [*command, "--help"]).output.splitlines()
        assert any(line.strip().startswith(f"serinus {command[0]}") for line in lines)
        assert "\\b" not in "".join(lines)


def requests(seconds: int = 40, *, failing: int = 10) -> list[dict[str, Any]]:
    """20 a second, half of them the canary's, of which so many of 20 fail."""
    return [
        {
            "timestamp": AT + number / 20,
            "version": "canary" if number % 2 else "legacy",
            "status": 500 if number % 2 and number // 2 % 20 < failing else 200,
            "latency": 0.2,
            "subject": f"user-{number % 97}",
            "path": "/a?b=c",
        }
        for number in range(seconds * 20)
    ]


def as_combined(request: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(request["timestamp"], UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
    return (
        f'10.0.0.{request["subject"][5:]} - - [{at}] "GET {request["path"]} HTTP/1.1" {request["status"]} 12 '
        f'"-" "Mozilla/5.0 \\"quoted\\" agent" {request["latency"]} {request["version"]}'
    )


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    with path.open("w", newline="") as file:
        if path.suffix == ".csv":
            table = csv.DictWriter(file, rows[0])
            table.writeheader()
            table.writerows(rows)
        else:
            file.writelines((json.dumps(row) if path.suffix == ".jsonl" else as_combined(row)) + "\n" for row in rows)
    return str(path)


def run(*arguments: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["replay", *arguments])
    assert result.exit_code == exit_code, result.output
    return result


def answer(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--json").stdout)
    return found


def kinds(replay: dict[str, Any]) -> list[str]:
    return [event["kind"] for event in replay["events"]]


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "access.log"])
def test_every_format_tells_the_same_story(tmp_path: Path, name: str) -> None:
    found = answer(write(tmp_path / name, requests()), "--plan", "demo")
    assert (found["requests"], found["unusable_lines"]) == (800, 0)
    (only,) = found["replays"]
    assert only["phase"] == "rolled_back"
    assert kinds(only)[:2] == ["started", "step_entered"]
    assert [kind for kind in kinds(only) if kind.startswith("rollback")] == ["rollback_started", "rollback_completed"]


def test_columns_versions_and_units_can_be_called_anything(tmp_path: Path) -> None:
    rows = [
        {"t": each["timestamp"], "v": each["version"][0], "status": each["status"], "ms": 200}
        for each in requests(failing=0)
    ]
    named = ("--column", "timestamp=t", "--column", "version=v", "--column", "latency=ms")
    log = write(tmp_path / "log.csv", rows)
    found = answer(log, "--plan", "demo", *named, "--latency-unit", "ms", "--legacy", "l", "--canary", "c")
    assert found["unusable_lines"] == 0
    assert found["replays"][0]["phase"] == "progressing"
    slow = answer(log, "--plan", "demo", *named, "--latency-unit", "s", "--legacy", "l", "--canary", "c")
    assert "breach_opened" in kinds(slow["replays"][0])


def test_two_plans_see_the_same_requests(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", requests(failing=0))
    demo, phase4 = answer(log, "--plan", "demo", "--plan", "phase4")["replays"]
    assert (demo["plan"], phase4["plan"]) == ("demo", "phase4")
    assert "advanced" in kinds(demo)
    assert "advanced" not in kinds(phase4)
    told = run(log, "--plan", "demo", "--plan", "phase4").stdout
    assert "demo" in told
    assert "phase4" in told


def test_requests_that_were_written_out_of_order_are_judged_in_order(tmp_path: Path) -> None:
    shuffled = sorted(requests(), key=lambda request: hash((request["timestamp"] * 31) % 7))
    straight, mixed = (
        answer(write(tmp_path / name, rows), "--plan", "demo")["replays"][0]["events"][-1]["at"]
        for name, rows in (("a.csv", requests()), ("b.csv", shuffled))
    )
    assert straight == mixed


@pytest.mark.parametrize(("language", "said"), [("en", "Approvals are taken"), ("ko", "승인은 요청되는 즉시")])
def test_what_was_assumed_is_said(tmp_path: Path, language: str, said: str) -> None:
    told = run(write(tmp_path / "log.csv", requests()), "--plan", "demo", "--language", language).stdout
    assert said in told


def test_bad_lines_are_counted_and_the_first_few_named(tmp_path: Path) -> None:
    good = json.dumps(requests(1)[0])
    bad = [
        *("{", "[1]", "null", '{"timestamp": 1}', good.replace("200", "700"), good.replace("0.2", "NaN")),
        *(good.replace("0.2", "-1"), good.replace("legacy", "blue"), good.replace(str(AT), '"soon"'), "[" * 100_000),
        good.replace(str(AT), "9" * 400),
    ]
    log = tmp_path / "log.jsonl"
    log.write_text("\n".join([good, *bad, "", good]))
    found = answer(str(log), "--plan", "demo")
    assert (found["requests"], found["unusable_lines"]) == (2, len(bad))
    assert [problem.partition(":")[0] for problem in found["problems"]] == ["line 2", "line 3", "line 4"]


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b'timestamp,"version\n1,2\n', b"a,b\n1,2\n"])
@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "access.log"])
def test_a_log_of_nonsense_ends_in_a_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    log = tmp_path / name
    log.write_bytes(content)
    result = run(str(log), "--plan", "demo", exit_code=2)
    assert "has no request that can be used" in result.stderr


def test_one_line_of_another_century_does_not_keep_the_command_busy_for_one(tmp_path: Path) -> None:
    rows = requests(20, failing=0)
    found = answer(write(tmp_path / "log.csv", [{**rows[0], "timestamp": 5}, *rows]), "--plan", "demo")
    assert found["requests"] == len(rows) + 1


def test_a_field_that_never_ends_is_one_bad_line(tmp_path: Path) -> None:
    log = Path(write(tmp_path / "log.csv", requests(1)))
    log.write_text(log.read_text() + "x" * 200_000 + "\n")
    assert answer(str(log), "--plan", "demo")["unusable_lines"] == 1


def test_a_log_is_read_from_standard_input_whatever_its_bytes(tmp_path: Path) -> None:
    text = Path(write(tmp_path / "log.jsonl", requests(2))).read_bytes() + b"\xff\xfe\n"
    result = CliRunner().invoke(main, ["replay", "-", "--format", "jsonl", "--plan", "demo", "--json"], input=text)
    assert json.loads(result.stdout)["unusable_lines"] == 1


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--column", "speed=x"), "--column speed=x"),
        (("--column", "latency"), "--column"),
        (("--legacy", "same", "--canary", "Same"), "--legacy"),
        (("--plan", "demo", "--plan", "demo"), "two plans"),
        (("--plan", "phase5"), "phase4"),
    ],
)
def test_options_that_cannot_be_used_are_named(tmp_path: Path, options: tuple[str, ...], named: str) -> None:
    log = write(tmp_path / "log.csv", requests(1))
    assert named.partition("=")[0] in run(log, "--plan", "demo", *options, exit_code=2).stderr


def test_a_recorded_web_log_is_replayed(tmp_path: Path) -> None:
    if not RECORDED.exists():
        pytest.skip("the recorded Apache log is not beside the project")
    with RECORDED.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["status"]][:800]
    first = int(rows[0]["ts"])
    # The log has neither versions nor latencies, and spans days: its users are split in halves, its time compressed.
    added = [
        {
            **row,
            "ts": first + (int(row["ts"]) - first) / 600,
            "version": "canary" if int(row["client"], 16) % 2 else "legacy",
            "latency": 0.1,
        }
        for row in rows
    ]
    log = write(tmp_path / "apache.csv", added)
    found = answer(log, "--plan", "demo", "--column", "timestamp=ts", "--column", "subject=client")
    assert (found["requests"], found["unusable_lines"]) == (len(rows), 0)
    assert found["replays"][0]["phase"] != "rolled_back"
