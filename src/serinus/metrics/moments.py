"""Mean and spread of a measure, added up without losing precision."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moments:
    """`squares` is the sum of the squared differences from the mean, which stays exact where sums of squares cancel."""

    count: int
    mean: float
    squares: float

    @property
    def variance(self) -> float | None:
        """Of one value, estimated without bias; None for fewer than two."""
        return self.squares / (self.count - 1) if self.count > 1 else None


NONE = Moments(0, 0.0, 0.0)


def add(first: Moments, second: Moments) -> Moments:
    """Both together (Chan, Golub, LeVeque, The American Statistician 37:242-247, 1983)."""
    count = first.count + second.count
    if not first.count or not second.count:
        return first if first.count else second
    apart = second.mean - first.mean
    mean = first.mean + apart * second.count / count
    return Moments(count, mean, first.squares + second.squares + apart * apart * first.count * second.count / count)
