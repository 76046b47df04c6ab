"""Recommendation: what somebody puts into the basket next, who shops for two or three things at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from attnviz.models.config import ModelConfig
from attnviz.tasks.base import IGNORE, Baseline, Batch, Split, Task, draw, words
from attnviz.tasks.choice import check_order, whole
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer

__all__ = ["CATEGORIES", "Sessions"]

CATEGORIES = {
    "garden": words("spade seeds soil pot gloves rake hose bench shears mulch trellis lantern"),
    "kitchen": words("kettle mug teapot tray plates bowls pan whisk apron oven scale jars"),
    "music": words("guitar strings tuner strap picks amp cable pedal stand songbook metronome case"),
    "sport": words("shoes socks shorts bottle watch cap mat weights rope towel skates helmet"),
    "books": words("novel diary atlas poems comic bookmark essays guide thriller memoir lamp shelf"),
    "office": words("laptop mouse keyboard desk chair monitor headset pen paper printer ink stapler"),
    "camping": words("tent stove torch map compass knife backpack boots flask tarp hammock matches"),
    "toys": words("blocks puzzle kite robot doll train marbles drum cards dice yoyo crayons"),
}
CATEGORY = {item: category for category, items in CATEGORIES.items() for item in items}
ITEMS = tuple(CATEGORY)
PER_CATEGORY = 12
FOLLOWS_SEED = 2024  # of the order in which the items of a category are bought, the same for all people
SWITCH = 0.75  # chance that the next item is of another interest than the last
NOISE = 0.08  # chance that it is any item of its category
INTERESTS = (2, 3)  # of a person
FITTED, JUDGED = 4096, 2048  # sessions of the baselines


@dataclass(frozen=True)
class Sessions(Task):
    """A decoder predicts the next item in the session of somebody with two or three interests. The data is made up.

    Each interest is a category of 12 items, and each item has one that is mostly bought after it, in whatever order the
    person turns from one interest to another (3 times of 4). So the next item follows the latest of its own category,
    which is the last item of all one time in four:

        read    tent spade compass stove mulch flask gloves
        write                                        map, or pot, seldom any other item of the two categories

    Scored is from the item on that `first` others precede, as the beginning cannot be known; "hit rate" counts an
    answer that is among the ten best.

    Source:
        Kang and McAuley 2018, "Self-Attentive Sequential Recommendation", for the model.

    Example:
        >>> task = Sessions(length=8, first=4)
        >>> batch = task.sample(1, torch.Generator().manual_seed(0))
        >>> task.tokenizer.decode(batch.tokens[0].tolist())
        'tent guitar cable scale oven compass kettle stand'
        >>> [task.tokenizer.label(i) for i in batch.targets[0].tolist() if i != IGNORE]
        ['oven', 'compass', 'kettle', 'stand', 'teapot']

    Attributes:
        length: items that are read.
        first: items before the first that is predicted.

    Raises:
        ConfigError: a length beyond its limits, more items before the first than there are.
    """

    length: int = whole(32, 4, 128, offered=range(12, 65, 4))
    first: int = whole(6, 1, 128, offered=range(1, 11))

    name = "next item"
    architecture = "decoder"
    metric = "hit rate"
    tokenizer = Tokenizer("symbols", ITEMS)  # all items
    typed = (  # sessions of two and of three interests
        "tent spade compass stove mulch flask gloves",
        "kettle guitar cable teapot apron stand shoes pan case bottle cap bowls amp rope",
        "novel laptop guide desk monitor thriller lamp pen memoir mouse",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_order("first", self.first, "length", self.length)

    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n sessions, split by a hash of the whole session."""
        items = draw(n, split, lambda count: _sessions(count, self.length + 1, generator)) + Tokenizer.n_specials
        targets = items[:, 1:].clone()  # (B, T)
        targets[:, : self.first - 1] = IGNORE
        return Batch(items[:, :-1], targets)

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Every position that is scored reads the latest item of each category so far, its own item among them."""
        pairs = []
        latest: dict[str, int] = {}
        for place, token in enumerate(tokens):
            latest[CATEGORY[self.tokenizer.label(token)]] = place
            if place >= self.first - 1:
                pairs += [(place, key) for key in latest.values()]
        return (Pattern.of("latest of each interest", pairs, tokens),)

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """Return the most popular items, and those that followed the last item most often."""
        tables = {"most popular": self.popularity(seed), "first order": self.first_order(seed)}
        tallies = {name: torch.zeros(2, dtype=torch.float64) for name in tables}
        for batch in self.batches(JUDGED, seed):  # those that networks are judged on
            for name, table in tables.items():
                tallies[name] += self.tally(table[batch.tokens], batch)
        return tuple(Baseline(name, self.score(tally)) for name, tally in tallies.items())

    def popularity(self, seed: int = 0) -> Tensor:
        """(V, V) how often each item was bought in training sessions, as a share; the same row for every last item."""
        return self._counts(seed).sum(0).div(FITTED * self.length).repeat(self.tokenizer.vocab_size, 1)

    def first_order(self, seed: int = 0) -> Tensor:
        """(V, V) how often each item (column) came right after each (row) in training sessions; ties: popularity."""
        return self._counts(seed) + self.popularity(seed)

    def _counts(self, seed: int) -> Tensor:
        """(V, V) pairs of neighbours in training sessions."""
        batch = self.sample(FITTED, Generator().manual_seed(seed))
        size = self.tokenizer.vocab_size
        following = torch.cat((batch.tokens[:, 1:], batch.targets[:, -1:]), 1)  # (B, T)
        return (batch.tokens * size + following).flatten().bincount(minlength=size**2).view(size, size).double()

    def model_config(self) -> ModelConfig:
        """Return a network of two layers of two heads; learned positions, since "the latest" is about order."""
        return self.transformer(self.length, d_model=64, d_ff=256)


def successors() -> Tensor:
    """(categories * 12,) the item that mostly follows each: a circle through the items of its category."""
    generator = Generator().manual_seed(FOLLOWS_SEED)
    following = torch.empty(len(ITEMS), dtype=torch.int64)
    for start in range(0, len(ITEMS), PER_CATEGORY):
        circle = torch.randperm(PER_CATEGORY, generator=generator) + start
        following[circle] = circle.roll(-1)
    return following


def _sessions(count: int, length: int, generator: Generator) -> Tensor:
    """(count, length) items, counted from 0."""
    following = successors()
    popular = 1 / torch.arange(1, len(CATEGORIES) + 1).expand(count, -1)
    categories = torch.multinomial(popular, INTERESTS[1], generator=generator)  # (B, 3)
    n_interests = torch.randint(INTERESTS[0], INTERESTS[1] + 1, (count,), generator=generator)
    latest = categories * PER_CATEGORY + torch.randint(PER_CATEGORY, categories.shape, generator=generator)  # (B, 3)
    interest = torch.zeros(count, dtype=torch.int64)
    rows = torch.arange(count)
    items = []
    for _ in range(length):
        turn = 1 + torch.rand(count, generator=generator).mul(n_interests - 1).long()
        turn = turn.where(torch.rand(count, generator=generator) < SWITCH, 0)
        interest = (interest + turn) % n_interests
        anything = categories[rows, interest] * PER_CATEGORY + torch.randint(
            PER_CATEGORY, (count,), generator=generator
        )
        item = following[latest[rows, interest]].where(torch.rand(count, generator=generator) >= NOISE, anything)
        latest[rows, interest] = item
        items.append(item)
    return torch.stack(items, 1)
