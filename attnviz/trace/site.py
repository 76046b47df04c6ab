"""One attention layer of one forward pass: q, k, v, and the mask, bias and scale as data.

Shape legend
    H  query heads    H_kv  key-value heads    Tq  queries    Tk  keys    d_head, d_model  widths
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, overload

import torch
from torch import Tensor

from attnviz import attention
from attnviz.attention import Additive, Mask, Projection
from attnviz.errors import NoHeadOutputs, NoSuchHead
from attnviz.errors.base import Why
from attnviz.trace.compare import difference, worst

__all__ = ["Additive", "AttentionSite", "Chain", "HeadWeights", "Held", "SiteEdit", "hold_only_these"]


class Chain(NamedTuple):
    """Every step of one head, each computed once from the one before.

    scores, scaled, masked, weights: (Tq, Tk); context: (Tq, d_value); output: (Tq, d_model), None without W_O.
    """

    scores: Tensor
    scaled: Tensor
    masked: Tensor
    weights: Tensor
    context: Tensor
    output: Tensor | None


class Held:
    """A matrix or bias of a model as it was when a trace was taken."""

    shape: torch.Size

    def take(self, site: AttentionSite) -> Tensor:
        """Return the tensor itself, for the site that holds it.

        Raises:
            ModelChanged: the model has another one by now.
        """
        raise NotImplementedError


class HeadWeights(NamedTuple):
    """The columns of W_Q, W_K and W_V that make q, k and v of one head, in float32.

    w_q, w_k, w_v: (d_model, width); b_q, b_k, b_v: (width,), None without a bias.
    """

    w_q: Tensor
    w_k: Tensor
    w_v: Tensor
    b_q: Tensor | None
    b_k: Tensor | None
    b_v: Tensor | None


class _OutputField:
    """W_O of a site: a tensor, or one that is held, and taken when somebody looks."""

    @overload
    def __get__(self, site: None, owner: type) -> _OutputField: ...

    @overload
    def __get__(self, site: AttentionSite, owner: type) -> Tensor | None: ...

    def __get__(self, site: AttentionSite | None, owner: type) -> Tensor | _OutputField | None:
        if site is None:
            raise AttributeError("w_o")  # a field without a default
        given = site.__dict__["w_o"]
        return given.take(site) if isinstance(given, Held) else given

    def __set__(self, site: AttentionSite, given: Tensor | Held | None) -> None:
        site.__dict__["w_o"] = given


@dataclass(frozen=True, eq=False)
class SiteEdit:
    """A change of one step of a head's chain, as data; `attnviz.edits` makes them.

    Attributes:
        site: name of the site; of a layer that attends in windows, all of them.
        head: index; None: all heads.
        step: the step of `Chain` that it changes.
        afresh: it computes that step afresh from the ones before it, so it acts before other edits of the step.
    """

    site: str
    head: int | None
    step: ClassVar[str]
    afresh: ClassVar[bool] = False

    def concerns(self, site: str) -> bool:
        """Whether a site, by its name, is the one that is changed, or a window of it."""
        return site == self.site or site.startswith(f"{self.site}.w")

    def touches(self, head: int) -> bool:
        """Whether a head is changed."""
        return self.head is None or self.head == head

    def check(self, site: AttentionSite) -> None:
        """See that a site has what is to be changed.

        Raises:
            EditError: it has not; the message says what it has.
        """
        if self.head is not None and not 0 <= self.head < site.n_heads:
            raise NoSuchHead(site.name, self.head, site.n_heads - 1)

    def change(self, site: AttentionSite, head: int, given: Tensor) -> Tensor:
        """Return what stands in place of the step's own numbers, in float32."""
        raise NotImplementedError

    def while_writing(self, n: int) -> SiteEdit | None:
        """Return the edit as far as it concerns the first n positions of a decoder that writes; None: it does not yet.

        Raises:
            EditError: it needs the whole text, of which the end is not written yet.
        """
        return self


