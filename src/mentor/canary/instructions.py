"""What a language model is given for a prompt: the persona, the rules, what is remembered, and the last turns."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from mentor.canary.prompt import Prompt

Message = dict[str, str]


def messages(prompt: Prompt) -> list[Message]:
    """Messages of the chat API: one of the system, the window's turns by turns, and the user's."""
    spoken: list[Message] = []
    for turn in prompt.window:
        spoken += [_message("user", turn.user_message), _message("assistant", turn.ai_response)]
    return [_message("system", _system(prompt)), *spoken, _message("user", prompt.message)]


def _system(prompt: Prompt) -> str:
    words, detected = _words(), prompt.detected
    rules = words["rules"]["text"].format(
        language=words["language"][detected.language],
        tone=detected.tone,
        pace=detected.pace,
        intent=detected.intent.replace("_", " "),
    )
    memory = words["rules"]["memory"].format(context=_without_tags(prompt.context))
    return f"{words['persona'][prompt.persona]}\n{rules}{memory}"


def _without_tags(context: str) -> str:
    """So that nobody's words close the memory."""
    return context.replace("<", "‹").replace(">", "›")


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads(files("mentor.canary").joinpath("instructions.toml").read_text("utf-8"))
