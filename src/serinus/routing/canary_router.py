"""Which version answers: one hash of the subject against a threshold, the same in every process and for ever."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, ClassVar

from serinus.deployment import DeploymentVersion
from serinus.routing.endpoints import canonical
from serinus.routing.split import EVERY_ENDPOINT, LEGACY_ONLY, EndpointRule, Split

if TYPE_CHECKING:
    from hashlib import md5
else:
    try:
        from _md5 import md5  # the interpreter's own takes half the time of OpenSSL's
    except ImportError:
        from hashlib import md5 as md5_of_openssl

        md5 = partial(md5_of_openssl, usedforsecurity=False)

SLOTS = 64
BUCKETS = 10_000
_POINTS = 2**32


class Reason(StrEnum):
    """What an assignment rests on; the first that applies, in this order."""

    DISABLED = "disabled"
    ENDPOINT_OFF = "endpoint_off"
    PINNED = "pinned"
    NO_SUBJECT = "no_subject"
    BUCKET = "bucket"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who answers, and why.

    `slot` (0..63, by a hash of the subject) is there when the bucket alone decided: only then are both versions' users
    alike, and their requests comparable.
    """

    version: DeploymentVersion
    reason: Reason
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """An assignment with its arithmetic: CANARY by bucket means `point < threshold`.

    `point` is 0..2^32-1 and `bucket` 0..9,999, both None without a subject. `percentage` is the share on this endpoint,
    the rule's cap applied; `rule` is the one in force there, if any.
    """

    subject: str | None
    endpoint: str
    assignment: Assignment
    point: int | None
    bucket: int | None
    percentage: float
    threshold: int
    rule: EndpointRule | None
    split_revision: int


class CanaryRouter:
    """Routes by the split that it adopted last: stateless otherwise, sticky in both arms, safe to share by threads.

    The point of a subject is the first 4 bytes of ``md5("{salt}:{subject}")`` (UTF-8) as a big-endian integer; below
    `threshold(percentage)` it is CANARY's. Raising the share therefore moves nobody back, and any program
    that has MD5 can repeat the assignment.
    """

    CANARY_TRAFFIC_PERCENTAGE: ClassVar[float] = 5

    def __init__(self, split: Split = LEGACY_ONLY) -> None:
        self.adopt(split)

    @property
    def split(self) -> Split:
        return self._table.split

    def adopt(self, split: Split) -> None:
        """Take `split` whole: every request sees either the old one or this one, never a mixture."""
        self._table = _Table(split)

    def route(self, subject: str | None, endpoint: str) -> Assignment:
        """Who answers `subject` on `endpoint`, a route template as `EndpointTable.match` gives it.

        Any string is a subject, lone surrogates included; None and the empty string are none.
        """
        table = self._table
        threshold = table.thresholds.get(endpoint, table.default_threshold)
        if threshold is None:
            return table.closed
        if table.pinned and subject in table.pinned:
            return table.pinned[subject]
        if not subject:
            return _NO_SUBJECT
        try:
            digest = md5(table.prefix + subject.encode()).digest()
        except UnicodeEncodeError:
            digest = _digest(table.prefix, subject)
        # The digest is longer than the threshold, so bytes compare as `point < threshold` does; any byte but the first
        # four is independent of the point.
        return (_CANARY if digest < threshold else _LEGACY)[digest[4]]

    def explain(self, subject: str | None, endpoint: str) -> Explanation:
        """Why `route` answers as it does; the point is shown even where it did not decide."""
        split = self.split
        rules = {canonical(rule.template): rule for rule in split.endpoints}
        rule = rules.get(endpoint) or rules.get(EVERY_ENDPOINT)
        percentage = share_of(split, rule)
        point = point_of(split.salt, subject) if subject else None
        return Explanation(
            subject=subject or None,
            endpoint=endpoint,
            assignment=CanaryRouter(split).route(subject, endpoint),
            point=point,
            bucket=None if point is None else point * BUCKETS >> 32,
            percentage=percentage,
            threshold=threshold_of(percentage),
            rule=rule,
            split_revision=split.revision,
        )


def point_of(salt: str, subject: str) -> int:
    """The subject's fixed place among the 2^32 points under `salt`."""
    return int.from_bytes(_digest(_prefix(salt), subject)[:4], "big")


def threshold_of(percentage: float) -> int:
    """How many of the 2^32 points a share has: the integers below percentage / 100 · 2^32 in IEEE 754 doubles."""
    return ceil(percentage / 100 * _POINTS)


class _Table:
    """A split made ready for one look-up, one hash and one comparison."""

    __slots__ = ("closed", "default_threshold", "pinned", "prefix", "split", "thresholds")

    def __init__(self, split: Split) -> None:
        rules = {canonical(rule.template): rule for rule in split.endpoints} if split.enabled else {}
        self.split = split
        self.prefix = _prefix(split.salt)
        self.closed = Assignment(DeploymentVersion.LEGACY, Reason.ENDPOINT_OFF if split.enabled else Reason.DISABLED)
        self.thresholds: Mapping[str, bytes | None] = {
            template: _threshold_bytes(split, rule) for template, rule in rules.items()
        }
        self.default_threshold = _threshold_bytes(split, rules.get(EVERY_ENDPOINT))
        self.pinned: Mapping[str | None, Assignment] = {
            subject: Assignment(version, Reason.PINNED) for subject, version in split.pins.items()
        }


def share_of(split: Split, rule: EndpointRule | None) -> float:
    if not split.enabled or (rule and not rule.enabled):
        return 0.0
    return min(split.percentage, rule.max_percentage) if rule else split.percentage


def _threshold_bytes(split: Split, rule: EndpointRule | None) -> bytes | None:
    """None where nobody takes part; more than any digest where everybody does."""
    if not split.enabled or (rule and not rule.enabled):
        return None
    threshold = threshold_of(share_of(split, rule))
    return b"\xff" * 17 if threshold == _POINTS else threshold.to_bytes(4, "big")


def _prefix(salt: str) -> bytes:
    return f"{salt}:".encode(errors="surrogatepass")


def _digest(prefix: bytes, subject: str) -> bytes:
    return md5(prefix + subject.encode(errors="surrogatepass")).digest()


def _by_digest_byte(version: DeploymentVersion) -> tuple[Assignment, ...]:
    slots = tuple(Assignment(version, Reason.BUCKET, slot) for slot in range(SLOTS))
    return slots * (256 // SLOTS)


_NO_SUBJECT = Assignment(DeploymentVersion.LEGACY, Reason.NO_SUBJECT)
_LEGACY = _by_digest_byte(DeploymentVersion.LEGACY)
_CANARY = _by_digest_byte(DeploymentVersion.CANARY)
