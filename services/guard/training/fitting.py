"""Fits the tagger's network."""

from collections.abc import Sequence
from hashlib import sha256
from random import Random
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from services.guard.guard.tagger import KINDS, WINDOW, Floats, Weights
from services.guard.guard.tokens import BUCKETS, UNKNOWN, Lists, buckets, features, seen, tokens
from services.guard.training.generation import Tagged

DIMENSION, WIDTH, LAYERS = 32, 64, 3
GAP = WINDOW * LAYERS  # empty tokens between texts, so that none sees its neighbour
IGNORED = -100


class Read(NamedTuple):
    """A text as the network sees it: its words by their numbers in a vocabulary, and the kind of each."""

    words: list[int]
    kinds: list[int]


class Vocabulary:
    """Every way in which a word was read, once, with the buckets of its features."""

    def __init__(self, lists: Lists, seed: int) -> None:
        self.lists = lists
        self.buckets: list[list[int]] = []
        self._numbers: dict[tuple[str, int], int] = {}
        self._random = Random(seed)  # noqa: S311 - training data

    def read(self, example: Tagged) -> Read:
        """The tokens of an example; a token belongs to the span that it begins in."""
        found = tokens(example.text)
        kinds = [IGNORED if token.text in example.unknown else 0 for token in found]
        for start, end, kind in example.spans:
            for place, token in enumerate(found):
                if start <= token.start < end and kind in KINDS and (kind != "PERSON" or token.text != ","):
                    kinds[place] = KINDS.index(kind)
        return Read([self._number(token.text) for token in found], kinds)

    def _number(self, word: str) -> int:
        """Of a word as it is, without itself (one in four), or as one that no list knows, either (one in five)."""
        chance = self._random.random()
        way = 0 if chance < 0.55 else 1 if chance < 0.8 else 2
        known = self._numbers.get((word, way))
        if known is None:
            known = self._numbers[word, way] = len(self.buckets)
            self.buckets.append(self._features(word, way))
        return known

    def _features(self, word: str, way: int) -> list[int]:
        whole = features(word, self.lists)
        return whole if way == 0 else whole[1:] if way == 1 else buckets([*UNKNOWN, *seen(word)])


class Batch(NamedTuple):
    """Texts in a row: each different word once, which of them stands where, and the kinds."""

    features: Tensor  # the buckets of all words, and where each word's begin
    begins: Tensor
    scale: Tensor  # one over the root of each word's number of features
    places: Tensor  # of tokens among the words; the last is a word without features: a gap
    kinds: Tensor


class Network(nn.Module):
    """The tagger, as it is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(BUCKETS, DIMENSION)
        nn.init.normal_(self.embedding.weight, std=0.3)
        widths = [DIMENSION, *[WIDTH] * LAYERS]
        self.layers = nn.ModuleList(nn.Linear((2 * WINDOW + 1) * size, WIDTH) for size in widths[:-1])
        self.output = nn.Linear(WIDTH, len(KINDS))
        self.dropout = nn.Dropout(0.2)

    def forward(self, batch: Batch) -> Tensor:
        """Log-odds (tokens by kinds)."""
        bags = nn.functional.embedding_bag(batch.features, self.embedding.weight, batch.begins, mode="sum")
        words = torch.cat([bags * batch.scale[:, None], torch.zeros(1, DIMENSION)])
        hidden = self.dropout(words[batch.places])
        for number, layer in enumerate(self.layers):
            padded = nn.functional.pad(hidden, (0, 0, WINDOW, WINDOW))
            beside = torch.cat([padded[shift : shift + len(hidden)] for shift in range(2 * WINDOW + 1)], dim=1)
            above = self.dropout(torch.relu(layer(beside)))
            hidden = above + hidden if number else above
        found: Tensor = self.output(hidden)
        return found


def fit(texts: Sequence[Read], vocabulary: Vocabulary, *, seed: int, epochs: int = 3, batch: int = 64) -> Network:
    """The network after `epochs` rounds over `texts`."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # the matrices are small, and two threads would wait for each other
    random = np.random.default_rng(seed)
    network = Network()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    steps = epochs * (len(texts) // batch + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=steps)
    for _ in range(epochs):
        order = random.permutation(len(texts))
        for start in range(0, len(order), batch):
            made = batched([texts[place] for place in order[start : start + batch]], vocabulary)
            loss = nn.functional.cross_entropy(network(made), made.kinds, ignore_index=IGNORED)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
    return network.eval()


def batched(texts: Sequence[Read], vocabulary: Vocabulary) -> Batch:
    """Texts in a row, with a gap after each."""
    gap = [-1] * GAP
    listed = np.array([word for text in texts for word in (*text.words, *gap)])
    kinds = np.array([kind for text in texts for kind in (*text.kinds, *[IGNORED] * GAP)])
    unique, places = np.unique(listed, return_inverse=True)
    own = [vocabulary.buckets[word] for word in unique[1:]]
    lengths = np.array([len(each) for each in own])
    return Batch(
        features=torch.tensor([bucket for each in own for bucket in each]),
        begins=torch.from_numpy(np.concatenate([[0], np.cumsum(lengths)[:-1]])),
        scale=torch.from_numpy((lengths**-0.5).astype(np.float32)),
        places=torch.from_numpy(np.where(places == 0, len(own), places - 1)),
        kinds=torch.from_numpy(kinds),
    )


def weights(network: Network, lists: Lists) -> Weights:
    """What the tagger runs on: the embedding in half precision, as it is stored."""

    def array(tensor: Tensor) -> Floats:
        return np.ascontiguousarray(tensor.detach().numpy(), np.float32)

    embedding = array(network.embedding.weight).astype(np.float16).astype(np.float32)
    linear = [layer for layer in network.layers if isinstance(layer, nn.Linear)]
    layers = tuple((array(layer.weight.T), array(layer.bias)) for layer in linear)
    output = (array(network.output.weight.T), array(network.output.bias))
    return Weights(lists, embedding, layers, output, sha256(embedding.tobytes()).hexdigest()[:12])
