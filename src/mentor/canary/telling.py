"""Answers that tell the user again what they said: recalled, summed up, denied, put right."""

from mentor.canary import recollection
from mentor.canary.asked import asks_of_ours
from mentor.canary.facts import listed, taken_up, told_again, turn_line
from mentor.canary.manner import Manner
from mentor.canary.prompt import Prompt
from mentor.canary.summary import Statement
from mentor.canary.voices import fresh, phrase, quoted, voice


def recall(prompt: Prompt, found: list[Statement], manner: Manner) -> list[str]:
    """What was found, or that nothing was; with a question back, unless none is wanted."""
    again = [phrase(prompt, ("again", "meant", "latest")[min(2, len(found))])]
    told = [fresh(voice(prompt)["found"], prompt), *told_again(prompt, found)]
    return [
        *(told if found else [phrase(prompt, "unknown" if asks_of_ours(prompt.message) else "untold")]),
        *([] if manner.unasked else again),
    ]


def summary(prompt: Prompt, manner: Manner) -> list[str]:
    kept = [statement for statement in prompt.summary if recollection.is_told(statement.text)]
    if not kept:
        return [phrase(prompt, "nothing")]
    facts = recollection.with_later_words(kept, recollection.told(prompt))
    missing = [] if manner.unasked else [phrase(prompt, "missing")]
    return [phrase(prompt, "summary").format(facts=listed(prompt, facts)), *missing]


def where_we_were(prompt: Prompt) -> list[str]:
    last = recollection.told(prompt)[-1:]
    return [phrase(prompt, "last").format(facts=listed(prompt, last))] if last else []


def denial(prompt: Prompt, _: Manner) -> list[str]:
    """What was said nevertheless, without a verdict on who is right."""
    said = recollection.related(prompt, most=1)
    later = recollection.replaced_by(said[0], recollection.told(prompt))
    return told_again(prompt, [*said, later] if later else said)


def correction(prompt: Prompt, _: Manner) -> list[str]:
    before = recollection.corrected_by(prompt)
    said = fresh(voice(prompt)["corrected"], prompt).format(said=quoted(taken_up(prompt)))
    return [said, *([turn_line(prompt, "before", before)] if before else [])]
