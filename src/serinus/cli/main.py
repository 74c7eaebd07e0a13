"""The command `serinus`: a table of commands, each loaded when it is called, so that help and completion are quick."""

from functools import partial
from importlib import import_module
from typing import Any, cast

import click

from serinus.cli.tongue import ENGLISH, Context, language, let_speak, speaking

EXIT_CODES = """\b
Exit codes:
  0  done; for `status`: all is well
  1  refused or failed; nothing was changed
  2  the command line or an input cannot be used
  3  the token is missing, unknown, or its role does not allow this
  4  the service or its store does not answer
  5  `status`: somebody should look
  6  `status`: the last rollout went back, or is going
"""

COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("serinus.cli.serve:serve", "Run a service with its controller and admin API."),
    "controller": ("serinus.cli.serve:controller", "Run a controller alone."),
    "demo": ("serinus.cli.demo:demo", "Watch a whole rollout on this machine."),
    "status": ("serinus.cli.status:status", "Show how everything fares; --watch follows it."),
    "start": ("serinus.cli.steer:start", "Start a rollout by a plan."),
    "pause": ("serinus.cli.steer:pause", "Stay at the present share, or at a smaller one."),
    "resume": ("serinus.cli.steer:resume", "Go on where the pause began."),
    "approve": ("serinus.cli.approve:approve", "Open an approval gate of the present step."),
    "advance": ("serinus.cli.steer:advance", "Go to the next step without the rest of the bake time."),
    "promote": ("serinus.cli.steer:promote", "Go to 100 % from the last step."),
    "hold": ("serinus.cli.steer:hold", "Stay at the last step's share for good."),
    "rollback": ("serinus.cli.steer:rollback", "Go back to 0 %, at once."),
    "config": ("serinus.cli.config:config", "Read or change the split."),
    "metrics": ("serinus.cli.measurements:metrics", "Compare both versions' figures."),
    "explain": ("serinus.cli.measurements:explain", "Say which version a user gets, and why."),
    "events": ("serinus.cli.events:events", "List what happened; --follow goes on."),
    "history": ("serinus.cli.events:history", "List the rollouts."),
    "drill": ("serinus.cli.drill:drill", "Rehearse the rollback, with synthetic users alone."),
    "report": ("serinus.cli.report:report", "Make a document: baseline, comparison, readiness, incident, …"),
    "alerts": ("serinus.cli.alerts:alerts", "Try out the channels that people are told on."),
    "token": ("serinus.cli.token:token", "Make, list and revoke tokens."),
    "audit": ("serinus.cli.audit:audit", "Check that no event was changed, removed or added since."),
    "plan": ("serinus.cli.plan:plan", "Check and show plans, and estimate what they take."),
    "replay": ("serinus.cli.replay:replay", "Judge an access log by a plan: what would have happened?"),
    "doctor": ("serinus.cli.doctor:doctor", "Look for what is missing or wrong, and say what to do."),
}


MEANT = dict.fromkeys(("abort", "back", "cancel", "revert", "stop", "undo"), "rollback")
"""What somebody in a hurry may type."""


class LazyGroup(click.Group):
    """Knows its commands by name and one line; imports one when it is called."""

    context_class = Context

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """As click's, whose own words are said in the reader's language too."""
        run = partial(super().main, *args, **extra)
        if not standalone_mode or language() == ENGLISH:
            return run(standalone_mode=standalone_mode)
        return speaking(partial(run, standalone_mode=False))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        return let_speak(cast("click.Command", getattr(import_module(module), name)))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, with a guess at what was meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            meant = MEANT.get(args[0]) or next(iter(get_close_matches(args[0], COMMANDS, n=1)), None)
            hint = f" Did you mean {meant!r}?" if meant else " See `serinus --help`."
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="serinus", message="%(prog)s %(version)s")
def main() -> None:
    """Roll a new version of a service out to a few users, and further, or back.

    Commands that ask the service speak to its admin API at --url (SERINUS_URL) with --token (SERINUS_TOKEN); all of
    them take --json.
    """
