"""What ranks rows without a scorer: length, words learnt from other sources, words that the context lacks."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import log

import numpy as np
from nltk.stem.porter import PorterStemmer
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from benchmarks.quality.measures import Floats
from benchmarks.quality.rows import Baseline, Row, Source

_STEMMER = PorterStemmer()


def lengths(rows: Sequence[Row]) -> Floats:
    """Characters of each text."""
    return np.array([len(row.text) for row in rows], np.float64)


def by_words(source: Source, others: Iterable[Source]) -> Floats | None:
    """Log-odds by a logistic regression over TF-IDF of words and word pairs, learnt from `others`.

    A text of `source` is not learnt from; None where the others do not hold both classes.
    """
    own = {row.text for row in source.rows}
    learnt = {row.text: row.label for other in others for row in other.rows if row.text not in own}
    if len(set(learnt.values())) < 2:
        return None
    vectoriser = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    line = LogisticRegression(C=10, max_iter=300, class_weight="balanced")
    line.fit(vectoriser.fit_transform(learnt), list(learnt.values()))
    found: Floats = line.decision_function(vectoriser.transform([row.text for row in source.rows]))
    return found


def novel_words(documents: Sequence[str]) -> Baseline:
    """Novel-word mass: the summed IDF, over `documents`, of stems of content words that context and prompt lack."""
    seen = Counter(stem for document in documents for stem in stems(document))
    count = len(documents)

    def mass(row: Row) -> float:
        given = stems("\n".join([row.call.get("prompt") or "", *row.call["context"]]))
        return sum(log((count + 1) / (seen[stem] + 1)) for stem in sorted(stems(row.text) - given))

    return Baseline("novel-word mass", mass)


def stems(text: str) -> set[str]:
    """The stems of its content words.

    >>> sorted(stems("The rivers were flooding in 1999"))
    ['1999', 'flood', 'river']
    """
    words = re.findall(r"\w+", text.lower())
    return {_stem(word) for word in words if word not in ENGLISH_STOP_WORDS}


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    return str(_STEMMER.stem(word))
