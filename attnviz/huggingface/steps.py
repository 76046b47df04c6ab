"""Keep what attention layers compute while a model writes: of each step only what it adds to the cache."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from attnviz.attention import Mask
from attnviz.errors import AttentionUnseen
from attnviz.huggingface.interface import InterfaceCall
from attnviz.huggingface.model import HuggingFaceModel
from attnviz.huggingface.place import Place, SiteWeights, site_of
from attnviz.huggingface.rules import Rules, RulesReader, rule_of
from attnviz.huggingface.structure import Structure
from attnviz.trace import AttentionSite, Edit
from attnviz.trace.edit import edits_at, while_writing

__all__ = ["Steps"]


@dataclass
class _Part:
    """One call of a layer: its queries stand at start .. stop, its first key at `first`; only new keys are kept.

    q: (B, H, n, d_head), k: (B, H_kv, n, d_head), v: (B, H_kv, n, d_value), of n new tokens; in cross-attention k and
    v are all that the encoder made. context: (B, n, H, d_value), kept where an edit may ask for it.
    """

    q: Tensor
    k: Tensor
    v: Tensor
    rules: Rules
    n_keys: int
    start: int
    stop: int
    first: int
    context: Tensor | None = None


@dataclass(eq=False)
class Steps:
    """The calls of a model that writes, one row of a batch or several continuations of one text side by side.

    Memory grows with the number of tokens, not with its square: no step keeps what the cache held before.

    Attributes:
        row: the row of the batch that is kept; None: all of them, which are alike but for what they write.
        edits: changes that stay in force; positions count from the first token that was read.
    """

    model: HuggingFaceModel
    structure: Structure
    row: int | None = None
    edits: Sequence[Edit] = ()
    _parts: dict[Place, list[_Part]] = field(default_factory=dict)
    _moves: list[list[int]] = field(default_factory=list)  # for each step after the first, the rows that it continues
    _count: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._names = self.model.module_names
        self._turns = Counter(module for module, _ in self.structure.places)  # of each layer in one pass
        self._reader = RulesReader()
        self._edited = {place for place in self.structure.places.values() if edits_at(self.edits, place.name)}

    def keep(self, call: InterfaceCall, context: Tensor) -> Tensor:
        """Keep a call; returns the context vectors (B, n, H, d_value) that go on.

        Raises:
            AttentionUnseen: a layer that was not there when the model was watched.
        """
        module = self._names.get(call.module, type(call.module).__name__)
        if module not in self._turns:
            raise AttentionUnseen(self.model.name, module)
        place = self.structure.places[module, self._count[module] % self._turns[module]]
        self._count[module] += 1
        parts = self._parts.setdefault(place, [])
        if self._reads_source(place):
            parts.clear()  # a model that hears a long sound encodes it piece by piece
        parts.append(self._part(place, call, parts))
        if place not in self._edited:
            return context
        parts[-1].context = context
        return self._changed(place, parts, context)

    def moved(self, rows: Sequence[int]) -> None:
        """Say which row each row of the next step continues."""
        self._moves.append(list(rows))

    def restart(self) -> None:
        """Forget what was written: the model begins anew, with what its encoder made."""
        self._parts = {place: parts for place, parts in self._parts.items() if self._reads_source(place)}
        self._count = Counter({m: n for m, n in self._count.items() if n and self._stack(m) == "encoder"})
        self._moves = []

    def sites(self, rows: Sequence[int], weights: Callable[[Place], SiteWeights]) -> list[AttentionSite]:
        """Return all layers, each with its steps in a row, reading the keys that the cache held then.

        Args:
            rows: for each step that counts, its row.
            weights: gives the matrices of a layer.
        """
        n = next((self._parts[place][len(rows) - 1].stop for place in self._parts if not self._reads_source(place)), 0)
        edits = while_writing(self.edits, n)
        return [self._site(place, rows, edits, weights(place)) for place in self._parts]

    @property
    def nbytes(self) -> int:
        """Memory of what is kept, in bytes."""
        tensors = [t for parts in self._parts.values() for one in parts for t in (one.q, one.k, one.v)]
        return sum({t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}.values())

    def _stack(self, module: str) -> str:
        return self.structure.places[module, 0].stack

    def _reads_source(self, place: Place) -> bool:
        return place.stack != "decoder"

    def _part(self, place: Place, call: InterfaceCall, before: Sequence[_Part]) -> _Part:
        rows = slice(None) if self.row is None else slice(self.row, self.row + 1)
        n, n_keys = call.q.shape[2], call.k.shape[2]
        start = before[-1].stop if before else 0
        stop = start + n
        rules = self._reader.read(call, self.row or 0)
        q = call.q[rows].clone()
        if place.kind == "cross":
            k, v = (before[0].k, before[0].v) if before else (call.k[rows].detach(), call.v[rows].detach())
            return _Part(q, k, v, rules, n_keys, start, stop, 0)
        last = min(stop, n_keys)  # a cache with a window holds the last keys alone, a static one has room for more
        new = slice(last - n, last)
        k, v = call.k[rows, :, new].clone(), call.v[rows, :, new].clone()
        return _Part(q, k, v, rules, n_keys, start, stop, max(0, stop - n_keys))

    def _path(self, row: int, steps: int) -> list[int]:
        """Return the rows, one for each step, that led to a row."""
        path = [row]
        for moves in reversed(self._moves[: steps - 1]):
            path.append(moves[path[-1]])
        return path[::-1]

    def _changed(self, place: Place, parts: Sequence[_Part], context: Tensor) -> Tensor:
        """Return the contexts of a step as the edits leave them: its tokens are the last ones of the text so far."""
        new, edits, changed = parts[-1].stop - parts[-1].start, while_writing(self.edits, parts[-1].stop), context
        for row in range(len(context)):
            path = [row] if self._reads_source(place) else self._path(row, len(parts))
            site = self._site(place, path, edits)
            if site.edits:
                own = [part.context[at] for part, at in zip(parts, path, strict=True) if part.context is not None]
                whole = site.edited(torch.cat(own).transpose(0, 1))  # (H, T, d_value)
                changed = changed.clone() if changed is context else changed
                changed[row] = whole[:, -new:].transpose(0, 1)
        return changed

    def _site(
        self, place: Place, rows: Sequence[int], edits: Sequence[Edit], weights: SiteWeights | None = None
    ) -> AttentionSite:
        parts = self._parts[place]
        path = [0] if self._reads_source(place) else rows
        steps = list(zip(parts, path, strict=False))
        q = torch.cat([part.q[row] for part, row in steps], dim=1)
        if place.kind == "cross":
            k, v = parts[0].k[path[0]], parts[0].v[path[0]]
        else:
            k, v = (torch.cat([getattr(part, name)[row] for part, row in steps], dim=1) for name in ("k", "v"))
        rules = parts[0].rules if len(steps) == 1 else _joined(place, [part for part, _ in steps], k.shape[1], q)
        return site_of(place, (q, k, v), rules, None, weights, edits)


def _joined(place: Place, parts: Sequence[_Part], n_keys: int, q: Tensor) -> Rules:
    """Return the rules of all steps as those of one call."""
    pairs = torch.zeros(q.shape[1], n_keys, dtype=torch.bool, device=q.device)
    bias = None if parts[0].rules.bias is None else q.new_zeros(q.shape[0], q.shape[1], n_keys)
    for part in parts:
        rules, n = part.rules, min(part.n_keys, n_keys - part.first)
        queries, keys = slice(part.start, part.stop), slice(part.first, part.first + n)
        if rules.mask.open:  # as nearly all steps of one token are
            pairs[queries, keys] = True
        else:
            pairs[queries, keys] = rules.mask.allowed(part.stop - part.start, part.n_keys, q.device)[:, :n]
        if bias is not None and rules.bias is not None:
            bias[:, queries, keys] = rules.bias[..., :n]
    mask = rule_of(pairs) if place.kind == "self" else Mask() if bool(pairs.all()) else Mask(pairs=pairs)
    return parts[0].rules._replace(mask=mask, bias=bias)
