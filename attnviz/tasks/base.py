"""Base of all tasks: batches from a seeded generator, split so that no input is on two sides, and a metric."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import nan
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Literal, NamedTuple, Self, cast, get_args

import torch
from torch import Generator, Tensor, nn

from attnviz.errors import InputError, SettingOutside, TaskMismatch, TooFewInputs
from attnviz.models.bundle import Example, ModelCard, SequenceModel
from attnviz.models.config import ModelConfig
from attnviz.models.convolutional_config import ConvolutionalConfig, layers_to_cover
from attnviz.models.kinds import NetworkKind
from attnviz.models.network import Network, build_network
from attnviz.models.network_config import OF_THE_TASK, Architecture
from attnviz.models.recurrent_config import AnyConfig, RecurrentConfig
from attnviz.tasks.choice import Choice, check_limits, choices
from attnviz.tasks.fit import respelled
from attnviz.tasks.pattern import Pattern
from attnviz.tokenizers import Tokenizer
from attnviz.vectors import Reader

__all__ = [
    "IGNORE",
    "LETTERS",
    "Baseline",
    "Batch",
    "Metric",
    "Note",
    "Readout",
    "Split",
    "Task",
    "belonging",
    "collate",
    "counted",
    "draw",
    "listed",
    "python_random",
    "seeded",
    "split_of",
    "words",
]

OURS = ("attnviz.tasks.", "attnviz.finetuning.")  # modules whose tasks register
IGNORE = -100  # the target where nothing is scored, as in torch's cross-entropy
LETTERS = tuple("abcdefghijklmnopqrstuvwxyz")

Split = Literal["train", "validation", "test"]
Metric = Literal["exact match", "accuracy", "nats per symbol", "F1", "R2", "hit rate"]
Readout = Literal["each", "whole"]
LOSSES: tuple[Metric, ...] = ("nats per symbol",)  # metrics that are the loss itself: lower is better
SPLITS: tuple[Split, ...] = get_args(Split)
HITS = 10
LONGEST_TYPED = 2000  # characters of a text for which another way to write it is looked for
MOST_TRIED = 10_000  # candidates without any for a split that has a tenth of them
MOST_ITEMS = 20_000  # of a collection that is judged whole; more than that are as good as without end
USUALLY_READ = 100  # tokens of a text that somebody brings
CHUNK = 128  # sequences that are judged at once
SEED_OFFSETS: dict[Split, int] = {"train": 0, "validation": 1_000_003, "test": 2_000_003}
OF_TOKENS = ("tokens", "targets", "features", "values", "weights")  # parts of a batch with a column for each token
BUCKETS: dict[Split, range] = {"test": range(2), "validation": range(2, 4), "train": range(4, 20)}  # of 20


def counted(metric: Metric) -> Metric:
    """Return the metric that `Task.accuracy` computes: the task's own, or "accuracy" beside one that is a loss."""
    return "accuracy" if metric in LOSSES else metric


@dataclass(frozen=True)
class Batch:
    """Sequences to learn from.

    Attributes:
        tokens: (B, T) int64, what the model reads (the decoder of an encoder-decoder).
        targets: (B, T) int64, the right output at each position, IGNORE where nothing is scored.
        padding: (B, T) bool, True for real tokens; None when all are real.
        source: (B, Ts) int64, what the encoder of an encoder-decoder reads, else None.
        source_padding: (B, Ts) bool likewise.
        features: (B, T, n_features) numbers that come with the tokens; None where a token is its id alone.
        values: (B, T, n_outputs) the right values of a forecast; `targets` says where they are scored: where it is not
            IGNORE. None where the output is a choice.
        weights: (B, T) how much each position counts in the loss that is trained on; None: all alike.
    """

    tokens: Tensor
    targets: Tensor
    padding: Tensor | None = None
    source: Tensor | None = None
    source_padding: Tensor | None = None
    features: Tensor | None = None
    values: Tensor | None = None
    weights: Tensor | None = None

    def rows(self, chosen: slice | Tensor) -> Batch:
        """Some of its sequences: a slice of them, or their places (n,)."""
        return replace(self, **{name: part[chosen] for name, part in vars(self).items() if part is not None})

    def due(self, n: int) -> list[int]:
        """Return the targets of its first sequence for n tokens: cut, or with IGNORE behind.

        Example:
            >>> Batch(torch.tensor([[5, 6]]), torch.tensor([[6, 7]])).due(3)
            [6, 7, -100]
        """
        targets: list[int] = self.targets[0, :n].tolist()
        return targets + [IGNORE] * (n - len(targets))

    def trimmed(self) -> Batch:
        """Return the same sequences without the columns at the end in which all is padding.

        Example:
            >>> batch = Batch(torch.ones(1, 3), torch.ones(1, 3), padding=torch.tensor([[True, True, False]]))
            >>> batch.trimmed().tokens.shape
            torch.Size([1, 2])
        """
        cut = {}
        for padding, names in (("padding", OF_TOKENS), ("source_padding", ("source",))):
            real = getattr(self, padding)
            if real is not None:
                width = int(real.any(0).nonzero().max()) + 1 if bool(real.any()) else 0
                for name in (padding, *names):
                    if (part := getattr(self, name)) is not None:
                        cut[name] = part[:, :width]
        return replace(self, **cut)