@dataclass(frozen=True, eq=False, repr=False)
class AttentionSite:
    """One place where a model attends. Holds references; every method computes for one head when asked, in float32.

    Attributes:
        name: name such as "decoder.0.cross".
        layer: index of its block.
        stack: "encoder" or "decoder"; "text" or "vision" in a model that has an encoder for each.
        kind: "self" or "cross".
        queries: name of the sequence whose tokens ask, as in `Trace.sequences`.
        keys: name of the sequence whose tokens are read.
        scoring: "scaled_dot", "dot" or "additive".
        q: queries (H, Tq, d_head), as scored (after any rotation).
        k: keys (H_kv, Tk, d_head).
        v: values (H_kv, Tk, d_value); d_value is d_head in most models.
        w_o: output projection (H * d_value, d_model); None where it cannot be told: such a site has no `output`.
            Reading it raises ModelChanged when the model has another one by now.
        scale: what raw scores are multiplied by.
        mask: which keys a query may read.
        bias: added to scaled scores, broadcast to (H, Tq, Tk).
        softcap: bound on scaled scores.
        sinks: (H,) one learned score per head that joins the softmax without a value.
        additive: parameters of the additive scoring function.
        rotary: whether q and k were rotated by their positions.
        projection: how q, k and v are made of what the layer reads; None where they are states or were typed, and where
            that cannot be told of a model of another library.
        w_in: W_Q, W_K and W_V of all heads side by side (d_model, H * d_head + H_kv * (d_key + d_value)), or held; None
            where they cannot be told. See `input_weights`.
        b_in: their biases side by side, likewise; None without any.
        part: which of the windows of an image, where a layer attends in each apart; else None.
        no_output: why W_O cannot be told; "" where it can.
        no_inputs: why W_Q, W_K and W_V of a model of another library cannot be told; "" where they can.
        edits: changes of steps of its chains, in the order in which they act; q, k and v stay what the model made.
    """

    name: str
    layer: int
    stack: str
    kind: str
    queries: str
    keys: str
    scoring: str
    q: Tensor
    k: Tensor
    v: Tensor
    w_o: _OutputField = _OutputField()  # a descriptor, not a default
    scale: float = 1.0
    mask: Mask = field(default_factory=Mask)
    bias: Tensor | None = None
    softcap: float | None = None
    sinks: Tensor | None = None
    additive: Additive | None = None
    rotary: bool = False
    projection: Projection | None = None
    w_in: Tensor | Held | None = None
    b_in: Tensor | Held | None = None
    part: int | None = None
    no_output: str = ""
    no_inputs: str = ""
    edits: tuple[SiteEdit, ...] = ()

    def __post_init__(self) -> None:
        """See that it has what its edits change.

        Raises:
            EditError: it has not.
        """
        for edit in self.edits:
            edit.check(self)

    def __repr__(self) -> str:
        heads, queries, keys = self.n_heads, self.q.shape[1], self.k.shape[1]
        return f"AttentionSite({self.name!r}, {heads} heads, {queries} queries, {keys} keys)"

    @property
    def place(self) -> tuple[int, str, str, int | None]:
        """Layer, stack, kind and part, which say where in a model it is."""
        return self.layer, self.stack, self.kind, self.part

    @property
    def n_heads(self) -> int:
        """H, the number of query heads."""
        return self.q.shape[0]

    @property
    def n_kv_heads(self) -> int:
        """H_kv, the number of key and value heads."""
        return self.k.shape[0]

    @property
    def d_head(self) -> int:
        """Width of one head."""
        return self.q.shape[-1]

    @property
    def d_value(self) -> int:
        """Width of one head's values."""
        return self.v.shape[-1]

    @property
    def d_model(self) -> int | None:
        """Width of the residual stream; None where W_O cannot be told."""
        given: Tensor | Held | None = self.__dict__["w_o"]
        return None if given is None else given.shape[-1]

    def tensors(self) -> list[Tensor]:
        """Return the arrays of this forward pass: q, k, v, bias and mask, not the weights of the model."""
        held = (self.q, self.k, self.v, self.bias, self.mask.keys, self.mask.pairs)
        return [tensor for tensor in held if tensor is not None]

    def group(self, head: int) -> int:
        """Return the index of the key-value head that a query head reads.

        Raises:
            IndexError: there is no such head.
        """
        if not 0 <= head < self.n_heads:
            raise IndexError(f"no head {head}: {self.name} has {self.n_heads}, counted from 0")
        return head // (self.n_heads // self.n_kv_heads)

    def input_weights(self, head: int) -> HeadWeights | None:
        """Return the weights that make q, k and v of a head of what the layer reads; None where they cannot be told.

        q = x W_Q + b_Q before any norm and rotation, k = memory W_K + b_K likewise, v = memory W_V + b_V.

        Raises:
            ModelChanged: the model has others by now.
        """
        group = self.group(head)
        if self.w_in is None:
            return None
        widths = (self.d_head, self.k.shape[-1], self.d_value)
        sections = [n * width for n, width in zip((self.n_heads, *[self.n_kv_heads] * 2), widths, strict=True)]

        def columns(given: Tensor | Held | None) -> list[Tensor | None]:
            if given is None:
                return [None, None, None]
            whole = given.take(self) if isinstance(given, Held) else given
            parts = zip(torch.split(whole.float(), sections, dim=-1), (head, group, group), widths, strict=True)
            return [part[..., at * width : (at + 1) * width] for part, at, width in parts]

        return HeadWeights(*columns(self.w_in), *columns(self.b_in))  # type: ignore[arg-type]

    def output_weights(self, head: int) -> Tensor | None:
        """Return the rows of W_O that read the context of a head, (d_value, d_model); None where they cannot be told.

        Raises:
            ModelChanged: the model has another W_O by now.
        """
        w_o, rows = self.w_o, slice(head * self.d_value, (head + 1) * self.d_value)
        return None if w_o is None else w_o[rows].float()

    def scores(self, head: int) -> Tensor:
        """Compute the raw scores of a head, before scale and mask: (Tq, Tk)."""
        group = self.group(head)
        return self._score(self.q[head].float(), self.k[group].float())

    def scaled(self, head: int) -> Tensor:
        """Compute the scores after scale, bias and soft-cap: (Tq, Tk)."""
        return self._scaled(self.scores(head), head)

    def masked(self, head: int) -> Tensor:
        """Compute the scaled scores with -inf where a key may not be read: (Tq, Tk)."""
        return self._masked(self.scaled(head), head)

    def weights(self, head: int) -> Tensor:
        """Compute the softmax over the keys of each query: (Tq, Tk); a fully masked row is all zeros."""
        return self._weights(self.masked(head), head)

    def context(self, head: int) -> Tensor:
        """Compute the weighted sum of the values: (Tq, d_value)."""
        return self._context(self.weights(head), head)

    def output(self, head: int) -> Tensor:
        """Return the head's share of the residual stream: (Tq, d_model). Their sum plus b_O is the layer's output.

        Raises:
            NoHeadOutputs: W_O cannot be told; the message says why.
            ModelChanged: the model has another W_O by now.
        """
        output = self._output(self.context(head), head)
        if output is None:
            raise NoHeadOutputs(self.name, self.no_output or Why("hidden-output"))
        return output

    def bias_of(self, head: int) -> Tensor | None:
        """Return the bias on the scaled scores of a head: (Tq, Tk); None if the model adds none."""
        if self.bias is None:
            return None
        return self.bias.broadcast_to(self.n_heads, self.q.shape[1], self.k.shape[1])[head].float()

    def chain(self, head: int) -> Chain:
        """Return all six steps of a head, nothing computed twice."""
        scores = self.scores(head)
        scaled = self._scaled(scores, head)
        masked = self._masked(scaled, head)
        weights = self._weights(masked, head)
        context = self._context(weights, head)
        return Chain(scores, scaled, masked, weights, context, self._output(context, head))

    def weight_blocks(self, rows: int = 64) -> Iterator[tuple[slice, Tensor]]:
        """Yield the weights of all heads, some queries at a time: (which queries, (H, rows, Tk)).

        Every head of a long text at once would not fit into memory; a block stays near the processor, and with a
        causal mask the keys after it are not computed. The tensor is used again: copy what you keep.
        """
        n_queries, n_keys = self.q.shape[1], self.k.shape[1]
        k = self.k.float()
        if self.n_kv_heads < self.n_heads:
            k = k.repeat_interleave(self.n_heads // self.n_kv_heads, dim=0)  # (H, Tk, d_head)
        bias = None if self.bias is None else self.bias.broadcast_to(self.n_heads, n_queries, n_keys)
        sinks = None if self.sinks is None else self.sinks[:, None]
        first = n_keys - n_queries if self.mask.first_query is None else self.mask.first_query
        weights = torch.zeros(self.n_heads, min(rows, n_queries), n_keys, device=self.q.device)
        scores = torch.empty_like(weights).flatten()
        before = {edit for edit in self.edits if edit.step != "context"}
        heads = [head for head in range(self.n_heads) if any(edit.touches(head) for edit in before)]
        edits = {head: self.weights(head) for head in heads}  # (Tq, Tk) each
        plain = self.additive is None and bias is None and self.softcap is None and sinks is None
        for start in range(0, n_queries, rows):
            block = slice(start, min(start + rows, n_queries))
            seen = min(n_keys, first + block.stop) if self.mask.causal else n_keys
            q = self.q[:, block].float()
            mask = self.mask.block(block, n_queries, n_keys, seen)
            part = weights[:, : q.shape[1]]
            if plain and mask.only_causal and first + start >= 0:
                room = scores[: q.shape[0] * q.shape[1] * seen].view(*q.shape[:2], seen)
                attention.block_weights(q, k[:, :seen], self.scale, mask, room, part[..., :seen])
            else:
                scaled = attention.scaled_scores(
                    self._score(q, k[:, :seen]),
                    self.scale,
                    None if bias is None else bias[:, block, :seen],
                    self.softcap,
                )  # (H, rows, seen)
                part[..., :seen] = attention.softmax_weights(attention.masked_scores(scaled, mask), sinks)
            for head, edited in edits.items():
                part[head] = edited[block]
            yield block, part

    def edited(self, own: Tensor) -> Tensor:
        """Return the contexts that go on in place of the model's own (H, Tq, d_value), in its kind of numbers.

        Heads without an edit stay as they are. Where an edit changes the context alone, the model's own is what it
        changes; where it changes a step before that, the context is computed from q, k and v.
        """
        contexts = own.clone()
        for head in range(self.n_heads):
            steps = {edit.step for edit in self.edits if edit.touches(head)}
            if steps == {"context"}:
                contexts[head] = self._edited("context", head, own[head].float())
            elif steps:
                contexts[head] = self.context(head)
        return contexts

    def difference(self, q: Tensor, k: Tensor, v: Tensor) -> float:
        """Return the largest `difference` of q (H, Tq, d), k and v (H_kv, Tk, d) from those of another pass.

        Queries that may read nothing, and keys that no query may read, are left out: nothing depends on them.
        """
        if (self.q.shape, self.k.shape, self.v.shape) != (q.shape, k.shape, v.shape):
            return float("inf")
        reads = self.mask.allowed(q.shape[1], k.shape[1], self.q.device)  # (Tq, Tk)
        rows, keys = reads.any(1), reads.any(0)
        pairs = ((self.q[:, rows], q[:, rows]), (self.k[:, keys], k[:, keys]), (self.v[:, keys], v[:, keys]))
        return worst(difference(one, other) for one, other in pairs)

    def _score(self, q: Tensor, k: Tensor) -> Tensor:
        if self.additive is not None:
            return attention.additive_scores(q, k, *self.additive)
        return attention.dot_product_scores(q, k)

    def _scaled(self, scores: Tensor, head: int) -> Tensor:
        scaled = attention.scaled_scores(scores, self.scale, self.bias_of(head), self.softcap)
        return self._edited("scaled", head, scaled)

    def _masked(self, scaled: Tensor, head: int) -> Tensor:
        return self._edited("masked", head, attention.masked_scores(scaled, self.mask))

    def _weights(self, masked: Tensor, head: int) -> Tensor:
        weights = attention.softmax_weights(masked, None if self.sinks is None else self.sinks[head])
        return self._edited("weights", head, weights)

    def _context(self, weights: Tensor, head: int) -> Tensor:
        return self._edited("context", head, attention.context(weights, self.v[self.group(head)].float()))

    def _edited(self, step: str, head: int, given: Tensor) -> Tensor:
        """Return a step as the edits leave it."""
        for edit in self.edits:
            if edit.step == step and edit.touches(head):
                given = edit.change(self, head, given)
        return given

    def _output(self, context: Tensor, head: int) -> Tensor | None:
        w_o = self.output_weights(head)
        return None if w_o is None else attention.head_output(context, w_o)


def hold_only_these(*tensors: Tensor) -> list[Tensor]:
    """Return the tensors themselves, or a copy of one whose memory would keep much else alive.

    q, k and v usually are three views that fill one buffer; after a rotation only v still refers to it.
    """
    used = Counter[int]()
    for tensor in tensors:
        used[tensor.untyped_storage().data_ptr()] += tensor.nbytes
    return [t if t.untyped_storage().nbytes() <= used[t.untyped_storage().data_ptr()] else t.clone() for t in tensors]
