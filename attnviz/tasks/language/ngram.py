"""n-gram language models: how often each symbol followed the few before it, without a network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import inf

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from attnviz.errors.settings import check_whole
from attnviz.models.network import blank_network
from attnviz.tasks.base import IGNORE, Baseline, Batch, Split, Task
from attnviz.tokenizers import Tokenizer

__all__ = ["MAX_ORDER", "NGram", "best_models", "nats", "text_baselines"]

MAX_ORDER = 12  # longer ones change nothing on the texts here
JUDGED, LEAST = 32_768, 8  # symbols that judge a baseline; sequences that they are at least


@dataclass(frozen=True, eq=False)
class Level:
    """The n-grams of one length k >= 2 that are kept.

    Attributes:
        keys: (n,) int64, sorted: (id of the first k - 1 symbols) * vocab_size + (the last symbol); an n-gram's id is
            its place here, a single symbol's id is the symbol.
        counts: (n,) how often each occurred.
    """

    keys: Tensor
    counts: Tensor


@dataclass(frozen=True, eq=False)
class NGram:
    """An interpolated n-gram model, smoothed by Witten and Bell's method.

        P(w | h) = (c(hw) + e(h) P(w | h')) / (c(h) + t(h)),    e(h) = t(h) + c(h) - sum_w c(hw)

    where h are the symbols before w, at most order - 1 of them, h' is h without its first, c counts occurrences and
    t(h) is the number of different symbols that followed h: the more of them, the likelier is yet another. Without
    pruning e(h) = t(h), the usual form; what is pruned away goes to the shorter context, so that sum_w P(w | h) = 1. Of
    single symbols P(w) is the relative frequency; if some never occurred, they share t / (c + t).

    Attributes:
        vocab_size: V; ids below `Tokenizer.n_specials` are never predicted, `<bos>` may stand before a text.
        unigrams: (V,) how often each symbol occurred.
        starts: how often `<bos>` stood before a symbol.
        levels: the n-grams of 2, 3, ... symbols.

    Source:
        Witten and Bell 1991, method C; interpolated: Chen and Goodman 1999, "An empirical study of smoothing
        techniques for language modeling", section 2.

    Example:
        >>> model = NGram.fit(torch.tensor([3, 4, 3, 3]), vocab_size=5, order=2)
        >>> model.n_parameters  # 3, 4; 33, 34, 43
        5
        >>> model.log_probabilities(torch.tensor([[4]])).exp()  # of 3 after 4: (1 + 1 * 3/4) / (1 + 1)
        tensor([[[0.0000, 0.0000, 0.0000, 0.8750, 0.1250]]], dtype=torch.float64)
    """

    vocab_size: int
    unigrams: Tensor
    starts: int
    levels: tuple[Level, ...]

    @classmethod
    def fit(cls, ids: Tensor, vocab_size: int, order: int, starts: Tensor | None = None) -> NGram:
        """Count the n-grams of a text.

        Args:
            ids: (N,) the text.
            vocab_size: V.
            order: symbols of the longest n-grams, the predicted one included.
            starts: (S,) places where a sequence may begin, with `<bos>` before it.

        Raises:
            ConfigError: an order below 1, a text without a symbol.
        """
        check_whole("order", order, 1)
        check_whole("len(ids)", len(ids), 1)
        starts = torch.empty(0, dtype=torch.int64) if starts is None else starts
        bos = torch.full_like(starts, Tokenizer.bos_id)
        inside, begun = ids, bos  # ids of the (k-1)-grams: one that ends at each place; one that begins with <bos>
        levels = []
        for k in range(2, order + 1):
            fits = starts + k - 2 < len(ids)
            starts, begun = starts[fits], begun[fits]
            new_inside = inside[:-1] * vocab_size + ids[k - 1 :]  # (N - k + 1,)
            new_begun = begun * vocab_size + ids[starts + k - 2]
            found = torch.cat((new_inside, new_begun))
            keys, places, counts = torch.unique(found, return_inverse=True, return_counts=True)
            inside, begun = places[: len(new_inside)], places[len(new_inside) :]
            levels.append(Level(keys, counts))
        return cls(vocab_size, ids.bincount(minlength=vocab_size), len(bos), tuple(levels))

    def shortened(self, order: int) -> NGram:
        """Without the n-grams of more symbols than that."""
        return replace(self, levels=self.levels[: order - 1])

    def within(self, size: int) -> NGram:
        """Return the same with at most `size` counts: the rarest n-grams go first; single symbols stay.

        Raises:
            ConfigError: there are more single symbols than that.
        """
        counts = torch.cat([torch.empty(0, dtype=torch.int64), *(level.counts for level in self.levels)])
        fixed = self.n_parameters - len(counts)
        check_whole("size", size, fixed)
        room = size - fixed
        if room >= len(counts):
            return self
        return self.pruned(int(counts.sort(descending=True).values[room]) + 1)

    def pruned(self, least: int) -> NGram:
        """Without the n-grams of two symbols or more that occurred less often; single symbols stay."""
        levels = []
        places = torch.arange(self.vocab_size)  # new id of each (k-1)-gram
        for level in self.levels:
            kept = level.counts >= least  # with it its beginning, which occurred at least as often
            keys = level.keys[kept]
            keys = places[keys // self.vocab_size] * self.vocab_size + keys % self.vocab_size
            levels.append(Level(keys, level.counts[kept]))
            places = kept.cumsum(0) - 1
        return replace(self, levels=tuple(level for level in levels if len(level.keys)))

    @property
    def order(self) -> int:
        """Symbols of the longest n-grams."""
        return len(self.levels) + 1

    @property
    def n_parameters(self) -> int:
        """Counts that are stored."""
        return int((self.unigrams > 0).sum()) + bool(self.starts) + sum(len(level.keys) for level in self.levels)

    def log_probabilities(self, tokens: Tensor, following: Tensor | None = None) -> Tensor:
        """Return the log probabilities of what may follow at every position.

        Args:
            tokens: (B, T), where a sequence may begin with `<bos>`.
            following: (B, T, N) the symbols whose probabilities are wanted; None: all V, in their order.

        Returns:
            (B, T, N) ln P, float64; minus infinity for special tokens.
        """
        if following is None:
            following = torch.arange(self.vocab_size).expand(*tokens.shape, -1)
        probabilities = self._frequencies()[following]
        context, counts = tokens, self.unigrams.double()  # id of the (k-1)-gram that ends at each token, -1: unknown
        counts[Tokenizer.bos_id] += self.starts
        for level in self.levels:
            probabilities = self._interpolated(probabilities, context, following, level, counts)
            context, counts = self._longer(context, tokens, level), level.counts.double()
        return probabilities.log()

    def _frequencies(self) -> Tensor:
        """(V,) P(w) without a context."""
        counts = self.unigrams.double()
        unseen = counts == 0
        unseen[: Tokenizer.n_specials] = False
        n_unseen, n_seen = int(unseen.sum()), int((counts > 0).sum())
        if not n_unseen:
            return counts / counts.sum()
        return counts.where(~unseen, n_seen / n_unseen) / (counts.sum() + n_seen)

    def _interpolated(
        self, probabilities: Tensor, context: Tensor, following: Tensor, level: Level, counts: Tensor
    ) -> Tensor:
        """Return P(w | h) from P(w | h') where h is known and something followed it; elsewhere P(w | h').

        Args:
            probabilities: (B, T, N).
            context: (B, T) ids of h, -1 where it is unknown.
            following: (B, T, N) each w.
            level: the n-grams hw.
            counts: (n,) c(h) of each id.
        """
        of = level.keys // self.vocab_size  # (m,) the h of each n-gram
        different = of.bincount(minlength=len(counts))  # (n,) t(h)
        total = torch.zeros(len(counts), dtype=torch.float64).index_add_(0, of, level.counts.double())
        h = context.clamp(min=0)
        divisor = counts[h] + different[h]
        place, known = _places(level, h[..., None] * self.vocab_size + following)
        seen = level.counts[place].where(known, 0)  # c(hw)
        found = probabilities * ((different[h] + counts[h] - total[h]) / divisor)[..., None] + seen / divisor[..., None]
        return found.where(((context >= 0) & (different[h] > 0))[..., None], probabilities)

    def _longer(self, context: Tensor, tokens: Tensor, level: Level) -> Tensor:
        """(B, T) ids of the n-grams, one symbol longer, that end at each token; -1 where they are unknown."""
        place, known = _places(level, context[:, :-1] * self.vocab_size + tokens[:, 1:])
        return F.pad(place.where(known & (context[:, :-1] >= 0), -1), (1, 0), value=-1)


def _places(level: Level, keys: Tensor) -> tuple[Tensor, Tensor]:
    """Return where each key stands in a level, and whether it does."""
    places = torch.searchsorted(level.keys, keys).clamp(max=len(level.keys) - 1)
    return places, level.keys[places] == keys


def best_models(task: Task, ids: Tensor, starts: Tensor | None, size: int, seed: int = 0) -> tuple[NGram, NGram]:
    """Return the best n-gram models of a text, of the orders that validation data likes best.

    Args:
        task: whose validation data decides.
        ids: (N,) the training text.
        starts: (S,) where pieces of it begin; None: anywhere.
        size: counts that the first one may have.
        seed: seed of the validation pieces.

    Returns:
        One of at most `size` counts, and one of any number.
    """
    whole = NGram.fit(ids, task.model_config().vocab_size, MAX_ORDER, starts)
    pieces = _pieces(task, "validation", seed)
    of_each_order = [whole.shortened(order) for order in range(1, MAX_ORDER + 1)]
    return _first_minimum((model.within(size) for model in of_each_order), pieces), _first_minimum(
        of_each_order, pieces
    )


def _first_minimum(models: Iterable[NGram], pieces: Batch) -> NGram:
    """Return the model before the first that is worse: from there on longer contexts are known ever worse."""
    best, lowest = None, inf
    for model in models:
        found = nats(model, pieces)
        if best is not None and found >= lowest:
            break
        best, lowest = model, found
    assert best is not None
    return best


def text_baselines(task: Task, ids: Tensor, starts: Tensor | None, seed: int) -> tuple[Baseline, ...]:
    """The baselines of a language model, in nats per symbol on test pieces; the network's own size is the limit of one.

    Args:
        task: whose test data judges.
        ids: (N,) the training text.
        starts: (S,) where pieces of it begin; None: anywhere.
        seed: seed of validation and test pieces.
    """
    small, large = best_models(task, ids, starts, blank_network(task.model_config()).n_parameters, seed)
    models = {"symbol frequencies": large.shortened(1), "n-gram of equal size": small, "n-gram": large}
    pieces = _pieces(task, "test", seed)
    return tuple(Baseline(name, nats(model, pieces)) for name, model in models.items())


def nats(model: NGram, batch: Batch) -> float:
    """Cross-entropy per symbol of some pieces of text."""
    asked = batch.targets != IGNORE
    found = model.log_probabilities(batch.tokens, batch.targets.where(asked, 0)[..., None])[..., 0]
    return -float(found[asked].mean())


def _pieces(task: Task, split: Split, seed: int) -> Batch:
    n = max(LEAST, JUDGED // task.model_config().max_len)
    return task.judged(n, Generator().manual_seed(seed), split)
