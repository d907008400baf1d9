"""When it strikes: the same seed, the same strikes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Schedule:
    """So many strikes, each after a pause of `shortest` to `longest` seconds since the last one's recovery."""

    strikes: int
    shortest: float = 1.0
    longest: float = 5.0

    def pauses(self, random):
        """The pauses before each strike, in seconds."""
        return [random.uniform(self.shortest, self.longest) for _ in range(self.strikes)]


class Turns:
    """Whose turn it is: each as often as every other, in an order that the seed decides.

    A random choice alone would leave somebody out of a short run.
    """

    def __init__(self, random, names):
        self._random, self._names, self._left = random, sorted(names), []

    def next(self):
        """The next name."""
        if not self._left:
            self._left = self._random.sample(self._names, len(self._names))
        return self._left.pop()
