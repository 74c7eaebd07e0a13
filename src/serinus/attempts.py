"""Failed attempts to get in: how often an address may guess."""

import logging
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address
from math import ceil

from serinus.errors import TooManyAttempts, Unauthenticated

BURST = 20
SECONDS_EACH = 6.0
MOST_ADDRESSES = 10_000
MOST_KNOWN = 1_000

logger = logging.getLogger(__name__)


class Attempts:
    """Lets each address fail `BURST` times, and once more every `SECONDS_EACH`, in each process.

    Who has got in before is not held up by what others at the same address do, as behind one proxy: a secret that was
    good last time is no guess. Of an IPv6 address its /64 counts, for that is what one customer is given. Bounded: the
    latest `MOST_ADDRESSES` are remembered, and the digests of the latest `MOST_KNOWN` good secrets.
    """

    def __init__(self) -> None:
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._known: OrderedDict[bytes, None] = OrderedDict()

    @contextmanager
    def one(self, address: str, digest: bytes, now: float) -> Iterator[None]:
        """Around the check of the secret with this digest, which raises `Unauthenticated`; `now` is epoch seconds.

        Raises `TooManyAttempts` in its place. Taken before the check, for many guesses may be under way at once.
        """
        place, is_known = _place(address), digest in self._known
        if not is_known:
            self._take(place, now)
        try:
            yield
        except Unauthenticated:
            self._known.pop(digest, None)
            raise
        except BaseException:
            self._give_back(place, is_known=is_known)
            raise
        self._give_back(place, is_known=is_known)
        self._remember(digest)

    def _take(self, place: str, now: float) -> None:
        spent, since = self._spent.pop(place, (0.0, now))
        spent = max(0.0, spent - max(0.0, now - since) / SECONDS_EACH)
        refused = spent > BURST - 1
        self._spent[place] = (spent if refused else spent + 1, now)
        if len(self._spent) > MOST_ADDRESSES:
            self._spent.popitem(last=False)
        if refused:
            raise TooManyAttempts(ceil((spent - BURST + 1) * SECONDS_EACH))
        if spent + 1 > BURST - 1:
            logger.warning("too many failed attempts to log in from %r: it has to wait between two now", place)

    def _give_back(self, place: str, *, is_known: bool) -> None:
        if not is_known and place in self._spent:
            spent, since = self._spent[place]
            self._spent[place] = (max(0.0, spent - 1), since)

    def _remember(self, digest: bytes) -> None:
        self._known[digest] = None
        self._known.move_to_end(digest)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)


def _place(address: str) -> str:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
