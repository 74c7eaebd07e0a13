"""What Prometheus would read of an answer of `/metrics`, for tests."""

from prometheus_client.parser import text_string_to_metric_families


class Scraped:
    """The samples of one answer, by name and labels."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self._samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def __len__(self) -> int:
        return len(self._samples)

    def value(self, name: str, /, **labels: str) -> float:
        return self._samples[name, frozenset(labels.items())]

    def labels(self, name: str, label: str) -> set[str]:
        """All values of a label in the series of this name."""
        return {dict(labels)[label] for found, labels in self._samples if found == name}

    def counters(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """Everything that must never be less than it was."""
        endings = ("_total", "_count", "_bucket")
        return {key: value for key, value in self._samples.items() if key[0].endswith(endings)}

    def total(self, name: str) -> float:
        return sum(value for (found, _), value in self._samples.items() if found == name)
