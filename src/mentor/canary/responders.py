"""Who answers a prompt."""

from typing import Protocol

from mentor.canary.prompt import Answer, Prompt


class Responder(Protocol):
    async def answer(self, prompt: Prompt) -> Answer: ...
