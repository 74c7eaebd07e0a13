"""What a message does in a conversation, told by its form: greet, thank, take leave, pause, ask, or state."""

import re
from enum import StrEnum
from typing import Final

from mentor.canary import extraction
from mentor.detection import language_of
from mentor.personas import Language


class Act(StrEnum):
    GREETING = "greeting"
    THANKS = "thanks"
    FAREWELL = "farewell"
    PAUSE = "pause"
    SUMMARY = "summary"
    RECALL = "recall"
    QUESTION = "question"
    STATEMENT = "statement"


_FEW_WORDS: Final = 6
_WORD: Final = re.compile(r"\w+")
_FILLERS: Final = re.compile(
    r"^(?:h+m+|u+m+|u+h+|er+m?|mm+|ok(?:ay)?|yes|no|yeah|yep|nope|sure|well|right|fine|oh|ah|i see"
    r"|[ㅠㅜㅋㅎ]+|음+|흠+|네+|넵|예|응|아니요?|글쎄요?|그래요?|그렇군요|아)\W*$",
    re.IGNORECASE,
)
_OPENINGS: Final[tuple[tuple[Act, re.Pattern[str]], ...]] = (
    (
        Act.GREETING,
        re.compile(
            r"^(?:hi|hello|hey|hiya|howdy|good (?:morning|afternoon|evening))\b(?: there| \w+)?\W*$"
            r"|^(?:안녕(?:하세요|하십니까)?|반가워요?|반갑습니다|하이|헬로)\W*(?:\w+\W*)?$",
            re.IGNORECASE,
        ),
    ),
    (
        Act.FAREWELL,
        re.compile(
            r"\b(?:bye|goodbye|good night|see you|talk (?:to you )?later|gotta go|farewell)\b"
            r"|잘 ?있어|안녕히|잘 ?자|다음에 (?:또 )?(?:봐|만나|뵐|올)|이만 (?:갈|가)|그만 갈게",
            re.IGNORECASE,
        ),
    ),
    (
        Act.THANKS,
        re.compile(
            r"\b(?:thanks|thank you|thx|ty|cheers|much appreciated|that help(?:s|ed))\b"
            r"|고마워|고맙|감사(?:해|합|드)|땡큐",
            re.IGNORECASE,
        ),
    ),
)
_ASKS_FOR_SUMMARY: Final = re.compile(
    r"\b(?:summar(?:y|i[sz]e)|sum (?:it|this|that|things|everything|all)? ?up|recap"
    r"|what (?:have|did) we (?:discuss|talk|cover|say|said)\w*(?: about)?|what do we know|where (?:are|were) we)\b"
    r"|요약|정리해 ?(?:줘|주|봐|줄)|지금까지 (?:무슨|뭐|어떤|나눈|한) ?(?:얘기|이야기|말)|어디까지 (?:했|얘기|이야기)",
    re.IGNORECASE,
)
_ASKS_TO_RECALL: Final = re.compile(
    r"\b(?:(?:do|can) you (?:still )?(?:remember|recall)|remind me (?:what|which|when|where|who|how)"
    r"|what was (?:my|the|it)"
    r"|(?:did|have|had) i (?:say|said|tell|told|ask|want|mention(?:ed)?)"
    r"|i (?:told|asked) you|(?:we|i) (?:discussed|talked about|mentioned))"
    r"|기억(?:나|해|하|이 나)|뭐라고 (?:했|말)|말(?:했|한 (?:거|것|게)|씀드렸)"
    r"|(?:얘기|이야기)(?:했|한 (?:거|것|게)|할 때)"
    r"|(?:이었|였|했|있었|하)다고 (?:했|말)|이었지|였더라|했더라|였죠|였지|했죠\?",
    re.IGNORECASE,
)
_ASKS: Final = {
    Language.EN: re.compile(
        r"[?？]|^(?:what|why|how|who|where|when|which|whose|can|could|should|would|do|does|did|is|are|will|am"
        r"|tell me|explain|show me|help me|give me|teach me|please|plan|compare|check|recommend|suggest)\b",
        re.IGNORECASE,
    ),
    Language.KO: re.compile(
        r"[?？]|(?:[을할될볼갈줄쓸일올날둘]까요?|(?<![이가] )나요|[은는인건던]가요|[은는]지요?|뭐야|뭐지|니까)\W*$"
        r"|(?:줘요?|주세요|주실래요|주라|봐 ?줘|부탁(?:해|합|드)\w*)\W*$|^(?:어떻게|왜|무엇|뭐|어디|누가|언제|어느)"
    ),
}


def act_of(message: str) -> Act:
    """The first that fits: a greeting, leave or thanks is short; a pause says nothing that could be taken up."""
    few = len(_WORD.findall(message)) <= _FEW_WORDS
    language = language_of(message)
    if _FILLERS.search(message.strip()):
        return Act.PAUSE
    if few:
        for act, form in _OPENINGS:
            if form.search(message.strip()):
                return act
    if _ASKS_FOR_SUMMARY.search(message):
        return Act.SUMMARY
    if asks_to_recall(message):
        return Act.RECALL
    if _ASKS[language].search(message.strip()):
        return Act.QUESTION
    return Act.STATEMENT if not few or extraction.content_words(message, language) else Act.PAUSE


def asks_to_recall(message: str) -> bool:
    return _ASKS_TO_RECALL.search(message) is not None


def asks(message: str) -> bool:
    """Whether it wants something, so that it is no fact about the user."""
    return act_of(message) not in (Act.STATEMENT, Act.PAUSE)
