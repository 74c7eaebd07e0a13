"""A person's word for a gate, and what they hand in with it."""

from dataclasses import dataclass

from serinus.rollout.plan import ApprovalGate


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that the approver has read; `digest` is its SHA-256 in hexadecimal, which tells it from every other."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class HandedIn:
    """`checked` are the items of the gate's checklist that were ticked, in the plan's words."""

    checked: tuple[str, ...] = ()
    attachment: Attachment | None = None
    business_impact: str = ""


NOTHING = HandedIn()


@dataclass(frozen=True, slots=True)
class Approval:
    """Bound to the step and to the report that the approver saw (`report_at`).

    `expiry_told_at`: when people were told that it is about to expire.
    """

    gate: str
    step: int
    by: str
    at: float
    report_at: float | None
    reason: str = ""
    handed_in: HandedIn = NOTHING
    expiry_told_at: float | None = None


def everything(gate: ApprovalGate) -> HandedIn:
    """All that the gate asks for, as somebody would hand it in who has it: for rehearsals on paper."""
    attachment = Attachment(gate.attachment, "0" * 64) if gate.attachment else None
    return HandedIn(gate.checklist, attachment, gate.name if gate.business_impact else "")


def objections(gate: ApprovalGate, handed_in: HandedIn) -> list[str]:
    """What the gate asks for and was not handed in, and what was ticked that nobody asked for."""
    found = [f"tick {item!r}" for item in gate.checklist if item not in handed_in.checked]
    found += [f"there is no item {item!r}" for item in handed_in.checked if item not in gate.checklist]
    if gate.attachment and handed_in.attachment is None:
        found.append(f"attach the {gate.attachment}")
    if gate.business_impact and not handed_in.business_impact.strip():
        found.append("say what the business impact is")
    return found
