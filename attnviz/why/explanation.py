"""One attention score, or one logit, as a sum of what earlier parts of the model wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from attnviz.errors.settings import check_whole
from attnviz.why.pulled import Pulled
from attnviz.why.sides import Group, Kind, Side
from attnviz.why.steps import Step

__all__ = ["Explanation", "LogitParts", "Pair", "Part", "Source", "SplitProof", "parts_of"]


@dataclass(frozen=True, eq=False)
class Part:
    """Contribution of one part of the model to a number.

    Attributes:
        name: "token", "position", "same for all", "bias", "decoder.0.self:1" for a head, "decoder.0.mlp".
        kind: "token", "position", "head", "mlp", "same for all" (what is written alike at every token: biases, and
            embeddings that all tokens share) or "bias" (what the model adds to the score itself).
        layer: layer of a head or an MLP.
        head: index of a head.
        share: its share of the number, the scales of norms held at their values.
    """

    name: str
    kind: Kind
    layer: int | None
    head: int | None
    share: float
    _removed: Callable[[], float] = field(repr=False)
    _at: tuple[str, int] = field(repr=False)  # side, and index of its group

    @cached_property
    def if_removed(self) -> float:
        """Change of the number when this part alone is left out and the norms are computed anew.

        Only this query, or the keys of this head, lose it: other heads go on as they were, and the model takes the same
        branches and experts. Without rescaling by norms it is -share; computed when somebody first looks.
        """
        return self._removed()


class Pair(NamedTuple):
    """How much of a score comes of one part of the query meeting one part of the key."""

    query: Part
    key: Part
    share: float


class Source(NamedTuple):
    """How much of a head's part comes of one token that it had read."""

    position: int
    token: str
    share: float


class SplitProof(NamedTuple):
    """Errors of a split, in units of the largest score of the row where that is above 1.

    Attributes:
        sum_error: |sum of the shares - the number of the trace itself|, the larger of both sides.
        linearity_error: the model, run again with its writings at random strengths and statistics held, against what
            the split predicts of it: the largest difference in any q or k.
        limit: the largest error that the rounding of the model's numbers explains.
        statistics: how many norms and other scales, one number a row each, were held.
    """

    sum_error: float
    linearity_error: float
    limit: float
    statistics: int


class ReadSite(Protocol):
    """An earlier attention, as `sources` reads it."""

    @property
    def v(self) -> Tensor:
        """Values (H_kv, Tk, d_value)."""

    def group(self, head: int) -> int:
        """Index of the key-value head."""

    def weights(self, head: int) -> Tensor:
        """Weights (Tq, Tk)."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a query reads a key: its score above the mean of its row, as a sum over what earlier parts wrote.

    With q_i and k_j sums of writings, s_ij = scale * q_i · k_j (+ bias), and d = onehot(j) - mean over the n keys that
    may be read: score - row_mean = sum over j of d_j s_ij. A share of `queries` holds the keys and splits q_i, one of
    `keys` holds the query and splits all k_j. Each list adds up to score - row_mean; softmax sees no more of a score.

    Attributes:
        site: name of the site.
        head: index of the head.
        query: position of the query i.
        key: position of the key j.
        score: scaled score, with the bias that the model adds, before any cap and the mask.
        row_mean: mean of the scores over the keys that the query may read.
        queries: parts of the query, the largest share in absolute value first.
        keys: parts of the keys, likewise.
        proof: errors of the split.

    Source:
        Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits", on scores as bilinear forms of the
        residual stream.
    """

    site: str
    head: int
    query: int
    key: int
    score: float
    row_mean: float
    queries: tuple[Part, ...] = field(repr=False)
    keys: tuple[Part, ...] = field(repr=False)
    proof: SplitProof
    _split: ScoreSplit = field(repr=False)

    def pairs(self, top: int = 8) -> list[Pair]:
        """Return which parts of the query meet which parts of the key, the largest in absolute value first.

        The pair of a and b is scale * Q_a(i) · sum over j of d_j K_b(j). Over all pairs of one part the sum is its
        share, but for a bias on the score.

        Args:
            top: how many at most.

        Raises:
            SettingNotWhole: top is no whole number from 1 on.
        """
        check_whole("top", top, 1)
        asks = {part._at[1]: part for part in self.queries if part.kind != "bias"}
        reads = {part._at[1]: part for part in self.keys if part.kind != "bias"}
        matrix = self._split.pairs  # (parts of the query, parts of the key)
        order = matrix.flatten().abs().argsort(descending=True)[:top].tolist()
        places = [divmod(at, matrix.shape[1]) for at in order]
        return [Pair(asks[a], reads[b], float(matrix[a, b])) for a, b in places]

    def sources(self, part: Part) -> list[Source]:
        """Return an earlier head's part by the tokens that it had read, in their order; they add up to its share.

        The token t gives sum over rows r of weights[r, t] * v_t · gradient of the head's context at r.

        Args:
            part: part of kind "head", from `queries` or `keys`.

        Raises:
            ValueError: it is no head.
            NotSplit: what the head read is not what it wrote, as under an edit.
        """
        if part.kind != "head":
            raise ValueError(f"{part.name} is no head: only heads have read tokens")
        return self._split.sources(part)


