"""Trace: all that was computed for one text, as references, and the proof that the references tell the truth."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
from torch import Tensor

from attnviz.models import AttentionCall, Recorder, SequenceModel
from attnviz.trace.site import AttentionSite

__all__ = ["LayerInputs", "ProofEntry", "Trace"]

NPZ_LIMIT = 256 * 2**20  # bytes of scores and weights that an NPZ file holds beside q, k, v


class ProofEntry(NamedTuple):
    """The largest error of one site: recomputed from its q, k, v against what the model itself computed.

    Attributes:
        name: of the site.
        context_error: max |weights(h) @ v - the model's own context| over all heads, queries and dimensions.
        output_error: max |sum over heads of output(h) + b_O - the model's own attention output|.
    """

    name: str
    context_error: float
    output_error: float

    @property
    def max_abs_error(self) -> float:
        """The larger of the two."""
        return max(self.context_error, self.output_error)


class LayerInputs(NamedTuple):
    """What one attention layer read: x (Tq, d_model) for the queries, memory (Tk, d_model) for keys and values."""

    x: Tensor
    memory: Tensor


@dataclass(frozen=True, eq=False)
class Trace:
    """A forward pass on one text.

    Attributes:
        model: that ran.
        text: that it read.
        target: that the decoder of an encoder-decoder read; None for other models.
        target_generated: the model wrote that target itself.
        token_ids: input of the main stack (of the decoder in an encoder-decoder).
        source_ids: input of the encoder of an encoder-decoder.
        sites: every place of attention, in the order in which they ran.
        stream: the residual stream that the unembedding reads (T, d_model).
    """

    model: SequenceModel = field(repr=False)
    text: str
    target: str | None
    target_generated: bool
    token_ids: tuple[int, ...] = field(repr=False)
    source_ids: tuple[int, ...] | None = field(repr=False)
    sites: tuple[AttentionSite, ...] = field(repr=False)
    stream: Tensor = field(repr=False)

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """Labels of the main stack's tokens, special tokens by name."""
        return tuple(self.model.tokenizer.label(index) for index in self.token_ids)

    @cached_property
    def source_tokens(self) -> tuple[str, ...] | None:
        """Labels of the source's tokens; None for models that read one text."""
        if self.source_ids is None or self.model.source_tokenizer is None:
            return None
        return tuple(self.model.source_tokenizer.label(index) for index in self.source_ids)

    @property
    def stack(self) -> str:
        """The stack that reads `tokens` and whose outputs are predicted."""
        return "encoder" if self.model.config.architecture == "encoder" else "decoder"

    def stack_ids(self) -> dict[str, tuple[int, ...]]:
        """Token ids by stack."""
        return ({"encoder": self.source_ids} if self.source_ids is not None else {}) | {self.stack: self.token_ids}

    def stack_tokens(self) -> dict[str, tuple[str, ...]]:
        """Token labels by stack."""
        source = self.source_tokens
        return ({"encoder": source} if source is not None else {}) | {self.stack: self.tokens}

    @cached_property
    def logits(self) -> Tensor:
        """Scores of every symbol at every position: (T, vocab_size); computed on the first look, then kept."""
        with torch.inference_mode():
            logits: Tensor = self.model.network.unembedding(self.stream)
            return logits

    @property
    def nbytes(self) -> int:
        """Memory held for this trace: distinct buffers behind the sites and the stream, in bytes."""
        tensors = [self.stream, *(tensor for site in self.sites for tensor in (site.q, site.k, site.v))]
        storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
        return sum(storages.values())

    def site(self, name: str) -> AttentionSite:
        """The site of that name.

        Raises:
            KeyError: there is none; the message lists the names.
        """
        for site in self.sites:
            if site.name == name:
                return site
        raise KeyError(f"no site {name!r}; there are {', '.join(site.name for site in self.sites)}")

    def inputs(self, name: str) -> LayerInputs:
        """What the attention layer of a site read (after the norm in a pre-norm model): the X of the chain.

        The first look runs the model once more and keeps the inputs of every site.

        Raises:
            KeyError: there is no such site.
        """
        return self._inputs[self.site(name).name]

    @cached_property
    def _inputs(self) -> dict[str, LayerInputs]:
        kept: dict[str, LayerInputs] = {}

        def keep(call: AttentionCall) -> None:
            kept[call.layer.name] = LayerInputs(call.x[0], call.memory[0])

        self._replay(keep)
        return kept

    def proof(self) -> list[ProofEntry]:
        """Recompute every site from its q, k, v and compare with the model's own numbers, in a second run of the model.

        Returns:
            One entry per site, in their order. If the weights changed since the trace was taken, the errors show it.
        """
        entries: list[ProofEntry] = []

        def compare(call: AttentionCall) -> None:
            site = self.sites[len(entries)]
            output = call.layer.project_out.bias.expand_as(call.output[0]).clone()  # (Tq, d_model)
            context_error = 0.0
            for head in range(site.n_heads):
                chain = site.chain(head)
                context_error = max(context_error, _max_abs(chain.context - call.context[0, head]))
                output += chain.output
            entries.append(ProofEntry(site.name, context_error, _max_abs(output - call.output[0])))

        self._replay(compare)
        return entries

    @torch.inference_mode()
    def _replay(self, record: Recorder) -> None:
        source = None if self.source_ids is None else torch.tensor([self.source_ids])
        self.model.network.stream(torch.tensor([self.token_ids]), source, record=record)

    def to_npz(self, path: str | Path | BinaryIO) -> None:
        """Write everything as one compressed NumPy archive.

        Entries: tokens, source_tokens, logits; per site "<name>/q", "/k", "/v", and "/scores", "/masked", "/weights"
        (H, Tq, Tk) while these fit into 256 MiB; "contents" is JSON that lists what is in and what was left out.
        """
        arrays: dict[str, np.ndarray] = {"tokens": np.array(self.tokens), "logits": self.logits.numpy()}
        if self.source_tokens is not None:
            arrays["source_tokens"] = np.array(self.source_tokens)
        pairs = sum(3 * 4 * s.n_heads * s.q.shape[1] * s.k.shape[1] for s in self.sites)
        for site in self.sites:
            for name in ("q", "k", "v"):
                arrays[f"{site.name}/{name}"] = getattr(site, name).numpy()
            if pairs <= NPZ_LIMIT:
                chains = [site.chain(head) for head in range(site.n_heads)]
                for name in ("scores", "masked", "weights"):
                    arrays[f"{site.name}/{name}"] = torch.stack([getattr(c, name) for c in chains]).numpy()
        contents = {
            "model": self.model.card.name,
            "text": self.text,
            "target": self.target,
            "sites": {s.name: {"scale": s.scale, "causal": s.mask.causal, "window": s.mask.window} for s in self.sites},
            "left_out": [] if pairs <= NPZ_LIMIT else ["scores", "masked", "weights"],
        }
        arrays["contents"] = np.array(json.dumps(contents, ensure_ascii=False))
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]


def _max_abs(difference: Tensor) -> float:
    return float(difference.abs().max())
