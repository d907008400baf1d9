"""How long to wait before a part that ended is started again."""

FIRST_SECONDS = 0.2
LONGEST_SECONDS = 30.0
STABLE_SECONDS = 60.0  # who ran this long is not in a crash loop
LOOP = 3


class Restarts:
    """Pauses that double with every early end in a row, from 0.2 to 30 seconds.

    >>> restarts = Restarts()
    >>> [restarts.pause_seconds(ran_seconds=1.0) for _ in range(4)]
    [0.2, 0.4, 0.8, 1.6]
    >>> restarts.looping
    True
    >>> restarts.pause_seconds(ran_seconds=60.0), restarts.looping, restarts.count
    (0.2, False, 5)
    """

    def __init__(self) -> None:
        self.count = 0
        self._early = 0

    def pause_seconds(self, ran_seconds: float) -> float:
        """The pause after a run of `ran_seconds` that nobody asked to end."""
        self.count += 1
        self._early = 1 if ran_seconds >= STABLE_SECONDS else self._early + 1
        return min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(self._early - 1, 10))

    @property
    def looping(self) -> bool:
        """Whether it ended early three times in a row."""
        return self._early >= LOOP

    def settle(self, ran_seconds: float) -> None:
        """Forget the early ends of a part that is running and has run for `ran_seconds`."""
        if ran_seconds >= STABLE_SECONDS:
            self._early = 0