@dataclass(eq=False)
class ScoreSplit:
    """Source of what an `Explanation` computes when somebody asks for more.

    Attributes:
        sides: "query" and "key".
        pulled: what the number reads of the writings of each.
        head: index of the head of q, and of k.
        query: position of the query.
        sites: gives an earlier site by its name, and the labels of its keys.
        scale: scale of the scores.
        above: (Tk,), d.
    """

    sides: dict[str, Side]
    pulled: dict[str, dict[Step, Pulled]]
    head: tuple[int, int]
    query: int
    sites: Callable[[str], tuple[ReadSite, Sequence[str]]]
    scale: float
    above: Tensor

    @cached_property
    def pairs(self) -> Tensor:
        """Return all pairs (parts of the query, parts of the key)."""
        asks, reads = self.sides["query"], self.sides["key"]
        ones, read = torch.eye(asks.target.shape[-1]), self.above.nonzero().flatten()
        query = Pulled.at_rows(asks.target.shape, (asks.row, self.head[0]), [self.query], ones[:, None])
        along = self.above[read, None] * ones[:, None]  # (d_head, keys, d_head)
        keys = Pulled.at_rows(reads.target.shape, (reads.row, self.head[1]), read, along)
        n = len(ones)
        given = asks.given(asks.pull(query), n), reads.given(reads.pull(keys), n)
        return (self.scale * given[0] @ given[1].T).float()

    def sources(self, part: Part) -> list[Source]:
        name, index = part._at
        side = self.sides[name]
        (step, head), *_ = side.groups[index].writings
        assert head is not None  # it is a head
        site, tokens = self.sites(part.name.rpartition(":")[0])
        gradient = side.gradient(self.pulled[name], step)
        if gradient is None:
            return [Source(position, token, 0.0) for position, token in enumerate(tokens)]
        rows = side.of_head(gradient, step, head)[side.row]  # (Tq, d_value)
        v = site.v[site.group(head)].float()  # (Tk, d_value)
        shares = ((rows @ v.T) * site.weights(head)).sum(0)  # (Tk,)
        return [Source(position, *found) for position, found in enumerate(zip(tokens, shares.tolist(), strict=True))]


@dataclass(frozen=True, eq=False)
class LogitParts:
    """A logit, or the difference of two, as a sum of what the parts of a model wrote to the last stream.

    Attributes:
        position: row of the logits.
        token: label of the output.
        against: label of the output that is subtracted; None: none is.
        logit: the logit before any cap or scale that follows the unembedding.
        parts: the largest share in absolute value first; they add up to it. The unembedding's own bias is a "bias".
        proof: errors; of linearity those of all queries and keys.
    """

    position: int
    token: str
    against: str | None
    logit: float
    parts: tuple[Part, ...] = field(repr=False)
    proof: SplitProof


def parts_of(
    side: Side, name: Literal["query", "key", "logit"], functional: Pulled, bias: float | None
) -> tuple[tuple[Part, ...], dict[Step, Pulled]]:
    """Return the parts of functional(target) + bias, the largest first, and what it reads of the writings."""
    pulled = side.pull(functional)
    shares = side.given(pulled)[:, 0].tolist()

    def removal(group: Group) -> Callable[[], float]:
        return lambda: float(functional.met(side.removed(group) - side.whole))

    found = [
        Part(group.name, group.kind, group.layer, group.head, share, removal(group), (name, index))
        for index, (group, share) in enumerate(zip(side.groups, shares, strict=True))
    ]
    if bias is not None:
        found.append(Part("bias", "bias", None, None, bias, lambda: -bias, (name, -1)))
    return tuple(sorted(found, key=lambda part: -abs(part.share))), pulled
