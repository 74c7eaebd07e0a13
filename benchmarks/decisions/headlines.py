"""What deciders are told of the results: rows of the executive summaries, in English and Korean."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite

from benchmarks.decisions.outcomes import Summary
from benchmarks.decisions.streams import Truth
from benchmarks.decisions.tables import OURS

FIXED = "threshold"
DEAD = "every answer fails"
MORE_ERRORS = "errors 0.5 % + 5 pp"
SLOWER = "P95 × 1.5, lognormal, sigma 0.6"
AT_THE_MARGIN = ("+ 0.5 pp", "P95 × 1.1,")

COMMAND = "`python -m benchmarks.decisions.run`"
SHOWN_BY = {"en": "the same", "ko": "위와 같음"}
ANSWERS = {
    "en": {
        "How often is a good release taken back by mistake?": (
            "in {taken_back} % of rollouts, in {services} kinds of service (promised: at most 5 %);"
            " fixed thresholds do it in {fixed} %"
        ),
        "How soon is a dead release found?": "at its request no. {dead}",
        "One that fails 5 of 100 requests more?": "after {more_errors} of the new version's requests, at the median",
        "One that is 1.5 times as slow?": "after {slower}",
        "How often is a release at the agreed margin let through?": (
            "in {let_through} % (promised: 5 %, and no measurement contradicts it)"
        ),
        "How many requests does the proof take that a release is no worse?": (
            "{proof}, by the kind of service; {clustered} where some users always fail"
        ),
    },
    "ko": {
        "좋은 배포를 잘못 되돌리는 일은 얼마나 잦은가?": (
            "서비스 {services}종에서 롤아웃의 {taken_back} % (약속: 5 % 이하). 고정 임계값 방식은 {fixed} %"
        ),
        "완전히 고장 난 배포는 언제 발견되는가?": "{dead}번째 요청에서",
        "요청 100건 중 5건이 더 실패한다면?": "새 버전의 요청 {more_errors}건 뒤 (중앙값)",
        "1.5배 느리다면?": "{slower}건 뒤",
        "합의한 허용 폭에 걸친 배포를 통과시키는 일은?": "{let_through} % (약속: 5 %, 이에 어긋나는 측정은 없음)",
        "더 나쁘지 않다는 증명에는 요청이 몇 건 필요한가?": (
            "서비스 종류에 따라 {proof}건, 늘 실패하는 사용자가 있으면 {clustered}건"
        ),
    },
}
TO = {"en": " to ", "ko": " ~ "}


def rows(summaries: Sequence[Summary], language: str) -> tuple[str, ...]:
    """Lines of a Markdown table; each is known by its question, which has no measured figure in it."""
    figures = _figures(summaries, TO[language])
    shown_by = (COMMAND, *[SHOWN_BY[language]] * len(ANSWERS[language]))
    answers = zip(ANSWERS[language].items(), shown_by, strict=False)
    return tuple(f"| {question} | {answer.format_map(figures)} | {by} |" for (question, answer), by in answers)


def put_in(document: str, summaries: Sequence[Summary], language: str) -> str:
    """The document with these rows in the place of those that ask the same."""
    asked = {_question(row): row for row in rows(summaries, language)}
    return "\n".join(asked.get(_question(line), line) for line in document.split("\n"))


def _question(line: str) -> str:
    return line.split("|")[1].strip() if line.startswith("|") else ""


def _figures(summaries: Iterable[Summary], to: str) -> Mapping[str, str]:
    all_ = list(summaries)
    ours = [each for each in all_ if each.decider == OURS]
    healthy = [each for each in ours if each.truth is Truth.HEALTHY]
    fixed = [each for each in all_ if each.truth is Truth.HEALTHY and each.decider.endswith(FIXED)]
    margin = [
        each for each in ours if each.truth is Truth.BEYOND and any(name in each.scenario for name in AT_THE_MARGIN)
    ]
    found = {each.scenario: f"{each.found[1]:,.0f}" for each in ours if each.truth is Truth.WORSE}
    return {
        "taken_back": _range(healthy, lambda each: 100 * each.rolled_back / each.runs, to),
        "services": str(len(healthy)),
        "fixed": _range(fixed, lambda each: 100 * each.rolled_back / each.runs, to),
        "dead": found[DEAD],
        "more_errors": found[MORE_ERRORS],
        "slower": found[SLOWER],
        "let_through": _range(margin, lambda each: 100 * each.promoted / each.runs, to),
        "proof": _range((each for each in healthy if not _is_clustered(each)), _to_the_proof, to),
        "clustered": _range(filter(_is_clustered, healthy), _to_the_proof, to),
    }


def _is_clustered(summary: Summary) -> bool:
    return "users" in summary.scenario


def _to_the_proof(summary: Summary) -> float:
    return summary.promotes[1]


def _range(summaries: Iterable[Summary], figure: Callable[[Summary], float], to: str) -> str:
    """From the least to the most; a median that was never reached has no figure."""
    figures = [figure(each) for each in summaries]
    return to.join(_shown(value) for value in dict.fromkeys((min(figures), max(figures))))


def _shown(value: float) -> str:
    if not isfinite(value):
        return "…"
    return f"{value:,.0f}" if value >= 1_000 else f"{round(value, 1):g}"
