"""Pairs of one's own: a source to read and a target to write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Literal

from torch import Tensor

from attnviz.errors import DataDialogues, DataOneTarget, SettingNotOffered
from attnviz.models.bundle import Example
from attnviz.models.config import ModelConfig
from attnviz.models.recurrent_config import RecurrentConfig
from attnviz.tasks.base import IGNORE, Baseline, Batch, Note
from attnviz.tasks.choice import column, one_of, own_file, whole
from attnviz.tasks.language.pairs import pair_batch
from attnviz.tasks.language.pieces import trained_pieces
from attnviz.tasks.language.vocabulary import Vocabulary
from attnviz.tasks.own.data import LEAST_TEXTS, MOST_TOKENS, DividedTask
from attnviz.tasks.own.pair_notes import PairFacts, Sizes, pair_notes
from attnviz.tasks.own.readers.alike import read_alike
from attnviz.tasks.own.readers.delimited import HEADERS, SEPARATORS, Header, Separator
from attnviz.tasks.own.readers.pair_rows import MOST_PAIRS, Pair, pair_layout, read_pairs
from attnviz.tokenizers import Kind, Tokenizer

__all__ = ["OwnPairs", "PairUnit", "Side"]

PairUnit = Literal["words", "characters", "pieces"]
KINDS: dict[PairUnit, Kind] = {"words": "symbols", "characters": "characters", "pieces": "pieces"}
NEVER = -1  # a target that no answer equals


class Side:
    """The sources or the targets of training pairs: the symbols that they are made of.

    Attributes:
        tokenizer: its symbols, one of which stands for all others.
        vocabulary: how often they come.
    """

    def __init__(self, texts: Sequence[str], unit: PairUnit, size: int, add_bos: bool) -> None:
        self.tokenizer: Tokenizer
        kind = KINDS[unit]
        if unit == "pieces":
            self.tokenizer = trained_pieces(texts, size, add_bos=add_bos)
            split = map(self.tokenizer.split, texts)
            self.vocabulary = Vocabulary(split, kind, symbols=self.tokenizer.symbols)
        else:
            self.vocabulary = Vocabulary(
                (text.split() if unit == "words" else list(text) for text in texts), kind, size
            )
            unknown = self.vocabulary.unknown
            self.tokenizer = Tokenizer(kind, self.vocabulary.symbols, add_bos=add_bos, unknown=unknown)

    def read(self, text: str, forget: bool = False) -> list[str]:
        """Return the symbols of a text, unknown ones replaced; `forget`: those that are rare as well."""
        symbols = self.tokenizer.split(text)
        return self.vocabulary.without_rare(symbols) if forget else self.vocabulary.read(symbols)


@dataclass(frozen=True)
class OwnPairs(DividedTask[Pair]):
    """An encoder-decoder learns to write the targets of sources that somebody brought.

        source  the cat sleeps
        read    <bos> le chat dort
        write   le chat dort <eos>

    Pairs are divided by a hash of their sources: a tenth each for validation and test, and the same source never on two
    sides; where turns are read, by whole dialogues; or these have data of their own. What is in no training text is
    read and written as `<unk>` ("□" for characters and pieces). In half of the training pairs so is what occurs once,
    on both sides, so that the model learns to say that it does not know a word; see `attnviz.analysis.copying` for
    putting the source's word there.

    Example:
        >>> task = OwnPairs("\\n".join(f"{n} is it\\tit is {n}" for n in range(40)))
        >>> import torch
        >>> batch = task.sample(1, torch.Generator().manual_seed(0), "test")
        >>> task.source_tokenizer.decode(batch.source[0].tolist()), task.tokenizer.decode(batch.tokens[0].tolist())
        ('<unk> is it', 'it is <unk>')

    Attributes:
        text: a source and its target a row; see `read_pairs`.
        unit: what is read and written: "words", separated by blanks, "characters", or byte-pair "pieces", trained on
            the training pairs, for sources and targets apart.
        vocabulary: symbols of each side at most, the most frequent ones.
        longest: symbols of each side at most. Of a longer source the beginning is read, or where turns are read the
            end; of a longer target the beginning is learned, which is never counted as a right answer.
        turns: turns of the same dialogue that are read before each source.
        separator: between columns; see `pair_layout` in the readers, as for the next three.
        header: whether the first line names the columns.
        source_column: column of the sources, counted from 1.
        target_column: column of the targets, counted from 1.
        validation_text: data for validation, laid out likewise; "": a tenth of the sources.
        test_text: data for the test, likewise.

    Raises:
        InputError: of `read_pairs`; DataUnclear: what the data do not tell, and must be said.
        DataOfSplit: data of their own for validation or test cannot be read.
        DataOneTarget: all targets are the same.
        DataTooFew: fewer than 20 different sources.
        DataDialogues: fewer than 20 different dialogues, where turns are read.
        ConfigError: no such unit, or a number out of its range.
    """

    text: str = field(repr=False)
    unit: PairUnit = one_of("words", tuple(KINDS))
    vocabulary: int = whole(4000, 50, 20_000, offered=(100, 200, 500, 1000, 2000, 4000, 8000))
    longest: int = whole(64, 4, 512, offered=(8, 16, 32, 64, 128, 256))
    turns: int = whole(0, 0, 16, offered=range(9))
    separator: Separator = one_of("auto", SEPARATORS, reading=True)
    header: Header = one_of("auto", HEADERS, reading=True)
    source_column: int = column()
    target_column: int = column()
    validation_text: str = own_file()
    test_text: str = own_file()

    name = "own pairs"
    architecture = "encoder-decoder"
    metric = "exact match"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.unit not in KINDS:
            raise SettingNotOffered("unit", self.unit, list(KINDS))
        pairs = self.given["train"]
        if len({pair.target for pair in pairs}) == 1:
            raise DataOneTarget(len(pairs), pairs[0].target[:80])
        if self.turns and (n := len({pair.whole for pair in pairs})) < LEAST_TEXTS:
            raise DataDialogues(n, LEAST_TEXTS)
        assert self.parts  # dividing refuses too few sources

    def _parsed(self, text: str) -> list[Pair]:
        return read_pairs(text, self.turns, **self.reading)

    def _parsed_alike(self, text: str) -> list[Pair]:
        reading = read_alike(text, pair_layout(self.text, **self.reading), self.reading, MOST_PAIRS)
        return read_pairs(text, self.turns, **reading)

    def text_in(self, item: Pair) -> str:
        """Return the source of a pair, or where turns are read the whole dialogue."""
        return item.whole

    @cached_property
    def sides(self) -> tuple[Side, Side]:
        """Sources and targets."""
        train = self.parts["train"]
        return (
            Side([pair.source for pair in train], self.unit, self.vocabulary, add_bos=False),
            Side([pair.target for pair in train], self.unit, self.vocabulary, add_bos=True),
        )

    @property
    def tokenizer(self) -> Tokenizer:
        """The symbols of training targets; `<bos>` in front."""
        return self.sides[1].tokenizer

    @property
    def source_tokenizer(self) -> Tokenizer:
        """The symbols of training sources."""
        return self.sides[0].tokenizer

    def batch(self, chosen: Sequence[Pair], forget: Random | None = None) -> Batch:
        """Some pairs."""
        read = []
        for pair in chosen:
            forgotten = forget is not None and forget.random() < 0.5
            source, target = (side.read(text, forgotten) for side, text in zip(self.sides, pair, strict=False))
            read.append((self.cut(source), target))
        return pair_batch(read, self.source_tokenizer, self.tokenizer, self.longest)

    def cut(self, source: list[str]) -> list[str]:
        """Return what is read of a source: its beginning, of a dialogue its end."""
        return source[-self.longest :] if self.turns else source[: self.longest]

    def tally(self, logits: Tensor, batch: Batch) -> Tensor:
        """Count right answers: a target with an unknown symbol, or one that is cut, has none."""
        targets, unknown = batch.targets, self.tokenizer.encode_symbols([self.tokenizer.unknown])[0]
        ended = (targets == Tokenizer.eos_id).any(1, keepdim=True)  # (B, 1)
        lost = (targets == unknown) | (~ended & (targets != IGNORE))  # (B, T)
        return super().tally(logits, replace(batch, targets=targets.masked_fill(lost, NEVER)))

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """Return the commonest target, the source itself, and the target of the most similar training source.

        Similarity is the cosine of TF-IDF over groups of one to three characters.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer

        train, test = self.parts["train"], self.parts["test"]
        (commonest, _), *_ = Counter(pair.target for pair in train).most_common(1)
        vectors = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), lowercase=False)
        known = vectors.fit_transform(pair.source for pair in train)  # (n, groups)
        alike = vectors.transform(pair.source for pair in test) @ known.T
        nearest = [train[int(row.argmax())].target for row in alike]
        said = {
            "most frequent target": [commonest] * len(test),
            "source copied": [pair.source for pair in test],
            "nearest source": nearest,
        }
        due = [pair.target for pair in test]
        return tuple(
            Baseline(name, sum(a == b for a, b in zip(found, due, strict=True)) / len(due))
            for name, found in said.items()
        )

    @cached_property
    def sizes(self) -> tuple[Sizes, Sizes]:
        """Sizes of sources and targets."""
        first, second = (self._sizes(place) for place in (0, 1))
        return first, second

    def _sizes(self, place: int) -> Sizes:
        side = self.sides[place]
        known = set(side.tokenizer.symbols)
        split = [side.tokenizer.split(pair[place]) for pair in self.all_items]
        lengths = list(map(len, split))
        return Sizes(
            longest=min(self.longest, max(lengths)),
            known=len(known) - 1,
            dropped=len(side.vocabulary.counts.keys() - known),
            cut=sum(length > self.longest for length in lengths),
            unknown=sum(not known.issuperset(side.tokenizer.split(pair[place])) for pair in self.parts["test"]),
        )

    def notes(self) -> tuple[Note, ...]:
        """Return the sizes of the data, what is cut or not known, and pairs that come twice."""
        return pair_notes(PairFacts(self.parts, bool(self.turns), len(self.given) > 1, self.longest, *self.sizes))

    def model_config(self) -> ModelConfig:
        """Return a network of one layer each side, as of the translation task, with dropout for few pairs."""
        source, target = (side.longest for side in self.sizes)
        shape = {"d_model": 64, "n_heads": 4, "n_layers": 1, "d_ff": 256, "dropout": 0.1}
        return self.transformer(target + 1, source_max_len=source, **shape)

    def recurrent_config(self) -> RecurrentConfig:
        """Return the same for a recurrent network, which can read longer texts than it learned from."""
        return replace(super().recurrent_config(), max_len=MOST_TOKENS, source_max_len=MOST_TOKENS, dropout=0.2)

    def texts(self) -> tuple[Example, ...]:
        """Return pairs of the test."""
        return tuple((pair.source, pair.target) for pair in self.parts["test"][:3])
