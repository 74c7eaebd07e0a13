"""Every tone, pace and intent is reached, in English and in Korean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mentor.detection import Detection, Hints, Intent, Pace, Tone, detect, language_of
from mentor.personas import Language

TONES = [
    (Tone.FRUSTRATED, "I'm fed up, this thing annoys me every single time", "정말 짜증나고 답답해 죽겠어요"),
    (Tone.PLAYFUL, "Haha, that was hilarious, tell me another joke", "ㅋㅋㅋ 농담이야, 너무 웃겨"),
    (Tone.ANXIOUS, "I'm so worried and nervous before the interview", "면접을 앞두고 너무 불안하고 긴장돼요"),
    (Tone.ANALYTICAL, "Compare the metrics and evaluate the evidence", "지표를 비교하고 근거를 분석해 보자"),
    (Tone.CALM, "No rush, let me take my time in peaceful quiet", "여유롭게 차분히, 천천히 하고 싶어요"),
    (Tone.CURIOUS, "I'm curious, how does a telescope work?", "별이 왜 빛나는지 궁금하고 신기해요"),
    (Tone.URGENT, "Emergency, I need it right away, production is down", "긴급 상황이에요, 지금 당장 봐 주세요"),
    (Tone.CONFUSED, "I'm confused, it makes no sense to me", "뭐가 뭔지 헷갈리고 이해가 안 가요"),
    (
        Tone.COLLABORATIVE,
        "Let's do it together with our team and everyone in it",
        "우리 팀 동료와 함께 협업하고 싶어요",
    ),
]
PACES = [
    (Pace.BURST, "Quick, just tell me!!", "빨리 결론만!!"),
    (
        Pace.FLOWING,
        "We went there and then we ate, and after that we walked",
        "걷다가 쉬었고 그리고 이어서 또 하나씩 했어요",
    ),
    (
        Pace.CONTEMPLATIVE,
        "I've been thinking... perhaps it has a deeper meaning",
        "곰곰이 돌아보니… 어쩌면 깊이가 있네요",
    ),
    (Pace.MEDIUM, "The train leaves from the second platform", "기차는 두 번째 승강장에서 떠나요"),
]
INTENTS = [
    (Intent.SEEK_ADVICE, "Which one should I pick, any tips?", "무엇을 고르면 좋을까, 조언 부탁해요"),
    (Intent.PROBLEM_SOLVING, "Fix this bug, the server keeps crashing", "서버 오류가 나는데 고쳐 주세요"),
    (Intent.LEARNING, "Explain the basics, I want to learn this concept", "기초 개념을 배우고 공부하고 싶어요"),
    (Intent.VALIDATION, "Please double-check and confirm that it is right", "이 결과가 맞는지 검증해 주세요"),
    (Intent.PLANNING, "Plan the roadmap for next quarter", "다음 분기 로드맵과 일정을 세우자"),
    (Intent.REFLECTION, "Looking back, I realize what I learned from it", "돌이켜 보니 많이 후회하고 깨달았어요"),
]


@pytest.mark.parametrize(("tone", "english", "korean"), TONES)
def test_every_tone_is_heard_in_both_languages(tone: Tone, english: str, korean: str) -> None:
    assert detect(english).tone is tone
    assert detect(korean).tone is tone


@pytest.mark.parametrize(("pace", "english", "korean"), PACES)
def test_every_pace_is_heard_in_both_languages(pace: Pace, english: str, korean: str) -> None:
    assert detect(english).pace is pace
    assert detect(korean).pace is pace


@pytest.mark.parametrize(("intent", "english", "korean"), INTENTS)
def test_every_intent_is_heard_in_both_languages(intent: Intent, english: str, korean: str) -> None:
    assert detect(english).intent is intent
    assert detect(korean).intent is intent


def test_the_examples_cover_every_label() -> None:
    assert {tone for tone, *_ in TONES} == set(Tone)
    assert {pace for pace, *_ in PACES} == set(Pace)
    assert {intent for intent, *_ in INTENTS} == set(Intent)


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("The washing machine leaves water on the floor every time", Intent.PROBLEM_SOLVING),
        ("Could you tell me whether my sum is right?", Intent.VALIDATION),
        ("I keep thinking of what she said to me last summer", Intent.REFLECTION),
        ("세탁기를 돌릴 때마다 바닥에 물이 흥건해요", Intent.PROBLEM_SOLVING),
        ("지난여름에 그 사람이 한 말이 자꾸 떠올라요", Intent.REFLECTION),
        ("둘 중에 뭘 고르는 게 나을까", Intent.SEEK_ADVICE),
    ],
)
def test_an_intent_is_heard_without_its_cues(text: str, intent: Intent) -> None:
    assert detect(text).intent is intent


def test_a_paragraph_flows_and_a_shout_bursts() -> None:
    assert detect("The river passes the mill, the village and the old bridge. " * 5).pace is Pace.FLOWING
    assert detect("Oh no!").pace is Pace.BURST


def test_a_hint_wins_over_what_would_be_detected() -> None:
    detected = detect("haha lol", Hints(tone=Tone.CALM, intent=Intent.PLANNING))
    assert (detected.tone, detected.intent) == (Tone.CALM, Intent.PLANNING)


def test_korean_full_of_english_words_is_korean() -> None:
    assert language_of("Docker container가 restart를 반복해요, 왜 그럴까요?") is Language.KO
    assert language_of("TypeError: Cannot read properties of undefined (reading 'map') 이거 왜 뜸?") is Language.KO
    assert language_of("어제 we deployed it on staging") is Language.EN
    assert language_of("What does 사랑 mean in English, please?") is Language.EN


def test_the_key_names_tone_pace_and_intent() -> None:
    detected = Detection(Tone.CALM, Pace.MEDIUM, Intent.LEARNING, Language.EN)
    assert detected.key == "calm-medium-learning"


@given(st.text(max_size=300))
def test_any_text_has_labels(text: str) -> None:
    detected = detect(text)
    assert detected == detect(text)
    assert detected.tone in Tone
