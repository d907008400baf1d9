"""Documents whose text must not come out."""

from collections.abc import Iterable
from hashlib import sha256

import numpy as np

from services.guard.guard.found import Found
from services.guard.guard.reading import Places, Reading, reading
from services.guard.guard.system_prompt import Flags, covered, passages, risk

RUN = 8  # words in a row
APART = 2
HALF = 12.0  # repeated words at which the risk is one half


class ProtectedDocuments:
    """The runs of RUN words of every document, as sorted hashes with the document of each: 12 bytes a word.

    Texts are named; a run that stands in several documents is the first one's. Two runs share a hash of 64 bits by
    chance once in about 10 ** 13 words of ten million.
    """

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        self.names: list[str] = []
        runs, owners = [np.empty(0, np.uint64)], [np.empty(0, np.uint32)]
        for name, text in texts:
            own = reading(text).runs(RUN)
            runs.append(own)
            owners.append(np.full(len(own), len(self.names), np.uint32))
            self.names.append(name)
        self._runs, first = np.unique(np.concatenate(runs), return_index=True)
        self._owners = np.concatenate(owners)[first]
        named = "\n".join(self.names).encode("utf-8", "surrogatepass")
        self.version = sha256(self._runs.tobytes() + self._owners.tobytes() + named).hexdigest()[:8]

    def __bool__(self) -> bool:
        return bool(self.names)

    def leaked(self, answer: Reading) -> list[Found]:
        """Passages of the answer that stand in a document; the kind is the document's name.

        The confidence is 1 - 2 ** -(words / HALF), of the words that were taken over. Linear in the answer.
        """
        runs = answer.runs(RUN)
        if not len(runs) or not len(self._runs):
            return []
        places = np.minimum(np.searchsorted(self._runs, runs), len(self._runs) - 1)
        taken = self._runs[places] == runs
        return [
            Found(
                int(answer.starts[first]),
                int(answer.ends[last - 1]),
                self._name(places, taken, first),
                risk(words, HALF),
            )
            for first, last, words in passages(answer, covered(taken, RUN), apart=APART)
        ]

    def _name(self, places: Places, taken: Flags, first: int) -> str:
        run = first + int(np.argmax(taken[first : first + RUN]))
        return self.names[int(self._owners[places[run]])][:200]
