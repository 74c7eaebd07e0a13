"""Every reason that a check may give, with the numbers that come with it.

Rates and margins are fractions, P95 limits are milliseconds, `seconds` are durations. `evidence` is an e-value: if
the null were true, evidence this strong would ever appear in at most one of so many rollouts; `evidence_needed` is
the bar for this check alone. `expected` are the events that LEGACY's rate, or the limit, would have given;
`more_seconds` is how long `more_requests` take at the pace of the step.
"""

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """`NUMBERS` names what each carries."""

    # Nothing can be said, and why.
    COUNTS_AWAITED = "counts_awaited"  # it has just begun
    COLLECTOR_SILENT = "collector_silent"  # no counts have come since the start
    STALE = "stale"  # counts came once, and stopped
    UNUSABLE_COUNTS = "unusable_counts"  # negative or not finite
    NO_CANARY_TRAFFIC = "no_canary_traffic"
    NO_LEGACY_TRAFFIC = "no_legacy_traffic"
    NO_CONCURRENT_TRAFFIC = "no_concurrent_traffic"  # both versions had traffic, never at the same time
    # Volume.
    FEW_REQUESTS = "few_requests"
    FEW_LEGACY_REQUESTS = "few_legacy_requests"
    ENOUGH_REQUESTS = "enough_requests"
    # Observed margins.
    WITHIN_MARGIN = "within_margin"
    BEYOND_MARGIN = "beyond_margin"
    # Proof that the canary is not worse by the margin.
    PROVEN_WITHIN_MARGIN = "proven_within_margin"
    NOT_YET_PROVEN = "not_yet_proven"
    # Comparison with LEGACY.
    NOT_WORSE = "not_worse"  # so far nothing says that it is
    WORSE = "worse"  # proven, and estimated at or beyond the margin
    WORSE_WITHIN_TOLERANCE = "worse_within_tolerance"  # proven, and estimated within the margin
    WORSE_FOR_FEW_SUBJECTS = "worse_for_few_subjects"  # proven, and gone without the worst few subjects
    SAMPLE_RATIO_MISMATCH = "sample_ratio_mismatch"  # other users come than the split sends
    # Limits.
    LIMIT_KEPT = "limit_kept"
    LIMIT_UNCLEAR = "limit_unclear"  # above the limit so far, on too little to call it a breach
    LIMIT_BREACHED = "limit_breached"  # observed, not proven
    LIMIT_EXCEEDED = "limit_exceeded"  # proven
    ENVIRONMENT_INCIDENT = "environment_incident"  # LEGACY is beyond the limit as well, or cannot be told from it


_COMPARED = ("legacy", "canary", "margin", "requests")
_WORSE = ("counted", "expected", *_COMPARED, "evidence", "evidence_needed")
_LIMITED = ("requests", "counted", "expected", "rate", "limit", "evidence", "evidence_needed")

NUMBERS: Mapping[Reason, tuple[str, ...]] = {
    Reason.COUNTS_AWAITED: (),
    Reason.COLLECTOR_SILENT: ("seconds",),
    Reason.STALE: ("seconds",),
    Reason.UNUSABLE_COUNTS: ("slices", "seconds"),
    Reason.NO_CANARY_TRAFFIC: (),
    Reason.NO_LEGACY_TRAFFIC: (),
    Reason.NO_CONCURRENT_TRAFFIC: (),
    Reason.FEW_REQUESTS: ("requests", "needed", "more_requests", "more_seconds"),
    Reason.FEW_LEGACY_REQUESTS: ("requests", "needed", "more_requests", "more_seconds"),
    Reason.ENOUGH_REQUESTS: ("requests", "needed"),
    Reason.WITHIN_MARGIN: _COMPARED,
    Reason.BEYOND_MARGIN: _COMPARED,
    Reason.PROVEN_WITHIN_MARGIN: ("evidence", "evidence_needed", "requests"),
    Reason.NOT_YET_PROVEN: ("evidence", "evidence_needed", "requests", "more_requests", "more_seconds"),
    Reason.NOT_WORSE: ("evidence", "evidence_needed"),
    Reason.WORSE: _WORSE,
    Reason.WORSE_WITHIN_TOLERANCE: _WORSE,
    Reason.WORSE_FOR_FEW_SUBJECTS: _WORSE,
    Reason.SAMPLE_RATIO_MISMATCH: ("observed", "desired", "requests", "users"),
    Reason.LIMIT_KEPT: _LIMITED,
    Reason.LIMIT_UNCLEAR: _LIMITED,
    Reason.LIMIT_BREACHED: (*_LIMITED, "more_requests", "more_seconds"),
    Reason.LIMIT_EXCEEDED: _LIMITED,
    Reason.ENVIRONMENT_INCIDENT: (*_LIMITED, "legacy_rate", "legacy_requests"),
}
