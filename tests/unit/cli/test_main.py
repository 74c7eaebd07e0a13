"""The command line without any service: quick to load, complete, and helpful about mistakes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from serinus.cli.main import COMMANDS, main
from serinus.plans import shipped_names, shipped_text


def test_help_loads_nothing_that_takes_time() -> None:
    heavy = {"httpx2", "rich", "pydantic", "sqlalchemy", "fastapi", "uvicorn", "numpy"}
    script = (
        "import sys\nfrom serinus.cli.main import main\n"
        "try:\n    main(['--help'])\n"
        f"except SystemExit:\n    print('loaded', sorted({heavy!r} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told.strip().endswith("loaded []")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert result.output.startswith(f"Usage: main {name}")


def test_a_misspelt_command_is_answered_with_what_was_meant() -> None:
    result = CliRunner().invoke(main, ["rolback"])
    assert result.exit_code == 2
    assert "'rollback'" in result.stderr


@pytest.mark.parametrize("name", ["abort", "stop"])
def test_who_types_what_comes_to_mind_first_in_an_emergency_is_told_of_the_rollback(name: str) -> None:
    assert "'rollback'" in CliRunner().invoke(main, [name]).stderr


@pytest.mark.parametrize(
    "command", [["audit", "head"], ["plan", "check", "phase4"], ["plan", "show"], ["replay", "access.csv"]]
)
def test_who_asks_no_service_is_not_asked_where_it_is(command: list[str]) -> None:
    result = CliRunner().invoke(main, [*command, "--url", "http://127.0.0.1:1"])
    assert (result.exit_code, "--url" in result.stderr) == (2, True)


@pytest.mark.parametrize("command", [["replay"], ["plan", "estimate"]])
def test_examples_stand_on_lines_of_their_own(command: list[str]) -> None:
    lines = [line.strip() for line in CliRunner().invoke(main, [*command, "--help"]).stdout.splitlines()]
    assert any(line.startswith(f"serinus {' '.join(command)} ") for line in lines)
    assert not any("\\b" in line for line in lines)


def test_the_help_lists_every_command_and_exit_code() -> None:
    told = CliRunner().invoke(main, ["--help"]).stdout
    assert all(f"\n  {name} " in told for name in COMMANDS)
    assert "6  `status`: the last rollout went back" in told


def test_a_shipped_plan_is_checked_by_its_name_and_a_file_that_is_not_there_is_named() -> None:
    assert CliRunner().invoke(main, ["plan", "check", "phase4"]).exit_code == 0
    missing = CliRunner().invoke(main, ["plan", "check", "none.toml"])
    assert missing.stderr == "Error: cannot read none.toml: No such file or directory\n"
    unknown = CliRunner().invoke(main, ["plan", "check", "phase5"])
    assert "there are: demo, phase4" in unknown.stderr


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_plan_passes_its_own_check(name: str) -> None:
    result = CliRunner().invoke(main, ["plan", "check", "-", "--json"], input=shipped_text(name))
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["valid"], answer["problems"]) == (0, True, [])


def test_the_problems_of_a_plan_are_told_in_korean_and_what_to_write_as_it_is_written() -> None:
    text = (
        shipped_text("phase4")
        .replace('metric = "error_rate"', 'metric = "errors"')
        .replace('bake = "24h"', "bake = 24")
    )
    told = CliRunner().invoke(main, ["plan", "check", "-", "--language", "ko"], input=text).stderr
    assert "'error_rate', 'p95', 'availability' 가운데 하나여야 합니다. 받은 값: 'errors'" in told
    assert "받은 값: 정수" in told
    assert "must" not in told


def test_every_problem_of_a_plan_is_listed_with_its_line() -> None:
    text = shipped_text("phase4").replace("percentage = 25", "percentage = 250").replace("watch = ", "wach = ")
    lines = text.splitlines()
    result = CliRunner().invoke(main, ["plan", "check", "-", "--json"], input=text)
    assert result.exit_code == 2
    problems = json.loads(result.stdout)["problems"]
    named = {lines[problem["line"] - 1].split("#")[0].strip() for problem in problems if problem["line"]}
    assert "percentage = 250" in named
    assert any(line.startswith("wach = ") for line in named)
    plain = CliRunner().invoke(main, ["plan", "check", "-"], input=text)
    assert plain.stdout == ""
    told = [f"<stdin>:{problem['line']}: {problem['where']}: {problem['message']}" for problem in problems]
    assert plain.stderr.splitlines() == told


def test_a_plan_is_shown_as_its_source_or_as_json() -> None:
    assert "percentage = 5" in CliRunner().invoke(main, ["plan", "show", "phase4"]).stdout
    shown = json.loads(CliRunner().invoke(main, ["plan", "show", "phase4", "--json"]).stdout)
    assert [step["percentage"] for step in shown["steps"]] == [5, 10, 25, 50]
    assert CliRunner().invoke(main, ["plan", "show"]).stdout.split() == list(shipped_names())


def test_a_plan_that_does_not_ship_is_answered_with_those_that_do() -> None:
    result = CliRunner().invoke(main, ["plan", "show", "phase5"])
    assert result.exit_code == 2
    assert "phase4" in result.stderr


def test_serving_what_cannot_be_imported_is_said_with_an_example() -> None:
    result = CliRunner().invoke(main, ["serve", "no_such_module:app"])
    assert result.exit_code == 2
    assert "serinus serve shop:app" in result.stderr


def test_wrong_settings_stop_a_service_before_it_starts() -> None:
    result = CliRunner().invoke(main, ["serve"], env={"SERINUS_STALE_AFTER_SECONDS": "soon"})
    assert result.exit_code == 2
    assert "SERINUS_STALE_AFTER_SECONDS" in result.stderr


def test_a_plan_check_warns_of_channels_that_lead_nowhere(tmp_path: Path) -> None:
    plan = tmp_path / "plan.toml"
    plan.write_text(shipped_text("phase4"))
    result = CliRunner().invoke(main, ["plan", "check", str(plan)], env={"SERINUS_SMTP_URL": None})
    assert result.exit_code == 0
    assert "email (set SERINUS_SMTP_URL)" in result.stderr
    answer = json.loads(CliRunner().invoke(main, ["plan", "check", str(plan), "--json"]).stdout)
    assert (answer["valid"], len(answer["warnings"])) == (True, 1)
    unsure = CliRunner().invoke(main, ["plan", "check", str(plan)], env={"SERINUS_SMTP_URL": "nonsense"})
    assert unsure.exit_code == 0
    assert "cannot be said" in unsure.stderr


def test_of_two_plans_the_one_with_the_problem_is_named(tmp_path: Path) -> None:
    log, plan = tmp_path / "access.csv", tmp_path / "mine.toml"
    log.write_text("timestamp,version,status,latency\n", encoding="utf-8")
    plan.write_text('name = "mine"\nsteps = 3\n', encoding="utf-8")
    run = CliRunner().invoke(main, ["replay", str(log), "--plan", "phase4", "--plan", str(plan)])
    assert run.exit_code == 2
    assert f"{plan}:2: steps: must be a list" in run.stderr
