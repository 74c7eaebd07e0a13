"""The report on other ways of choosing a persona, judged by the log of what was shown and rated."""

import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from mentor.canary.content import shared_head
from mentor.canary.population import PERSONAS as ORDER
from mentor.canary.population import nothing_learned
from mentor.detection import detect
from mentor.feedback import MadeRecommendation
from mentor.legacy.resonance import ResonanceRecommender
from mentor.off_policy import LEAST_EFFECTIVE_SAMPLE, Estimate, Interval, RatedAnswer, as_shown, evaluate
from mentor.personas import PERSONAS, Language, Persona
from mentor.recommendation import Query, ranked

Policy = Callable[[MadeRecommendation], Persona]


@dataclass(frozen=True, slots=True)
class Report:
    """`estimates` by the name of the way of choosing; `shown` is None when nothing was rated."""

    answers: int
    users: int
    since: float
    until: float
    shown: Interval | None
    estimates: dict[str, Estimate]

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2)

    def to_markdown(self, language: Language, *, days: float) -> str:
        words = tomllib.loads(files("mentor").joinpath("off_policy.toml").read_text("utf-8"))[language]
        if self.shown is None:
            return f"# {words['title']}\n\n{words['empty'].format(days=round(days, 1))}\n"
        logged = words["logged"].format(
            answers=self.answers,
            users=self.users,
            since=_day(self.since),
            until=_day(self.until),
            **asdict(self.shown),
        )
        rows = [
            words["head"],
            ["---"] * 4,
            *(_row(name, each, words, language) for name, each in self.estimates.items()),
        ]
        table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
        return f"# {words['title']}\n\n{logged}\n\n{table}\n\n{words['note'].format(least=LEAST_EFFECTIVE_SAMPLE)}\n"


def judge(rated: Sequence[MadeRecommendation]) -> Report:
    """Judge every known way of choosing by `rated`, whose members have a rating and propensities."""
    answers = [_answer(made) for made in rated]
    return Report(
        answers=len(answers),
        users=len({answer.user_id for answer in answers}),
        since=min((made.made_at for made in rated), default=0.0),
        until=max((made.made_at for made in rated), default=0.0),
        shown=as_shown(answers) if answers else None,
        estimates={name: evaluate(answers, [policy(made) for made in rated]) for name, policy in _policies().items()}
        if answers
        else {},
    )


def _policies() -> dict[str, Policy]:
    always = {f"always_{persona.lower()}": _always(persona) for persona in Persona}
    return {"best_score": lambda made: ranked(made.expected)[0], "content": _content, "phase3": _phase3, **always}


def _content(made: MadeRecommendation) -> Persona:
    return ORDER[int(shared_head().odds(made.query, made.hints)[: len(ORDER)].argmax())]


def _phase3(made: MadeRecommendation) -> Persona:
    query = Query(made.query, detect(made.query, made.hints), made.hints)
    return ResonanceRecommender().recommend(query, nothing_learned()).primary


def _always(persona: Persona) -> Policy:
    return lambda _: persona


def _answer(made: MadeRecommendation) -> RatedAnswer:
    if made.rating is None or made.propensities is None:
        raise ValueError(f"{made.recommendation_id} has no rating or no propensities")
    return RatedAnswer(made.user_id, made.persona, made.propensities, made.expected, (made.rating + 1) / 2)


def _row(name: str, estimate: Estimate, words: dict[str, Any], language: Language) -> list[str]:
    figures = [_figure(each) or words["refused"] for each in (estimate.snips, estimate.doubly_robust)]
    return [_name(name, words, language), *figures, f"{estimate.effective_sample:.0f}"]


def _name(name: str, words: dict[str, Any], language: Language) -> str:
    policies: dict[str, str] = words["policies"]
    if name in policies:
        return policies[name]
    persona = Persona(name.removeprefix("always_").capitalize())
    return policies["always"].format(name=PERSONAS[persona].name[language])


def _figure(interval: Interval | None) -> str:
    return f"{interval.value:.3f} ({interval.low:.3f}–{interval.high:.3f})" if interval else ""


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
