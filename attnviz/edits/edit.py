"""Edits of a forward pass: what can be changed, as data, and what each change means for a head's chain.

    scores      q · k                          stays what the model computed
    scaled      scale, bias and cap            no_scale
    masked      -inf where nothing is read     no_mask, cut, temperature
    weights     softmax over the keys          set_weights
    context     weights @ v                    head_off, scale_head, patch

The residual stream behind a block is changed by `patch_stream`, what the model knows of the order of its tokens by
`no_positions`. Several edits of a head act in the order of its steps, those of one step as they are given; `no_scale`
and `no_mask` compute their step afresh and come first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, NamedTuple, cast

import torch
from torch import Tensor

from attnviz import attention
from attnviz.attention import MINUS_INFINITY, Mask
from attnviz.errors import EditMeansNothing, EditMisfit, NoSuchHead, NoSuchPosition
from attnviz.errors.base import Why
from attnviz.trace.calls import BlockPlace, stream_of
from attnviz.trace.edit import NoPositions, StreamEdit, no_block, no_site
from attnviz.trace.model_trace import Trace
from attnviz.trace.passes import EditablePass
from attnviz.trace.site import AttentionSite, SiteEdit

__all__ = [
    "cut", "head_off", "no_mask", "no_positions", "no_scale", "patch", "patch_stream", "scale_head", "set_weights",
    "temperature",
]  # fmt: skip

MOST = 1e6
"""Largest factor, temperature and weight: beyond it numbers are not rounded well any more, or are none at all."""

Baseline = Literal["zero", "running_mean"]


class Source(NamedTuple):
    """Text that the vectors of a patch come from.

    Attributes:
        text: what the model read there.
        target: what its decoder read, or the second sentence; "": none, or the model wrote it itself.
        positions: where the vectors stood.
    """

    text: str
    target: str
    positions: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class HeadOff(SiteEdit):
    baseline: Baseline
    step: ClassVar[str] = "context"

    def change(self, site: AttentionSite, head: int, given: Tensor) -> Tensor:
        if self.baseline == "zero":
            return torch.zeros_like(given)
        counted = _real_queries(site)[:, None].to(given)  # (Tq, 1)
        if not (site.mask.causal or site.stack == "decoder"):
            return (given * counted).sum(0, keepdim=True) / counted.sum(0).clamp(min=1) * torch.ones_like(given)
        return (given * counted).cumsum(0) / counted.cumsum(0).clamp(min=1)


@dataclass(frozen=True, eq=False)
class Cut(SiteEdit):
    query: int | None
    key: int | None
    step: ClassVar[str] = "masked"

    def check(self, site: AttentionSite) -> None:
        super().check(site)
        for position, length in ((self.query, site.q.shape[1]), (self.key, site.k.shape[1])):
            if position is not None:
                _check_position(site.name, position, length)

    def change(self, site: AttentionSite, head: int, given: Tensor) -> Tensor:
        rows, columns = (slice(None) if position is None else position for position in (self.query, self.key))
        changed = given.clone()
        changed[rows, columns] = MINUS_INFINITY
        return changed

    def while_writing(self, n: int) -> SiteEdit | None:
        positions = (self.query, self.key if self.site.endswith(".self") else None)
        return self if all(position is None or position < n for position in positions) else None


@dataclass(frozen=True, eq=False)
class Temperature(SiteEdit):
    value: float
    step: ClassVar[str] = "masked"

    def change(self, site: AttentionSite, head: int, given: Tensor) -> Tensor:
        return given / self.value


@dataclass(frozen=True, eq=False)
class SetWeights(SiteEdit):
    weights: Literal["uniform"] | Tensor
    step: ClassVar[str] = "weights"

    def check(self, site: AttentionSite) -> None:
        super().check(site)
        wanted = (site.q.shape[1], site.k.shape[1])
        if isinstance(self.weights, Tensor) and self.weights.shape != wanted:
            given = _sizes(self.weights.shape)
            raise EditMisfit("set_weights", Why("weights-shape", site=site.name, wanted=_sizes(wanted), given=given))

    def change(self, site: AttentionSite, head: int, given: Tensor) -> Tensor:
        if isinstance(self.weights, Tensor):
            return self.weights.to(given)
        reads = (site.masked(head) > MINUS_INFINITY).to(given)  # (Tq, Tk)
        return reads / reads.sum(-1, keepdim=True).clamp(min=1)

    def while_writing(self, n: int) -> SiteEdit:
        if isinstance(self.weights, Tensor):
            raise EditMisfit("set_weights", Why("weights-while-writing"))
        return self


@dataclass(frozen=True, eq=False)
class NoMask(SiteEdit):
    step: ClassVar[str] = "masked"
    afresh: ClassVar[bool] = True

    def check(self, site: AttentionSite) -> None:
        super().check(site)
        if bool((_allowed(site) == self._keys(site)).all()):
            raise EditMeansNothing(site.name, Why("no-mask"))

    def change(self, site: AttentionSite, head: int, given: Tensor) -> Tensor:
        return attention.masked_scores(site.scaled(head), Mask(keys=self._keys(site)))

    def while_writing(self, n: int) -> SiteEdit:
        if self.site.endswith(".self"):
            raise EditMisfit("no_mask", Why("mask-while-writing"))
        return self

    def _keys(self, site: AttentionSite) -> Tensor:
        """Return the keys that some query may read (Tk,): the others are padding."""
        return _allowed(site).any(0)


@dataclass(frozen=True, eq=False)
class NoScale(SiteEdit):
    step: ClassVar[str] = "scaled"
    afresh: ClassVar[bool] = True

    def check(self, site: AttentionSite) -> None:
        super().check(site)
        if site.scale == 1.0:
            raise EditMeansNothing(site.name, Why("no-scale"))

    def change(self, site: AttentionSite, head: int, given: Tensor) -> Tensor:
        return attention.scaled_scores(site.scores(head), 1.0, site.bias_of(head), site.softcap)


@dataclass(frozen=True, eq=False)
class ScaleHead(SiteEdit):
    factor: float
    step: ClassVar[str] = "context"

    def change(self, site: AttentionSite, head: int, given: Tensor) -> Tensor:
        return given * self.factor


@dataclass(frozen=True, eq=False)
class Patch(SiteEdit):
    positions: tuple[int, ...]
    vectors: Tensor = field(repr=False)  # (positions, d_value)
    source: Source | None = None  # None: more than a text, such as an image or an edited pass
    step: ClassVar[str] = "context"

    def check(self, site: AttentionSite) -> None:
        super().check(site)
        for position in self.positions:
            _check_position(site.name, position, site.q.shape[1])
        if self.vectors.shape[1] != site.d_value:
            raise EditMisfit("patch", Why("width", wanted=site.d_value, given=self.vectors.shape[1]))

    def change(self, site: AttentionSite, head: int, given: Tensor) -> Tensor:
        changed = given.clone()
        changed[list(self.positions)] = self.vectors.to(given)
        return changed

    def while_writing(self, n: int) -> SiteEdit | None:
        reached = [i for i, position in enumerate(self.positions) if position < n]
        positions = tuple(self.positions[i] for i in reached)
        return replace(self, positions=positions, vectors=self.vectors[reached]) if reached else None


@dataclass(frozen=True, eq=False)
class PatchStream(StreamEdit):
    positions: tuple[int, ...]
    vectors: Tensor = field(repr=False)  # (positions, d_model)
    source: Source | None = None  # as in `Patch`

    def change(self, stream: Tensor) -> Tensor:
        for position in self.positions:
            _check_position(f"{self.stack}.{self.layer}", position, len(stream))
        if self.vectors.shape[1] != stream.shape[1]:
            raise EditMisfit("patch_stream", Why("width", wanted=stream.shape[1], given=self.vectors.shape[1]))
        changed = stream.clone()
        changed[list(self.positions)] = self.vectors.to(stream)
        return changed

    def within(self, start: int, stop: int) -> StreamEdit | None:
        reached = [i for i, position in enumerate(self.positions) if start <= position < stop]
        positions = tuple(self.positions[i] - start for i in reached)
        return replace(self, positions=positions, vectors=self.vectors[reached]) if reached else None


def head_off(site: str, head: int, baseline: Baseline = "zero") -> SiteEdit:
    """Switch a head off: its context vectors become zero, or a mean that tells nothing of the single position.

    Zero is what removing the head's rows of W_O does; b_O stays. Where a norm of all heads stands before W_O, as in
    BitNet, it rescales the others. Zero is often a vector that the model never saw, so that the two baselines can
    disagree about which head matters: name the one you used.

    Args:
        site: name of the site, such as "decoder.1.self".
        head: index of the head.
        baseline: "zero", or "running_mean": the mean of the head's own context vectors over the positions up to each,
            so that no later token is let through; over all positions in an encoder, which sees them anyway.
    """
    if baseline not in ("zero", "running_mean"):
        raise EditMisfit("head_off", Why("baseline", given=baseline))
    return HeadOff(site, head, baseline)


def cut(site: str, query: int | None = None, key: int | None = None, head: int | None = None) -> SiteEdit:
    """Cut the edge from a query to a key, all edges of a query, or all edges to a key: softmax shares out the rest.

    A query without any key left has weights and a context of zero. What the cut token told other tokens in earlier
    layers still arrives through them.

    Args:
        query: position of the query; None: every query.
        key: position of the key; None: every key.
        head: index of the head; None: all heads.
    """
    if query is None and key is None:
        raise EditMisfit("cut", Why("cut-nothing"))
    return Cut(site, head, query, key)


def temperature(site: str, head: int | None, value: float) -> SiteEdit:
    """Sharpen (below 1) or flatten (above 1) attention: masked scores are divided by a temperature before the softmax.

    It acts after scale, bias and cap; a learned sink keeps its score.

    Args:
        head: index of the head; None: all heads.
        value: the temperature, from 1e-6 to 1e6.
    """
    if not (_is_number(value) and 1 / MOST <= value <= MOST):
        raise EditMisfit("temperature", Why("temperature", given=value, least=f"{1 / MOST:g}", most=f"{MOST:g}"))
    return Temperature(site, head, float(value))


def set_weights(site: str, head: int, weights: Literal["uniform"] | Tensor | Sequence[Sequence[float]]) -> SiteEdit:
    """Give a head other weights in place of the softmax of its scores.

    Args:
        weights: (Tq, Tk), rows of which need not sum to 1; or "uniform": the same for every key that the query may
            read. A model that masks by a large negative bias, as Swin does, may read all of them in this sense.
    """
    if isinstance(weights, str):
        if weights != "uniform":
            raise EditMisfit("set_weights", Why("weights-word", given=weights))
        return SetWeights(site, head, "uniform")
    try:
        matrix = torch.as_tensor(weights, dtype=torch.float32).detach().clone()
    except (TypeError, ValueError) as error:
        raise EditMisfit("set_weights", Why("weights-numbers", most=f"{MOST:g}")) from error
    if matrix.ndim != 2 or not bool((matrix.abs() <= MOST).all()):  # nor is nan
        raise EditMisfit("set_weights", Why("weights-numbers", most=f"{MOST:g}"))
    return SetWeights(site, head, matrix)


def no_mask(site: str, head: int | None = None) -> SiteEdit:
    """Let every query read every key, later ones too; padding stays hidden.

    The model was never trained to read what comes after: this shows what the mask is for, not how the model would have
    learned without it. Refused where nothing is masked, as in most encoders.
    """
    return NoMask(site, head)


def no_scale(site: str, head: int | None = None) -> SiteEdit:
    """Leave out the scale, 1 / sqrt(d_head): raw scores go on to bias, cap and mask.

    Refused where there is none (T5), and where the queries are scaled before they are scored (OPT, Whisper).
    """
    return NoScale(site, head)


def no_positions() -> NoPositions:
    """Tell the model no positions: nothing is added to embeddings, no query or key is rotated.

    A causal mask still tells the order of tokens. Models of transformers that read text give up their tables of
    positions, rotations and biases by distance, where it can be proved that nothing else tells positions; others are
    refused, with the reason.
    """
    return NoPositions()


def scale_head(site: str, head: int, factor: float) -> SiteEdit:
    """Multiply a head's context vectors, and so its share of the residual stream; a factor of 0 is `head_off`.

    Factors beyond 1e6 are refused, as temperatures and weights are.
    """
    if not _is_number(factor) or abs(factor) > MOST:
        raise EditMisfit("scale_head", Why("factor", given=factor, most=f"{MOST:g}"))
    return ScaleHead(site, head, float(factor))


def patch(
    site: str, head: int, positions: Sequence[int], source: Trace, source_positions: Sequence[int] | None = None
) -> SiteEdit:
    """Put a head's context vectors of another text in place of its own, at some positions.

    Args:
        positions: positions of the queries that are changed.
        source: trace of the other text, by the same model.
        source_positions: where its vectors stand there; None: at the same positions. Of texts of unequal lengths, say
            which belong together.
    """
    found = next((known for known in source.sites if known.name == site), None)
    if found is None:
        raise no_site(site, source.sites, source.model.facts.name)
    if not 0 <= head < found.n_heads:
        raise NoSuchHead(site, head, found.n_heads - 1)
    context = found.context(head)  # (Tq, d_value)
    vectors = _taken("patch", site, context, positions, source_positions)
    return Patch(site, head, tuple(positions), vectors, _named(source, source_positions or positions))


def patch_stream(
    layer: int,
    positions: Sequence[int],
    source: Trace,
    source_positions: Sequence[int] | None = None,
    stack: str | None = None,
) -> StreamEdit:
    """Put the residual stream of another text in place of this one's behind a block, at some positions.

    Every block after it then reads both texts. The source is run once more, to have its stream.

    Args:
        layer: index of the block.
        positions, source, source_positions: as in `patch`.
        stack: "encoder" or "decoder"; None: the one that the model reads last.
    """
    place = BlockPlace(stack or source.main, layer)
    ran = source.forward_pass
    streams = cast(EditablePass, ran).streams() if hasattr(ran, "streams") else {}
    if place not in streams:
        raise EditMeansNothing(source.model.facts.name, no_block(streams))
    stream = stream_of(streams[place])[cast(EditablePass, ran).row]  # (T, d_model)
    vectors = _taken("patch_stream", f"{place.stack}.{layer}", stream, positions, source_positions)
    return PatchStream(layer, place.stack, tuple(positions), vectors, _named(source, source_positions or positions))


def _named(source: Trace, positions: Sequence[int]) -> Source | None:
    """Return what to call the source of a patch; None where a text alone does not say it."""
    if source.edits or source.image is not None:
        return None
    return Source(source.text, "" if source.target_generated else source.target or "", tuple(positions))


def _taken(edit: str, place: str, vectors: Tensor, to: Sequence[int], source: Sequence[int] | None) -> Tensor:
    """Return the vectors of a source (T, d) that go to some positions: (positions, d)."""
    positions = to if source is None else source
    if len(positions) != len(to):
        raise EditMisfit(edit, Why("pairs", given=len(positions), wanted=len(to)))
    for position in positions:
        _check_position(place, position, len(vectors))
    return vectors[list(positions)].clone()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _check_position(place: str, position: int, length: int) -> None:
    if not 0 <= position < length:
        raise NoSuchPosition(place, position, length - 1)


def _sizes(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))


def _allowed(site: AttentionSite) -> Tensor:
    """Return the site's own mask: (Tq, Tk)."""
    return site.mask.allowed(site.q.shape[1], site.k.shape[1], site.q.device)


def _real_queries(site: AttentionSite) -> Tensor:
    """Return the queries that are no padding (Tq,), as far as the mask tells."""
    allowed = _allowed(site)
    reads = allowed.any(1)
    return reads & allowed.any(0) if site.kind == "self" else reads
