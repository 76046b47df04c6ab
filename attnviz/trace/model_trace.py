"""Trace: all that was computed for one text, as references, and the proof that the references tell the truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, NamedTuple, Protocol, cast

import numpy as np
import torch
from torch import Tensor

from attnviz.errors import EditMeansNothing, NotSplit, TokensDoNotFit
from attnviz.errors.base import Why
from attnviz.models.facts import ModelFacts
from attnviz.trace.edit import Edit
from attnviz.trace.explain import explain_logit, explain_score
from attnviz.trace.lens import Lens, look_through
from attnviz.trace.passes import EditablePass, ForwardPass, LayerInputs, ProofEntry
from attnviz.trace.site import AttentionSite
from attnviz.trace.states import LayerStates
from attnviz.trace.table import to_dataframe
from attnviz.trace.thumbnails import Thumbnails, thumbnails
from attnviz.trace.tokens import Tokens
from attnviz.trace.weights import HeldLayer
from attnviz.why import Explanation, LogitParts
from attnviz.why.written import Written

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Outputs", "Trace", "TracedModel", "in_rows"]

ROWS = 256  # of logits at a time, where nobody asks for all: a large vocabulary takes much memory
NPZ_LIMIT = 256 * 2**20  # bytes of scores and weights that an NPZ file holds beside q, k, v


class Outputs(NamedTuple):
    """Meaning of the numbers at the end of a model.

    Attributes:
        kind: "next" (the token after each position), "same" (the token at each position), "masked" (likewise, and only
            hidden tokens matter), "labels" (a label for each token), "label" (one for the whole), "span" (the token at
            which an answer starts, and the one at which it ends), "values" (numbers themselves, as of a forecast).
        sequence: name of the tokens that they belong to.
        label: what each of them is called.
        positions: rows of the logits that matter most, such as those of [MASK]; () when all do.
    """

    kind: Literal["next", "same", "masked", "labels", "label", "span", "values"]
    sequence: str
    label: Callable[[int], str]
    positions: tuple[int, ...] = ()

    def rows_that_matter(self, n: int, specials: Sequence[int] = ()) -> Sequence[int]:
        """Choose among n rows of logits: `positions`, the last row where each tells the next token, else all.

        Special tokens, whose positions are given, have no answer of their own where other tokens have one.
        """
        if self.positions or self.kind == "next":
            return self.positions or [n - 1]
        return [row for row in range(n) if row not in specials] or range(n)


class TracedModel(Protocol):
    """Facts of a model that its traces need."""

    @property
    def facts(self) -> ModelFacts:
        """Name, size and kind."""


@dataclass(frozen=True, eq=False)
class Trace:
    """A forward pass on one text.

    Attributes:
        target: target that the decoder of an encoder-decoder read; None for other models.
        target_generated: the model wrote that target itself.
        sequences: all tokens, by name; sites say which are their queries and keys.
        main: name of the sequence that the model reads last: the decoder's in an encoder-decoder.
        sites: every place of attention, in the order in which they ran.
        outputs: what the logits stand for; None for a model that ends with its residual stream, or in a way that is not
            shown yet.
        image: image that it saw, (height, width, 3) bytes; None without one.
        look_at_states: what `states` calls.
        edits: changes of the forward pass; see `attnviz.edits`.
    """

    model: TracedModel = field(repr=False)
    text: str
    target: str | None
    target_generated: bool
    sequences: Mapping[str, Tokens] = field(repr=False)
    main: str
    sites: tuple[AttentionSite, ...] = field(repr=False)
    outputs: Outputs | None = field(repr=False)
    forward_pass: ForwardPass = field(repr=False)
    image: np.ndarray | None = field(default=None, repr=False)
    look_at_states: Callable[[], list[LayerStates]] = field(default=list, repr=False)
    edits: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        """Hold the number of tokens of each site to the names that there are.

        Raises:
            TokensDoNotFit: they differ.
        """
        for site in self.sites:
            for sequence, read in ((site.queries, site.q.shape[1]), (site.keys, site.k.shape[1])):
                tokens = len(self.sequences[sequence]) if sequence in self.sequences else 0
                if tokens != read:
                    raise TokensDoNotFit(self.model.facts.name, site.name, read, sequence, tokens)

    @property
    def tokens(self) -> tuple[str, ...]:
        """Labels of the main sequence's tokens, special tokens by name."""
        return self.sequences[self.main].labels

    @property
    def token_ids(self) -> tuple[int, ...]:
        """Ids of the main sequence's tokens."""
        return self.sequences[self.main].ids

    @property
    def source(self) -> Tokens | None:
        """The tokens that the encoder of an encoder-decoder read; None for other models."""
        return self.sequences["encoder"] if self.main == "decoder" and "encoder" in self.sequences else None

    @property
    def source_tokens(self) -> tuple[str, ...] | None:
        """Labels of the source's tokens; None for models that read one text."""
        return None if self.source is None else self.source.labels

    @property
    def source_ids(self) -> tuple[int, ...] | None:
        """Ids of the source's tokens; None for models that read one text."""
        return None if self.source is None else self.source.ids

    @cached_property
    def thumbnails(self) -> Mapping[str, Thumbnails]:
        """Small maps of all heads by the name of their site; computed on the first look, then kept."""
        return {site.name: thumbnails(site, self.sequences[site.keys].specials) for site in self.sites}

    @cached_property
    def logits(self) -> Tensor:
        """Scores of every output: (T, vocab_size), or (1, labels); computed on the first look, then kept.

        Raises:
            ValueError: the model ends with its residual stream.
        """
        return next(self._logits())

    def top_outputs(self, k: int) -> tuple[Tensor, Tensor]:
        """Return the most probable outputs of every position, without keeping the logits of a large vocabulary.

        Args:
            k: how many; fewer where there are fewer outputs.

        Returns:
            Their ids (T, k), the most probable first, and their probabilities, softmax(logits).

        Raises:
            ValueError: the model ends with its residual stream, or its outputs are values.
        """
        if k not in self._tops:
            self._tops[k] = self.top_outputs_and(k, torch.empty(0, 0, dtype=torch.long))[:2]
        return self._tops[k]

    @cached_property
    def _tops(self) -> dict[int, tuple[Tensor, Tensor]]:
        return {}

    def top_outputs_and(self, k: int, others: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the same, and the probabilities of other outputs, whose ids (T, n) are given for every position."""
        if self.outputs is not None and self.outputs.kind == "values":
            raise ValueError(f"{self.model.facts.name} says values, not probabilities: see `logits`")
        ids, probabilities, asked, at = [], [], [], 0
        for logits in self._logits(ROWS):
            shares = logits.float().softmax(-1)
            top = shares.topk(min(k, logits.shape[-1]))
            ids.append(top.indices)
            probabilities.append(top.values)
            asked.append(shares.gather(-1, others[at : at + len(shares)]))
            at += len(shares)
        return torch.cat(ids), torch.cat(probabilities), torch.cat(asked)

    def _logits(self, rows: int | None = None) -> Iterator[Tensor]:
        if self.outputs is None:
            raise ValueError(
                f"{self.model.facts.name} has no outputs to show: it ends with its residual stream, "
                "or in a way that is not shown yet"
            )
        return self.forward_pass.logits(rows)

    @property
    def nbytes(self) -> int:
        """Memory held for this trace: distinct buffers behind the sites, and what the pass keeps, in bytes."""
        tensors = [tensor for site in self.sites for tensor in site.tensors()]
        storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
        return sum(storages.values()) + self.forward_pass.nbytes

    def site(self, name: str) -> AttentionSite:
        """Return the site of that name.

        Raises:
            KeyError: there is none; the message lists the names.
        """
        for site in self.sites:
            if site.name == name:
                return site
        raise KeyError(f"no site {name!r}; there are {', '.join(site.name for site in self.sites)}")

    def find(
        self, layer: int, stack: str | None = None, kind: str | None = None, part: int | None = None
    ) -> AttentionSite:
        """The site of a layer. Where there are several, in this order: self-attention before cross-attention, the
        sequence that the model reads last (the decoder's in an encoder-decoder) before others, the first part of an
        image.

        Args:
            layer: index of the block, from 0.
            stack: "encoder" or "decoder"; "text" or "vision" in a model that has an encoder for each.
            kind: "self" or "cross".
            part: window of an image.

        Raises:
            KeyError: there is no such site; the message lists what there is.

        Example:
            >>> import attnviz
            >>> trace = attnviz.trace(attnviz.load_model("zoo/dates"), "3rd of March 2021", "2021")
            >>> [trace.find(0, *choice).name for choice in ((), (None, "cross"), ("encoder",))]
            ['decoder.0.self', 'decoder.0.cross', 'encoder.0.self']
        """
        found = self.find_all(layer, stack, kind, part)
        found = [site for site in found if site.kind == "self"] or found
        found = [site for site in found if site.queries == self.main] or found
        return found[0]

    def find_all(
        self, layer: int | None = None, stack: str | None = None, kind: str | None = None, part: int | None = None
    ) -> list[AttentionSite]:
        """All sites that are what is asked for, in the order in which they ran. Arguments as in `find`; None: any.

        Raises:
            KeyError: there is no such site; the message lists what there is.
        """
        asked = {"layer": layer, "stack": stack, "kind": kind, "part": part}
        asked = {name: value for name, value in asked.items() if value is not None}
        found = [site for site in self.sites if all(getattr(site, name) == value for name, value in asked.items())]
        if not self.sites:
            raise KeyError(f"{self.model.facts.name} has no attention")
        if not found:
            wanted = ", ".join(f"{name} {value!r}" for name, value in asked.items())
            raise KeyError(f"no attention at {wanted}; there is {_what_there_is(self.sites)}")
        return found

    def inputs(self, name: str) -> LayerInputs | None:
        """Return the inputs of each attention site by its name; those that are unknown are left out.

        The first look runs the model once more and keeps the inputs of every site. None: the layer does not show it.

        Raises:
            KeyError: there is no such site.
        """
        return self._inputs.get(self.site(name).name)

    @cached_property
    def _inputs(self) -> Mapping[str, LayerInputs]:
        return self.forward_pass.inputs()

    def proof(self) -> list[ProofEntry]:
        """Recompute every site from its q, k, v and compare with the model's own numbers, in a second run of the model.

        Returns:
            One entry per site, in their order.

        Raises:
            ModelChanged: the model is not the one that was traced any more; so do `logits`, `inputs` and `states`.
        """
        return self.forward_pass.proof(self.sites)

    def with_edits(self, edits: Sequence[Edit]) -> Trace:
        """Run the model again on what it read here, with these edits in place of those of the trace.

        Raises:
            EditError: the model has not what an edit changes, or this trace is of no single pass that can be run again.

        Example:
            >>> import attnviz
            >>> from attnviz import edits
            >>> trace = attnviz.trace(attnviz.load_model("zoo/sort"), "c a b >")
            >>> trace.with_edits([edits.head_off("decoder.0.self", 0)]).edits
            (HeadOff(site='decoder.0.self', head=0, baseline='zero'),)
        """
        if not hasattr(self.forward_pass, "under"):
            raise EditMeansNothing(self.model.facts.name, Why("no-pass"))
        ran, sites = cast(EditablePass, self.forward_pass).under(edits)
        states = getattr(ran, "states", self.look_at_states)
        return replace(self, sites=tuple(sites), forward_pass=ran, look_at_states=states, edits=tuple(edits))

    def states(self) -> list[LayerStates]:
        """Gates and states of a recurrent network's layers over time, in a second run of it; empty for other models."""
        return self.look_at_states()

    def why(self, site: str, head: int, query: int, key: int) -> Explanation:
        """Explain one attention score: as a sum of what earlier parts of the model wrote; see `attnviz.why`.

        The first look runs the model two more times, and keeps what its parts wrote.

        Args:
            site: name of the site, such as "decoder.1.self".
            head: index of the head.
            query: position of the query.
            key: position of the key.

        Returns:
            The score above the mean of its row, split on the side of the query and on the side of the keys.

        Raises:
            NotSplit: the score is no such sum, or is not shown to be one; the message says why.
            KeyError: there is no such site.
            IndexError: there is no such head, query or key.
            ModelChanged: the model is not the one that was traced any more.

        Example:
            >>> import attnviz
            >>> trace = attnviz.trace(attnviz.load_model("zoo/induction"), "a c d b a")
            >>> found = trace.why("decoder.1.self", head=0, query=4, key=1)
            >>> abs(sum(part.share for part in found.queries) - (found.score - found.row_mean)) < 1e-4
            True
        """
        return explain_score(self, site, head, query, key)

    def logit_parts(
        self, position: int, token: str | int | None = None, against: str | int | None = None
    ) -> LogitParts:
        """Split a logit, or the difference of two, into what the parts of the model wrote directly.

        What a head does through later layers is in their parts. Scales of norms are held at their values.

        Args:
            position: row of the logits; from the end where it is negative.
            token: output, by label or id; None: the most probable one.
            against: output whose logit is subtracted, likewise; None: none.

        Raises:
            NotSplit: the logit is no such sum.
            NoSuchOutput, NoSuchPosition, NoProbabilities: there is no such output or row.
        """
        return explain_logit(self, position, token, against)

    def lens(self, k: int = 5) -> Lens:
        """Return the most probable outputs that the embeddings, and the stream behind each block, would give.

        The model ends with each of them in turn: it runs once more for every block, the blocks themselves do not.

        Args:
            k: how many outputs of each position; fewer where there are fewer.

        Returns:
            ids and probabilities, (layers + 1, T, k) each; the last row is what the model says.

        Raises:
            ValueError: k is below 1.
            NoProbabilities: the model ends without probabilities.
            NotSplit: its blocks cannot be told, or another stream would not arrive at its end.

        Example:
            >>> import attnviz
            >>> attnviz.trace(attnviz.load_model("zoo/induction"), "a c d b a").lens(k=3).ids.shape
            torch.Size([3, 5, 3])
        """
        return look_through(self, k)

    def find_heads(self) -> Any:
        """Find heads that read in a way that has a name, in this text alone; return `attnviz.heads.Heads`.

        `attnviz.find_heads` takes the model and many texts, and finds more than one short text can show.

        Example:
            >>> import attnviz
            >>> trace = attnviz.trace(attnviz.load_model("zoo/induction"), "a c d b e f g " * 6)
            >>> [head.label for head in trace.find_heads()]
            ['previous', 'induction']
        """
        return import_module("attnviz.heads").heads_of(self)  # which stands above traces

    @cached_property
    def written(self) -> Written:
        """Writings of the parts of the model in this pass; computed on the first look, then kept."""
        if not hasattr(self.forward_pass, "written"):
            raise NotSplit(self.model.facts.name, Why("split-no-model"))
        return cast(EditablePass, self.forward_pass).written()

    def forget_written(self) -> None:
        """Drop what `why` and `logit_parts` keep; whoever looks again has the model run again."""
        vars(self).pop("written", None)

    @property
    def last_step(self) -> tuple[HeldLayer, Tensor] | None:
        """The unembedding, and what it read (T, d_model); None where there is no single one."""
        return cast(EditablePass, self.forward_pass).ended()

    def to_dataframe(
        self, layer: int, head: int, stack: str | None = None, kind: str | None = None, part: int | None = None
    ) -> pd.DataFrame:
        """One head as a pandas table, a row for every pair of a query and a key: see `attnviz.trace.table`.

        Args:
            layer: index of the block; with stack, kind and part as in `find`.
            stack: "encoder", "decoder", "text" or "vision".
            kind: "self" or "cross".
            part: window of an image.

        Raises:
            KeyError: there is no such site.
            IndexError: there is no such head.

        Example:
            >>> import attnviz
            >>> trace = attnviz.trace(attnviz.load_model("zoo/sort"), "c a b")
            >>> table = trace.to_dataframe(layer=0, head=0)
            >>> table[table.allowed].groupby("query").weight.sum().round(5).unique().tolist()
            [1.0]
        """
        site = self.find(layer, stack, kind, part)
        return to_dataframe(site, head, self.sequences[site.queries].labels, self.sequences[site.keys].labels)

    def to_npz(self, path: str | Path | BinaryIO) -> None:
        """Write everything as one compressed NumPy archive.

        Entries: tokens, source_tokens, logits; per site `<name>/q`, "/k", "/v", where there are any "/bias" (H or 1,
        Tq, Tk), "/sinks" (H,) and "/allowed" (Tq, Tk; masks that no rule tells), and "/scores", "/masked", "/weights"
        (H, Tq, Tk) while all of these fit into 256 MiB; "contents" is JSON that lists what is in and what was left out.
        """
        arrays: dict[str, np.ndarray] = {"tokens": np.array(self.tokens)}
        if self.outputs is not None:
            arrays["logits"] = _array(self.logits)
        if self.source_tokens is not None:
            arrays["source_tokens"] = np.array(self.source_tokens)
        pairs = sum(3 * 4 * s.n_heads * s.q.shape[1] * s.k.shape[1] for s in self.sites)
        for site in self.sites:
            given = {"q": site.q, "k": site.k, "v": site.v, "bias": site.bias, "sinks": site.sinks}
            arrays |= {f"{site.name}/{name}": _array(tensor) for name, tensor in given.items() if tensor is not None}
            if site.mask.keys is not None or site.mask.pairs is not None:
                allowed = site.mask.allowed(site.q.shape[1], site.k.shape[1], site.q.device)
                arrays[f"{site.name}/allowed"] = allowed.cpu().numpy()
            if pairs <= NPZ_LIMIT:
                chains = [site.chain(head) for head in range(site.n_heads)]
                for name in ("scores", "masked", "weights"):
                    arrays[f"{site.name}/{name}"] = _array(torch.stack([getattr(c, name) for c in chains]))
        contents = {
            "model": self.model.facts.name,
            "text": self.text,
            "target": self.target,
            "sites": {site.name: _rules(site) for site in self.sites},
            "edits": [str(edit) for edit in self.edits],
            "left_out": [] if pairs <= NPZ_LIMIT else ["scores", "masked", "weights"],
        }
        arrays["contents"] = np.array(json.dumps(contents, ensure_ascii=False))
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def in_rows(tensor: Tensor, rows: int | None) -> Iterator[Tensor]:
    """Return a tensor so many rows at a time; None: all of them."""
    rows = rows or max(1, len(tensor))
    return (tensor[start : start + rows] for start in range(0, len(tensor), rows))


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.float().cpu().numpy()


def _rules(site: AttentionSite) -> dict[str, Any]:
    """Return the numbers, beside the arrays, that turn raw scores into weights."""
    return {"scale": site.scale, "softcap": site.softcap, "causal": site.mask.causal, "window": site.mask.window}


def _what_there_is(sites: Sequence[AttentionSite]) -> str:
    """Such as "decoder self-attention in layers 0 to 5"; a name for each site would be too much for large models."""
    layers: dict[str, set[int]] = {}
    for site in sites:
        layers.setdefault(f"{site.stack} {site.kind}-attention", set()).add(site.layer)
    return "; ".join(f"{what} in layer {', '.join(map(str, sorted(at)))}" for what, at in layers.items())
