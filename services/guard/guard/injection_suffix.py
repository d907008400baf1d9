"""Adversarial suffixes: strings found by search, which read as nothing that people or programs write."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from services.guard.guard.injection_surprise import Floats, SurpriseModel

CHUNK, STEP = 64, 16  # characters: a suffix of twenty tokens has about ninety
LONGEST = 200_000  # characters of a text that are looked at, from both ends
FEATURES = 17


@dataclass(frozen=True)
class Chunks:
    """Characters `starts[i]` to `ends[i]` of a text, and what is known of each (chunks by 17)."""

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    features: Floats


@dataclass(frozen=True)
class SuffixModel:
    """A small network over what a chunk of a text looks like beside the rest of it."""

    surprise: SurpriseModel
    centre: Floats
    scale: Floats
    hidden: tuple[Floats, Floats]
    output: tuple[Floats, Floats]

    def worst(self, text: str) -> tuple[float, int, int]:
        """Uncalibrated log-odds that a part of `text` is an adversarial suffix, and the part; -inf where too short."""
        if len(text) > LONGEST:
            ends = (text[: LONGEST // 2], text[-LONGEST // 2 :])
            first, last = (self.worst(end) for end in ends)
            shift = len(text) - len(ends[1])
            return max(first, (last[0], last[1] + shift, last[2] + shift))
        found = chunks(text, self.surprise)
        if not len(found.starts):
            return -np.inf, 0, 0
        logits = self.logits(found.features)
        smooth = logits if len(logits) < 3 else np.minimum(logits[1:], logits[:-1])
        at = int(smooth.argmax())
        return float(smooth[at]), int(found.starts[at]), int(found.ends[at])

    def logits(self, features: Floats) -> Floats:
        """Uncalibrated log-odds of chunks (chunks)."""
        scaled = np.clip((features - self.centre) / self.scale, -6, 6)  # as in training
        inner = np.tanh(scaled @ self.hidden[0] + self.hidden[1])
        result: Floats = (inner @ self.output[0] + self.output[1])[:, 0]
        return result


def chunks(text: str, surprise: SurpriseModel) -> Chunks:
    """The overlapping chunks of `text`; none of a text under 24 characters."""
    count = len(text)
    if count < 24:
        return Chunks(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, FEATURES), np.float32))
    starts = np.arange(0, max(1, count - CHUNK + STEP), STEP)
    ends = np.minimum(starts + CHUNK, count)
    starts = np.maximum(ends - CHUNK, 0)
    bits = surprise.bits(text)
    sums = np.concatenate([np.zeros((1, 14), np.float64), np.cumsum(_columns(text, bits), axis=0, dtype=np.float64)])
    shares = (sums[ends] - sums[starts]) / (ends - starts)[:, None]
    mean_bits = shares[:, 0]
    inside = shares[:, 1] / np.maximum(1 - shares[:, 2], 0.05)
    at_starts = shares[:, 3] / np.maximum(shares[:, 4], 0.02)
    beside = mean_bits - np.median(mean_bits)
    lowest = mean_bits - np.quantile(mean_bits, 0.25)
    spread = np.log1p(len(starts)) * np.ones_like(mean_bits)
    extra = np.stack([inside, at_starts, beside, lowest, spread], axis=1)
    kept = np.concatenate([mean_bits[:, None], shares[:, 2:3], shares[:, 5:], extra], axis=1)
    found = np.concatenate([kept, _longest_run(text, starts, ends)[:, None]], axis=1)
    return Chunks(starts, ends, found.astype(np.float32))


def _columns(text: str, bits: Floats) -> Floats:
    """Per character: surprise, and what kind of character stands there and before (characters by 14)."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    lower = (codes >= 97) & (codes <= 122)
    upper = (codes >= 65) & (codes <= 90)
    digit = (codes >= 48) & (codes <= 57)
    foreign = codes > 127
    letter = lower | upper | foreign
    space = np.isin(codes, (9, 10, 13, 32))
    sign = ~(letter | digit | space)
    opens = letter & ~_before(letter)
    columns = (
        bits, bits * ~opens, opens, bits * opens, opens, sign, digit, upper, space, foreign,
        upper & _before(lower), (sign & _before(letter)) | (letter & _before(sign)), sign & _before(sign), codes == 10,
    )  # fmt: skip
    return np.stack([np.asarray(column, np.float32) for column in columns], axis=1)


def _before(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """What stood one character earlier."""
    return np.concatenate([np.zeros(1, np.bool_), flags[:-1]])


def _longest_run(text: str, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The longest run without a space in each chunk, in chunks."""
    return np.array([max(map(len, text[a:b].split()), default=0) for a, b in zip(starts, ends, strict=True)]) / CHUNK