class Baseline(NamedTuple):
    """Score reached without a network.

    Attributes:
        name: name of the way, such as "most frequent label"; a message explains it.
        score: value of the task's metric on test data.
    """

    name: str
    score: float


class Note(NamedTuple):
    """A fact of data of one's own, to be said before they are learned from.

    Attributes:
        key: its message.
        values: what the message says.
        warns: it may be wrong with the data.
    """

    key: str
    values: Mapping[str, str]
    warns: bool = False


class Task(ABC):
    """A family of sequences with right answers.

    Class attributes:
        families: every kind of task of this package that was imported, by the name of its class; they register here.
        name: short name.
        architecture: the kind of model that can do it.
        metric: "exact match", the share of sequences with every scored position right; "accuracy", the share of scored
            positions that are right; "nats per symbol", the cross-entropy itself (lower is better); "F1" of entities;
            "R2", the share of the variance that a forecast explains; "hit rate", of answers among the ten most likely.
        readout: "each": an output for each token; "whole": one for the whole, scored at the first token alone.
        typed: what `texts` returns, where it is the same for all parameters.
    """

    families: ClassVar[dict[str, type[Task]]] = {}
    name: ClassVar[str]
    architecture: ClassVar[Architecture]
    metric: ClassVar[Metric]
    readout: ClassVar[Readout] = "each"
    typed: ClassVar[tuple[Example, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" in vars(cls) and cls.__module__.startswith(OURS):  # not what only others extend
            Task.families[cls.__name__] = cls

    @property
    @abstractmethod
    def tokenizer(self) -> Reader:
        """Tokenizer of the input and output; of the target in an encoder-decoder."""

    @property
    def source_tokenizer(self) -> Tokenizer | None:
        """Tokenizer of an encoder-decoder's source; None for other architectures."""
        return None

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the outputs that targets are indices of; () where outputs are tokens."""
        return ()

    def baselines(self, seed: int = 0) -> tuple[Baseline, ...]:
        """Compute the scores reached without a network: fitted on training data, scored on test data of that seed."""
        return ()

    def notes(self) -> tuple[Note, ...]:
        """Return what a person should know of their data before they are learned from."""
        return ()

    @abstractmethod
    def sample(self, n: int, generator: Generator, split: Split = "train") -> Batch:
        """Draw n sequences with the generator alone; no input occurs in two splits."""

    def items(self, split: Split = "test") -> Batch | None:
        """All sequences of a split, each once, where they are a finite collection; None: they are made without end.

        A model is judged on all of them; to draw from them with replacement would count some twice and others never.
        """
        return None

    def same_test(self, other: Task) -> bool:
        """Whether models of both tasks are judged on the same sequences."""
        return self == other

    def judged(self, n: int, generator: Generator, split: Split = "test") -> Batch:
        """The sequences that a figure is computed on: all of a finite collection, else n drawn with the generator."""
        items = listed(self, split)
        return self.sample(n, generator, split) if items is None else items

    def held_out(self, n: int, generator: Generator, split: Split = "test") -> Batch:
        """n sequences to look at, drawn with the generator alone; of a finite collection none twice, at most all."""
        items = listed(self, split)
        if items is None:
            return self.sample(n, generator, split)
        return items.rows(torch.randperm(len(items.tokens), generator=generator)[:n])

    def batches(self, n: int, seed: int, split: Split = "test") -> Iterator[Batch]:
        """Yield the items that a model is judged on, in batches of at most 128, always the same for a seed.

        A figure that is told beside another is computed on the same ones. Of a finite collection, the test is judged
        whole, however large n is; for validation, which is looked at often, at most n items are taken.
        """
        generator = seeded(seed, split)
        items = listed(self, split)
        if items is None:
            for start in range(0, n, CHUNK):
                yield self.sample(min(CHUNK, n - start), generator, split)
            return
        size = len(items.tokens)
        order = torch.arange(size) if split == "test" else torch.randperm(size, generator=generator)[:n]
        for chosen in torch.split(order, CHUNK):
            yield items.rows(chosen).trimmed()

    @abstractmethod
    def model_config(self) -> ModelConfig:
        """Return a small Transformer that learns the task."""

    def transformer(self, max_len: int, **settings: Any) -> ModelConfig:
        """A Transformer for the symbols and labels of the task; settings are those that differ from `ModelConfig`'s."""
        source = None if self.source_tokenizer is None else self.source_tokenizer.vocab_size
        shape = {"source_vocab_size": source, "n_outputs": len(self.labels) or None, **settings}
        return ModelConfig(self.architecture, self.tokenizer.vocab_size, max_len, **shape)

    def recurrent_config(self) -> RecurrentConfig:
        """An LSTM that reads and writes the same; encoders are bidirectional, the last state stands for the whole."""
        shape = self.model_config()
        return RecurrentConfig(
            **{name: getattr(shape, name) for name in OF_THE_TASK},
            bidirectional=shape.architecture != "decoder",
            attention="additive" if shape.architecture == "encoder-decoder" else "none",
            pooling="last" if self.readout == "whole" else "none",
        )

    def convolutional_config(self) -> ConvolutionalConfig:
        """A dilated convolutional network that reads and writes the same as the recurrent one.

        It has as many layers as let every output depend on the longest sequence of the task, or on 100 tokens where it
        may read longer ones than it learned from; the maximum of all states stands for the whole.
        """
        shape, longest = self.recurrent_config(), self.model_config()
        learned, read = (each.max_len + (each.source_max_len or 0) - 1 for each in (longest, shape))
        before = max(learned, min(read, USUALLY_READ))
        return ConvolutionalConfig(
            **{name: getattr(shape, name) for name in (*OF_THE_TASK, "dropout", "embedding_std")},
            n_layers=layers_to_cover(before, causal=self.architecture != "encoder"),
            pooling="max" if self.readout == "whole" else "none",
        )

    def network_config(self, network: NetworkKind) -> AnyConfig:
        """Return a network of some kind that suits the task."""
        if network == "transformer":
            return self.model_config()
        return self.convolutional_config() if network == "cnn" else replace(self.recurrent_config(), cell=network)

    def __post_init__(self) -> None:
        """Refuse parameters beyond their limits; families that need more extend it."""
        check_limits(self)

    def adjusted(self, model: AnyConfig, **settings: Any) -> AnyConfig:
        """Return a model for this task with some of its settings changed.

        Raises:
            ConfigError: a value, or a combination, that cannot be built.
        """
        return replace(model, **settings)

    def check_model(self, model: AnyConfig) -> None:
        """Refuse a model that does not read or write the symbols of the task.

        Raises:
            ConfigError: it does not.
        """
        wanted = self.model_config()
        names = ("architecture", "vocab_size", "source_vocab_size", "n_features", "output_size", "predicts")
        for name in names:
            given, needed = getattr(model, name), getattr(wanted, name)
            if given != needed:
                raise TaskMismatch(name, given, self.name, needed)
        one_output = isinstance(model, RecurrentConfig | ConvolutionalConfig) and self.readout == "whole"
        if (model.pooling != "none" and self.readout == "each") or (one_output and model.pooling == "none"):
            rule = "some-pooling" if self.readout == "whole" else "no-pooling"
            raise SettingOutside("pooling", model.pooling, rule)

    def build(self, model: AnyConfig, seed: int) -> nn.Module:
        """Return the network that is to learn the task; its weights depend on its configuration and the seed alone."""
        return build_network(model, seed)

    def files(self) -> Mapping[str, bytes | Path]:
        """Return files that a run of the task keeps beside its configuration, by their names; a path: a folder."""
        return {}

    def settle(self, folder: Path) -> Self:
        """Return the task, which takes note of the folder of its run, where its `files` are."""
        return self

    def probe(self) -> Sequence[Batch]:
        """Return the sequences that a person wants attention watched on, each a batch of one; () for held-out ones."""
        return ()

    @classmethod
    def stored(cls, **parameters: Any) -> Self:
        """The task that a run keeps as its parameters; families whose reading of data changed extend it for older runs.

        Raises:
            ConfigError, InputError, TypeError: there is no such task.
        """
        return cls(**parameters)

    @classmethod
    def choices(cls) -> tuple[Choice, ...]:
        """Return the parameters a person may change, with the values to offer."""
        return choices(cls)

    @classmethod
    def readings(cls) -> tuple[Choice, ...]:
        """Return the choices of how a person's own data are read; which values fit depends on the data."""
        return choices(cls, reading=True)

    def texts(self) -> tuple[Example, ...]:
        """Texts worth typing, (source, target) pairs for an encoder-decoder; not every variant of a task reads all."""
        return self.typed

    def bundle(self, network: nn.Module, **card: Any) -> SequenceModel:
        """Make a model of a network that learned the task; `card`: what its `ModelCard` says beyond the task."""
        filled = ModelCard(task=self.name, examples=self.examples(), metric=self.metric, **card)
        return SequenceModel(cast(Network, network), self.tokenizer, filled, self.source_tokenizer, self.labels)

    def examples(self) -> tuple[Example, ...]:
        """Texts to type: those of `texts` that the model reads, or two from test data where these are too few."""
        found = tuple(text for text in self.texts() if self._reads(text))
        return found if len(found) >= 2 else found + self._sampled_texts(2)

    def _reads(self, example: Example) -> bool:
        source, target = example if isinstance(example, tuple) else (None, example)
        config = self.model_config()
        try:
            fits = len(self.tokenizer.encode(target)) <= config.max_len
            if source is not None and self.source_tokenizer is not None:
                fits = fits and len(self.source_tokenizer.encode(source)) <= (config.source_max_len or 0)
        except InputError:
            return False
        return fits

    def _sampled_texts(self, n: int) -> tuple[Example, ...]:
        batch = self.sample(n, Generator().manual_seed(0), "test")
        pairs = [self.text_of(batch.rows(slice(row, row + 1))) for row in range(n)]
        return tuple(pairs if self.source_tokenizer is not None else (text for text, _ in pairs))

    def text_of(self, row: Batch) -> tuple[str, str]:
        """Return the text and target to type for a batch of one; the target is "" where the model reads one text."""
        features = None if row.features is None else row.features[0]
        text = self.tokenizer.decode(row.tokens[0].tolist(), features)
        if row.source is None or self.source_tokenizer is None:
            return text, ""
        return self.source_tokenizer.decode(row.source[0].tolist()), text

    def expected(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> tuple[Pattern, ...]:
        """Return the patterns that attention is expected to follow in one sequence; several heads may share one.

        Args:
            tokens: tokens of the stack that writes the answer, without padding; any text the tokenizer reads, so that a
                sequence which is no question of this task has patterns without a scored row.
            source: source of the encoder of an encoder-decoder.
        """
        return ()

    def answers(self, tokens: Sequence[int], source: Sequence[int] | None = None) -> list[int]:
        """Return the right output at each place of a sequence, IGNORE where none is due or nobody knows it.

        Args:
            tokens: tokens of the stack that writes the answer, as for `expected`; a sequence that is no question of
                this task has no right outputs.
            source: source of the encoder of an encoder-decoder.

        Example:
            >>> from attnviz.tasks import Addition
            >>> task = Addition()
            >>> answers = task.answers(task.tokenizer.encode("27+58=5"))
            >>> task.tokenizer.decode(answer for answer in answers if answer != IGNORE)
            '58'
        """
        return [IGNORE] * len(tokens)

    @property
    def reads(self) -> str:
        """Name of the message that says what the task reads, `fit.reads.<name>`; its own name but for variants."""
        return self.name.replace(" ", "-")

    def refuses(self, text: str) -> bool:
        """Whether a text is nothing at all of what the task is about, so that any answer to it would mislead."""
        return False

    def fits(self, text: str) -> bool:
        """Whether a text (the source of an encoder-decoder) is one such as the task makes: readable, and like them.

        Example:
            >>> from attnviz.tasks import Reverse
            >>> Reverse().fits("a b c"), Reverse().fits("abc"), Reverse().fits("a b")
            (True, False, False)
        """
        reader, config = self.source_tokenizer or self.tokenizer, self.model_config()
        try:
            length = len(reader.encode(text))
        except InputError:
            return False
        longest = config.max_len if self.source_tokenizer is None else config.source_max_len
        return length <= (longest or 0) and not self.unread(text) and self.is_like(reader.split(text))

    def unread(self, text: str) -> tuple[str, ...]:
        """Return the words in whose place the task reads the one for the unknown, each once."""
        reader = self.source_tokenizer or self.tokenizer
        if not isinstance(reader, Tokenizer) or not reader.unknown:
            return ()
        return tuple(dict.fromkeys(word for word in reader.split(text) if word not in reader.symbols))

    def is_like(self, symbols: Sequence[str]) -> bool:
        """Whether known symbols, no more than the task's network reads, are a text such as the task makes."""
        return True

    def suggestion(self, text: str) -> str:
        """Return a text that fits and is what somebody may have meant by another; "" where there is none.

        Example:
            >>> from attnviz.tasks import Addition, Sort
            >>> Sort().suggestion("Hello"), Addition().suggestion("5 + 7"), Addition().suggestion("hello")
            ('h e l o >', '05+07=', '')
        """
        if len(text) > LONGEST_TYPED:
            return ""
        plain = dict.fromkeys((text, *respelled(text, self.source_tokenizer or self.tokenizer)))
        meant = (other for each in plain for other in (each, *self.mended(each)))
        return next((other for other in meant if self.fits(other)), "")

    def mended(self, text: str) -> Iterable[str]:
        """Return what a text in the task's symbols may lack or have too much, mended; the likeliest first."""
        return ()

    def goes_on(self, symbols: Sequence[str]) -> bool:
        """Whether what follows the question in symbols is the beginning of its right answer, next token by next."""
        ids = self.tokenizer.encode(" ".join(symbols) if self.tokenizer.kind == "symbols" else "".join(symbols))
        return self._is_right(ids, None)

    def target_fits(self, text: str, target: str) -> bool:
        """Whether a target begins the right answer to a source, as far as the task knows it; both can be read.

        Example:
            >>> from attnviz.tasks import Dates
            >>> [Dates().target_fits("3rd of March 2021", target) for target in ("", "2021-0", "1989")]
            [True, True, False]
        """
        reader, source = self.tokenizer, self.source_tokenizer
        if source is None or not isinstance(reader, Tokenizer) or not target.strip():
            return True
        ids = [reader.bos_id] * reader.add_bos + reader.encode_symbols(reader.split(target))
        return self._is_right(ids, source.encode(text))

    def _is_right(self, ids: Sequence[int], source: Sequence[int] | None) -> bool:
        return all(due in (IGNORE, token) for due, token in zip(self.answers(ids, source), ids[1:], strict=False))

    def spectrum(self, network: Network) -> Tensor | None:
        """Return the share of a network's learned function at each frequency; None where that means nothing.

        Returns:
            (F,) shares that sum to 1, the lowest frequency first.
        """
        return None

    def accuracy(self, logits: Tensor, batch: Batch) -> float:
        """Value of the metric that `counted` names, at most 1; beside a loss, the share of right arg-max outputs.

        Args:
            logits: (B, T, V).
            batch: what they answer.
        """
        return self.score(self.tally(logits, batch))

    def tally(self, logits: Tensor, batch: Batch) -> Tensor:
        """Return the sums that `score` needs of some answers; tallies of two batches add up to that of both.

        Args:
            logits: (B, T, V).
            batch: what they answer.

        Returns:
            Counts, float64: of right answers and of all; for "R2": n, sum y, sum y^2 and sum (y - y')^2.
        """
        scored = batch.targets != IGNORE  # (B, T)
        if batch.values is not None:
            y, error = batch.values[scored].double(), (logits - batch.values)[scored].double()  # (n, n_outputs)
            return torch.stack([torch.tensor(y.numel()).double(), y.sum(), y.square().sum(), error.square().sum()])
        if self.metric == "hit rate":
            said, asked = logits[scored], batch.targets[scored][:, None]  # (n, V), (n, 1)
            right = (said >= said.gather(1, asked)).sum(1) <= HITS  # of equals, the right one comes last
        else:
            right = logits.argmax(-1) == batch.targets  # (B, T)
            right = (right | ~scored).all(1) if self.metric == "exact match" else right[scored]
        return torch.tensor([float(right.sum()), float(right.numel())], dtype=torch.float64)

    def score(self, tally: Tensor) -> float:
        """Return the metric of a tally: the share of right answers; "R2": 1 - sum (y - y')^2 / sum (y - mean y)^2."""
        if self.metric == "R2":
            n, total, squares, errors = tally.tolist()
            variation = squares - total**2 / n
            return float(1 - errors / variation) if variation > 0 else nan  # of values that are all alike
        right, n = tally.tolist()
        return float(right / n)


@lru_cache(4)
def listed(task: Task, split: Split) -> Batch | None:
    """`Task.items`, kept from one look to the next."""
    return task.items(split)


def seeded(seed: int, split: Split) -> Generator:
    """Return the generator of a split's sequences: those of two splits differ."""
    return Generator().manual_seed(seed + SEED_OFFSETS[split])


def split_of(keys: Tensor) -> list[Split]:
    """Return the split every row belongs to, by a hash of the row: always the same, whatever drew it.

    Four fifths of all possible rows are for training, a tenth each for validation and test.

    Args:
        keys: (N, L) int64; rows of different lengths are padded with a value that no row uses.

    Example:
        >>> split_of(torch.tensor([[1, 2], [2, 2], [2, 5], [1, 2]]))
        ['train', 'test', 'validation', 'train']
    """
    buckets = hash_rows(keys).remainder(20).tolist()
    return [next(split for split in SPLITS if bucket in BUCKETS[split]) for bucket in buckets]


def hash_rows(keys: Tensor) -> Tensor:
    """(N, L) int64 -> (N,) well-mixed int64, with wrapping arithmetic.

    Source:
        The finaliser of splitmix64 (Steele, Lea and Flood 2014), after each column.
    """
    state: Tensor = torch.full((keys.shape[0],), 0x243F6A8885A308D3, dtype=torch.int64)
    for column in keys.unbind(1):
        state = state ^ (column + 1)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            state = (state ^ _shift_right(state, shift)) * (factor - 2**64)  # as a signed number
        state = state ^ _shift_right(state, 31)
    return state


def _shift_right(values: Tensor, bits: int) -> Tensor:
    """Logical shift: zeros come in from the left, not the sign."""
    ones = 2 ** (64 - bits) - 1
    return torch.bitwise_and(values >> bits, ones)


def python_random(generator: Generator) -> Random:
    """Python's own random numbers, seeded by one draw: for texts, which are put together word by word."""
    return Random(int(torch.randint(2**62, (), generator=generator)))


def draw(n: int, split: Split, candidates: Callable[[int], Tensor], buckets: Mapping[Split, range] = BUCKETS) -> Tensor:
    """n rows of one split, by drawing candidates and keeping those that belong to it.

    Args:
        n: rows wanted.
        split: which side.
        candidates: called with a number, returns that many random rows (number, L) int64.
        buckets: which twentieths of all rows belong to each split.

    Raises:
        ConfigError: no candidate belongs to the split, because there are hardly any different ones.
    """
    kept: list[Tensor] = []
    missing = n
    mine = buckets[split]
    share = len(mine) / 20
    tried = 0
    while missing > 0:
        if tried > MOST_TRIED and missing == n:
            raise TooFewInputs(split)
        rows = candidates(int(missing / share * 1.1) + 8)
        kept.append(rows[_inside(rows, mine)][:missing])
        missing -= len(kept[-1])
        tried += len(rows)
    return torch.cat(kept)


def _inside(rows: Tensor, buckets: range) -> Tensor:
    """Tell which rows belong to these twentieths of all: (N,) bool."""
    bucket = hash_rows(rows).remainder(20)
    return (bucket >= buckets.start) & (bucket < buckets.stop)


def belonging(split: Split, rows: Tensor, buckets: Mapping[Split, range] = BUCKETS) -> Tensor | None:
    """Return the possible rows (N, L) that belong to a split, in their order; None: too many to judge one by one.

    Args:
        split: which side.
        rows: every one that there can be, once.
        buckets: which twentieths of all rows belong to each split.
    """
    kept = rows[_inside(rows, buckets[split])]
    return kept if len(kept) <= MOST_ITEMS else None


def collate(rows: list[list[int]], fill: int = Tokenizer.pad_id) -> tuple[Tensor, Tensor | None]:
    """Return the rows of different lengths as one tensor (B, T), and which of its tokens are real (None: all).

    Example:
        >>> collate([[5, 6], [7]])
        (tensor([[5, 6],
                [7, 0]]), tensor([[ True,  True],
                [ True, False]]))
    """
    width = max(map(len, rows))
    tokens = torch.tensor([row + [fill] * (width - len(row)) for row in rows])  # (B, T)
    lengths = torch.tensor([len(row) for row in rows])
    real = torch.arange(width) < lengths[:, None]  # (B, T)
    return tokens, None if bool(real.all()) else real


def words(text: str, separator: str | None = None) -> tuple[str, ...]:
    """Return a word list written as one text: `words("red blue")` is `("red", "blue")`."""
    return tuple(text.split(separator))
