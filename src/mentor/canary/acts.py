"""What a message does in a conversation, told by its form: greet, thank, take leave, pause, ask, or state."""

import re
from enum import StrEnum
from functools import cache
from typing import Final

from mentor.canary import extraction
from mentor.detection import language_of
from mentor.personas import Language


class Act(StrEnum):
    GREETING = "greeting"
    INTRODUCTION = "introduction"
    ABUSE = "abuse"
    THANKS = "thanks"
    FAREWELL = "farewell"
    PAUSE = "pause"
    SUMMARY = "summary"
    RECALL = "recall"
    QUESTION = "question"
    STATEMENT = "statement"


_FEW_WORDS: Final = 6
_SOME_WORDS: Final = 12
_MANY_WORDS: Final = 10_000
_WORD: Final = re.compile(r"\w+")

# An act, in how many words at most it is done, and its forms in English and Korean. The first that fits is it.
_FORMS: Final[tuple[tuple[Act, int, tuple[str, ...]], ...]] = (
    (
        Act.PAUSE,
        _FEW_WORDS,
        (
            r"^(?:h+m+|u+m+|u+h+|er+m?|mm+|ok(?:ay)?|yes|no|yeah|yep|nope|sure|well|right|fine|oh|ah|i see)\W*$",
            r"^(?:[ㅠㅜㅋㅎ]+|음+|흠+|네+|넵|예|응|아니요?|글쎄요?|그래요?|그렇군요|괜찮아요?|아)\W*$",
        ),
    ),
    (
        Act.GREETING,
        _FEW_WORDS,
        (
            r"^(?:hi|hello|hey|hiya|howdy|good (?:morning|afternoon|evening))\b(?: there| \w+)?\W*$",
            r"^(?:안녕(?:하세요|하십니까)?|반가워요?|반갑습니다|하이|헬로)\W*(?:\w+\W*)?$",
        ),
    ),
    (
        Act.FAREWELL,
        _FEW_WORDS,
        (
            r"\b(?:bye|goodbye|good night|see you|talk (?:to you )?later|gotta go|farewell)\b",
            r"잘 ?있어|안녕히|잘 ?자|다음에 (?:또 )?(?:봐|만나|뵐|올)|이만 (?:갈|가)|그만 갈게",
        ),
    ),
    (
        Act.THANKS,
        _FEW_WORDS,
        (
            r"\b(?:thanks|thank you|thx|ty|cheers|much appreciated|that help(?:s|ed))\b",
            r"고마워|고맙|감사(?:해|합|드)|땡큐",
        ),
    ),
    (
        Act.ABUSE,
        _SOME_WORDS,
        (
            r"\b(?:fuck (?:you|off)|screw you|shut up|go to hell)\b",
            r"\byou(?:'re| are) (?:so |really |such )?(?:an? )?(?:useless|stupid|idiot|dumb|moron|worthless|trash)\b",
            r"닥쳐|꺼져|병신|씨발|시발|쓸모없(?:어|네|다)|멍청한 (?:놈|봇|기계)",
            r"(?:넌|너는?|당신은?) (?:정말 |진짜 )?(?:멍청|바보|쓸모|쓰레기)",
        ),
    ),
    (
        Act.INTRODUCTION,
        _SOME_WORDS,
        (
            r"\b(?:who are you|what are you|what(?:'s| is) your name|introduce yourself|what can you do)\b",
            r"\bare you (?:a )?(?:bot|human|real|an ai)\b",
            r"누구(?:세요|예요|야|니|신가요)|이름이 뭐|자기소개|(?:뭘|무엇을) (?:할|도와줄|도와주실) 수 있",
            r"사람이(?:야|에요|세요|니)|봇이(?:야|에요|니)",
        ),
    ),
    (
        Act.SUMMARY,
        _MANY_WORDS,
        (
            r"\b(?:summar(?:y|i[sz]e)|sum (?:it|this|that|things|everything|all)? ?up|recap)\b",
            r"\bwhat (?:have|did) we (?:discuss|talk|cover|say|said)|\bwhat do we know|\bwhere (?:are|were) we\b",
            r"요약|정리해 ?(?:줘|주|봐|줄)|지금까지 (?:무슨|뭐|어떤|나눈|한) ?(?:얘기|이야기|말)",
            r"어디까지 (?:했|얘기|이야기)",
        ),
    ),
    (
        Act.RECALL,
        _MANY_WORDS,
        (
            r"\b(?:do|can) you (?:still )?(?:remember|recall)|\bremind me (?:what|which|when|where|who|how)",
            r"\bwhat was (?:my|the|it)\b|\b(?:did|have|had) i (?:say|said|tell|told|ask|want|mention(?:ed)?)\b",
            r"\bi (?:told|asked) you|\b(?:we|i) (?:discussed|talked about|mentioned)",
            r"기억(?:나|해|하|이 나)|뭐라고 (?:했|말)|말(?:했|한 (?:거|것|게)|씀드렸)",
            r"(?:얘기|이야기)(?:했|한 (?:거|것|게)|할 때)|(?:이었|였|했|있었|하)다고 (?:했|말)",
            r"[다라자냐]고 (?:했|말했|그랬)(?:지|죠|나|더|었)|이었지|였더라|했더라|였죠|였지|했죠\?",
        ),
    ),
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
    """What fits first; a message that says nothing to take up is a pause."""
    said = message.strip()
    words = len(_WORD.findall(said))
    for act, most_words, form in _forms():
        if words <= most_words and form.search(said):
            return act
    language = language_of(said)
    if _ASKS[language].search(said):
        return Act.QUESTION
    says_something = words > _FEW_WORDS or extraction.content_words(said, language)
    return Act.STATEMENT if says_something else Act.PAUSE


def asks_to_recall(message: str) -> bool:
    return any(act is Act.RECALL and form.search(message) for act, _, form in _forms())


def tells(message: str) -> bool:
    """Whether it says something about the user or their matter: what may be taken up later as a fact."""
    return act_of(message) in (Act.STATEMENT, Act.PAUSE)


@cache
def _forms() -> tuple[tuple[Act, int, re.Pattern[str]], ...]:
    return tuple((act, most, re.compile("|".join(forms), re.IGNORECASE)) for act, most, forms in _FORMS)
