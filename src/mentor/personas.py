"""The four personas, and what each is for."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Persona(StrEnum):
    LUA = "Lua"
    ELRO = "Elro"
    RIRI = "Riri"
    NANA = "Nana"


class Language(StrEnum):
    EN = "en"
    KO = "ko"


@dataclass(frozen=True, slots=True)
class Profile:
    """How a persona is named and described in each language."""

    name: dict[Language, str]
    strength: dict[Language, str]


PERSONAS: Final[dict[Persona, Profile]] = {
    Persona.LUA: Profile(
        {Language.EN: "Lua", Language.KO: "루아"},
        {Language.EN: "feelings and motivation", Language.KO: "감정과 동기"},
    ),
    Persona.ELRO: Profile(
        {Language.EN: "Elro", Language.KO: "엘로"},
        {Language.EN: "code and architecture", Language.KO: "코드와 아키텍처"},
    ),
    Persona.RIRI: Profile(
        {Language.EN: "Riri", Language.KO: "리리"},
        {Language.EN: "metrics and verification", Language.KO: "지표와 검증"},
    ),
    Persona.NANA: Profile(
        {Language.EN: "Nana", Language.KO: "나나"},
        {Language.EN: "teams and planning", Language.KO: "팀과 계획"},
    ),
}
