"""What came of telling somebody."""


class NotDelivered(Exception):
    """The alert did not arrive; `final` when another try would be answered the same. Its text holds no address.

    `retry_after_seconds` is what the receiver asked for, 0 when it asked for nothing.
    """

    def __init__(self, message: str, *, final: bool = False, retry_after_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.final = final
        self.retry_after_seconds = retry_after_seconds
