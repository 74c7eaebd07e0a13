"""Flags of OpenFeature (https://openfeature.dev) that follow a canary: what a version gets is a flag's value.

    api.set_provider_and_wait(SerinusProvider(app.canary, {"ranker": Flag(legacy="bm25", canary="neural")}))
    api.get_client().get_string_value("ranker", "bm25", EvaluationContext(targeting_key=user_id))

Needs the extra ``openfeature``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import FlagNotFoundError, TypeMismatchError
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType
from openfeature.flag_evaluation import Reason as Why
from openfeature.provider import AbstractProvider, Metadata
from openfeature.track import TrackingEventDetails

from serinus.asgi import Canary
from serinus.asgi.current import answering
from serinus.asgi.values import record_value
from serinus.deployment import DeploymentVersion
from serinus.errors import InvalidInput, Problem
from serinus.routing.canary_router import Reason
from serinus.routing.endpoints import canonical
from serinus.routing.split import EVERY_ENDPOINT, Split

Value = TypeVar("Value")
Kinds = tuple[type, ...]

_BOOLEAN: Final[Kinds] = (bool,)
_STRING: Final[Kinds] = (str,)
_NUMBER: Final[Kinds] = (int, float)
_OBJECT: Final[Kinds] = (dict, list)
_KINDS: Final = (_BOOLEAN, _STRING, _NUMBER, _OBJECT)

_WHY: Final = {
    Reason.DISABLED: Why.DISABLED,
    Reason.ENDPOINT_OFF: Why.DISABLED,
    Reason.PINNED: Why.TARGETING_MATCH,
    Reason.NO_SUBJECT: Why.DEFAULT,
    Reason.BUCKET: Why.SPLIT,
}


@dataclass(frozen=True, slots=True)
class Flag:
    """What each version gets: two of bool, two of str, two numbers, or two of dict and list.

    `endpoint`: the route template whose rule of the split counts for it outside requests; by default the rule for all.
    """

    legacy: FlagValueType
    canary: FlagValueType
    endpoint: str = EVERY_ENDPOINT

    @property
    def is_static(self) -> bool:
        return self.legacy == self.canary

    def value(self, version: DeploymentVersion) -> FlagValueType:
        return self.canary if version is DeploymentVersion.CANARY else self.legacy


class SerinusProvider(AbstractProvider):
    """Resolves `flags` as `canary` routes.

    In a request that takes part a flag follows the version that answers it, so that what the flag does is counted for
    that version. A targeting key that names somebody else is routed by itself, and so is any one outside requests; who
    is not named gets what LEGACY has, as everywhere.
    Reasons: SPLIT by the bucket, TARGETING_MATCH for a pin, DISABLED while the canary is off, STATIC for a value that
    both versions have, DEFAULT for who is not named and for a request that LEGACY answers in the canary's place.
    Raises `InvalidInput` for a flag of two kinds of values.
    """

    def __init__(self, canary: Canary, flags: Mapping[str, Flag]) -> None:
        super().__init__()
        wrong = [Problem(f"flags.{key}", _MIXED) for key, flag in flags.items() if not _is_of_one_kind(flag)]
        if wrong:
            raise InvalidInput(*wrong)
        self._canary = canary
        self._flags = dict(flags)
        self._split: Split = canary.router.split
        self._is_stale = False
        self._stop_listening: Callable[[], None] | None = None

    def get_metadata(self) -> Metadata:
        return Metadata(name="serinus")

    def initialize(self, evaluation_context: EvaluationContext) -> None:  # noqa: ARG002 - the interface's
        """Tell of changes from now on: of every split, and of its going stale for want of a controller, and back."""
        if self._stop_listening is None:
            self._split = self._canary.router.split
            self._stop_listening = self._canary.listen(self._tell)

    def shutdown(self) -> None:
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None

    def track(
        self,
        tracking_event_name: str,
        evaluation_context: EvaluationContext | None = None,  # noqa: ARG002 - the request says whose it is
        tracking_event_details: TrackingEventDetails | None = None,
    ) -> None:
        """`serinus.record_value` for the current request; an event without a value is counted as 1."""
        value = tracking_event_details.value if tracking_event_details else None
        record_value(tracking_event_name, 1.0 if value is None else value)

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001 - the interface's
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        return self._resolve(flag_key, default_value, evaluation_context, _BOOLEAN)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        return self._resolve(flag_key, default_value, evaluation_context, _STRING)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """A number without a fraction is an integer, however it was written; any other is none, and is not rounded."""
        found = self._resolve(flag_key, default_value, evaluation_context, _NUMBER)
        if found.value % 1 != 0:
            raise TypeMismatchError(f"the flag {flag_key!r} is {found.value}, which is no integer")
        found.value = int(found.value)
        return found

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        found = self._resolve(flag_key, default_value, evaluation_context, _NUMBER)
        found.value = float(found.value)
        return found

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        return self._resolve(flag_key, default_value, evaluation_context, _OBJECT)

    def _resolve(
        self, key: str, _default: Value, context: EvaluationContext | None, kinds: Kinds
    ) -> FlagResolutionDetails[Value]:
        flag = self._flags.get(key)
        if flag is None:
            raise FlagNotFoundError(f"no flag {key!r}; there are {', '.join(sorted(self._flags)) or 'none'}")
        version, why = self._assigned(flag, context.targeting_key if context else None)
        if flag.is_static:
            why = Why.STATIC
        value = flag.value(version)
        if type(value) not in kinds:
            raise TypeMismatchError(f"the flag {key!r} is {type(value).__name__}, not {' or '.join(map(_name, kinds))}")
        metadata = {"split_revision": self._canary.router.split.revision}
        return FlagResolutionDetails(cast("Value", value), reason=why, variant=version.value, flag_metadata=metadata)

    def _assigned(self, flag: Flag, key: str | None) -> tuple[DeploymentVersion, Why]:
        request = answering.get()
        if request is not None and request.assignment is not None and key in (None, "", request.subject):
            given = request.assignment
            return request.version, _WHY[given.reason] if given.version is request.version else Why.DEFAULT
        given = self._canary.router.route(key, canonical(flag.endpoint))
        return given.version, _WHY[given.reason]

    def _tell(self, split: Split) -> None:
        """The same split switched off and on again is the agent's doing: it has no word of a controller."""
        before, self._split = self._split, split
        if split == before:
            return
        details = ProviderEventDetails(flags_changed=list(self._flags))
        same = split.revision == before.revision
        if same and not split.enabled:
            self._is_stale = True
            self.emit_provider_stale(details)
        elif self._is_stale:
            self._is_stale = False
            self.emit_provider_ready(details)
        if not same:
            self.emit_provider_configuration_changed(details)


_MIXED: Final = "`legacy` and `canary` must be two of bool, two of str, two numbers, or two of dict and list"


def _is_of_one_kind(flag: Flag) -> bool:
    return any(type(flag.legacy) in kinds and type(flag.canary) in kinds for kinds in _KINDS)


def _name(kind: type) -> str:
    return kind.__name__
