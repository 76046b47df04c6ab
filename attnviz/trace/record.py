"""Recording a forward pass of our own Transformers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from attnviz.errors import EmptyText, TargetNotAllowed, TextTooLong
from attnviz.models import AttentionCall, Recorder, SequenceModel, generate
from attnviz.tokenizers import Tokenizer
from attnviz.trace.model_trace import LayerInputs, Outputs, ProofEntry, Trace, in_rows
from attnviz.trace.site import AttentionSite, hold_only_these
from attnviz.trace.tokens import Tokens

__all__ = ["trace"]


@torch.inference_mode()
def trace(model: SequenceModel, text: str, target: str | None = None) -> Trace:
    """Run a model on a text and keep what is needed to show every number of it.

    Args:
        model: from `load_model`.
        text: what the model reads; the source of an encoder-decoder.
        target: of an encoder-decoder: what its decoder reads. None or blank: the model writes it itself, greedily,
            and `Trace.target_generated` says so.

    Returns:
        A Trace whose sites refer to the q, k and v of this forward pass.

    Raises:
        EmptyText, UnknownSymbols, TextTooLong: the text cannot be read whole.
        TargetNotAllowed: a target for a model that reads one text.

    Example:
        >>> import attnviz
        >>> model = attnviz.load_model("zoo/reverse")
        >>> attnviz.trace(model, "g f e d c").sites[0].weights(0).shape
        torch.Size([6, 6])
    """
    generated = False
    if model.source_tokenizer is None:
        if target is not None and target.strip():
            raise TargetNotAllowed(model.config.architecture)
        source_ids, token_ids = None, model.tokenizer.encode(text)
    else:
        source_ids = model.source_tokenizer.encode(text)
        _check_length(source_ids, model.config.source_max_len)
        if target is None or not target.strip():
            target, generated = generate(model, text), True
        symbols = model.tokenizer.split(target)
        token_ids = [model.tokenizer.bos_id] * model.tokenizer.add_bos + model.tokenizer.encode_symbols(symbols)
    _check_length(token_ids, model.config.max_len)
    if not token_ids:
        raise EmptyText

    sites: list[AttentionSite] = []
    forward_pass = OwnPass(model, tuple(token_ids), None if source_ids is None else tuple(source_ids))
    forward_pass.run(lambda call: sites.append(_site(call)))
    main = "encoder" if model.config.architecture == "encoder" else "decoder"
    sequences = {main: _tokens(model.tokenizer, token_ids)}
    if source_ids is not None and model.source_tokenizer is not None:
        sequences = {"encoder": _tokens(model.source_tokenizer, source_ids), **sequences}
    return Trace(
        model=model,
        text=text,
        target=None if model.source_tokenizer is None else target,
        target_generated=generated,
        sequences=sequences,
        main=main,
        sites=tuple(sites),
        outputs=Outputs("same" if main == "encoder" else "next", main, model.tokenizer.label),
        forward_pass=forward_pass,
    )


def _tokens(tokenizer: Tokenizer, ids: list[int]) -> Tokens:
    specials = tuple(position for position, index in enumerate(ids) if index < tokenizer.n_specials)
    return Tokens(tuple(ids), tuple(map(tokenizer.label, ids)), specials)


def _check_length(ids: list[int], limit: int | None) -> None:
    if limit is not None and len(ids) > limit:
        raise TextTooLong(len(ids), limit)


def _site(call: AttentionCall) -> AttentionSite:
    layer = call.layer
    q, k, v = hold_only_these(call.q[0], call.k[0], call.v[0])
    return AttentionSite(
        name=layer.name,
        layer=layer.index,
        stack=layer.stack,
        kind=layer.kind,
        queries=layer.stack,
        keys="encoder" if layer.kind == "cross" else layer.stack,
        scoring=layer.scoring,
        q=q,
        k=k,
        v=v,
        w_o=layer.project_out.weight.T,
        scale=layer.scale,
        mask=call.mask,
        rotary=call.rotary,
    )


class OwnPass:
    """A forward pass of one of our own models, which can be run again.

    Attributes:
        stream: the residual stream that the unembedding reads (T, d_model).
    """

    def __init__(self, model: SequenceModel, token_ids: tuple[int, ...], source_ids: tuple[int, ...] | None) -> None:
        self.model, self.token_ids, self.source_ids = model, token_ids, source_ids

    @torch.inference_mode()
    def run(self, record: Recorder) -> None:
        """Run the model, show every attention call, and keep the last residual stream."""
        source = None if self.source_ids is None else torch.tensor([self.source_ids])
        self.stream = self.model.network.stream(torch.tensor([self.token_ids]), source, record=record)[0]

    @property
    def nbytes(self) -> int:
        """Bytes of the stream."""
        return self.stream.untyped_storage().nbytes()

    def logits(self, rows: int | None = None) -> Iterator[Tensor]:
        """As `ForwardPass.logits`, from the stream."""
        for part in in_rows(self.stream, rows):
            with torch.inference_mode():
                logits: Tensor = self.model.network.unembedding(part)
            yield logits

    def inputs(self) -> dict[str, LayerInputs]:
        """As `ForwardPass.inputs`."""
        kept: dict[str, LayerInputs] = {}

        def keep(call: AttentionCall) -> None:
            kept[call.layer.name] = LayerInputs(call.x[0], call.memory[0])

        self.run(keep)
        return kept

    def proof(self, sites: Sequence[AttentionSite]) -> list[ProofEntry]:
        """As `ForwardPass.proof`: context and output of every head against the layer's own."""
        entries: list[ProofEntry] = []

        def compare(call: AttentionCall) -> None:
            site = sites[len(entries)]
            output = call.layer.project_out.bias.expand_as(call.output[0]).clone()  # (Tq, d_model)
            context_error = 0.0
            for head in range(site.n_heads):
                chain = site.chain(head)
                context_error = max(context_error, _max_abs(chain.context - call.context[0, head]))
                assert chain.output is not None  # our own layers have W_O
                output += chain.output
            entries.append(ProofEntry(site.name, context_error, _max_abs(output - call.output[0])))

        self.run(compare)
        return entries


def _max_abs(difference: Tensor) -> float:
    return float(difference.abs().max())
