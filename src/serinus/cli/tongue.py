"""In which language the command line speaks, and how click's own words are said in it."""

import os
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import click

ENGLISH = "en"


def language() -> str:
    """That of --language where a command has read it, or else that of SERINUS_LANGUAGE."""
    context = click.get_current_context(silent=True)
    while context is not None:
        if found := context.params.get("language"):
            return str(found)
        context = context.parent
    return _of_environment()


def say(text: str, spoken: str | None = None) -> str:
    """An English sentence in the language of the command line, or in `spoken`."""
    spoken = spoken or language()
    if spoken == ENGLISH:
        return text
    from serinus.messages.phrases import translate

    return translate(text, spoken)


class Formatter(click.HelpFormatter):
    """Help in the reader's language."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or f"{say('Usage')}: ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(say(heading))

    def write_text(self, text: str) -> None:
        kept = text.replace("\\b\n", "\b\n")  # raw docstrings cannot hold the sign that keeps a paragraph's lines
        super().write_text("\n\n".join(_paragraph(part) for part in kept.split("\n\n")))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(name, _described(text)) for name, text in rows], col_max, col_spacing)


class Context(click.Context):
    formatter_class = Formatter


def let_speak(command: click.Command) -> click.Command:
    """Have a command, and all below it, help in the reader's language."""
    command.context_class = Context
    for part in getattr(command, "commands", {}).values():
        let_speak(part)
    return command


def speaking(run: Callable[[], Any]) -> NoReturn:
    """Run a command line that raises its errors, and tell them in the reader's language."""
    try:
        code = run()
    except click.ClickException as error:
        _show(error)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo(say("Aborted!"), err=True)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _of_environment() -> str:
    wanted = os.environ.get("SERINUS_LANGUAGE", ENGLISH)
    if wanted == ENGLISH:
        return ENGLISH
    from serinus.messages import LANGUAGES

    return wanted if wanted in LANGUAGES else ENGLISH


def _paragraph(text: str) -> str:
    if text.lstrip().startswith("\b"):
        return "\n".join(_line(line) for line in text.split("\n"))
    return say(" ".join(line.strip() for line in text.split("\n")))


def _line(line: str) -> str:
    """With its indentation."""
    bare = line.strip()
    return line.replace(bare, say(bare)) if bare and bare != "\b" else line


def _described(text: str) -> str:
    """An option's help, whose end tells of its default and the like."""
    help_, bracket, extra = text.rpartition("  [")
    if not bracket:
        return say(text)
    told = (part.partition(": ") for part in extra.removesuffix("]").split("; "))
    words = (f"{say(name)}{colon}{value}" for name, colon, value in told)
    return f"{say(help_)}  [{'; '.join(words)}]"


def _show(error: click.ClickException) -> None:
    if not isinstance(error, click.UsageError):
        error.show()
        return
    context = error.ctx
    if context is not None:
        click.echo(context.get_usage(), err=True)
        if context.command.get_help_option(context) is not None:
            hint = f"Try '{context.command_path} {context.help_option_names[0]}' for help."
            click.echo(f"{say(hint)}\n", err=True)
    message = say(error.format_message())
    click.echo(say(f"Error: {message}"), err=True)
